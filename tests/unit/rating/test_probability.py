"""How sure a star is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.editions import FEBRUARY_2025
from scorekit.rating import Rating, rate_scores
from scorekit.scales import Scale
from tests.bundles import local_score, official_score
from tests.strategies import energies_wh, equal_width, scales


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


def test_no_star_of_a_modelled_energy_is_sure() -> None:
    facts = {"hardware": "NVIDIA H100 PCIe", "domain": "gpu"}
    for origin, known in (("measured", True), ("modelled", False), ("mixed", False), ("unknown", False)):
        pair = [local_score(f"org/{wh}", wh, origin=origin, **facts) for wh in (1.0, 9.0)]
        ratings = rate_scores(pair, None)
        assert [rating.stars for rating in ratings] == [5, 1]
        for rating in ratings:
            assert rating.combined_95_percent is not None
            assert (rating.star_probability is not None) is known
            assert (rating.star_probability_other_boards is not None) is known
            assert (rating.borderline, len(rating.star_probabilities)) == ((False, 5) if known else (None, 0))


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


def test_a_score_without_a_star_keeps_its_uncertainty() -> None:
    (rating,) = rate_scores([local_score()], None)
    assert rating.stars is None
    assert rating.combined_95_percent == local_score().uncertainty.combined_95_percent  # type: ignore[union-attr]
