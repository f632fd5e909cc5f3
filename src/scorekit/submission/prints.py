"""By what a measurement is known again, whatever model it is said to be of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, overload

from scorekit.records import Earlier, Result, RunPrint, Score

_ANSWERS: Final = frozenset({"generate", "forward", "call"})
LEAST_REPEATS: Final = 3
"""So many repeats must be alike before one says that a measurement was handed in again in part."""


DIGITS: Final = 6
"""Significant digits of what is public of a confidential submission. Ten seconds at 100 W are a million of the
millijoules that a counter counts: with six digits no energy tells how many of them it is."""


@overload
def rounded(value: float) -> float: ...
@overload
def rounded(value: None) -> None: ...
@overload
def rounded(value: float | None) -> float | None: ...
def rounded(value: float | None) -> float | None:
    """A figure as it may be public of a confidential submission."""
    return None if value is None else float(f"{value:.{DIGITS}g}")


def rounded_all(values: Iterable[float | None]) -> tuple[float | None, ...]:
    """Each of some figures so."""
    return tuple(rounded(value) for value in values)


def print_of(score: Score) -> RunPrint | None:
    """The print of a score; None where it has no repeats of answering.

    Energies and lengths of repeats are figures of some fifteen digits: two runs do not share them.
    """
    for phase in score.phases:
        if phase.phase in _ANSWERS:
            lists = (phase.energy_wh_by_repeat, phase.duration_s_by_repeat)
            text = json.dumps([[None if value is None else repr(value) for value in values] for values in lists])
            return RunPrint(
                sha256=hashlib.sha256(text.encode()).hexdigest(), energies_wh=lists[0], durations_s=lists[1]
            )
    return None


def of_results(results: Iterable[Result]) -> Iterator[Earlier]:
    """The measurements of a results folder."""
    for result in results:
        evidence = None if result.score is None else print_of(result.score)
        if evidence is not None:
            yield Earlier(name=result.source.name[:200], model=result.model, evidence=evidence)


def is_same(one: RunPrint, other: RunPrint) -> bool:
    """Whether two prints are of one measurement: all of it, or most of the repeats with the same energies.

    What is public of a confidential submission tells no lengths: then the energies alone decide, as they are public.
    """
    if one.sha256 == other.sha256 or _most_alike(one.energies_wh, other.energies_wh):
        return True
    if not (tells_no_lengths(one) or tells_no_lengths(other)):
        return False
    ours, theirs = rounded_all(one.energies_wh), rounded_all(other.energies_wh)
    return ours == theirs or _most_alike(ours, theirs)


def tells_no_lengths(found: RunPrint) -> bool:
    """Whether a print is of what is public of a confidential submission."""
    return not any(found.durations_s)


def is_alike(one: RunPrint, other: RunPrint) -> bool:
    """Whether most repeats took exactly as long, which energies that were edited do not change."""
    return _most_alike(one.durations_s, other.durations_s)


def _most_alike(one: Sequence[float | None], other: Sequence[float | None]) -> bool:
    shared = {value for value in one if value} & {value for value in other if value}
    fewer = min(len(one), len(other))
    # Repeats may be left out or stand in another order; values that a made-up log repeats count once.
    return len(shared) >= LEAST_REPEATS and 2 * len(shared) > fewer
