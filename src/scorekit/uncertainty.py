"""The statistics of repeats: Student's t, spread, trend, outliers, and when enough repeats were made. Pure.

All functions take the repeats' energies in the order of measuring, in any one unit. Relative results have no unit.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

CONFIDENCE: Final = 0.95
LEAST_REPEATS: Final = 3
"""Fewer tell next to nothing of their spread: with two, the interval is 9 standard deviations to either side."""
OUTLIER_MADS: Final = 3.5
"""Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993)."""
_MAD_TO_SIGMA: Final = 1.482602218505602
"""1 / quantile of the normal distribution at 0.75."""
_MEAN_DEVIATION_TO_SIGMA: Final = 1.2533141373155001
"""sqrt(pi / 2), for normal data."""
_ROUNDING: Final = 1e-12
"""Spread relative to the mean below which values differ by the rounding of floats alone."""
_STOPPED_AT_ONCE: Final = 1.1
_STOPPED_LATER: Final = 1.3


@dataclass(frozen=True, slots=True)
class Trend:
    """A line through the repeats.

    Attributes:
        slope: change a repeat, relative to the mean.
        p_value: how likely a slope at least as steep is without any trend, two-sided.
    """

    slope: float
    p_value: float

    @property
    def significant(self) -> bool:
        """Whether the slope differs from 0 at 95 % confidence."""
        return self.p_value < 1 - CONFIDENCE


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean, summed exactly."""
    return statistics.fmean(values)


def coefficient_of_variation(values: Sequence[float]) -> float | None:
    """Sample standard deviation over the mean; None for fewer than two values or a mean of 0."""
    if len(values) < 2:
        return None
    centre = mean(values)
    return None if centre == 0 else _deviation(values) / abs(centre)


def standard_error(values: Sequence[float]) -> float | None:
    """Standard deviation of the mean, s / sqrt(n), in the unit of the values; None for fewer than two."""
    return _deviation(values) / math.sqrt(len(values)) if len(values) > 1 else None


def half_width_95(values: Sequence[float], *, sequential: bool = False) -> float | None:
    """Half of the 95 % interval of the mean, in the unit of the values; None for fewer than two.

    Args:
        values: the repeats.
        sequential: whether their spread decided when to stop. Such repeats end when their spread happens to be small,
            and the plain interval then covers the truth in as few as 90 of 100 runs; it is widened by
            `sequential_factor`.
    """
    error = standard_error(values)
    if error is None:
        return None
    plain = student_t_quantile(CONFIDENCE, len(values) - 1) * error
    return plain * sequential_factor(len(values)) if sequential else plain


def sequential_factor(count: int) -> float:
    """By how much an interval is widened where its own width ended the repeats.

    Found by simulation with normal noise: 1.1 for three repeats and 1.3 for more keep the coverage above 94 % whatever
    the noise, for 10 to 40 repeats at most (docs/methodology.md, Uncertainty; scripts/stopping_coverage.py).
    """
    return _STOPPED_AT_ONCE if count <= LEAST_REPEATS else _STOPPED_LATER


def is_tight_enough(values: Sequence[float], target: float) -> bool:
    """Whether repeats may end: at least three, and half of their 95 % interval within `target` of the mean.

    Args:
        values: energies of the repeats so far. One that is not positive and finite is never tight.
        target: relative half-width that was asked for, e.g. 0.01.
    """
    if len(values) < LEAST_REPEATS or not all(math.isfinite(value) and value > 0 for value in values):
        return False
    half_width = half_width_95(values, sequential=True)
    return half_width is not None and half_width <= target * mean(values)


def trend(values: Sequence[float]) -> Trend | None:
    """The least squares line over the repeats' numbers; None for fewer than three values or a mean of 0."""
    count = len(values)
    centre = mean(values) if values else 0.0
    if count < 3 or centre == 0:
        return None
    if _deviation(values) == 0:
        return Trend(slope=0.0, p_value=1.0)
    numbers = [number - (count - 1) / 2 for number in range(count)]
    squares = math.fsum(number * number for number in numbers)
    slope = math.fsum(n * (value - centre) for n, value in zip(numbers, values, strict=True)) / squares
    rest = [value - centre - slope * number for number, value in zip(numbers, values, strict=True)]
    error = math.sqrt(math.fsum(residual * residual for residual in rest) / (count - 2) / squares)
    if error <= _ROUNDING * abs(slope):
        return Trend(slope=slope / centre, p_value=0.0)
    return Trend(slope=slope / centre, p_value=_two_sided(slope / error, count - 2))


def outliers(values: Sequence[float]) -> tuple[int, ...]:
    """Numbers of the repeats beyond 3.5 scaled median absolute deviations of the median. To be shown, not left out.

    Where more than half of the values are equal, the median deviation is 0 and the mean deviation, scaled likewise,
    stands in for it. Fewer than three values have no outlier.
    """
    if len(values) < 3 or _deviation(values) == 0:
        return ()
    centre = statistics.median(values)
    distances = [abs(value - centre) for value in values]
    sigma = _MAD_TO_SIGMA * statistics.median(distances)
    if sigma <= _ROUNDING * abs(centre):
        sigma = _MEAN_DEVIATION_TO_SIGMA * mean(distances)
    return tuple(number for number, distance in enumerate(distances) if distance > OUTLIER_MADS * sigma)


@lru_cache(maxsize=256)
def student_t_quantile(confidence: float, degrees_of_freedom: int) -> float:
    """The t that a two-sided interval of a confidence needs, e.g. 4.3027 for 0.95 and 2 degrees of freedom.

    Raises:
        ValueError: a confidence outside of 0 to 1, or no degree of freedom.
    """
    if not 0 < confidence < 1 or degrees_of_freedom < 1:
        raise ValueError(f"no Student t for a confidence of {confidence} and {degrees_of_freedom} degrees of freedom")
    wanted = 1 - confidence
    low, high = 0.0, 1.0
    while _two_sided(high, degrees_of_freedom) > wanted:
        low, high = high, 2 * high
    while high - low > 1e-13 * high:
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if _two_sided(middle, degrees_of_freedom) > wanted else (low, middle)
    return (low + high) / 2


def _two_sided(t: float, degrees_of_freedom: int) -> float:
    """Probability of a t at least as far from 0."""
    return _incomplete_beta(degrees_of_freedom / 2, 0.5, degrees_of_freedom / (degrees_of_freedom + t * t))


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        # The fraction converges fast only on this side.
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    # Lentz's method; `tiny` keeps a denominator from being 0.
    tiny = 1e-300
    fraction, c, d = 1.0, 1.0, 0.0
    for step in range(1000):
        half = step // 2
        if step == 0:
            term = 1.0
        elif step % 2 == 0:
            term = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        else:
            term = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        d = 1 / _not_zero(1 + term * d, tiny)
        c = _not_zero(1 + term / c, tiny)
        fraction *= c * d
        if abs(1 - c * d) < 1e-15:
            break
    return front * (fraction - 1)


def _not_zero(value: float, tiny: float) -> float:
    return tiny if abs(value) < tiny else value


def _deviation(values: Sequence[float]) -> float:
    """Sample standard deviation; 0 where values differ by rounding alone."""
    if max(values) - min(values) <= _ROUNDING * abs(mean(values)):
        return 0.0
    return statistics.stdev(values)
