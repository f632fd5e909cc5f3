"""The statistics of repeats: Student's t, spread, trend, outliers, and when enough repeats were made. Pure.

All functions take the repeats' energies in the order of measuring, in any one unit. Relative results have no unit.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

CONFIDENCE: Final = 0.95
LEAST_REPEATS: Final = 3
"""Fewer tell next to nothing of their spread: with two, the interval is 9 standard deviations to either side."""
LEAST_FOR_OUTLIERS: Final = 5
_OUTLIER_LEVEL: Final = 0.006
"""Level of each test: as several are made, 0.6 to 1.1 % of good runs are flagged (scripts/repeats_coverage.py)."""
TREND_LEVEL: Final = 0.01
TREND_LEAST: Final = 0.005
"""Change over all repeats, relative to the mean, below which a trend is of no consequence however sure it is."""
_LEAST_FOR_DEPENDENCE: Final = 6
"""Five repeats on a straight line have a lag-1 autocorrelation of 0.4, which is nothing unlikely in noise."""
_NORMAL_95_ONE_SIDED: Final = 1.6448536269514722
_MOST_DEPENDENCE: Final = 0.9
"""Largest autocorrelation that is reckoned with: of so few repeats a larger one cannot be told from a trend."""
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
        count: repeats that it goes through.
    """

    slope: float
    p_value: float
    count: int

    @property
    def significant(self) -> bool:
        """Whether it is sure, p < 0.01, and matters: more than 0.5 % of the mean from the first repeat to the last."""
        return self.p_value < TREND_LEVEL and abs(self.slope) * (self.count - 1) > TREND_LEAST


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
    """Standard deviation of the mean of independent repeats, s / sqrt(n), in their unit; None for fewer than two."""
    return _deviation(values) / math.sqrt(len(values)) if len(values) > 1 else None


def half_width_95(values: Sequence[float], *, sequential: bool = False) -> float | None:
    """Half of the 95 % interval of the mean, in the unit of the values; None for fewer than two.

    Student's t over the repeats, widened by `dependence_factor` where each repeat resembles the one before.

    Args:
        values: the repeats, in the order of measuring.
        sequential: whether their spread decided when to stop. Such repeats end when their spread happens to be small,
            and the plain interval then covers the truth in as few as 90 of 100 runs; it is widened by
            `sequential_factor`.
    """
    error = standard_error(values)
    if error is None:
        return None
    plain = student_t_quantile(CONFIDENCE, len(values) - 1) * error * dependence_factor(values)
    return plain * sequential_factor(len(values)) if sequential else plain


def lag_1_autocorrelation(values: Sequence[float]) -> float | None:
    """How much each repeat resembles the one before, -1 to 1; None for fewer than three values or equal ones."""
    if len(values) < 3 or _deviation(values) == 0:
        return None
    centre = mean(values)
    rest = [value - centre for value in values]
    return math.fsum(one * two for one, two in pairwise(rest)) / math.fsum(part * part for part in rest)


def dependence_factor(values: Sequence[float]) -> float:
    """By how much an interval is widened because each repeat resembles the one before; 1 where none does for sure.

    The mean of n values with the autocorrelation rho from each to the next is as sure as that of
    n (1 - rho) / (1 + rho) independent ones. r, that of the values, is taken as significant beyond
    (1.645 sqrt(n - 2) - 1) / (n - 1) (Anderson, 1942, one-sided 95 %). It comes out too low by (1 + 4 rho) / n
    (Kendall, 1954), so that rho = (n r + 1) / (n - 4), 0.9 at most: the factor is 4.36 at most. Fewer than six repeats
    cannot tell. What it does for the coverage stands in docs/uncertainty.md; scripts/repeats_coverage.py.
    """
    count = len(values)
    if count < _LEAST_FOR_DEPENDENCE:
        return 1.0
    found = lag_1_autocorrelation(values)
    if found is None or found <= (_NORMAL_95_ONE_SIDED * math.sqrt(count - 2) - 1) / (count - 1):
        return 1.0
    rho = min(_MOST_DEPENDENCE, (count * found + 1) / (count - 4))
    return math.sqrt((1 + rho) / (1 - rho))


def sequential_factor(count: int) -> float:
    """By how much an interval is widened where its own width ended the repeats.

    Found by simulation with normal noise: 1.1 for three repeats and 1.3 for more keep the coverage above 94 % whatever
    the noise, for 10 to 40 repeats at most (docs/uncertainty.md; scripts/stopping_coverage.py).
    """
    return _STOPPED_AT_ONCE if count <= LEAST_REPEATS else _STOPPED_LATER


def is_tight_enough(values: Sequence[float], target: float) -> bool:
    """Whether repeats may end: at least three, and half of their 95 % interval within `target` of the mean.

    Args:
        values: energies of the repeats so far. One that is not positive and finite is never tight.
        target: relative half-width that was asked for, e.g. 0.01.
    """
    if len(values) < LEAST_REPEATS or is_hopeless(values):
        return False
    half_width = half_width_95(values, sequential=True)
    return half_width is not None and half_width <= target * mean(values)


def is_hopeless(values: Sequence[float]) -> bool:
    """Whether more repeats are for nothing: one of them has no energy that can be true, so that none will be scored.

    Args:
        values: energies of the repeats so far; NaN for one that has none. None at all is not hopeless.
    """
    return not all(math.isfinite(value) and value > 0 for value in values)


def trend(values: Sequence[float]) -> Trend | None:
    """The least squares line over the repeats' numbers; None for fewer than three values or a mean of 0."""
    count = len(values)
    if count < 3 or (centre := mean(values)) == 0:
        return None
    if _deviation(values) == 0:
        return Trend(slope=0.0, p_value=1.0, count=count)
    numbers = [number - (count - 1) / 2 for number in range(count)]
    squares = math.fsum(number * number for number in numbers)
    slope = math.fsum(n * (value - centre) for n, value in zip(numbers, values, strict=True)) / squares
    rest = [value - centre - slope * number for number, value in zip(numbers, values, strict=True)]
    error = math.sqrt(math.fsum(residual * residual for residual in rest) / (count - 2) / squares)
    if error <= _ROUNDING * abs(slope):
        return Trend(slope=slope / centre, p_value=0.0, count=count)
    return Trend(slope=slope / centre, p_value=_two_sided(slope / error, count - 2), count=count)


def outliers(values: Sequence[float]) -> tuple[int, ...]:
    """Numbers of the repeats that stand out. To be shown, not left out.

    Rosner's generalized ESD test (Technometrics 25, 1983, p. 165; NIST/SEMATECH e-Handbook 1.3.5.17.3): the value
    farthest from the mean is set aside, up to a third of the values, and its distance over the standard deviation of
    those left before is compared with the limit for as many. Of normal noise about 1 % of the runs are flagged, of
    any number of repeats. Fewer than five values have no outlier.
    """
    if len(values) < LEAST_FOR_OUTLIERS:
        return ()
    left = list(range(len(values)))
    aside: list[int] = []
    sure = 0
    for _ in range(len(values) // 3):
        kept = [values[number] for number in left]
        deviation, centre = _deviation(kept), mean(kept)
        if deviation == 0:
            break
        far = max(left, key=lambda number, centre=centre: abs(values[number] - centre))  # type: ignore[misc]
        if abs(values[far] - centre) > outlier_limit(len(left)) * deviation:
            sure = len(aside) + 1
        aside.append(far)
        left.remove(far)
    return tuple(sorted(aside[:sure]))


def outlier_limit(count: int) -> float:
    """Distance from the mean, in standard deviations, beyond which the farthest of `count` values stands out.

    The limit of Grubbs' test (Technometrics 11, 1969, p. 1), two-sided.
    """
    t = student_t_quantile(1 - _OUTLIER_LEVEL / count, count - 2)
    return (count - 1) / math.sqrt(count) * math.sqrt(t * t / (count - 2 + t * t))


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
    """The regularised incomplete beta function I_x(a, b) for 0 < x <= 1, by its continued fraction (DLMF 8.17.22)."""
    if x >= 1:
        return 1.0
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
    spread, centre = max(values) - min(values), mean(values)
    if spread <= _ROUNDING * abs(centre):
        return 0.0
    # In parts of the spread, whose squares are numbers whatever the unit; statistics.stdev counts in fractions.
    squares = math.fsum(part * part for part in [(value - centre) / spread for value in values])
    return spread * math.sqrt(squares / (len(values) - 1))
