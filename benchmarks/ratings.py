"""Prints what a million stars cost beside numpy's floor, and ends with code 1 when the goal is missed.

python -m benchmarks.ratings [--quick] [--json FILE]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import comparison
from benchmarks.comparison import Comparison, Goal
from scorekit.editions import FEBRUARY_2025
from scorekit.star_arrays import edition_bounds, stars_of

GOAL: Final = Goal(3.0)
SIZE: Final = 1_000_000
_SEED: Final = 20_250_211
_WARM_UPS: Final = 1


def make_input(size: int) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Codes of cohorts and energies as a store holds them, in no order, and the bounds of each cohort."""
    _, bounds = edition_bounds(FEBRUARY_2025)
    generator = np.random.default_rng(_SEED)
    codes = generator.integers(0, len(bounds), size)
    # From a tenth below the first bound to a tenth above the last.
    low, high = 0.9 * bounds[:, 0], 1.1 * bounds[:, -1]
    return codes, generator.uniform(low[codes], high[codes]), bounds


def digitized(
    codes: NDArray[np.int64], energies_wh: NDArray[np.float64], bounds: NDArray[np.float64]
) -> NDArray[np.int8]:
    """The floor: one np.digitize a cohort, of the energies that belong to it; nothing is checked."""
    stars = np.empty(codes.shape, dtype=np.int8)
    for code, row in enumerate(bounds):
        own = codes == code
        stars[own] = 5 - np.digitize(energies_wh[own], row)
    return stars


def measure(size: int, pairs: int) -> list[Comparison]:
    """Rate the same energies in turn.

    Args:
        size: how many energies.
        pairs: how often each is done; once more is for nothing, so that memory is at hand.

    Returns:
        Against the floor as it must be done, with energies in no order; and against its digitizing alone, where they
        lie sorted by cohort beforehand.
    """
    codes, energies, bounds = make_input(size)
    parts = [(energies[codes == code], row) for code, row in enumerate(bounds)]

    def ours() -> Any:
        return stars_of(codes, energies, bounds)

    def floor() -> Any:
        return digitized(codes, energies, bounds)

    def digitizing_alone() -> Any:
        return [5 - np.digitize(own, row) for own, row in parts]

    if not np.array_equal(ours(), floor()):
        raise SystemExit("the stars of the two ways differ")
    return [
        _compare("ratings", f"{size:,} stars", "one digitize a cohort", ours, floor, pairs),
        _compare(
            "ratings_sorted", f"{size:,} stars", "the same, sorted by cohort before", ours, digitizing_alone, pairs
        ),
    ]


def _compare(
    key: str, what: str, reference: str, ours: Callable[[], Any], floor: Callable[[], Any], pairs: int
) -> Comparison:
    turns = []
    for number in range(_WARM_UPS + pairs):
        # Each is first in every second turn.
        order = (ours, floor) if number % 2 else (floor, ours)
        times = {work: _timed(work) for work in order}
        turns.append((times[ours], times[floor]))
    turns = turns[_WARM_UPS:]
    return Comparison(
        key=key,
        what=what,
        reference=reference,
        unit="ms",
        ours=tuple(own[0] * 1e3 for own, _ in turns),
        theirs=tuple(other[0] * 1e3 for _, other in turns),
        goal=GOAL,
        cpu_ratios=tuple(own[1] / other[1] for own, other in turns),
    )


def _timed(work: Callable[[], Any]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time_ns()
    work()
    # A clock of the process that has not moved would make no ratio.
    return time.perf_counter() - wall, max(time.process_time_ns() - cpu, 1) / 1e9


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ratings", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer runs, for CI")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every run to FILE")
    options = parser.parse_args(argv)
    rows = measure(SIZE, pairs=5 if options.quick else 31)
    return comparison.conclude(rows, quick=options.quick, file=options.json, numpy=np.__version__)


if __name__ == "__main__":
    sys.exit(main())
