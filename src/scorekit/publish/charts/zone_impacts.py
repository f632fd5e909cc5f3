"""What a kWh, or a model's queries, cost in each zone: the rows of the regions' charts, and their units; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from scorekit.publish.charts.chart import Column

NO_DATA: Final = "no data of its own"
FIRST_ZONES: Final = ("WOR", "EEE", "BRA", "CHN", "DEU", "FRA", "GBR", "IND", "JPN", "POL", "USA", "ZAF")
"""Zones that are shown as bars where nobody chose any."""
CAUTIONED: Final = ("pe", "adpe")
"""Impacts whose factors a zone's caution is about."""
_PREFIXES: Final[dict[str, tuple[tuple[float, str], ...]]] = {
    "kgCO2eq": ((1.0, "kg CO\u2082e"), (1e-3, "g CO\u2082e"), (1e-6, "mg CO\u2082e"), (1e-9, "\u00b5g CO\u2082e")),
    "kgSbeq": ((1.0, "kg Sb eq"), (1e-3, "g Sb eq"), (1e-6, "mg Sb eq"), (1e-9, "\u00b5g Sb eq"), (1e-12, "ng Sb eq")),
    "MJ": ((1.0, "MJ"), (1e-3, "kJ"), (1e-6, "J"), (1e-9, "mJ")),
    "L": ((1.0, "L"), (1e-3, "mL"), (1e-6, "\u00b5L"), (1e-9, "nL")),
}


@dataclass(frozen=True, slots=True)
class ZoneImpact:
    """One impact in one zone.

    Attributes:
        code: ISO 3166-1 alpha-3, or WOR and EEE.
        zone: its name.
        value: of the impact, in the chart's unit before it is scaled; None where the zone has no data of its own.
        why_none: why there is none.
        caution: what should be known before the figure is used.
    """

    code: str
    zone: str
    value: float | None
    why_none: str | None = None
    caution: str | None = None


class Scaled(NamedTuple):
    """A unit in which figures are easy to read.

    Attributes:
        unit: its sign.
        factor: how many of it make one of the unit that was given.
    """

    unit: str
    factor: float


def scaled_unit(unit: str, values: Iterable[float]) -> Scaled:
    """The unit in which most of some figures lie above one.

    Args:
        unit: of the figures, as `scorekit.impacts` names it.
        values: the figures.
    """
    known = sorted(value for value in values if value > 0)
    prefixes = _PREFIXES.get(unit)
    if prefixes is None:
        return Scaled(unit, 1.0)
    middle = known[len(known) // 2] if known else 1.0
    size, sign = next(((size, sign) for size, sign in prefixes if middle >= size), prefixes[-1])
    return Scaled(sign, 1 / size)


def columns(title: str, unit: str) -> tuple[Column, ...]:
    """Columns of a regions' table."""
    return (
        Column("code", "Code"),
        Column("zone", "Zone"),
        Column("value", title, unit),
        Column("note", "Note"),
    )


def rows(impacts: Sequence[ZoneImpact]) -> tuple[dict[str, object], ...]:
    """Rows of a regions' table, in the unit that was given."""
    return tuple(
        {"code": impact.code, "zone": impact.zone, "value": impact.value, "note": note(impact)} for impact in impacts
    )


def note(impact: ZoneImpact) -> str:
    """Why there is no figure, or what should be known of it."""
    if impact.value is None:
        return f"{NO_DATA}: {impact.why_none}" if impact.why_none else NO_DATA
    return impact.caution or ""
