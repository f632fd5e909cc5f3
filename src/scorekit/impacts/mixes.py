"""Electricity mixes: what a kWh of a zone's electricity costs the world, in editions that each name their source."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from pydantic import Field

from scorekit.impacts.choices import unknown
from scorekit.records import Record
from scorekit.records.base import Finite

ImpactName = Literal["gwp", "pe", "adpe", "water"]
WORLD: Final = "WOR"
_OTHER: Final = ", or another edition with --mix (`scorekit impact --list-mixes`)"


class Kind(NamedTuple):
    """A kind of impact.

    Attributes:
        name: the field's abbreviation.
        title: in words.
        unit: of the impact; its factor is in this unit per kWh.
    """

    name: ImpactName
    title: str
    unit: str


KINDS: Final = (
    Kind("gwp", "global warming potential", "kgCO2eq"),
    Kind("pe", "primary energy", "MJ"),
    Kind("adpe", "abiotic depletion potential, elements", "kgSbeq"),
    Kind("water", "water consumption", "L"),
)
"""Every kind of impact, in the order in which they are told."""


class Zone(Record):
    """One zone's factors, each per kWh of electricity; None where the edition has no data of the zone's own."""

    code: str = Field(description="ISO 3166-1 alpha-3, or WOR for the world and EEE for the European Economic Area.")
    name: str
    gwp: Finite | None = Field(gt=0, description="kgCO2eq per kWh.")
    pe: Finite | None = Field(gt=0, description="MJ per kWh.")
    adpe: Finite | None = Field(gt=0, description="kgSbeq per kWh.")
    water: Finite | None = Field(gt=0, description="L per kWh.")
    why_none: dict[ImpactName, str] = Field(default={}, description="For each factor that is None, why.")
    caution: str | None = Field(default=None, description="What should be known before the factors are used.")

    def factor(self, impact: ImpactName) -> float | None:
        """The factor of an impact, per kWh."""
        value: float | None = getattr(self, impact)
        return value


class Mix(Record):
    """An edition of the zones' factors."""

    name: str
    title: str
    source: str
    version: str
    zones: tuple[Zone, ...]
    spellings: dict[str, str] = Field(default={}, repr=False, description="Codes by other names of their zones.")

    def zone(self, code: str) -> Zone | None:
        """The zone of a code, or None."""
        return next((zone for zone in self.zones if zone.code == code), None)


def find_zone(mix: Mix, name: str) -> Zone:
    """A zone by its code or its name; capitals do not matter.

    Raises:
        UsageError: the edition has no such zone; names the nearest.
    """
    wanted = name.strip().casefold()
    spelled = {spelling.casefold(): code for spelling, code in mix.spellings.items()}
    spelled |= {zone.name.casefold(): zone.code for zone in mix.zones}
    spelled |= {zone.code.casefold(): zone.code for zone in mix.zones}
    zone = mix.zone(spelled.get(wanted, ""))
    if zone is None:
        valid = [zone.code for zone in mix.zones]
        if len(wanted) > len(WORLD):
            valid += [*(zone.name for zone in mix.zones), *mix.spellings]
        option = f"scorekit impact --list-zones --mix {mix.name}"
        raise unknown("zone", name, valid, option=option, where=f" in mix {mix.name}", otherwise=_OTHER)
    return zone
