"""All that a rating tells, field by field, and the sentence for each reason why there is no star."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scorekit.editions import FEBRUARY_2025
from scorekit.logs import result_of
from scorekit.rating import rate_scores
from scorekit.records import Reason, Result
from tests.bundles import local_score, official_score
from tests.unit.rating.made import asr_score, full_edition

_OF_THE_SCORE = {
    "schema_version": "scorekit.rating/2",
    "model": "example/model-1b",
    "model_revision": "0" * 40,
    "task": "text_generation",
    "cohort": "text_generation",
    "model_class": "A",
    "explanation": None,
}


def test_all_that_an_official_rating_tells() -> None:
    # The cohort's range is 1.313333 to 28.741175, a fifth of it 5.4855684.
    (rating,) = rate_scores([official_score(energy_wh=8.0)], FEBRUARY_2025)
    assert rating.model_dump() == _OF_THE_SCORE | {
        "wh_per_1000_queries": 8.0,
        "stars": 4,
        "comparable": True,
        "official": True,
        "edition": "2025-02",
        "edition_sha256": None,
        "rule": "equal_width",
        "cohort_size": 32,
        "min_wh_per_1000": 1.313333,
        "max_wh_per_1000": 28.741175,
        "thresholds_wh_per_1000": pytest.approx((6.7989014, 12.2844698, 17.7700382, 23.2556066), rel=1e-12),
        "position": pytest.approx((8 - 1.313333) / (28.741175 - 1.313333), rel=1e-12),
        "out_of_range": None,
        "more_stars_below_wh_per_1000": pytest.approx(6.7989014, rel=1e-12),
        "fewer_stars_from_wh_per_1000": pytest.approx(12.2844698, rel=1e-12),
        "combined_95_percent": pytest.approx(0.7611964521646, rel=1e-9),
        "star_probabilities": pytest.approx((0, 0, 0, 1, 0)),
        "star_probability": pytest.approx(1.0),
        # The board's gain of 5 % is in it: 6.8 is six of its standard deviations away.
        "star_probability_other_boards": pytest.approx(1 - 4.77e-10, rel=1e-12),
        "borderline": False,
        "refused": None,
        "no_official_star_because": (),
    }


def test_all_that_a_local_rating_tells() -> None:
    low, _ = rate_scores(
        [local_score(name, wh, origin="measured") for name, wh in (("one", 1.0), ("two", 2.0))], FEBRUARY_2025
    )
    assert low.model_dump() == _OF_THE_SCORE | {
        "model": "one",
        "wh_per_1000_queries": 1.0,
        "stars": 5,
        "comparable": False,
        "official": False,
        "edition": "local",
        "edition_sha256": None,
        "rule": "equal_width",
        "cohort_size": 2,
        "min_wh_per_1000": 1.0,
        "max_wh_per_1000": 2.0,
        "thresholds_wh_per_1000": pytest.approx((1.2, 1.4, 1.6, 1.8)),
        "position": 0.0,
        "out_of_range": None,
        "more_stars_below_wh_per_1000": None,
        "fewer_stars_from_wh_per_1000": pytest.approx(1.2),
        "combined_95_percent": pytest.approx(0.7611964521646, rel=1e-9),
        "star_probabilities": pytest.approx((0, 0, 0, 0, 1)),
        "star_probability": pytest.approx(1.0),
        "star_probability_other_boards": pytest.approx(1.0),
        "borderline": False,
        "refused": None,
        "no_official_star_because": (
            {"code": "hardware", "message": "no GPU was used"},
            {"code": "samples", "message": "20 queries a repeat, expected 1000"},
        ),
    }


def test_all_that_a_rating_without_a_star_tells() -> None:
    (rating,) = rate_scores([official_score(energy_wh=8.0)], None)
    assert rating.model_dump() == _OF_THE_SCORE | {
        "wh_per_1000_queries": 8.0,
        "stars": None,
        "comparable": True,
        "official": False,
        "edition": "local",
        "edition_sha256": None,
        "rule": "equal_width",
        "cohort_size": 1,
        "min_wh_per_1000": None,
        "max_wh_per_1000": None,
        "thresholds_wh_per_1000": (),
        "position": None,
        "out_of_range": None,
        "more_stars_below_wh_per_1000": None,
        "fewer_stars_from_wh_per_1000": None,
        "combined_95_percent": pytest.approx(0.7611964521646, rel=1e-9),
        "star_probabilities": (),
        "star_probability": None,
        "star_probability_other_boards": None,
        "borderline": None,
        "refused": rating.refused,
        "no_official_star_because": (),
    }


def _result(**changes: Any) -> Result:
    return result_of(local_score("bad", 900.0), "bad").model_copy(update=changes)


@pytest.mark.parametrize(
    ("changes", "cohort_size", "refused"),
    [
        (
            {"wh_per_1000_queries": None},
            0,
            "the log gives no energy for 1,000 queries; see `scorekit parse LOG`, which tells why; measure again",
        ),
        (
            {"valid": False, "invalid_because": (Reason(code="a", message=""), Reason(code="b", message=""))},
            0,
            "the run failed its checks (a, b); see `scorekit check RUN`; measure again",
        ),
        (
            {"valid": False},
            0,
            "the run failed its checks (not told which); see `scorekit check RUN`; measure again",
        ),
        (
            {"model": None},
            0,
            "the log does not name its model, which cannot be told from others; give a log that names it",
        ),
        (
            {"cohort": None},
            1,
            "the task is not known, so it has no cohort; measure one that `scorekit tasks` lists",
        ),
        (
            {"hardware": None},
            0,
            "the log does not tell everything that it would have to share with others: hardware; give a log that tells "
            "it, or measure with `scorekit bench`",
        ),
        (
            {},
            1,
            "it is the only model given of its task and conditions, and a cohort needs two: nothing else of its task "
            "is given; rate it with other models, measured on the same hardware with the same queries: scorekit rate "
            "RUN OTHER ...; a card or label takes what it prints with --json, or --results DIR",
        ),
    ],
)
def test_why_there_is_no_star_at_all(changes: dict[str, Any], cohort_size: int, refused: str) -> None:
    (rating,) = rate_scores([_result(**changes)], FEBRUARY_2025)
    assert (rating.refused, rating.cohort_size, rating.stars) == (refused, cohort_size, None)
    assert [reason.code for reason in rating.no_official_star_because] == ["hardware", "samples"]
    # Where the run or its energy is at fault its reasons are told in any case; else nobody asked for an official star.
    (locally,) = rate_scores([_result(**changes)], None)
    assert bool(locally.no_official_star_because) == ("valid" in changes or "wh_per_1000_queries" in changes)


def test_why_a_star_is_not_official(tmp_path: Path) -> None:
    edition = full_edition(tmp_path)
    scores = [asr_score(8.5)]

    def reason(rating: Any) -> tuple[str, str]:
        (found,) = rating.no_official_star_because
        return found.code, found.message

    by_another_rule = rate_scores(scores, edition, "log_width")[0]
    assert reason(by_another_rule) == ("rule", "edition trial is rated by equal_width, and log_width was asked for")
    assert by_another_rule.edition_sha256 == edition.content_sha256
    elsewhere = rate_scores(scores, edition.model_copy(update={"hardware": "NVIDIA A100 80GB"}))[0]
    assert reason(elsewhere) == (
        "edition",
        "edition trial holds energies of NVIDIA A100 80GB, and comparable scores are those of one NVIDIA H100 80GB",
    )
    untold = rate_scores([_result(not_comparable_because=(), comparable=False)], edition)[0]
    assert reason(untold) == ("unknown", "the log does not tell why")


def test_an_energy_that_cannot_be_true_moves_nobody_and_an_impossible_one_is_an_error() -> None:
    others = [local_score("one", 1.0), local_score("two", 2.0)]
    wrong = _result(valid=False, wh_per_1000_queries=900.0)
    assert rate_scores([wrong, *others], None)[1:] == rate_scores(others, None)
    with pytest.raises(ValueError, match=r"an energy of -1\.0 Wh"):
        rate_scores([*others, _result(wh_per_1000_queries=-1.0)], None)
