"""Stars by the equal-width rule: exact at bounds, never rising with energy, never without meaning."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.editions import FEBRUARY_2025, Edition, Member
from scorekit.errors import RatingError, UsageError
from scorekit.explain import explain
from scorekit.logs import result_of
from scorekit.rating import LOCAL, Rating, rate_scores
from scorekit.records import Conditions, Reason, Score
from scorekit.scales import Scale, equal_width
from tests.bundles import local_score, official_score
from tests.edition_members import frozen
from tests.strategies import energies_wh, impossible_energies_wh, local_scores, scales


@pytest.mark.parametrize(
    ("energy_wh", "expected"),
    [
        (10.0, 5),
        (29.999, 5),
        (30.0, 4),
        (50.0, 3),
        (69.9, 3),
        (70.0, 2),
        (90.0, 1),
        (110.0, 1),
        (5.0, 5),
        (500.0, 1),
    ],
)
def test_a_scale_worked_out_by_hand(energy_wh: float, expected: int) -> None:
    assert equal_width(10.0, 110.0).stars(energy_wh) == expected


def test_the_ends_of_the_range_are_inside_it() -> None:
    scale = equal_width(10.0, 110.0)
    assert scale.bounds == (30.0, 50.0, 70.0, 90.0)
    assert [scale.out_of_range(energy_wh) for energy_wh in (9.99, 10.0, 110.0, 110.01)] == [
        "below", None, None, "above",
    ]  # fmt: skip
    assert [scale.position(energy_wh) for energy_wh in (5.0, 10.0, 60.0, 110.0, 500.0)] == [0, 0, 0.5, 1, 1]


@given(scales(), energies_wh, energies_wh)
def test_stars_never_rise_with_energy(scale: Scale, one: float, two: float) -> None:
    assert scale.stars(min(one, two)) >= scale.stars(max(one, two))


@given(scales())
def test_the_ends_and_bounds_have_their_stars(scale: Scale) -> None:
    assert scale.stars(scale.lowest) == 5
    assert scale.stars(scale.highest) == 1
    assert [scale.stars(bound) for bound in scale.bounds] == [4, 3, 2, 1]
    assert [scale.stars(math.nextafter(bound, 0)) for bound in scale.bounds] == [5, 4, 3, 2]


@given(scales(), st.floats(min_value=0, max_value=1))
def test_stars_are_those_of_the_published_formula(scale: Scale, place: float) -> None:
    energy_wh = scale.lowest + place * (scale.highest - scale.lowest)
    part = (energy_wh - scale.lowest) / ((scale.highest - scale.lowest) / 5)
    if abs(part - round(part)) > 1e-6:
        assert scale.stars(energy_wh) == 5 - min(math.floor(part), 4)


@given(impossible_energies_wh)
def test_an_impossible_energy_is_never_rated(energy_wh: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        equal_width(10.0, 110.0).stars(energy_wh)
    with pytest.raises(ValueError, match="must be positive"):
        rate_scores([local_score(energy_wh=energy_wh)], None)


@pytest.mark.parametrize(("lowest", "highest"), [(1.0, 1.0), (1.0, math.nextafter(1.0, 2.0)), (5e-324, 1e-323)])
def test_a_range_without_width_makes_no_scale(lowest: float, highest: float) -> None:
    with pytest.raises(RatingError, match="the same"):
        equal_width(lowest, highest)


def test_a_comparable_score_gets_the_star_of_the_edition() -> None:
    (rating,) = rate_scores([official_score(energy_wh=8.0)], FEBRUARY_2025)
    assert (rating.stars, rating.official, rating.edition, rating.rule) == (4, True, "2025-02", "equal_width")
    assert rating.no_official_star_because == ()
    assert rating.out_of_range is None
    assert rating.cohort_size == 32


@pytest.mark.parametrize(("energy_wh", "stars", "side"), [(0.5, 5, "below"), (30.0, 1, "above")])
def test_an_energy_outside_the_edition_is_said_to_be(energy_wh: float, stars: int, side: str) -> None:
    (rating,) = rate_scores([official_score(energy_wh=energy_wh)], FEBRUARY_2025)
    assert (rating.stars, rating.out_of_range) == (stars, side)


def test_a_score_that_is_not_comparable_gets_every_reason_and_a_local_star() -> None:
    low, high = rate_scores([local_score("one", 1.0), local_score("two", 2.0)], FEBRUARY_2025)
    assert (low.stars, high.stars) == (5, 1)
    assert (low.official, low.edition) == (False, LOCAL)
    assert [reason.code for reason in low.no_official_star_because] == ["hardware", "samples"]


def test_an_only_one_gets_no_star_and_is_told_what_to_do() -> None:
    (rating,) = rate_scores([local_score()], FEBRUARY_2025)
    assert rating.stars is None
    assert rating.refused is not None
    assert "only model" in rating.refused
    assert "rate it with other models" in rating.refused


def test_equal_energies_get_no_star() -> None:
    ratings = rate_scores([local_score("one", 1.0), local_score("two", 1.0)], None)
    assert [rating.stars for rating in ratings] == [None, None]


@pytest.mark.parametrize(
    "changes",
    [
        {"cohort": "asr"},
        {"model_class": "B"},
        {"hardware": "Another CPU"},
        {"domain": "gpu"},
        {"origin": "measured"},
        {"queries": 10},
        {"conditions": None},
        {"conditions": Conditions(dataset="other", dataset_fingerprint="3", batch_size=1)},
    ],
)
def test_unlike_scores_share_no_local_cohort(changes: dict[str, object]) -> None:
    ratings = rate_scores([local_score("one", 1.0), local_score("two", 2.0, **changes)], None)
    assert [rating.stars for rating in ratings] == [None, None]


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"hardware": None}, "hardware"),
        ({"domain": None}, "whether the energy is a GPU's or a CPU's"),
        ({"model_class": None}, "size class of the model"),
        ({"hardware": None, "domain": None}, "hardware, whether the energy is a GPU's or a CPU's"),
    ],
)
def test_what_is_not_known_is_not_taken_for_alike(changes: dict[str, object], missing: str) -> None:
    made = [result_of(local_score(name, energy), name) for name, energy in (("one", 1.0), ("two", 2.0), ("three", 3.0))]
    blank = [result.model_copy(update=changes) for result in made]
    for edition in (None, FEBRUARY_2025):
        for rating in rate_scores(blank, edition):
            assert rating.stars is None
            assert f"have to share with others: {missing};" in (rating.refused or "")
    # They move nobody who is known, either.
    assert rate_scores([*made[:2], blank[2]], None)[:2] == rate_scores(made[:2], None)


def test_unknown_hardware_of_a_score_and_no_class_where_there_are_none() -> None:
    scores = [local_score(name, energy, hardware="unknown") for name, energy in (("one", 1.0), ("two", 2.0))]
    assert [rating.stars for rating in rate_scores(scores, None)] == [None, None]
    classless = [local_score(name, e, cohort="asr", model_class=None) for name, e in (("one", 1.0), ("two", 2.0))]
    assert [rating.stars for rating in rate_scores(classless, None)] == [5, 1]


@pytest.mark.parametrize(
    "changes", [{"task": "t5_text_generation"}, {"model_revision": "f" * 40}, {"parameters": 5}, {"runs": 3}]
)
def test_what_belongs_to_the_model_does_not_part_a_local_cohort(changes: dict[str, object]) -> None:
    ratings = rate_scores([local_score("one", 1.0), local_score("two", 2.0, **changes)], None)
    assert [rating.stars for rating in ratings] == [5, 1]


def test_a_model_that_generates_nothing_stands_beside_those_that_do() -> None:
    def asr(model: str, energy_wh: float, new_tokens: int | None) -> Score:
        asked = Conditions(dataset="ASR", dataset_fingerprint="4", batch_size=1, new_tokens=new_tokens)
        return local_score(model, energy_wh, cohort="asr", conditions=asked)

    ctc, whisper, short = asr("ctc", 1.0, None), asr("whisper", 2.0, 100), asr("short", 3.0, 10)
    assert [rating.stars for rating in rate_scores([ctc, whisper], None)] == [5, 1]
    # Beside unlike limits it cannot stand without joining them.
    assert [rating.stars for rating in rate_scores([ctc, whisper, short], None)] == [None, None, None]


def test_runs_of_one_model_are_one_member() -> None:
    assert [r.stars for r in rate_scores([local_score("one", 1.0), local_score("one", 2.0)], None)] == [
        None,
        None,
    ]
    ratings = rate_scores([local_score("one", 1.0), local_score("one", 3.0), local_score("two", 12.0)], None)
    assert ratings[0].min_wh_per_1000 == 2.0
    assert [(rating.stars, rating.out_of_range) for rating in ratings] == [(5, "below"), (5, None), (1, None)]
    assert ratings[0].cohort_size == 2


def test_local_rates_comparable_scores_without_reproach() -> None:
    ratings = rate_scores([official_score("one", 1.0), official_score("two", 2.0)], None)
    assert [(r.stars, r.official, r.edition) for r in ratings] == [(5, False, LOCAL), (1, False, LOCAL)]
    assert ratings[0].no_official_star_because == ()


def test_reasoning_is_told_to_have_no_thresholds() -> None:
    (rating,) = rate_scores([official_score(task="reasoning", cohort="reasoning")], FEBRUARY_2025)
    assert rating.stars is None
    assert "no thresholds for reasoning" in rating.no_official_star_because[0].message


def test_a_score_without_a_task_has_no_cohort() -> None:
    scores = [
        local_score("one", 1.0, task=None, cohort=None),
        local_score("two", 2.0, task=None, cohort=None),
    ]
    assert [rating.stars for rating in rate_scores(scores, None)] == [None, None]


@given(local_scores())
def test_every_score_is_rated_or_refused(scores: list[Score]) -> None:
    ratings = rate_scores(scores, None)
    assert [rating.model for rating in ratings] == [score.model for score in scores]
    for rating in ratings:
        assert (rating.stars is None) == (rating.refused is not None)
    starred = sorted((r.wh_per_1000_queries, r.stars) for r in ratings if r.stars is not None)
    assert [stars for _, stars in starred] == sorted((stars for _, stars in starred), reverse=True)


# How sure a star is


def test_the_probability_of_a_star_by_hand() -> None:
    scale = equal_width(10.0, 110.0)
    # Bounds 30, 50, 70, 90. At 49 with a half-width of 4 %, one standard deviation is exactly 1 Wh.
    half_width = 100 * 1.959963984540054 / 49.0
    assert scale.probability(49.0, half_width) == pytest.approx(0.8413447, abs=1e-7)
    # At a bound it is a coin's toss; in the middle of a part both bounds count.
    assert scale.probability(50.0, 1.0) == pytest.approx(0.5)
    wide = 100 * 1.959963984540054 * 10.0 / 60.0
    assert scale.probability(60.0, wide) == pytest.approx(0.6826895, abs=1e-7)
    # The first and the last star have no bound on their outer side.
    assert scale.probability(20.0, 1.0) == pytest.approx(1.0)
    assert scale.probability(5.0, 50.0) == pytest.approx(1.0)
    assert scale.probability(500.0, 10.0) == pytest.approx(1.0)


@given(scales(), energies_wh, st.floats(min_value=0, max_value=100))
def test_a_probability_is_one(scale: Scale, energy_wh: float, half_width: float) -> None:
    assert 0 <= scale.probability(energy_wh, half_width) <= 1
    assert scale.probability(energy_wh, 0.0) == 1


@given(scales(), energies_wh, st.floats(min_value=0.01, max_value=20), st.floats(min_value=1, max_value=5))
def test_a_wider_interval_never_makes_a_star_surer(scale: Scale, energy_wh: float, narrow: float, times: float) -> None:
    assert scale.probability(energy_wh, narrow * times) <= scale.probability(energy_wh, narrow) + 1e-9


def test_a_star_near_its_bound_is_borderline() -> None:
    def rated(energy_wh: float, combined: float | None) -> Rating:
        score = official_score(energy_wh=energy_wh)
        assert score.uncertainty is not None
        facts = {"combined_95_percent": combined, "with_board_gain_95_percent": None if combined is None else 5.0}
        changed = score.model_copy(update={"uncertainty": score.uncertainty.model_copy(update=facts)})
        (rating,) = rate_scores([changed], FEBRUARY_2025)
        return rating

    first_bound = rated(8.0, 1.0).thresholds_wh_per_1000[0]
    near, far, unknown = rated(first_bound * 0.999, 1.0), rated(first_bound * 0.9, 1.0), rated(8.0, None)
    assert (near.borderline, far.borderline, unknown.borderline) == (True, False, None)
    assert near.star_probability == pytest.approx(0.5776, abs=1e-3)
    assert (far.stars, far.combined_95_percent) == (5, 1.0)
    assert unknown.star_probability is None
    # Boards differ by more than repeats do.
    assert (far.star_probability_other_boards or 0) < (far.star_probability or 0)


def test_a_score_without_uncertainty_is_rated_without_a_probability() -> None:
    (rating,) = rate_scores([official_score(uncertainty=None)], FEBRUARY_2025)
    assert (rating.stars, rating.star_probability, rating.borderline) == (4, None, None)


# Rules, results of any log, and what a rating tells of itself


def _full(folder: Path, rule: str | None = None) -> Edition:
    own = [Member(cohort="asr", model=name, wh_per_1000_queries=float(2**at)) for at, name in enumerate("abcdef")]
    return frozen(own, folder, rule=rule)


def _asr(energy_wh: float, **changes: object) -> Score:
    facts = {"task": "automatic_speech_recognition", "cohort": "asr", "model_class": None}
    return official_score("probe", energy_wh, **facts | changes)


def test_a_frozen_edition_rates_by_its_own_rule(tmp_path: Path) -> None:
    edition = _full(tmp_path, "log_width")
    (rating,) = rate_scores([_asr(8.5)], edition)
    assert (rating.rule, rating.official, rating.stars) == ("log_width", True, 2)
    assert rating.edition_sha256 == edition.content_sha256
    assert rating.thresholds_wh_per_1000 == pytest.approx((2.0, 4.0, 8.0, 16.0))
    assert (rating.more_stars_below_wh_per_1000, rating.fewer_stars_from_wh_per_1000) == pytest.approx((8.0, 16.0))


def test_an_edition_of_another_gpu_gives_no_official_star(tmp_path: Path) -> None:
    edition = _full(tmp_path)
    same = edition.model_copy(update={"hardware": "NVIDIA H100 80GB HBM3"})
    other = edition.model_copy(update={"hardware": "NVIDIA A100 80GB"})
    assert [rate_scores([_asr(8.5)], one)[0].official for one in (same, other)] == [True, False]
    (rating,) = rate_scores([_asr(8.5)], other)
    assert "holds energies of NVIDIA A100 80GB" in rating.no_official_star_because[0].message


def test_a_star_by_another_rule_is_not_official_and_says_so(tmp_path: Path) -> None:
    edition = _full(tmp_path)
    (own,), (other,) = rate_scores([_asr(8.5)], edition), rate_scores([_asr(8.5)], edition, "rank_quintile")
    assert (own.stars, own.official, own.no_official_star_because) == (4, True, ())
    assert (other.rule, other.edition, other.official) == ("rank_quintile", "trial", False)
    assert other.thresholds_wh_per_1000 == (4.0, 8.0, 16.0, 32.0)
    assert [reason.code for reason in other.no_official_star_because] == ["rule"]


def test_a_rule_that_asks_for_members_is_refused_by_thresholds_alone() -> None:
    (rating,) = rate_scores([_asr(8.5)], FEBRUARY_2025, "rank_quintile")
    assert rating.stars is None
    assert "holds thresholds only" in rating.no_official_star_because[0].message


def test_local_stars_go_by_the_rule_that_was_asked_for() -> None:
    scores = [local_score(name, energy_wh) for name, energy_wh in (("a", 1.0), ("b", 2.0), ("c", 100.0))]
    assert [rating.stars for rating in rate_scores(scores, None)] == [5, 5, 1]
    assert [rating.stars for rating in rate_scores(scores, None, "rank_quintile")] == [5, 4, 2]
    assert [rating.rule for rating in rate_scores(scores, None, "log_width")] == ["log_width"] * 3
    with pytest.raises(UsageError, match="there is no rule 'best'"):
        rate_scores(scores, None, "best")


def test_a_result_is_rated_as_the_score_that_it_was_made_from() -> None:
    scores = [official_score("one", 8.0), local_score("two", 1.0), local_score("three", 2.0)]
    results = [result_of(score, score.model) for score in scores]
    assert rate_scores(results, FEBRUARY_2025) == rate_scores(scores, FEBRUARY_2025)
    assert rate_scores([results[0], *scores[1:]], None) == rate_scores(scores, None)


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"wh_per_1000_queries": None, "refused": "count unknown"}, "no energy for 1,000 queries"),
        (
            {"valid": False, "invalid_because": (Reason(code="counter", message="broke"),)},
            r"failed its checks \(counter",
        ),
        ({"model": None, "comparable": False}, "does not name its model"),
    ],
)
def test_a_result_that_cannot_be_rated_says_why_and_moves_nobody(changes: dict[str, object], refused: str) -> None:
    others = [local_score("one", 1.0), local_score("two", 2.0)]
    bad = result_of(local_score("bad", 900.0), "bad").model_copy(update=changes)
    *found, last = rate_scores([*others, bad], None)
    assert found == rate_scores(others, None)
    assert last.stars is None
    assert re.search(refused, last.refused or "")


def test_the_probabilities_of_all_stars_are_told() -> None:
    score = official_score(energy_wh=6.79)
    assert score.uncertainty is not None
    near = score.model_copy(update={"uncertainty": score.uncertainty.model_copy(update={"combined_95_percent": 0.6})})
    (rating,) = rate_scores([near], FEBRUARY_2025)
    assert rating.stars == 5
    assert sum(rating.star_probabilities) == pytest.approx(1.0)
    assert rating.star_probabilities[4] == pytest.approx(rating.star_probability)
    assert rating.star_probabilities[3] == pytest.approx(1 - (rating.star_probability or 0))
    assert rate_scores([official_score(uncertainty=None)], FEBRUARY_2025)[0].star_probabilities == ()


# Explanations


def _explained(energy_wh: float, folder: Path) -> str:
    (rating,) = rate_scores([_asr(energy_wh)], _full(folder))
    return explain(rating)


def test_an_explanation_says_why_and_what_would_change_the_star(tmp_path: Path) -> None:
    # Bounds 7.2, 13.4, 19.6 and 25.8 between 1 and 32 Wh.
    assert _explained(8.0, tmp_path) == (
        "probe has 4 stars because its 8.000 Wh per 1,000 queries lies between 7.200 and 13.40 Wh, by the rule "
        "equal_width in edition trial (asr: 6 models from 1.000 to 32.00 Wh). Below 7.200 Wh (0.8000 Wh or 10 % less) "
        "it would have 5 stars, and from 13.40 Wh on (5.400 Wh or 68 % more) it would have 3 stars."
    )


@pytest.mark.parametrize(
    ("energy_wh", "parts"),
    [
        (
            0.5,
            ("5 stars because its 0.5000 Wh per 1,000 queries is below 7.200 Wh", "below the range", "From 7.200 Wh"),
        ),
        (
            40.0,
            ("1 star because its 40.00 Wh per 1,000 queries is at or above 25.80 Wh", "above the range", "2 stars."),
        ),
    ],
)
def test_an_explanation_at_the_ends_of_the_scale(tmp_path: Path, energy_wh: float, parts: tuple[str, ...]) -> None:
    text = _explained(energy_wh, tmp_path)
    assert all(part in text for part in parts)
    assert text.count(". ") == 1


def test_an_explanation_without_a_star_says_how_to_get_one() -> None:
    (rating,) = rate_scores([local_score()], None)
    text = explain(rating)
    assert "has no star: it is the only model given of its task and conditions" in text
    assert "To mend it: rate it with other models" in text


@given(local_scores(), st.sampled_from(["equal_width", "rank_quintile", "log_width"]))
def test_every_rating_can_be_explained_in_two_sentences(scores: list[Score], rule: str) -> None:
    for rating in rate_scores(scores, None, rule):
        text = explain(rating)
        assert text.endswith(".")
        assert len(re.findall(r"\.(?= [A-Z]|$)", text)) == 2


@pytest.mark.parametrize(
    ("energies", "probe", "first", "second"),
    [
        ((1.0, 2.0, 9.0), 9.0, "2 stars because its 9.000 Wh per 1,000 queries is at the bound of 9.000 Wh,",
         "Below 9.000 Wh it would have 4 stars, and above 9.000 Wh it would have 1 star."),
        ((1.0, 9.0), 9.0, "3 stars because its 9.000 Wh per 1,000 queries is at the bound of 9.000 Wh,",
         "Below 9.000 Wh it would have 5 stars, and above 9.000 Wh it would have 1 star."),
        ((1.0, 2.0, 2.0, 2.0, 2.0), 2.0, "4 stars because its 2.000 Wh per 1,000 queries is at the bound of 2.000 Wh,",
         "Below 2.000 Wh it would have 5 stars, and above 2.000 Wh it would have 1 star."),
    ],
)  # fmt: skip
def test_a_bound_at_a_members_own_energy_is_no_distance(
    energies: tuple[float, ...], probe: float, first: str, second: str
) -> None:
    scores = [local_score(f"model-{number}", energy) for number, energy in enumerate(energies)]
    text = explain(rate_scores(scores, None, "rank_quintile")[energies.index(probe)])
    assert first in text
    assert text.endswith(second)
    assert "e-1" not in text


def test_an_end_that_differs_by_rounding_alone_is_in_the_range() -> None:
    energies = (3.1, 3.1 + 8 * math.ulp(3.1))
    runs = [local_score("one", energy) for energy in energies]
    ratings = rate_scores([*runs, local_score("two", 9.0)], None)
    assert [rating.out_of_range for rating in ratings] == [None, None, None]
    assert [rating.stars for rating in ratings] == [5, 5, 1]


def test_a_score_without_a_star_keeps_its_uncertainty() -> None:
    (rating,) = rate_scores([local_score()], None)
    assert rating.stars is None
    assert rating.combined_95_percent == local_score().uncertainty.combined_95_percent  # type: ignore[union-attr]
