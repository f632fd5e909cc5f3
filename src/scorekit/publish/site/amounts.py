"""Amounts with their units, as the pages of impacts write them; assets/amounts.js writes them in the same way."""

from __future__ import annotations

from typing import Final

from scorekit.impacts import Range

DIGITS: Final = 4
_ROUGH_DIGITS: Final = 2
TIMES: Final = "\N{MULTIPLICATION SIGN}"
_SPACE: Final = "\N{NO-BREAK SPACE}"
_SMALLEST_EXPONENT: Final = -4
_LARGEST_EXPONENT: Final = 8
_SUPERSCRIPTS: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_UNITS_OF_TIME: Final = (("hours", 3600.0), ("minutes", 60.0), ("seconds", 1.0))


def number(value: float, digits: int = DIGITS) -> str:
    """Significant digits, with a power of ten where the number would not be readable.

    Exact halves go to the even digit, as they do everywhere in scorekit.
    """
    if value == 0:
        return "0"
    # Of a double, 18 digits do not round to the next power of ten.
    exponent = int(f"{value:.17e}".partition("e")[2])
    if not _SMALLEST_EXPONENT <= exponent <= _LARGEST_EXPONENT:
        mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa}{_SPACE}{TIMES}{_SPACE}10{str(int(power)).translate(_SUPERSCRIPTS)}"
    return f"{value:,.{max(0, digits - 1 - exponent)}f}"


def amount(value: Range, unit: str, digits: int = DIGITS) -> str:
    """A value or a range with its unit; ends that look alike are told once."""
    low, high = number(value.low, digits), number(value.high, digits)
    told = low if low == high else f"{low} to {high}"
    return f"{told}{_SPACE}{unit}" if unit else told


def plain(value: float) -> str:
    """A given number without needless digits, at most six."""
    return f"{value:.6g}"


def plain_range(value: Range) -> str:
    """A given range without needless digits."""
    low, high = plain(value.low), plain(value.high)
    return low if low == high else f"{low} to {high}"


def rough(value: Range, unit: str) -> str:
    """A value or range of two digits, all others zero."""
    return amount(value.rounded(_ROUGH_DIGITS), unit, _ROUGH_DIGITS)


def duration(seconds: Range) -> str:
    """A time of two digits, in the largest unit that its high end fills."""
    unit, length = next((each for each in _UNITS_OF_TIME if seconds.high >= each[1]), _UNITS_OF_TIME[-1])
    return rough(Range(low=seconds.low / length, high=seconds.high / length), unit)
