"""A run of a submission beside what is known: the models nearest to it, and the range of the edition."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from scorekit import editions, tasks
from scorekit.editions import Edition
from scorekit.errors import RatingError
from scorekit.publish.site.content import Cohort
from scorekit.rating import Rating, rate_scores
from scorekit.records import Check, Score, Thresholds, VerifiedRun

_LEAST_BAR: Final = 4.0
_WHOLE_BAR: Final = 100.0


@dataclass(frozen=True, slots=True)
class Beside:
    """One row of the table that a run's energy is held against.

    Attributes:
        kind: the run itself, a neighbour, or an end of the edition's range.
        name: of the model, or what the row is.
        source: where its figure comes from.
        wh_per_1000_queries: of it.
        parameters: None where not known.
        times: of the run's energy; None for the run itself.
        bar: from 0 to 100, by the logarithm of the energy.
    """

    kind: Literal["run", "neighbour", "range"]
    name: str
    source: str
    wh_per_1000_queries: float
    parameters: int | None = None
    times: float | None = None
    bar: float = _WHOLE_BAR


@dataclass(frozen=True, slots=True)
class Examined:
    """A run as an operator looks at it.

    Attributes:
        run: as it was verified.
        cohort: where it is rated; None where that is not known.
        beside: the table, by rising energy; empty for a run without a score.
        thresholds: of the edition for its cohort; None where there are none.
        why_no_range: why there are none.
        rating: the star that it would have today; None without a score.
        failed, warned, passed, unjudged: its checks.
    """

    run: VerifiedRun
    cohort: Cohort | None
    beside: tuple[Beside, ...]
    thresholds: Thresholds | None
    why_no_range: str | None
    rating: Rating | None
    failed: tuple[Check, ...]
    warned: tuple[Check, ...]
    passed: tuple[Check, ...]
    unjudged: tuple[Check, ...]


def examine(run: VerifiedRun, edition: Edition | None) -> Examined:
    """A run beside its neighbours and the edition.

    Args:
        run: as it was verified.
        edition: that it would be rated in; None where there is none that can be read.
    """
    checks = () if run.validity is None else run.validity.checks
    score = run.score
    thresholds, why = _range(score, edition)
    return Examined(
        run=run,
        cohort=cohort_of(score),
        beside=() if score is None else _beside(run, score, edition, thresholds),
        thresholds=thresholds,
        why_no_range=why,
        rating=None if score is None else _rating(score, edition),
        failed=tuple(check for check in checks if check.passed is False and check.severity == "fail"),
        warned=tuple(check for check in checks if check.passed is False and check.severity != "fail"),
        passed=tuple(check for check in checks if check.passed),
        unjudged=tuple(check for check in checks if check.passed is None),
    )


def cohort_of(score: Score | None) -> Cohort | None:
    """Where a score is rated; None where its log does not tell."""
    if score is None or score.cohort is None:
        return None
    return Cohort(score.cohort, score.model_class if score.cohort in tasks.CLASSED_COHORTS else None)


def _range(score: Score | None, edition: Edition | None) -> tuple[Thresholds | None, str | None]:
    if score is None:
        return None, "it has no score"
    if edition is None:
        return None, "there is no edition to hold it against"
    if score.cohort is None:
        return None, "its log does not name the task"
    try:
        return editions.thresholds_for(edition, score.cohort, score.model_class), None
    except RatingError as error:
        return None, error.message


def _rating(score: Score, edition: Edition | None) -> Rating | None:
    try:
        return rate_scores([score], edition)[0]
    except ValueError:
        # An energy that is not positive and finite has no star; its checks say so.
        return None


def _beside(
    run: VerifiedRun, score: Score, edition: Edition | None, thresholds: Thresholds | None
) -> tuple[Beside, ...]:
    own_wh = score.wh_per_1000_queries
    rows = [Beside("run", score.model, "this submission", own_wh, score.parameters)]
    rows += [
        Beside("neighbour", other.model, other.source, other.wh_per_1000_queries, other.parameters)
        for other in run.neighbours
    ]
    if thresholds is not None and edition is not None:
        of = f"edition {edition.name}, {thresholds.n:,} models"
        rows += [
            Beside("range", "Lowest of the edition", of, thresholds.min_wh_per_1000),
            Beside("range", "Highest of the edition", of, thresholds.max_wh_per_1000),
        ]
    return tuple(sorted(_with_bars(rows, own_wh), key=lambda row: row.wh_per_1000_queries))


def _with_bars(rows: Sequence[Beside], own_wh: float) -> Iterable[Beside]:
    """Rows with their bars and how many times the run's energy they are."""
    logs = [math.log(row.wh_per_1000_queries) for row in rows if row.wh_per_1000_queries > 0]
    low, high = (min(logs), max(logs)) if logs else (0.0, 0.0)
    for row in rows:
        energy_wh = row.wh_per_1000_queries
        share = 1.0 if high == low else (math.log(energy_wh) - low) / (high - low) if energy_wh > 0 else 0.0
        yield Beside(
            row.kind, row.name, row.source, energy_wh, row.parameters,
            None if row.kind == "run" or own_wh <= 0 else energy_wh / own_wh,
            round(_LEAST_BAR + (_WHOLE_BAR - _LEAST_BAR) * share, 1),
        )  # fmt: skip
