"""The three rules: by hand, against their published formulas, and what holds for each of them."""

from __future__ import annotations

import math
from bisect import bisect_right

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.errors import RatingError, UsageError
from scorekit.scales import EQUAL_WIDTH, LOG_WIDTH, RANK_QUINTILE, RULES, Scale, equal_width, find_any_rule, find_rule
from tests.strategies import energies_wh, scales

cohorts = st.lists(energies_wh, min_size=2, max_size=30)
rules = st.sampled_from(sorted(RULES))


def _scale(rule: str, energies: list[float]) -> Scale | None:
    """The scale of a cohort; None where it is refused."""
    try:
        return RULES[rule].scale(energies)
    except RatingError:
        return None


def test_ten_models_make_five_pairs_by_rank() -> None:
    scale = RULES[RANK_QUINTILE].scale([float(number) for number in range(10, 0, -1)])
    assert scale.bounds == (3.0, 5.0, 7.0, 9.0)
    assert [scale.stars(float(number)) for number in range(1, 11)] == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
    assert scale.stars(1000.0) == 1


@given(st.lists(energies_wh, min_size=2, max_size=40, unique=True))
def test_ranks_give_the_stars_of_their_formula(energies: list[float]) -> None:
    scale = RULES[RANK_QUINTILE].scale(energies)
    n = len(energies)
    for rank, energy_wh in enumerate(sorted(energies)):
        assert scale.stars(energy_wh) == 5 - min(math.floor(rank * 5 / n), 4)


def test_models_of_one_energy_share_the_better_star() -> None:
    scale = RULES[RANK_QUINTILE].scale([1.0] * 9 + [2.0])
    assert (scale.stars(1.0), scale.stars(2.0)) == (5, 1)
    two = RULES[RANK_QUINTILE].scale([1.0, 2.0])
    # Of two models none has one star; what lies above them has.
    assert (two.stars(1.0), two.stars(2.0), two.stars(2.1)) == (5, 3, 1)


def test_the_logarithm_is_cut_into_equal_parts() -> None:
    scale = RULES[LOG_WIDTH].scale([1.0, 7.0, 100_000.0])
    assert scale.bounds == pytest.approx((10.0, 100.0, 1000.0, 10_000.0))
    assert [scale.stars(energy_wh) for energy_wh in (1.0, 9.0, 11.0, 5000.0, 20_000.0)] == [5, 5, 4, 2, 1]


@given(energies_wh, st.floats(min_value=1.01, max_value=1e6), st.floats(min_value=0, max_value=1))
def test_log_width_gives_the_stars_of_its_formula(low: float, factor: float, place: float) -> None:
    high = low * factor
    scale = RULES[LOG_WIDTH].scale([low, high])
    energy_wh = min(max(low * factor**place, low), high)
    part = math.log(energy_wh / low) / (math.log(high / low) / 5)
    if abs(part - round(part)) > 1e-6:
        assert scale.stars(energy_wh) == 5 - min(math.floor(part), 4)


@given(rules, cohorts, energies_wh, energies_wh)
def test_a_star_never_rises_with_energy(rule: str, energies: list[float], one: float, two: float) -> None:
    scale = _scale(rule, energies)
    if scale is not None:
        assert scale.stars(min(one, two)) >= scale.stars(max(one, two))


@given(rules, cohorts, energies_wh)
def test_bounds_alone_give_the_star_again(rule: str, energies: list[float], energy_wh: float) -> None:
    scale = _scale(rule, energies)
    if scale is not None:
        assert scale.stars(energy_wh) == 5 - bisect_right(scale.bounds, energy_wh)
        assert scale.stars(scale.lowest) == 5
        assert list(scale.bounds) == sorted(scale.bounds)


@given(cohorts, st.floats(min_value=0, max_value=1), st.sampled_from([EQUAL_WIDTH, LOG_WIDTH]))
def test_a_model_inside_the_range_changes_no_star(energies: list[float], place: float, rule: str) -> None:
    before = _scale(rule, energies)
    if before is not None:
        inside = min(max(before.lowest + place * (before.highest - before.lowest), before.lowest), before.highest)
        assert RULES[rule].scale([*energies, inside]) == before


@given(rules, cohorts)
def test_the_order_of_models_changes_no_star(rule: str, energies: list[float]) -> None:
    assert _scale(rule, energies) == _scale(rule, energies[::-1])


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("energies", [[], [1.0], [2.0, 2.0, 2.0]])
def test_a_cohort_that_is_too_small_or_has_no_width_is_refused(rule: str, energies: list[float]) -> None:
    with pytest.raises(RatingError):
        RULES[rule].scale(energies)


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("energy_wh", [0.0, -1.0, math.nan, math.inf])
def test_an_impossible_energy_makes_no_scale(rule: str, energy_wh: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        RULES[rule].scale([1.0, energy_wh, 3.0])


def test_ends_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(RatingError, match="below the lowest"):
        equal_width(2.0, 1.0)


def test_an_unknown_rule_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="valid: equal_width, rank_quintile, log_width") as caught:
        find_rule("equal_with")
    assert caught.value.mend == "did you mean 'equal_width'?"


def test_a_refusal_says_what_mends_it() -> None:
    for energies in ([1.0], [2.0, 2.0]):
        with pytest.raises(RatingError) as refused:
            RULES["equal_width"].scale(energies)
        assert refused.value.mend == "rate together with models of other energies"
    for find in (find_rule, find_any_rule):
        with pytest.raises(UsageError) as unknown:
            find("zzz")
        assert unknown.value.mend == "choose one of the names above"


def test_the_place_in_the_range_by_hand() -> None:
    scale = equal_width(10.0, 110.0)
    assert [scale.position(energy_wh) for energy_wh in (5.0, 10.0, 35.0, 110.0, 200.0)] == [0.0, 0.0, 0.25, 1.0, 1.0]
    sides = [scale.out_of_range(energy_wh) for energy_wh in (9.99, 10.0, 110.0, 110.01)]
    assert sides == ["below", None, None, "above"]


def test_what_energy_would_change_a_star() -> None:
    scale = equal_width(10.0, 110.0)
    assert (scale.better_below(40.0), scale.worse_from(40.0)) == (30.0, 50.0)
    assert (scale.better_below(30.0), scale.worse_from(30.0)) == (30.0, 50.0)
    assert (scale.better_below(20.0), scale.worse_from(20.0)) == (None, 30.0)
    assert (scale.better_below(95.0), scale.worse_from(95.0)) == (90.0, None)


@given(scales(), energies_wh)
def test_a_star_changes_at_these_energies_and_not_before(scale: Scale, energy_wh: float) -> None:
    star = scale.stars(energy_wh)
    better, worse = scale.better_below(energy_wh), scale.worse_from(energy_wh)
    if better is not None:
        assert scale.stars(better) == star
        assert scale.stars(math.nextafter(better, 0)) == star + 1
    if worse is not None:
        assert scale.stars(worse) == star - 1
        assert scale.stars(math.nextafter(worse, 0)) == star
    assert (better is None, worse is None) == (star == 5, star == 1)


@given(scales(), energies_wh, st.floats(min_value=0, max_value=200))
def test_the_probabilities_of_all_stars_make_one(scale: Scale, energy_wh: float, half_width: float) -> None:
    found = scale.probabilities(energy_wh, half_width)
    assert len(found) == 5
    assert sum(found) == pytest.approx(1.0)
    assert found[scale.stars(energy_wh) - 1] == pytest.approx(scale.probability(energy_wh, half_width), abs=1e-9)


def test_the_probabilities_of_each_star_by_hand() -> None:
    # Bounds 30, 50, 70, 90; one standard deviation is 10 Wh around 60: a star of one deviation to either side.
    found = equal_width(10.0, 110.0).probabilities(60.0, 100 * 1.959963984540054 * 10.0 / 60.0)
    assert found == pytest.approx((0.0013499, 0.1573054, 0.6826895, 0.1573054, 0.0013499), abs=1e-7)
