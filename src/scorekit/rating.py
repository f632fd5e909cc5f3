"""Stars: from the energy of a model to 1 to 5 stars within a cohort, pure.

The rule `equal_width` cuts a cohort's range into five parts of one width, the lowest energy earning five
stars: `5 - min(floor((e - min) / ((max - min) / 5)), 4)`. It reproduces every star published in February
    2025.

A comparable score is rated in an edition. Any other gets no official star; it is rated only among the scores
given beside it that were measured as it was, which is called local.

A star near a bound may be another one by chance. Its probability is that of the energy lying between the star's bounds,
by the score's combined uncertainty; bounds are taken as they are.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import Field

from scorekit.cohorts import local_cohorts
from scorekit.editions import EQUAL_WIDTH, Edition
from scorekit.errors import RatingError
from scorekit.records import Reason, Record, Score

RATING_SCHEMA: Final = "scorekit.rating/1"
LOCAL: Final = "local"
STARS: Final = 5
SURE: Final = 0.95
"""A star that is less probable than this is called borderline."""
_NORMAL_95: Final = 1.959963984540054


class Rating(Record):
    """The star of one score, or why it has none."""

    schema_version: Literal["scorekit.rating/1"] = RATING_SCHEMA
    model: str
    model_revision: str | None = None
    task: str | None
    cohort: str | None
    model_class: Literal["A", "B", "C"] | None = None
    wh_per_1000_queries: float
    stars: int | None = Field(ge=1, le=5, description="None when it cannot be rated.")
    comparable: bool = Field(description="Whether the score may stand beside official ones.")
    official: bool = Field(description="Whether the star is that of a published edition.")
    edition: str = Field(description="Name of the edition, or local: the scores that were given together.")
    rule: Literal["equal_width"]
    cohort_size: int | None = Field(default=None, description="Models that the range was taken from.")
    min_wh_per_1000: float | None = None
    max_wh_per_1000: float | None = None
    thresholds_wh_per_1000: tuple[float, ...] = Field(
        default=(), description="The four bounds between five stars and one; an energy at a bound is past it."
    )
    position: float | None = Field(
        default=None, ge=0, le=1, description="Place in the range: 0 at its lowest energy, 1 at its highest."
    )
    out_of_range: Literal["below", "above"] | None = None
    combined_95_percent: float | None = Field(
        default=None, description="Uncertainty of the energy, without the board's gain; None where it is not known."
    )
    star_probability: float | None = Field(
        default=None, ge=0, le=1, description="That the energy lies between the star's bounds, by that uncertainty."
    )
    star_probability_other_boards: float | None = Field(
        default=None, ge=0, le=1, description="The same with the gain by which boards differ."
    )
    borderline: bool | None = Field(
        default=None, description="Whether that probability is below 95 %; None where it is not known."
    )
    refused: str | None = Field(default=None, description="Why there is no star at all, and what would mend it.")
    no_official_star_because: tuple[Reason, ...] = Field(
        default=(),
        description="Every reason; empty for an official star, and where only a local one was asked for.",
    )


@dataclass(frozen=True, slots=True)
class Scale:
    """The range of a cohort cut into five parts of one width.

    Attributes:
        lowest: the cohort's lowest energy in Wh per 1,000 queries.
        highest: its highest.
        bounds: the four bounds in between, rising.
    """

    lowest: float
    highest: float
    bounds: tuple[float, float, float, float]

    def stars(self, energy_wh: float) -> int:
        """Stars of an energy: 5 below the first bound, 1 at or past the last; never rises with the energy.

        Raises:
            ValueError: the energy is not positive and finite.
        """
        # Counting the bounds at or below the energy is the rule's floor without its division, whose rounding
        # could put an energy that equals a bound on either side of it.
        return STARS - bisect_right(self.bounds, _checked(energy_wh))

    def position(self, energy_wh: float) -> float:
        """Place of an energy in the range, 0 at its lowest and 1 at its highest, and at an end outside it."""
        return min(max((_checked(energy_wh) - self.lowest) / (self.highest - self.lowest), 0.0), 1.0)

    def probability(self, energy_wh: float, half_width_95_percent: float) -> float:
        """Probability that an energy has the star that it is given, by a normal distribution around it.

        Args:
            energy_wh: the energy, positive and finite.
            half_width_95_percent: half of its 95 % interval, relative to it; with 0 the star is certain.
        """
        star = self.stars(energy_wh)
        sigma = energy_wh * half_width_95_percent / 100 / _NORMAL_95
        if sigma == 0:
            return 1.0
        # Outside of the range the first and the last star have no bound.
        upper = self.bounds[STARS - star] if star > 1 else math.inf
        lower = self.bounds[STARS - star - 1] if star < STARS else -math.inf
        above = math.erfc((upper - energy_wh) / sigma / math.sqrt(2)) / 2
        below = math.erfc((energy_wh - lower) / sigma / math.sqrt(2)) / 2
        return min(1.0, max(0.0, 1.0 - above - below))

    def out_of_range(self, energy_wh: float) -> Literal["below", "above"] | None:
        """On which side of the range an energy lies; None within it."""
        if _checked(energy_wh) < self.lowest:
            return "below"
        return "above" if energy_wh > self.highest else None


def equal_width(lowest_wh: float, highest_wh: float) -> Scale:
    """The scale of a cohort by its lowest and highest energy in Wh per 1,000 queries.

    Raises:
        RatingError: the range has no width, so that there is nothing to tell models apart by.
        ValueError: an energy is not positive and finite.
    """
    low, high = _checked(lowest_wh), _checked(highest_wh)
    width = (high - low) / STARS
    bounds = (low + width, low + 2 * width, low + 3 * width, low + 4 * width)
    # Where the width is at the limit of what a float can tell, bounds fall together and stars would mean
    # nothing.
    if not low < bounds[0] < bounds[1] < bounds[2] < bounds[3] < high:
        raise RatingError(
            f"the cohort's lowest and highest energy are the same ({low:g} Wh per 1,000 queries)",
            mend="rate together with models of other energies",
        )
    return Scale(low, high, bounds)


def rate_scores(scores: Sequence[Score], edition: Edition | None) -> list[Rating]:
    """Rate scores, each in the edition when it is comparable, else among those given.

    A local cohort needs two models. Runs of one model count once in its range, with the mean of their
    energies; each run is then rated by its own energy, and may lie outside the range.

    Args:
        scores: the scores to rate.
        edition: the edition for comparable scores; None to rate all of them locally.

    Returns:
        One rating for each score, in the order given.

    Raises:
        ValueError: the energy of a score is not positive and finite.
    """
    for score in scores:
        _checked(score.wh_per_1000_queries)
    # An energy that cannot be true gets no star, and moves nobody else's.
    sound = [score for score in scores if score.valid is not False]
    cohorts = dict(zip(map(id, sound), local_cohorts(sound), strict=True))
    return [_rate(score, cohorts.get(id(score), ()), edition) for score in scores]


def _rate(score: Score, local_wh: Sequence[float], edition: Edition | None) -> Rating:
    reasons: tuple[Reason, ...] = ()
    if score.valid is False:
        failed = ", ".join(reason.code for reason in score.invalid_because) or "not told which"
        error = RatingError(f"the run failed its checks ({failed})", mend="see `scorekit check RUN`; measure again")
        return _unstarred(score, error, score.not_comparable_because, cohort_size=0)
    if edition is not None:
        if score.comparable and score.cohort is not None:
            try:
                return _in_edition(score, score.cohort, edition)
            except RatingError as error:
                reasons = (Reason(code="edition", message=error.message),)
        else:
            reasons = score.not_comparable_because or (Reason(code="unknown", message="the log does not tell why"),)
    return _locally(score, local_wh, reasons)


def _in_edition(score: Score, cohort: str, edition: Edition) -> Rating:
    row = edition.thresholds_for(cohort, score.model_class)
    scale = equal_width(row.min_wh_per_1000, row.max_wh_per_1000)
    return _starred(score, scale, edition=edition.name, official=True, cohort_size=row.n, reasons=())


def _locally(score: Score, energies_wh: Sequence[float], reasons: tuple[Reason, ...]) -> Rating:
    try:
        if score.cohort is None:
            raise RatingError(
                "the task is not known, so it has no cohort", mend="measure one that `scorekit tasks` lists"
            )
        if len(energies_wh) < 2:
            raise RatingError(
                "it is the only model given of its task and conditions, and a cohort needs two",
                mend="rate it with other models, measured on the same hardware with the same queries",
            )
        scale = equal_width(min(energies_wh), max(energies_wh))
    except RatingError as error:
        return _unstarred(score, error, reasons, cohort_size=len(energies_wh))
    return _starred(score, scale, edition=LOCAL, official=False, cohort_size=len(energies_wh), reasons=reasons)


def _starred(
    score: Score, scale: Scale, *, edition: str, official: bool, cohort_size: int, reasons: tuple[Reason, ...]
) -> Rating:
    energy_wh = score.wh_per_1000_queries
    combined, with_gain = _uncertainties(score)
    probability = None if combined is None else scale.probability(energy_wh, combined)
    return Rating(
        model=score.model,
        model_revision=score.model_revision,
        task=score.task,
        cohort=score.cohort,
        model_class=score.model_class,
        wh_per_1000_queries=energy_wh,
        stars=scale.stars(energy_wh),
        comparable=score.comparable,
        official=official,
        edition=edition,
        rule=EQUAL_WIDTH,
        cohort_size=cohort_size,
        min_wh_per_1000=scale.lowest,
        max_wh_per_1000=scale.highest,
        thresholds_wh_per_1000=scale.bounds,
        position=scale.position(energy_wh),
        out_of_range=scale.out_of_range(energy_wh),
        combined_95_percent=combined,
        star_probability=probability,
        star_probability_other_boards=None if with_gain is None else scale.probability(energy_wh, with_gain),
        borderline=None if probability is None else probability < SURE,
        no_official_star_because=reasons,
    )


def _uncertainties(score: Score) -> tuple[float | None, float | None]:
    """Half-widths at 95 % in percent: without and with the board's gain."""
    if score.uncertainty is None:
        return None, None
    return score.uncertainty.combined_95_percent, score.uncertainty.with_board_gain_95_percent


def _unstarred(score: Score, error: RatingError, reasons: tuple[Reason, ...], *, cohort_size: int) -> Rating:
    return Rating(
        model=score.model,
        model_revision=score.model_revision,
        task=score.task,
        cohort=score.cohort,
        model_class=score.model_class,
        wh_per_1000_queries=score.wh_per_1000_queries,
        stars=None,
        comparable=score.comparable,
        official=False,
        edition=LOCAL,
        rule=EQUAL_WIDTH,
        cohort_size=cohort_size,
        refused=error.message if error.mend is None else f"{error.message}; {error.mend}",
        no_official_star_because=reasons,
    )


def _checked(energy_wh: float) -> float:
    if not (math.isfinite(energy_wh) and energy_wh > 0):
        raise ValueError(f"an energy of {energy_wh} Wh per 1,000 queries cannot be rated: it must be positive")
    return energy_wh
