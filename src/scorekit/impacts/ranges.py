"""A range of values, from what is known only between bounds; a known value is a range without width."""

from __future__ import annotations

from typing import Final, Self

from pydantic import model_validator

from scorekit.errors import UsageError
from scorekit.records import Record
from scorekit.records.base import Finite

_MOST: Final = 1e30
"""No amount is greater; products of such amounts are still numbers."""


class Range(Record):
    """Values from `low` to `high`, both included; the unit is that of the field that holds it.

    The ends belong together: the low end of a result is worked out from the low ends of what it depends on.
    """

    low: Finite
    high: Finite

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"a range from {self.low:g} to {self.high:g} runs backwards")
        return self

    @classmethod
    def exactly(cls, value: float) -> Self:
        """The range of one value."""
        return cls(low=value, high=value)

    @property
    def is_exact(self) -> bool:
        """Whether it is one value."""
        return self.low == self.high

    def plus(self, other: Range) -> Range:
        """The sum, end by end."""
        return Range(low=self.low + other.low, high=self.high + other.high)

    def times(self, factor: float | Range) -> Range:
        """The product with a factor of 0 or more, end by end."""
        low, high = (factor.low, factor.high) if isinstance(factor, Range) else (factor, factor)
        return Range(low=self.low * low, high=self.high * high)

    def rounded(self, digits: int) -> Range:
        """Both ends to a number of significant digits."""
        return Range(low=significant(self.low, digits), high=significant(self.high, digits))


def significant(value: float, digits: int) -> float:
    """A value to a number of significant digits."""
    return float(f"{value:.{digits - 1}e}")


def positive(what: str, value: float, unit: str) -> float:
    """A value as it is, where it is positive and not beyond all reason.

    Raises:
        UsageError: it is not; a zero is no measurement, and what is not known is left out.
    """
    if not 0 < value <= _MOST:
        raise UsageError(
            f"{what} is {value:g} {unit}, expected a positive number of at most {_MOST:g}",
            mend="give a number that is, and leave out what is not known",
        )
    return value
