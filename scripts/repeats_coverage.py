"""Simulate what the statistics of repeats do to good runs and to dependent ones: `python -m scripts.repeats_coverage`.

The tables stand in docs/uncertainty.md. Runs whose repeats have the autocorrelation rho from each
to the next (AR(1)), normal, with a spread of 0.5 % of the mean; and normal runs without any, in which something is
flagged for nothing. Takes about two minutes.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from itertools import islice

from scorekit import uncertainty

RUNS = 10_000
TRUTH = 100.0
SPREAD = 0.5
TARGET = 0.01
MOST = 10


def repeats(rho: float, dice: random.Random) -> Iterator[float]:
    """Energies of repeats without end."""
    error = dice.gauss(0, 1)
    while True:
        yield TRUTH + SPREAD * error
        error = rho * error + math.sqrt(1 - rho * rho) * dice.gauss(0, 1)


def coverage(count: int, rho: float, runs: int = RUNS) -> tuple[float, float, float]:
    """Shares of the runs of `count` repeats that hold the truth, as independent and widened, and the mean factor."""
    dice = random.Random(17)
    plain = widened = 0
    factors = 0.0
    for _ in range(runs):
        values = list(islice(repeats(rho, dice), count))
        half_width, factor = uncertainty.half_width_95(values), uncertainty.dependence_factor(values)
        assert half_width is not None
        error = abs(uncertainty.mean(values) - TRUTH)
        plain += error <= half_width / factor
        widened += error <= half_width
        factors += factor
    return plain / runs, widened / runs, factors / runs


def adaptive_coverage(rho: float, runs: int = RUNS) -> float:
    """Share of the runs that end by their own spread, at most ten repeats, that hold the truth."""
    dice = random.Random(19)
    covered = 0
    for _ in range(runs):
        more = repeats(rho, dice)
        values = list(islice(more, uncertainty.LEAST_REPEATS))
        while len(values) < MOST and not uncertainty.is_tight_enough(values, TARGET):
            values.append(next(more))
        half_width = uncertainty.half_width_95(values, sequential=True)
        assert half_width is not None
        covered += abs(uncertainty.mean(values) - TRUTH) <= half_width
    return covered / runs


def flagged(count: int, runs: int = RUNS) -> tuple[float, float]:
    """Shares of the good runs in which a repeat stands out, and which have a significant trend."""
    dice = random.Random(23)
    outliers = trends = 0
    for _ in range(runs):
        values = list(islice(repeats(0.0, dice), count))
        line = uncertainty.trend(values)
        outliers += bool(uncertainty.outliers(values))
        trends += line is not None and line.significant
    return outliers / runs, trends / runs


if __name__ == "__main__":
    print("| repeats | rho | as independent | widened | by, on average |")
    print("|---|---|---|---|---|")
    for count in (5, 7, 10, 20, 30):
        for rho in (0.0, 0.3, 0.6, 0.8):
            plain, widened, factor = coverage(count, rho)
            print(f"| {count} | {rho:g} | {100 * plain:.1f} % | {100 * widened:.1f} % | {factor:.2f} |")
    told = ", ".join(f"{100 * adaptive_coverage(rho):.0f} % at {rho:g}" for rho in (0.0, 0.3, 0.6, 0.8))
    print(f"\nadaptive, ten at most: {told}\n")
    print("| repeats | limit | runs with an outlier | with a trend |")
    print("|---|---|---|---|")
    for count in (3, 4, 5, 6, 7, 8, 10, 15, 20, 30, 50):
        outliers, trends = flagged(count)
        limit = f"{uncertainty.outlier_limit(count):.3f}" if count >= uncertainty.LEAST_FOR_OUTLIERS else "none"
        print(f"| {count} | {limit} | {100 * outliers:.1f} % | {100 * trends:.1f} % |")
