"""Stars of an edition: who gets one, by which rule, and why another one does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit.editions import FEBRUARY_2025
from scorekit.logs import result_of
from scorekit.rating import LOCAL, rate_scores
from tests.bundles import local_score, official_score
from tests.unit.rating.made import asr_score, full_edition


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


def test_reasoning_is_told_to_have_no_thresholds() -> None:
    (rating,) = rate_scores([official_score(task="reasoning", cohort="reasoning")], FEBRUARY_2025)
    assert rating.stars is None
    assert "no thresholds for reasoning" in rating.no_official_star_because[0].message


def test_a_frozen_edition_rates_by_its_own_rule(tmp_path: Path) -> None:
    edition = full_edition(tmp_path, "log_width")
    (rating,) = rate_scores([asr_score(8.5)], edition)
    assert (rating.rule, rating.official, rating.stars) == ("log_width", True, 2)
    assert rating.edition_sha256 == edition.content_sha256
    assert rating.thresholds_wh_per_1000 == pytest.approx((2.0, 4.0, 8.0, 16.0))
    assert (rating.more_stars_below_wh_per_1000, rating.fewer_stars_from_wh_per_1000) == pytest.approx((8.0, 16.0))


def test_an_edition_of_another_gpu_gives_no_official_star(tmp_path: Path) -> None:
    edition = full_edition(tmp_path)
    same = edition.model_copy(update={"hardware": "NVIDIA H100 80GB HBM3"})
    other = edition.model_copy(update={"hardware": "NVIDIA A100 80GB"})
    assert [rate_scores([asr_score(8.5)], one)[0].official for one in (same, other)] == [True, False]
    (rating,) = rate_scores([asr_score(8.5)], other)
    assert "holds energies of NVIDIA A100 80GB" in rating.no_official_star_because[0].message


def test_a_star_by_another_rule_is_not_official_and_says_so(tmp_path: Path) -> None:
    edition = full_edition(tmp_path)
    (own,), (other,) = rate_scores([asr_score(8.5)], edition), rate_scores([asr_score(8.5)], edition, "rank_quintile")
    assert (own.stars, own.official, own.no_official_star_because) == (4, True, ())
    assert (other.rule, other.edition, other.official) == ("rank_quintile", "trial", False)
    assert other.thresholds_wh_per_1000 == (4.0, 8.0, 16.0, 32.0)
    assert [reason.code for reason in other.no_official_star_because] == ["rule"]


def test_a_rule_that_asks_for_members_is_refused_by_thresholds_alone() -> None:
    (rating,) = rate_scores([asr_score(8.5)], FEBRUARY_2025, "rank_quintile")
    assert rating.stars is None
    assert "holds thresholds only" in rating.no_official_star_because[0].message


def test_a_result_is_rated_as_the_score_that_it_was_made_from() -> None:
    scores = [official_score("one", 8.0), local_score("two", 1.0), local_score("three", 2.0)]
    results = [result_of(score, score.model) for score in scores]
    assert rate_scores(results, FEBRUARY_2025) == rate_scores(scores, FEBRUARY_2025)
    assert rate_scores([results[0], *scores[1:]], None) == rate_scores(scores, None)
