"""The statistics of repeats: against tables and closed forms, under scaling, and by simulation."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripts import repeats_coverage

from scorekit import uncertainty

DEGREES = (1, 2, 3, 4, 5, 7, 9, 10, 15, 20, 30, 60, 120, 200)
TABLE = {
    0.8: (3.0776835, 1.8856181, 1.6377444, 1.5332063, 1.4758840, 1.4149239, 1.3830287, 1.3721836, 1.3406056, 1.3253407,
          1.3104150, 1.2958211, 1.2886462, 1.2857988),
    0.9: (6.3137515, 2.9199856, 2.3533634, 2.1318468, 2.0150484, 1.8945786, 1.8331129, 1.8124611, 1.7530504, 1.7247182,
          1.6972609, 1.6706489, 1.6576509, 1.6525081),
    0.95: (12.7062047, 4.3026527, 3.1824463, 2.7764451, 2.5705818, 2.3646243, 2.2621572, 2.2281389, 2.1314495,
           2.0859634, 2.0422725, 2.0002978, 1.9799304, 1.9718962),
    0.98: (31.8205160, 6.9645567, 4.5407029, 3.7469474, 3.3649300, 2.9979516, 2.8214379, 2.7637695, 2.6024803,
           2.5279770, 2.4572615, 2.3901195, 2.3578246, 2.3451371),
    0.99: (63.6567412, 9.9248432, 5.8409093, 4.6040949, 4.0321430, 3.4994833, 3.2498355, 3.1692727, 2.9467129,
           2.8453397, 2.7499957, 2.6602830, 2.6174211, 2.6006344),
    0.999: (636.6192488, 31.5990546, 12.9239786, 8.6103016, 6.8688266, 5.4078825, 4.7809126, 4.5868939, 4.0727652,
            3.8495163, 3.6459586, 3.4602005, 3.3734538, 3.3398354),
}  # fmt: skip

energies = st.lists(st.floats(min_value=0.1, max_value=1000), min_size=3, max_size=12)
"""Repeats of one run; a spread of four orders of magnitude is far beyond what a run shows."""
whole_energies = st.lists(st.integers(1, 10_000), min_size=3, max_size=12)
"""Repeats whose sums are exact, for what rounding would blur."""


def _enclosed(t: float, degrees: int) -> float:
    """Probability between -t and t, by the finite sums of Abramowitz and Stegun 26.7.3 and 26.7.4."""
    angle = math.atan(t / math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    if degrees % 2 == 0:
        term, total = 1.0, 1.0
        for k in range(2, degrees, 2):
            term *= cosine * cosine * (k - 1) / k
            total += term
        return sine * total
    term, total = cosine, cosine if degrees > 1 else 0.0
    for k in range(3, degrees, 2):
        term *= cosine * cosine * (k - 1) / k
        total += term
    return 2 / math.pi * (angle + sine * total)


@pytest.mark.parametrize("confidence", TABLE)
def test_student_t_is_that_of_the_tables(confidence: float) -> None:
    found = [uncertainty.student_t_quantile(confidence, degrees) for degrees in DEGREES]
    assert found == pytest.approx(TABLE[confidence], abs=1e-6, rel=0)


@pytest.mark.parametrize("confidence", TABLE)
def test_student_t_encloses_its_confidence_for_every_degree_of_freedom(confidence: float) -> None:
    for degrees in range(1, 201):
        t = uncertainty.student_t_quantile(confidence, degrees)
        assert _enclosed(t, degrees) == pytest.approx(confidence, abs=1e-10)


@pytest.mark.parametrize(("confidence", "degrees"), [(0.0, 3), (1.0, 3), (0.95, 0)])
def test_there_is_no_student_t_outside_its_range(confidence: float, degrees: int) -> None:
    with pytest.raises(ValueError, match="no Student t"):
        uncertainty.student_t_quantile(confidence, degrees)


def test_the_half_width_by_hand() -> None:
    # s = 1, n = 4: 3.182446 x 1 / 2.
    values = [9.0, 10.0, 10.0, 11.0]
    deviation = math.sqrt(2 / 3)
    assert uncertainty.half_width_95(values) == pytest.approx(3.1824463 * deviation / 2)
    assert uncertainty.half_width_95(values, sequential=True) == pytest.approx(1.3 * 3.1824463 * deviation / 2)
    assert uncertainty.half_width_95(values[1:], sequential=True) == pytest.approx(1.1 * 4.3026527 / 3)
    assert uncertainty.coefficient_of_variation(values) == pytest.approx(deviation / 10)
    assert uncertainty.half_width_95([1.0]) is None
    assert uncertainty.coefficient_of_variation([1.0]) is None


def test_ten_repeats_have_a_half_width_of_072_coefficients_of_variation() -> None:
    values = [7.9, 8.1] * 5
    half_width, spread = uncertainty.half_width_95(values), uncertainty.coefficient_of_variation(values)
    assert half_width is not None
    assert spread is not None
    assert half_width / 8.0 / spread == pytest.approx(0.715, abs=5e-4)


@given(energies, st.floats(min_value=1e-3, max_value=1e3))
def test_relative_figures_do_not_know_the_unit(values: list[float], factor: float) -> None:
    scaled = [value * factor for value in values]
    assert uncertainty.coefficient_of_variation(scaled) == pytest.approx(uncertainty.coefficient_of_variation(values))
    assert uncertainty.half_width_95(scaled) == pytest.approx(_of(uncertainty.half_width_95(values)) * factor)
    before, after = uncertainty.trend(values), uncertainty.trend(scaled)
    assert before is not None
    assert after is not None
    assert after.slope == pytest.approx(before.slope, abs=1e-9)
    assert after.p_value == pytest.approx(before.p_value, abs=1e-6)


@given(whole_energies, st.randoms(use_true_random=False))
def test_only_trend_and_dependence_know_the_order(values: list[int], dice: random.Random) -> None:
    order = list(range(len(values)))
    dice.shuffle(order)
    shuffled = [values[number] for number in order]
    assert uncertainty.standard_error(shuffled) == uncertainty.standard_error(values)
    assert uncertainty.coefficient_of_variation(shuffled) == uncertainty.coefficient_of_variation(values)
    assert {order[number] for number in uncertainty.outliers(shuffled)} == set(uncertainty.outliers(values))
    backwards, forwards = uncertainty.trend(values[::-1]), uncertainty.trend(values)
    assert forwards is not None
    assert backwards is not None
    assert backwards.slope == pytest.approx(-forwards.slope)
    assert backwards.p_value == pytest.approx(forwards.p_value)


@given(whole_energies, st.integers(1, 10_000))
def test_a_constant_changes_no_absolute_figure(values: list[int], constant: int) -> None:
    moved = [value + constant for value in values]
    assert uncertainty.half_width_95(moved) == pytest.approx(_of(uncertainty.half_width_95(values)), abs=1e-9)
    assert uncertainty.outliers(moved) == uncertainty.outliers(values)


@given(st.integers(3, 30), st.floats(min_value=0.1, max_value=1000))
def test_equal_repeats_have_no_spread_trend_or_outlier(count: int, value: float) -> None:
    values = [value] * count
    assert uncertainty.coefficient_of_variation(values) == 0
    assert uncertainty.half_width_95(values) == 0
    assert uncertainty.trend(values) == uncertainty.Trend(slope=0.0, p_value=1.0, count=count)
    assert uncertainty.outliers(values) == ()
    assert uncertainty.is_tight_enough(values, 1e-6)


def test_a_trend_by_hand() -> None:
    # Slope 0.8 over a mean of 4; residuals -0.2, 0.0, 1.2, -1.6, 0.6; t = 0.8 / sqrt(4.4 / 3 / 10), 3 degrees.
    found = uncertainty.trend([2.2, 3.2, 5.2, 3.2, 6.2])
    assert found is not None
    assert found.slope == pytest.approx(0.8 / 4)
    assert found.p_value == pytest.approx(1 - _enclosed(0.8 / math.sqrt(4.4 / 30), 3))
    assert not found.significant


def test_a_steady_rise_is_a_trend_and_noise_is_none() -> None:
    rise = uncertainty.trend([10.0, 10.1, 10.21, 10.3, 10.39])
    assert rise is not None
    assert (rise.significant, rise.count) == (True, 5)
    assert rise.slope == pytest.approx(0.0098 / 1.02, rel=1e-2)
    line = uncertainty.trend([1.0, 2.0, 3.0])
    assert line is not None
    assert (line.slope, line.significant) == (0.5, True)
    assert uncertainty.trend([1.0, 2.0]) is None


@pytest.mark.parametrize(("noise", "least", "most"), [(0.1, 0.005, 0.015), (0.01, 0.0, 0.0)])
def test_a_trend_is_seen_by_chance_in_1_of_100_runs_and_never_where_it_is_nothing(
    noise: float, least: float, most: float
) -> None:
    dice = random.Random(3)
    seen = 0
    for _ in range(3000):
        found = uncertainty.trend([dice.gauss(10, noise) for _ in range(10)])
        seen += found is not None and found.significant
    assert least <= seen / 3000 <= most


@pytest.mark.parametrize(("slope", "expected"), [(0.0004, False), (0.0006, True), (-0.0006, True)])
def test_a_trend_must_make_half_a_percent_over_the_run(slope: float, expected: bool) -> None:
    # 0.4 or 0.6 % from the first of eleven repeats to the last; of its line all are sure.
    found = uncertainty.trend([10 + 10 * slope * number for number in range(11)])
    assert found is not None
    assert (found.p_value < 1e-6, found.significant) == (True, expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([10.0, 10.1, 9.9, 10.05, 12.0], (4,)),
        ([10.0, 10.1, 9.9, 10.05, 10.5], ()),
        # Each hides the other from a test of one outlier alone.
        ([8.0, 10.0, 10.1, 9.9, 10.05, 10.0, 10.1, 12.0], (0, 7)),
        ([10.0, 10.1, 9.9, 10.05, 10.0, 10.1, 12.0, 12.1], (6, 7)),
        ([8.0] * 9 + [8.5], (9,)),
        ([8.0, 8.0, 8.0, 8.5], ()),
        ([8.0, 800.0], ()),
        ([8.0, 8.0 * (1 + 1e-15), 8.0, 8.0, 8.0], ()),
    ],
)
def test_outliers_are_flagged(values: list[float], expected: tuple[int, ...]) -> None:
    assert uncertainty.outliers(values) == expected


def test_the_limit_of_an_outlier_is_that_of_the_tables() -> None:
    # Grubbs' limits at 0.6 % two-sided from the closed form with Student's t of 0.9994 and 8 degrees of freedom.
    t = uncertainty.student_t_quantile(1 - 0.0006, 8)
    assert _enclosed(t, 8) == pytest.approx(0.9994, abs=1e-10)
    assert uncertainty.outlier_limit(10) == pytest.approx(9 / math.sqrt(10) * math.sqrt(t * t / (8 + t * t)))


@pytest.mark.parametrize("count", [5, 6, 8, 10, 15])
def test_outliers_are_seen_by_chance_in_about_1_of_100_runs(count: int) -> None:
    dice = random.Random(count)
    runs = 2000
    seen = sum(bool(uncertainty.outliers([dice.gauss(10, 0.1) for _ in range(count)])) for _ in range(runs))
    assert 0.003 <= seen / runs <= 0.015


def test_dependence_by_hand() -> None:
    # Around 3.5: -2.5, -1.5, ..., 2.5. Neighbours: 3.75 + 0.75 - 0.25 + 0.75 + 3.75 = 8.75; squares: 17.5.
    line = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert uncertainty.lag_1_autocorrelation(line) == pytest.approx(0.5)
    # Beyond (1.645 x 2 - 1) / 5 = 0.458; (6 x 0.5 + 1) / 2 is taken as 0.9.
    assert uncertainty.dependence_factor(line) == pytest.approx(math.sqrt(1.9 / 0.1))
    assert uncertainty.half_width_95(line) == pytest.approx(
        2.5705818 * math.sqrt(19) * _of(uncertainty.standard_error(line))
    )
    # Five on a line, or neighbours that are unlike, widen nothing.
    assert uncertainty.dependence_factor(line[:5]) == 1
    assert uncertainty.dependence_factor([7.9, 8.1] * 5) == 1
    assert uncertainty.dependence_factor([8.0] * 10) == 1
    assert uncertainty.lag_1_autocorrelation([8.0] * 10) is None


def test_dependence_is_corrected_for_few_repeats() -> None:
    # Around 5: eight neighbours alike, three unlike; twelve squares of 1.
    blocks = [4.0, 4.0, 4.0, 4.0, 6.0, 6.0, 6.0, 6.0, 4.0, 4.0, 6.0, 6.0]
    assert uncertainty.lag_1_autocorrelation(blocks) == pytest.approx((8 - 3) / 12)
    # Beyond (1.645 sqrt(10) - 1) / 11 = 0.382; rho = (12 x 5 / 12 + 1) / 8 = 0.75; sqrt(1.75 / 0.25).
    assert uncertainty.dependence_factor(blocks) == pytest.approx(math.sqrt(7))


@pytest.mark.parametrize(("rho", "plain", "least"), [(0.0, 0.95, 0.94), (0.6, 0.68, 0.74), (0.8, 0.48, 0.66)])
def test_widening_helps_runs_whose_repeats_depend_on_one_another(rho: float, plain: float, least: float) -> None:
    as_independent, widened, factor = repeats_coverage.coverage(10, rho, runs=2000)
    assert as_independent == pytest.approx(plain, abs=0.03)
    assert widened >= least
    assert factor >= 1


@pytest.mark.parametrize("fault", [0.0, -10.0, float("nan"), float("inf")])
def test_a_run_with_an_impossible_energy_is_hopeless_from_then_on(fault: float) -> None:
    assert uncertainty.is_hopeless([fault])
    assert uncertainty.is_hopeless([10.0, fault, 10.0, 10.0])
    assert not uncertainty.is_hopeless([10.0, 10.0])
    assert not uncertainty.is_hopeless([])


def test_the_stopping_rule() -> None:
    # Three repeats: 1.1 x 4.3027 x s / sqrt(3) = 2.733 s, with s = 0.03 over 10: 0.82 %.
    values = [9.97, 10.0, 10.03]
    assert uncertainty.is_tight_enough(values, 0.0083)
    assert not uncertainty.is_tight_enough(values, 0.0081)
    assert not uncertainty.is_tight_enough([10.0, 10.0], 0.01)


@pytest.mark.parametrize("fault", [0.0, -10.0, float("nan"), float("inf")])
def test_repeats_with_an_impossible_energy_are_never_tight(fault: float) -> None:
    assert not uncertainty.is_tight_enough([10.0, 10.0, 10.0, fault], 1e9)


@pytest.mark.parametrize("noise_over_target", [0.3, 0.8, 1.2, 1.8, 3.0])
def test_stopping_keeps_the_coverage_and_the_plain_interval_would_not(noise_over_target: float) -> None:
    dice = random.Random(7)
    runs, most, target, truth = 2000, 10, 0.01, 100.0
    covered, plain_covered = 0, 0
    for _ in range(runs):
        values = [dice.gauss(truth, noise_over_target * target * truth) for _ in range(uncertainty.LEAST_REPEATS)]
        while len(values) < most and not uncertainty.is_tight_enough(values, target):
            values.append(dice.gauss(truth, noise_over_target * target * truth))
        covered += abs(uncertainty.mean(values) - truth) <= _of(uncertainty.half_width_95(values, sequential=True))
    # One standard deviation of a coverage over 2,000 runs is 0.5 points.
    assert 0.94 <= covered / runs <= 0.985
    if noise_over_target == 1.8:
        for _ in range(runs):
            values = [dice.gauss(truth, 1.8 * target * truth) for _ in range(uncertainty.LEAST_REPEATS)]
            while len(values) < most and _of(uncertainty.half_width_95(values)) > target * uncertainty.mean(values):
                values.append(dice.gauss(truth, 1.8 * target * truth))
            plain_covered += abs(uncertainty.mean(values) - truth) <= _of(uncertainty.half_width_95(values))
        assert plain_covered / runs < 0.925


def _of(value: float | None) -> float:
    assert value is not None
    return value
