"""The three rules: by hand, against their published formulas, and what holds for each of them."""

from __future__ import annotations

import math
from bisect import bisect_right
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.errors import RatingError, UsageError
from scorekit.scales import (
    EQUAL_WIDTH,
    LOG_WIDTH,
    RANK_QUINTILE,
    RULES,
    Bounds,
    Rule,
    Scale,
    find_any_rule,
    find_rule,
)
from tests import plugin
from tests.strategies import energies_wh, equal_width, scales

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


def test_energies_may_come_in_any_order() -> None:
    assert equal_width(2.0, 1.0) == equal_width(1.0, 2.0)
    with pytest.raises(RatingError, match="are the same"):
        equal_width(2.0, 2.0)


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


def test_without_an_interval_the_star_is_certain_and_no_other_has_a_share() -> None:
    scale = equal_width(10.0, 110.0)
    for energy_wh, expected in ((20.0, (0, 0, 0, 0, 1)), (50.0, (0, 0, 1, 0, 0)), (500.0, (1, 0, 0, 0, 0))):
        assert scale.probabilities(energy_wh, 0.0) == expected
        assert scale.probability(energy_wh, 0.0) == 1.0
    # So wide that each star has a part: the table of the normal distribution at -0.3, -0.1, 0.1 and 0.3 deviations.
    found = scale.probabilities(60.0, 100 * 1.959963984540054 * 100.0 / 60.0)
    assert found == pytest.approx((0.3820886, 0.0780836, 0.0796557, 0.0780836, 0.3820886), abs=1e-7)
    assert scale.probability(60.0, 100 * 1.959963984540054 * 100.0 / 60.0) == pytest.approx(0.0796557, abs=1e-7)


@pytest.mark.parametrize(
    ("energies", "told"),
    [
        ([], "the cohort has 0 members, and a cohort needs 2"),
        ([1.0], "the cohort has 1 member, and a cohort needs 2"),
        ([2.0, 2.0], r"the cohort's lowest and highest energy are the same \(2 Wh per 1,000 queries\)"),
    ],
)
def test_a_cohort_that_is_refused_is_told_why(energies: list[float], told: str) -> None:
    with pytest.raises(RatingError, match=f"^{told}\n"):
        RULES[EQUAL_WIDTH].scale(energies)


@pytest.mark.parametrize(
    ("bounds", "by_width", "by_members"),
    [
        ((20.0, 30.0, 40.0, 50.0), True, True),
        # Stars that nobody can have: by ranks they may be, by widths they are a width lost in rounding.
        ((20.0, 20.0, 40.0, 50.0), False, True),
        ((20.0, 30.0, 30.0, 50.0), False, True),
        ((20.0, 30.0, 40.0, 40.0), False, True),
        ((20.0, 30.0, 40.0, 60.0), False, True),
        # The lowest energy has five stars by every rule.
        ((10.0, 30.0, 40.0, 50.0), False, False),
        ((math.nextafter(10.0, 11.0), 30.0, 40.0, 50.0), True, True),
        ((20.0, 30.0, 40.0, math.nextafter(60.0, 0.0)), True, True),
    ],
)
def test_bounds_part_the_stars_of_a_width_and_the_lowest_energy_has_all(
    bounds: Bounds, by_width: bool, by_members: bool
) -> None:
    for needs_members, accepted in ((False, by_width), (True, by_members)):
        rule = Rule("odd", "odd", needs_members, lambda _: bounds)
        if accepted:
            assert rule.scale([60.0, 10.0, 35.0]) == Scale(10.0, 60.0, bounds)
            continue
        with pytest.raises(RatingError, match="the same"):
            rule.scale([60.0, 10.0, 35.0])


@pytest.mark.parametrize(
    ("energies", "bounds"),
    [
        # Ranks 0, 1, 2 of three are in the fifths 0, 1, 3: 5, 4 and 2 stars.
        ([1.0, 2.0, 3.0], (2.0, 3.0, 3.0, math.nextafter(3.0, 4.0))),
        ([1.0, 2.0, 3.0, 4.0, 5.0], (2.0, 3.0, 4.0, 5.0)),
        # The second and third share a rank, and the star of it.
        ([1.0, 2.0, 2.0, 4.0, 5.0], (2.0, 4.0, 4.0, 5.0)),
        ([1.0, 1.0, 1.0, 4.0, 5.0], (4.0, 4.0, 4.0, 5.0)),
        ([1.0, 5.0, 5.0, 5.0, 5.0], (5.0, *[math.nextafter(5.0, 6.0)] * 3)),
    ],
)
def test_ranks_of_few_models_by_hand(energies: list[float], bounds: Bounds) -> None:
    assert RULES[RANK_QUINTILE].scale(energies).bounds == bounds


@pytest.mark.parametrize(
    ("made", "accepted"),
    [
        ("(2, 2, 3, 4)", (2.0, 2.0, 3.0, 4.0)),
        ("(2, 3, 3, 4)", (2.0, 3.0, 3.0, 4.0)),
        ("(2, 3, 4, 4)", (2.0, 3.0, 4.0, 4.0)),
        ("(2, 3, 4, float('inf'))", None),
        ("(1, 3, 4, 5)", None),
        ("(2, 4, 3, 5)", None),
        ("(2, 3, 5, 4)", None),
        ("{}['x']", None),
    ],
)
def test_a_rule_of_a_plugin_may_leave_stars_to_nobody_and_is_told_with_another_one_to_choose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str, accepted: Bounds | None
) -> None:
    source = f"from scorekit.scales import Rule\nRULE = Rule('odd', 'odd', True, lambda rising: {made})\n"
    entry = {"scorekit.rating_rules": {"odd": "odd_scale:RULE"}}
    plugin.install(tmp_path, monkeypatch, "odd-scale", entry, {"odd_scale": source})
    rule = find_any_rule("odd")
    assert (rule.name, rule.needs_members, rule.brought_by) == ("odd", True, "odd-scale 0.1.0")
    if accepted is not None:
        assert rule.scale([1.0, 5.0, 20.0]).bounds == accepted
    else:
        with pytest.raises(RatingError) as refused:
            rule.scale([1.0, 5.0, 20.0])
        assert refused.value.mend == "choose another one, e.g. --rule equal_width"
        told = "failed: KeyError: 'x'" if made == "{}['x']" else "above the lowest energy (1) that never fall"
        assert told in refused.value.message
    with pytest.raises(UsageError, match=r"'odd' is that of odd-scale 0\.1\.0, and") as unofficial:
        find_rule("odd")
    assert unofficial.value.mend is not None
    assert "equal_width, rank_quintile, log_width" in unofficial.value.mend
    assert "scorekit rate --rule odd" in unofficial.value.mend
    with pytest.raises(UsageError, match=r"there is no rule 'ood'; valid: equal_width, .*, log_width, odd\n"):
        find_any_rule("ood")


def test_the_rule_that_was_meant_is_named_by_either_look_up() -> None:
    for find in (find_rule, find_any_rule):
        with pytest.raises(UsageError, match="there is no rule 'rank_quintiles'; valid: equal_width") as caught:
            find("rank_quintiles")
        assert caught.value.mend == "did you mean 'rank_quintile'?"
        assert find(LOG_WIDTH) is RULES[LOG_WIDTH]
