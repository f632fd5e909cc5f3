"""From an energy to its impacts in a zone: energy x PUE x the zone's factors, pure, each figure with what it is of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from pydantic import Field

from scorekit.impacts.mixes import KINDS, WORLD, ImpactName, Kind, Mix, Zone
from scorekit.impacts.ranges import Range
from scorekit.impacts.terms import Term, TermName, exact_pue, exact_site_water, not_counted, sum_of
from scorekit.records import Record
from scorekit.records.base import Finite
from scorekit.units import wh_to_kwh

FOOTPRINT_SCHEMA: Final = "scorekit.footprint/1"


class ImpactFigure(Record):
    """One impact of an energy in a zone."""

    name: ImpactName
    title: str
    unit: str
    value: Range | None = Field(description="None where the zone has no data of its own.")
    factor_per_kwh: Finite | None = Field(description="Of the zone, in the unit per kWh.")
    own_data: bool = Field(description="Whether the factor is the zone's own.")
    why_none: str | None = Field(default=None, description="Why there is no value.")
    with_world_factor: Range | None = Field(
        default=None, description="Where there is no value: what the world's factor would give. No figure of the zone."
    )
    world_factor_per_kwh: Finite | None = None
    caution: str | None = None


class MixSource(Record):
    """Which edition of electricity mixes was used."""

    name: str
    source: str
    version: str


class Footprint(Record):
    """Impacts of an energy in a zone."""

    schema_version: Literal["scorekit.footprint/1"] = FOOTPRINT_SCHEMA
    zone: str
    zone_name: str
    mix: MixSource
    terms: tuple[Term, ...] = Field(description="What the energy is made of, before the PUE.")
    not_counted: tuple[TermName, ...]
    pue: Range | None = Field(description="None where the data centre's overhead was not counted.")
    site_water_l_per_kwh: Range | None = Field(
        description="Water that cools the data centre, by its computers' energy; None where it was not counted."
    )
    energy_wh: Range = Field(description="Sum of the terms, times the PUE.")
    energy_digits: int | None = Field(default=None, description="Digits that the energy was rounded to, if it was.")
    figures: tuple[ImpactFigure, ...]

    def figure(self, name: ImpactName) -> ImpactFigure:
        """The figure of an impact."""
        return next(figure for figure in self.figures if figure.name == name)


def footprint(
    terms: Sequence[Term],
    zone: Zone,
    mix: Mix,
    *,
    pue: Range | None = None,
    site_water_l_per_kwh: Range | None = None,
    energy_digits: int | None = None,
) -> Footprint:
    """Impacts of using an energy in a zone: total = sum of the terms x PUE, and each impact the total x its factor.

    Args:
        terms: what the energy is made of, each once.
        zone: where the electricity comes from.
        mix: the edition that the zone is of.
        pue: of the data centre; None does not count its overhead.
        site_water_l_per_kwh: water that the data centre takes, by the energy of its computers; None does not count it.
        energy_digits: significant digits that the total is rounded to before anything is worked out from it.

    Raises:
        UsageError: no term, a term twice, a PUE below 1, or a negative amount of water.
    """
    it_wh = sum_of(terms)
    for end in () if pue is None else (pue.low, pue.high):
        exact_pue(end)
    for end in () if site_water_l_per_kwh is None else (site_water_l_per_kwh.low, site_water_l_per_kwh.high):
        exact_site_water(end)
    total_wh = it_wh if pue is None else it_wh.times(pue)
    if energy_digits is not None:
        total_wh = total_wh.rounded(energy_digits)
    site_l = None if site_water_l_per_kwh is None else _kwh(it_wh).times(site_water_l_per_kwh)
    world = mix.zone(WORLD)
    return Footprint(
        zone=zone.code,
        zone_name=zone.name,
        mix=MixSource(name=mix.name, source=mix.source, version=mix.version),
        terms=tuple(terms),
        not_counted=not_counted(terms),
        pue=pue,
        site_water_l_per_kwh=site_water_l_per_kwh,
        energy_wh=total_wh,
        energy_digits=energy_digits,
        figures=tuple(_figure(kind, total_wh, zone, world, site_l if kind.name == "water" else None) for kind in KINDS),
    )


def _figure(kind: Kind, total_wh: Range, zone: Zone, world: Zone | None, site: Range | None) -> ImpactFigure:
    factor = zone.factor(kind.name)
    worlds = None if world is None or factor is not None or zone.code == WORLD else world.factor(kind.name)
    used = zone if factor is not None else world if worlds is not None else None
    # The caution about the world's zone is one about these two factors.
    caution = used.caution if used is not None and kind.name in ("pe", "adpe") else None
    return ImpactFigure(
        name=kind.name,
        title=kind.title,
        unit=kind.unit,
        value=None if factor is None else _impact(total_wh, factor, site),
        factor_per_kwh=factor,
        own_data=factor is not None,
        why_none=None if factor is not None else zone.why_none.get(kind.name, "not known"),
        with_world_factor=None if worlds is None else _impact(total_wh, worlds, site),
        world_factor_per_kwh=worlds,
        caution=caution,
    )


def _impact(total_wh: Range, factor: float, site: Range | None) -> Range:
    impact = _kwh(total_wh).times(factor)
    return impact if site is None else impact.plus(site)


def _kwh(energy_wh: Range) -> Range:
    return Range(low=wh_to_kwh(energy_wh.low), high=wh_to_kwh(energy_wh.high))
