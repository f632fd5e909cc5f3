"""Stars among the scores given: who stands beside whom, and who cannot be rated."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given

from scorekit.editions import FEBRUARY_2025
from scorekit.errors import UsageError
from scorekit.logs import result_of
from scorekit.rating import LOCAL, rate_scores
from scorekit.records import Conditions, Reason, Score
from tests.bundles import local_score, official_score
from tests.strategies import local_scores


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


def test_local_stars_go_by_the_rule_that_was_asked_for() -> None:
    scores = [local_score(name, energy_wh) for name, energy_wh in (("a", 1.0), ("b", 2.0), ("c", 100.0))]
    assert [rating.stars for rating in rate_scores(scores, None)] == [5, 5, 1]
    assert [rating.stars for rating in rate_scores(scores, None, "rank_quintile")] == [5, 4, 2]
    assert [rating.rule for rating in rate_scores(scores, None, "log_width")] == ["log_width"] * 3
    with pytest.raises(UsageError, match="there is no rule 'best'"):
        rate_scores(scores, None, "best")


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


def test_an_end_that_differs_by_rounding_alone_is_in_the_range() -> None:
    energies = (3.1, 3.1 + 8 * math.ulp(3.1))
    runs = [local_score("one", energy) for energy in energies]
    ratings = rate_scores([*runs, local_score("two", 9.0)], None)
    assert [rating.out_of_range for rating in ratings] == [None, None, None]
    assert [rating.stars for rating in ratings] == [5, 5, 1]
