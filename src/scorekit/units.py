"""Conversions between units of energy, each done once and here.

Everything inside scorekit is in watt-hours (`_wh`), seconds (`_s`) and watts (`_w`); other units live only at
the edges, in names that say so. The factors are exact by definition (SI brochure, 9th edition: 1 h = 3600 s).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

JOULES_PER_WH: Final = 3600.0
SECONDS_PER_HOUR: Final = 3600.0
WH_PER_KWH: Final = 1000.0
MILLIJOULES_PER_WH: Final = 3_600_000.0
GRAMS_PER_KG: Final = 1000.0
MICROGRAMS_PER_KG: Final = 1e9
QUERIES_PER_SCORE: Final = 1000
"""An AI Energy Score is the energy of this many queries."""
NORMAL_95: Final = 1.959963984540054
"""Half of the 95 % interval of a normal distribution, in its standard deviations."""


def kwh_to_wh(energy_kwh: float) -> float:
    """Kilowatt-hours to watt-hours."""
    return energy_kwh * WH_PER_KWH


def wh_to_kwh(energy_wh: float) -> float:
    """Watt-hours to kilowatt-hours."""
    return energy_wh / WH_PER_KWH


def kwh_text_to_wh(energy_kwh: str) -> float:
    """Kilowatt-hours as written to watt-hours: the nearest number to what was written, without a second rounding.

    Raises:
        decimal.InvalidOperation: the text is no decimal number.
    """
    return float(Decimal(energy_kwh).scaleb(3))


def wh_to_kwh_text(energy_wh: float) -> str:
    """Watt-hours as kilowatt-hours to write: `kwh_text_to_wh` gives back the same watt-hours."""
    return str(Decimal(repr(energy_wh)).scaleb(-3))


def joules_to_wh(energy_j: float) -> float:
    """Joules to watt-hours."""
    return energy_j / JOULES_PER_WH


def wh_to_joules(energy_wh: float) -> float:
    """Watt-hours to joules."""
    return energy_wh * JOULES_PER_WH


def millijoules_to_wh(energy_mj: float) -> float:
    """Millijoules, the unit of NVML's energy counter, to watt-hours."""
    return energy_mj / MILLIJOULES_PER_WH


def kg_to_g(mass_kg: float) -> float:
    """Kilograms to grams."""
    return mass_kg * GRAMS_PER_KG


def kg_to_ug(mass_kg: float) -> float:
    """Kilograms to micrograms."""
    return mass_kg * MICROGRAMS_PER_KG


def per_1000(energy_wh: float, count: float) -> float:
    """Energy of `count` queries, or of a mean count of tokens, in Wh, scaled to 1,000 of them.

    Raises:
        ValueError: `count` is not positive; an unknown count is never taken for 1,000.
    """
    if not count > 0:
        raise ValueError(f"cannot scale the energy of {count} queries to 1,000")
    return energy_wh * QUERIES_PER_SCORE / count
