"""Stars: from the energy of a model to 1 to 5 stars within a cohort, pure.

A comparable score is rated in an edition, by the edition's rule and frozen bounds. Any other gets no official star; it
is rated only among the scores given beside it that were measured as it was, which is called local. So is every star by
a rule that is not the edition's own, as one that a plugin brings always is.

A star near a bound may be another one by chance. The probability of each star is that of the energy lying between the
star's bounds, by the score's combined uncertainty; bounds are taken as they are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from scorekit.cohorts import Given, Rateable, fault_of, local_cohorts, untold
from scorekit.editions import LOCAL, Edition, scale_of, thresholds_for
from scorekit.errors import RatingError
from scorekit.records import Reason, Record
from scorekit.scales import EQUAL_WIDTH, SMALLEST_COHORT, STARS, Rule, Scale, checked, find_any_rule
from scorekit.tasks import OFFICIAL_GPU

__all__ = ["LOCAL", "RATING_SCHEMA", "STARS", "SURE", "Rating", "rate_scores"]

RATING_SCHEMA: Final = "scorekit.rating/2"
SURE: Final = 0.95
"""A star that is less probable than this is called borderline."""
ROUNDING: Final = 1e-9
"""Energies that differ by less than this part are told as one."""

Probability = Annotated[float, Field(ge=0, le=1)]


class Rating(Record):
    """The star of one score, or why it has none."""

    schema_version: Literal["scorekit.rating/1", "scorekit.rating/2"] = RATING_SCHEMA
    model: str | None = Field(description="None where the log does not name it.")
    model_revision: str | None = None
    task: str | None
    cohort: str | None
    model_class: Literal["A", "B", "C"] | None = None
    wh_per_1000_queries: float | None = Field(description="None where the log does not tell it.")
    stars: int | None = Field(ge=1, le=5, description="None when it cannot be rated.")
    comparable: bool = Field(description="Whether the score may stand beside official ones.")
    official: bool = Field(description="Whether the star is that of a published edition, by its own rule.")
    edition: str = Field(description="Name of the edition, or local: the scores that were given together.")
    edition_sha256: str | None = Field(default=None, description="Of the frozen edition; None for a built-in one.")
    rule: str = Field(description="Name of the rule that made the thresholds.")
    cohort_size: int | None = Field(default=None, description="Models that the range was taken from.")
    min_wh_per_1000: float | None = None
    max_wh_per_1000: float | None = None
    thresholds_wh_per_1000: tuple[float, ...] = Field(
        default=(), description="The four bounds between five stars and one; an energy at a bound is past it."
    )
    position: Probability | None = Field(
        default=None, description="Place in the range: 0 at its lowest energy, 1 at its highest."
    )
    out_of_range: Literal["below", "above"] | None = None
    more_stars_below_wh_per_1000: float | None = Field(
        default=None, description="Energy below which it would have more stars; None where it has all, or none."
    )
    fewer_stars_from_wh_per_1000: float | None = Field(
        default=None, description="Energy from which on it would have fewer; None where it has one, or none."
    )
    combined_95_percent: float | None = Field(
        default=None,
        description="Uncertainty of the energy, without the board's gain; of a modelled one that of its repeats alone. "
        "None where it is not known.",
    )
    star_probabilities: tuple[Probability, ...] = Field(
        default=(), description="Of 1, 2, 3, 4 and 5 stars, by that of a measured energy; empty where it is not known."
    )
    star_probability: Probability | None = Field(
        default=None, description="That the energy lies between the star's bounds, by that uncertainty."
    )
    star_probability_other_boards: Probability | None = Field(
        default=None, description="The same with the gain by which boards differ."
    )
    borderline: bool | None = Field(
        default=None, description="Whether that probability is below 95 %; None where it is not known."
    )
    refused: str | None = Field(default=None, description="Why there is no star at all, and what would mend it.")
    no_official_star_because: tuple[Reason, ...] = Field(
        default=(),
        description="Every reason; empty for an official star, and where only a local one by a rule of scorekit's own "
        "was asked for.",
    )
    explanation: str | None = Field(
        default=None, description="Why it has this star and what energy would change it, where that was asked for."
    )


def rate_scores(scores: Sequence[Rateable], edition: Edition | None, rule: str | None = None) -> list[Rating]:
    """Rate scores, each in the edition when it is comparable, else among those given.

    A local cohort needs two models. Runs of one model count once in its range, with the mean of their
    energies; each run is then rated by its own energy, and may lie outside the range.

    Args:
        scores: the scores to rate: `Score`s, or `Result`s of any log.
        edition: the edition for comparable scores; None to rate all of them locally.
        rule: name of the rule; None for the edition's own, and locally for the official one. By another rule than the
            edition's no star is official.

    Returns:
        One rating for each score, in the order given.

    Raises:
        UsageError: there is no such rule.
        PluginError: the plugin that brings the rule cannot be used.
        ValueError: the energy of a score is not positive and finite.
    """
    for score in scores:
        if score.wh_per_1000_queries is not None:
            checked(score.wh_per_1000_queries)
    asked = find_any_rule(rule or (EQUAL_WIDTH if edition is None else edition.rule))
    # An energy that cannot be true gets no star, and moves nobody else's.
    sound = [score for score in scores if score.valid is not False]
    cohorts = dict(zip(map(id, sound), local_cohorts(sound), strict=True))
    given = Given(sound)
    return [_rate(score, _Beside(cohorts.get(id(score), ()), given), edition, asked) for score in scores]


@dataclass(frozen=True, slots=True)
class _Beside:
    """What a score is given beside.

    Attributes:
        energies_wh: of the members of its local cohort.
        given: all that may be rated.
    """

    energies_wh: Sequence[float]
    given: Given


def _rate(score: Rateable, beside: _Beside, edition: Edition | None, rule: Rule) -> Rating:
    reasons: tuple[Reason, ...] = ()
    fault = fault_of(score)
    if fault is not None:
        return _unstarred(score, fault, score.not_comparable_because, rule.name, cohort_size=0)
    if edition is not None:
        if score.comparable and score.cohort is not None:
            try:
                return _in_edition(score, score.cohort, edition, rule)
            except RatingError as error:
                reasons = (Reason(code="edition", message=error.message),)
        else:
            reasons = score.not_comparable_because or (Reason(code="unknown", message="the log does not tell why"),)
    return _locally(score, beside, reasons, rule)


def _in_edition(score: Rateable, cohort: str, edition: Edition, rule: Rule) -> Rating:
    # What is comparable was measured on the official GPU; an edition may have been gathered on another.
    if not edition.hardware.startswith(OFFICIAL_GPU):
        raise RatingError(
            f"edition {edition.name} holds energies of {edition.hardware}, and comparable scores are those of one "
            f"{OFFICIAL_GPU}"
        )
    row = thresholds_for(edition, cohort, score.model_class)
    scale = scale_of(edition, row, rule.name)
    reasons = _of_a_plugin(rule)
    if rule.name != edition.rule and not reasons:
        message = f"edition {edition.name} is rated by {edition.rule}, and {rule.name} was asked for"
        reasons = (Reason(code="rule", message=message),)
    rating = _starred(score, scale, edition=edition.name, rule=rule.name, cohort_size=row.n, reasons=reasons)
    return rating.model_copy(update={"official": not reasons, "edition_sha256": edition.content_sha256})


def _of_a_plugin(rule: Rule) -> tuple[Reason, ...]:
    """The reason why no star by a plugin's rule is official; none for scorekit's own."""
    if rule.brought_by is None:
        return ()
    return (Reason(code="rule", message=f"the rule {rule.name} is that of {rule.brought_by}, and no edition's"),)


def _locally(score: Rateable, beside: _Beside, reasons: tuple[Reason, ...], rule: Rule) -> Rating:
    energies_wh = beside.energies_wh
    reasons = (*reasons, *_of_a_plugin(rule))
    try:
        if score.cohort is None:
            raise RatingError(
                "the task is not known, so it has no cohort", mend="measure one that `scorekit tasks` lists"
            )
        if score.model is None:
            raise RatingError(
                "the log does not name its model, which cannot be told from others", mend="give a log that names it"
            )
        missing = untold(score)
        if missing:
            raise RatingError(
                f"the log does not tell everything that it would have to share with others: {', '.join(missing)}",
                mend="give a log that tells it, or measure with `scorekit bench`",
            )
        if len(energies_wh) < SMALLEST_COHORT:
            raise RatingError(
                "it is the only model given of its task and conditions, and a cohort needs two: "
                f"{beside.given.alone_because(score)}",
                mend="rate it with other models, measured on the same hardware with the same queries: "
                "scorekit rate RUN OTHER ...; a card or label takes what it prints with --json, or --results DIR",
            )
        scale = rule.scale(energies_wh)
    except RatingError as error:
        return _unstarred(score, error, reasons, rule.name, cohort_size=len(energies_wh))
    return _starred(score, scale, edition=LOCAL, rule=rule.name, cohort_size=len(energies_wh), reasons=reasons)


def _starred(
    score: Rateable, scale: Scale, *, edition: str, rule: str, cohort_size: int, reasons: tuple[Reason, ...]
) -> Rating:
    energy_wh = score.wh_per_1000_queries
    assert energy_wh is not None
    combined, with_gain = _uncertainties(score)
    # Of a modelled energy the repeats alone are known, and nothing of how true the model is: no star is sure by them.
    told, told_with_gain = (combined, with_gain) if score.origin == "measured" else (None, None)
    probability = None if told is None else scale.probability(energy_wh, told)
    return Rating(
        model=score.model,
        model_revision=score.model_revision,
        task=score.task,
        cohort=score.cohort,
        model_class=score.model_class,
        wh_per_1000_queries=energy_wh,
        stars=scale.stars(energy_wh),
        comparable=score.comparable,
        official=False,
        edition=edition,
        rule=rule,
        cohort_size=cohort_size,
        min_wh_per_1000=scale.lowest,
        max_wh_per_1000=scale.highest,
        thresholds_wh_per_1000=scale.bounds,
        position=scale.position(energy_wh),
        out_of_range=_out_of_range(scale, energy_wh),
        more_stars_below_wh_per_1000=scale.better_below(energy_wh),
        fewer_stars_from_wh_per_1000=scale.worse_from(energy_wh),
        combined_95_percent=combined,
        star_probabilities=() if told is None else scale.probabilities(energy_wh, told),
        star_probability=probability,
        star_probability_other_boards=(
            None if told_with_gain is None else scale.probability(energy_wh, told_with_gain)
        ),
        borderline=None if probability is None else probability < SURE,
        no_official_star_because=reasons,
    )


def _out_of_range(scale: Scale, energy_wh: float) -> Literal["below", "above"] | None:
    """On which side of the range an energy lies; none where only rounding parts it from an end, which may be a mean."""
    if any(math.isclose(energy_wh, end, rel_tol=ROUNDING) for end in (scale.lowest, scale.highest)):
        return None
    return scale.out_of_range(energy_wh)


def _uncertainties(score: Rateable) -> tuple[float | None, float | None]:
    """Half-widths at 95 % in percent: without and with the board's gain."""
    if score.uncertainty is None:
        return None, None
    return score.uncertainty.combined_95_percent, score.uncertainty.with_board_gain_95_percent


def _unstarred(
    score: Rateable, error: RatingError, reasons: tuple[Reason, ...], rule: str, *, cohort_size: int
) -> Rating:
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
        rule=rule,
        cohort_size=cohort_size,
        combined_95_percent=_uncertainties(score)[0],
        refused=error.message if error.mend is None else f"{error.message}; {error.mend}",
        no_official_star_because=reasons,
    )
