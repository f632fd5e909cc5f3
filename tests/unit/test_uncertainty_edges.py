"""The statistics of repeats at their bounds: the fewest values, means and slopes of 0, and units large and small."""

from __future__ import annotations

import math

import pytest

from scorekit import uncertainty
from scorekit.uncertainty import Trend

SMALL = 1e-12
"""Of a unit in which an energy of some Wh is a very small number."""


@pytest.mark.parametrize(
    ("values", "spread", "error", "half_width"),
    [
        # s = sqrt(8) of two values four apart, over sqrt(2); Student's t of one degree of freedom is 12.7062047.
        ([98.0, 102.0], math.sqrt(8) / 100, 2.0, 12.7062047 * 2.0),
        ([9.0, 11.0], math.sqrt(2) / 10, 1.0, 12.7062047),
        ([0.9, 1.1], math.sqrt(0.02), 0.1, 1.27062047),
        ([99.0, 100.0, 101.0], 0.01, 1 / math.sqrt(3), 4.3026527 / math.sqrt(3)),
        # A spread is one, whatever the sign of the mean; relative to a mean of 0 there is none.
        ([-98.0, -102.0], math.sqrt(8) / 100, 2.0, 12.7062047 * 2.0),
        ([-1.0, 1.0], None, 1.0, 12.7062047),
        ([0.0, 0.0, 0.0], None, 0.0, 0.0),
        ([5.0], None, None, None),
        ([], None, None, None),
    ],
)
def test_spread_and_interval_of_few_values_by_hand(
    values: list[float], spread: float | None, error: float | None, half_width: float | None
) -> None:
    def about(value: float | None) -> object:
        return None if value is None else pytest.approx(value, rel=1e-7, abs=0.0)

    assert uncertainty.coefficient_of_variation(values) == about(spread)
    assert uncertainty.standard_error(values) == about(error)
    assert uncertainty.half_width_95(values) == about(half_width)
    small = [value * SMALL for value in values]
    assert uncertainty.coefficient_of_variation(small) == about(spread)
    assert uncertainty.standard_error(small) == about(None if error is None else error * SMALL)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 2.0], None),
        ([1.0, 2.0, 3.0], 0.0),
        # Around 7/3: (-4 x -1 + -1 x 5) / (16 + 1 + 25).
        ([1.0, 2.0, 4.0], -1 / 42),
        ([7.0, 7.0, 7.0], None),
        ([1.0, -1.0, 1.0, -1.0], -3 / 4),
    ],
)
def test_how_much_neighbours_resemble_each_other_by_hand(values: list[float], expected: float | None) -> None:
    found = uncertainty.lag_1_autocorrelation(values)
    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("values", "autocorrelation", "factor"),
    [
        # Of ten it is significant beyond (1.645 sqrt(8) - 1) / 9 = 0.4058.
        ([3.0, 1.0, 3.0, 2.0, 4.0, 4.0, 2.0, 1.0, 0.0, 0.0], 0.4, 1.0),
        # Around 2: neighbours 9, squares 22. rho = (90 / 22 + 1) / 6 = 28 / 33; sqrt(61 / 5).
        ([2.0, 2.0, 4.0, 2.0, 4.0, 3.0, 3.0, 0.0, 0.0, 0.0], 9 / 22, math.sqrt(61 / 5)),
        # Five on a line have 0.4, which of so few is nothing.
        ([1.0, 2.0, 3.0, 4.0, 5.0], 0.4, 1.0),
    ],
)
def test_an_interval_is_widened_from_a_significant_autocorrelation_on(
    values: list[float], autocorrelation: float, factor: float
) -> None:
    assert uncertainty.lag_1_autocorrelation(values) == pytest.approx(autocorrelation)
    assert uncertainty.dependence_factor(values) == pytest.approx(factor)


def test_intervals_of_repeats_that_ended_by_themselves_are_wider() -> None:
    assert [uncertainty.sequential_factor(count) for count in (3, 4, 10, 40)] == [1.1, 1.3, 1.3, 1.3]


@pytest.mark.parametrize(
    ("values", "target", "expected"),
    [
        ([10.0, 10.0, 10.0], 0.0, True),
        ([10.0, 10.0], 1.0, False),
        ([10.0, 10.0, 10.0], -0.01, False),
        # A unit in which they are less than 1.
        ([0.1, 0.1, 0.1], 0.0, True),
        # 1.1 x 4.3027 x 0.01 / sqrt(3) = 0.0273 over 1, and 1.3 x 3.1824 x 0.01 / sqrt(4) x sqrt(2 / 3) = 0.0169.
        ([0.99, 1.0, 1.01], 0.0274, True),
        ([0.99, 1.0, 1.01], 0.0273, False),
        ([0.99, 1.0, 1.0, 1.01], 0.0169, True),
        ([0.99, 1.0, 1.0, 1.01], 0.0168, False),
    ],
)
def test_repeats_end_within_the_target_and_not_before_three(values: list[float], target: float, expected: bool) -> None:
    assert uncertainty.is_tight_enough(values, target) is expected


@pytest.mark.parametrize(
    ("value", "hopeless"), [(5e-324, False), (0.5, False), (1.0, False), (0.0, True), (-0.5, True), (-math.inf, True)]
)
def test_an_energy_is_possible_above_0(value: float, hopeless: bool) -> None:
    assert uncertainty.is_hopeless([1.0, value]) is hopeless


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], None),
        ([1.0], None),
        ([1.0, 2.0], None),
        # Relative to a mean of 0 no slope can be told.
        ([-1.0, 0.0, 1.0], None),
        ([0.0, 0.0, 0.0], None),
        ([0.5, 1.0, 1.5], Trend(slope=0.5, p_value=0.0, count=3)),
        ([3.0, 2.0, 1.0], Trend(slope=-0.5, p_value=0.0, count=3)),
        # Neither up nor down: any slope is as steep.
        ([1.0, 2.0, 1.0], Trend(slope=0.0, p_value=1.0, count=3)),
        ([4.0, 4.0, 4.0, 4.0], Trend(slope=0.0, p_value=1.0, count=4)),
    ],
)
def test_lines_of_which_nothing_is_left_to_chance(values: list[float], expected: Trend | None) -> None:
    assert uncertainty.trend(values) == expected


def _chance(t: float, degrees: int) -> float:
    """Two-sided, in closed form (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(degrees))
    enclosed = {
        1: 2 / math.pi * angle,
        2: math.sin(angle),
        4: math.sin(angle) * (1 + math.cos(angle) ** 2 / 2),
    }
    return 1 - enclosed[degrees]


@pytest.mark.parametrize(
    "noise",
    # Without a mean and without a slope, of 3, 4 and 6 repeats.
    [[1.0, -2.0, 1.0], [1.0, -1.0, -1.0, 1.0], [1.0, -1.0, 0.0, 0.0, -1.0, 1.0]],
    ids=len,
)
@pytest.mark.parametrize("t", [1e-4, 0.01, 0.5, 1.0, -2.0, 8.0, 100.0])
@pytest.mark.parametrize("unit", [1.0, SMALL])
def test_the_chance_of_a_slope_in_closed_form(noise: list[float], t: float, unit: float) -> None:
    count = len(noise)
    numbers = [number - (count - 1) / 2 for number in range(count)]
    error = math.sqrt(sum(part * part for part in noise) / (count - 2) / sum(number * number for number in numbers))
    values = [(1000 + part + t * error * number) * unit for part, number in zip(noise, numbers, strict=True)]
    found = uncertainty.trend(values)
    assert found is not None
    assert found.count == count
    assert found.slope == pytest.approx(t * error / 1000, rel=1e-6, abs=1e-13)
    assert found.p_value == pytest.approx(_chance(abs(t), count - 2), rel=1e-6)
    assert 1 - found.p_value == pytest.approx(1 - _chance(abs(t), count - 2), rel=1e-6)


@pytest.mark.parametrize(
    ("slope", "p_value", "count", "expected"),
    [
        # 0.5 % over two steps, and p = 0.01, are no more than that.
        (0.0025, 0.0, 3, False),
        (math.nextafter(0.0025, 1), 0.0, 3, True),
        (-math.nextafter(0.0025, 1), 0.0, 3, True),
        (0.0025, 0.0, 4, True),
        (0.1, 0.01, 3, False),
        (0.1, math.nextafter(0.01, 0), 3, True),
    ],
)
def test_a_trend_matters_beyond_both_of_its_bounds(slope: float, p_value: float, count: int, expected: bool) -> None:
    assert Trend(slope, p_value, count).significant is expected


@pytest.mark.parametrize("unit", [1.0, 1e6, SMALL])
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # Of six a third are two, of nine three; the fourth may be as far as it likes.
        ([10.0, 10.0, 10.0, 10.0, 12.0, 20.0], (4, 5)),
        ([4.0, 10.0, 10.0, 10.0, 10.0, 10.0], (0,)),
        ([12.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 20.0, 60.0], (0, 7, 8)),
        ([10.0, 10.0, 10.0, 10.0, 10.0, 12.0, 20.0, 60.0, 200.0], (6, 7, 8)),
        # Of those that were set aside for the test, but are near enough, none.
        ([10.0, 10.1, 9.9, 10.05, 10.0, 10.1, 9.95, 10.02, 9.98, 12.0], (9,)),
        ([10.0, 10.1, 9.9, 10.05, 10.0, 10.1, 9.95, 10.02, 9.98, 10.03], ()),
        ([10.0, 10.0, 10.0, 10.0, 10.1], (4,)),
        ([10.0, 10.0, 10.0, 10.1], ()),
        ([10.0, 10.0, 10.0, 10.0, 10.0], ()),
    ],
)
def test_up_to_a_third_of_the_repeats_can_stand_out_in_any_unit(
    values: list[float], expected: tuple[int, ...], unit: float
) -> None:
    assert uncertainty.outliers([value * unit for value in values]) == expected


@pytest.mark.parametrize(
    ("count", "limit"),
    # Grubbs' table, two-sided at 5 %; the last one is the first limit of NIST's example of Rosner's test
    # (e-Handbook 1.3.5.17.3).
    [(5, 1.715), (6, 1.887), (7, 2.020), (8, 2.126), (9, 2.215), (10, 2.290), (54, 3.159)],
)
def test_limits_of_outliers_are_those_of_the_tables(count: int, limit: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uncertainty, "_OUTLIER_LEVEL", 0.05)
    assert uncertainty.outlier_limit(count) == pytest.approx(limit, abs=1e-3)


@pytest.mark.parametrize("count", [3, 10, 300])
def test_a_chance_is_found_in_some_tens_of_steps(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, denominators = uncertainty._not_zero, []

    def counted(value: float, tiny: float) -> float:
        denominators.append(value)
        return kept(value, tiny)

    monkeypatch.setattr(uncertainty, "_not_zero", counted)
    assert uncertainty.trend([10.0 + 0.1 * (number % 2) + 0.01 * number for number in range(count)]) is not None
    # Two a step.
    assert 4 < len(denominators) < 200
