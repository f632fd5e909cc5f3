"""Simulate how often adaptive repeats cover the truth: `python -m scripts.stopping_coverage`; about a minute.

The table stands in docs/uncertainty.md. Normal noise, a target of 1 %, at most ten repeats.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from scorekit import uncertainty

RUNS = 20_000
TARGET = 0.01
MOST = 10
TRUTH = 100.0


def coverage(noise_over_target: float, *, sequential: bool, most: int = MOST, runs: int = RUNS) -> tuple[float, float]:
    """Share of the runs whose interval holds the truth, and the mean number of repeats."""
    dice = random.Random(11)
    covered = repeats = 0
    for _ in range(runs):
        values = run_until(lambda found: _half_width(found, sequential) <= TARGET * uncertainty.mean(found), most,
                           lambda: dice.gauss(TRUTH, noise_over_target * TARGET * TRUTH))  # fmt: skip
        covered += abs(uncertainty.mean(values) - TRUTH) <= _half_width(values, sequential)
        repeats += len(values)
    return covered / runs, repeats / runs


def run_until(enough: Callable[[Sequence[float]], bool], most: int, draw: Callable[[], float]) -> list[float]:
    """Repeats of one run: at least three, until they are enough."""
    values = [draw() for _ in range(uncertainty.LEAST_REPEATS)]
    while len(values) < most and not enough(values):
        values.append(draw())
    return values


def _half_width(values: Sequence[float], sequential: bool) -> float:
    found = uncertainty.half_width_95(values, sequential=sequential)
    assert found is not None
    return found


if __name__ == "__main__":
    print("| noise over target | plain: coverage | repeats | widened: coverage | repeats |")
    print("|---|---|---|---|---|")
    for ratio in (0.1, 0.3, 0.5, 0.8, 1.2, 1.5, 1.8, 2.2, 3.0):
        plain, widened = coverage(ratio, sequential=False), coverage(ratio, sequential=True)
        print(f"| {ratio} | {100 * plain[0]:.1f} % | {plain[1]:.1f} | {100 * widened[0]:.1f} % | {widened[1]:.1f} |")
