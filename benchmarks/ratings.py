"""Prints what stars cost beside numpy's and plain Python's floors, and ends with code 1 when a goal is missed.

python -m benchmarks.ratings [--quick] [--json FILE]

Scores are rated as `scorekit rate` does it; a million energies by `star_arrays`, which no command uses.
"""

from __future__ import annotations

import gc
import math
import sys
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import made_up_results, program
from benchmarks.comparison import Comparison, Goal
from benchmarks.timing import in_turns, took
from scorekit.editions import FEBRUARY_2025, scales_of
from scorekit.rating import Rating, rate_scores
from scorekit.records import Result
from scorekit.star_arrays import edition_bounds, stars_of
from scorekit.units import NORMAL_95

ARRAYS_GOAL: Final = Goal(1.75)
SIZE: Final = 1_000_000
SCORES_GOAL: Final = Goal(36.0)
SCORES: Final = 2_000
_SEED: Final = 20_250_211


def make_input(size: int) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Codes of cohorts and energies as a store holds them, in no order, and the bounds of each cohort."""
    _, bounds = edition_bounds(FEBRUARY_2025)
    generator = np.random.default_rng(_SEED)
    codes = generator.integers(0, len(bounds), size)
    # From a tenth below the first bound to a tenth above the last.
    low, high = 0.9 * bounds[:, 0], 1.1 * bounds[:, -1]
    return codes, generator.uniform(low[codes], high[codes]), bounds


def gathered(
    codes: NDArray[np.int64], energies_wh: NDArray[np.float64], bounds: NDArray[np.float64]
) -> NDArray[np.int8]:
    """The floor: each bound of all cohorts gathered by code, and compared with all energies; nothing is checked.

    It takes a fifth of what a table of all four bounds a score, np.searchsorted over all or np.digitize a cohort take.
    """
    stars = np.full(energies_wh.shape, 5, dtype=np.int8)
    for column in np.ascontiguousarray(bounds.T):
        stars -= energies_wh >= column[codes]
    return stars


def measure_arrays(size: int, pairs: int) -> Comparison:
    """Rate the same energies, which lie in no order, in turn with the floor.

    Args:
        size: how many energies.
        pairs: how often each is done; once more is for nothing, so that memory is at hand.
    """
    given = make_input(size)
    if not np.array_equal(stars_of(*given), gathered(*given)):
        raise SystemExit("the stars of the two ways differ")
    return _compare(
        "star_arrays",
        f"{size:,} stars by star_arrays",
        "the same in numpy, unchecked",
        lambda: stars_of(*given),
        lambda: gathered(*given),
        pairs,
        ARRAYS_GOAL,
    )


Plain = tuple[float, float, tuple[float, ...]]
"""An energy and half of its interval, in Wh per 1,000 queries, and the four bounds of its cohort."""


def plainly(scores: Sequence[Plain]) -> list[tuple[int, list[float]]]:
    """The floor of rating scores: the star of each and the probability of every star, from bounds that are at hand."""
    found = []
    for energy, half, bounds in scores:
        scale = half / NORMAL_95 * math.sqrt(2)
        above = [1.0, *[math.erfc((bound - energy) / scale) / 2 for bound in bounds], 0.0]
        found.append((5 - bisect_right(bounds, energy), [above[5 - n] - above[6 - n] for n in range(1, 6)]))
    return found


def official_scores(count: int) -> tuple[list[Result], list[tuple[float, ...]]]:
    """So many made-up results that the edition rates, and its bounds for each."""
    scales = {cohort: scale.bounds for cohort, scale in scales_of(FEBRUARY_2025).items()}
    found = []
    # Three of ten are comparable, and one cohort is not in the edition.
    for result in _measured(made_up_results.results(5 * count)):
        # Few cohorts have size classes.
        bounds = scales.get((result.cohort or "", result.model_class)) or scales.get((result.cohort or "", None))
        if result.comparable and bounds:
            found.append((result, bounds))
    return [result for result, _ in found[:count]], [bounds for _, bounds in found[:count]]


def _measured(results: Sequence[Result]) -> list[Result]:
    """Those whose stars have a probability: of a modelled energy there is none to work out."""
    return [result for result in results if result.origin == "measured"]


def measure_scores(count: int, pairs: int) -> list[Comparison]:
    """Rate results in turn with the floor, each star with its interval and probability.

    Args:
        count: how many results.
        pairs: how often each is done, after one time for nothing.

    Returns:
        Results that are all rated in the edition; and results as folders hold them, of which the most are rated among
        themselves, with the bounds that come of it at the floor's hand.
    """
    (official, bounds), mixed = official_scores(count), _measured(made_up_results.results(2 * count))[:count]
    told = [one.thresholds_wh_per_1000 for one in rate_scores(mixed, FEBRUARY_2025)]
    # What was made here is not to be gone through by the collector within a turn.
    gc.collect()
    gc.freeze()
    rows = [
        _scores("rate_edition", f"{len(official):,} scores rated in the edition", official, bounds, pairs),
        _scores("rate_mixed", f"{len(mixed):,} scores rated, most among themselves", mixed, told, pairs),
    ]
    gc.unfreeze()
    return rows


def _scores(
    key: str, what: str, results: Sequence[Result], bounds: Sequence[tuple[float, ...]], pairs: int
) -> Comparison:
    plain = [_plain(result, own) for result, own in zip(results, bounds, strict=True) if own]

    def ours() -> list[Rating]:
        return rate_scores(results, FEBRUARY_2025)

    rated = [rating for rating in ours() if rating.stars is not None]
    for rating, (star, shares) in zip(rated, plainly(plain), strict=True):
        if rating.stars != star or not np.allclose(rating.star_probabilities, shares, atol=1e-9):
            raise SystemExit(f"the stars of the two ways differ: {rating.model}")
    return _compare(key, what, "bisect and erfc over bounds at hand", ours, lambda: plainly(plain), pairs, SCORES_GOAL)


def _plain(result: Result, bounds: tuple[float, ...]) -> Plain:
    assert result.wh_per_1000_queries is not None
    assert result.uncertainty is not None
    assert result.uncertainty.combined_95_percent is not None
    return result.wh_per_1000_queries, result.wh_per_1000_queries * result.uncertainty.combined_95_percent / 100, bounds


def _compare(
    key: str, what: str, reference: str, ours: Callable[[], Any], floor: Callable[[], Any], pairs: int, goal: Goal
) -> Comparison:
    turns = in_turns(partial(took, ours), partial(took, floor), pairs)
    return Comparison.of_turns(key, what, reference, "ms", *turns, goal)


def main(argv: list[str] | None = None) -> int:
    options = program.parser("ratings", __doc__, "fewer runs, for CI").parse_args(argv)
    pairs = 5 if options.quick else 31
    rows = [*measure_scores(SCORES, pairs), measure_arrays(SIZE, pairs)]
    return program.conclude(rows, quick=options.quick, file=options.json, numpy=np.__version__)


if __name__ == "__main__":
    sys.exit(main())
