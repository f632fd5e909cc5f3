"""Power adds up to the right energy, and gaps and clock jumps are told."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.logs.foreign.power_series import GAP_PERIODS, PowerSeries, PowerTotal

_POWERS = st.floats(0, 1e5)
_READINGS = st.lists(st.tuples(st.floats(1e-3, 1e4), _POWERS), min_size=2, max_size=60)
"""Lengths before each reading, and powers."""


def total_of(readings: list[tuple[float, float | None]]) -> PowerTotal:
    series = PowerSeries()
    for t_s, power_w in readings:
        series.add(t_s, power_w)
    return series.total()


def _moments(steps: list[tuple[float, float]]) -> list[tuple[float, float]]:
    t_s, found = 0.0, []
    for length_s, power_w in steps:
        t_s += length_s
        found.append((t_s, power_w))
    return found


@given(_READINGS, st.data())
def test_any_piecewise_linear_trace_is_integrated_to_rounding(
    steps: list[tuple[float, float]], data: st.DataObject
) -> None:
    # Readings between the corners of the same trace lie on its lines and must change nothing.
    corners = _moments(steps)
    exact_j = math.fsum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in itertools.pairwise(corners))
    finer = [corners[0]]
    for a, b in itertools.pairwise(corners):
        share = data.draw(st.floats(0.01, 0.99))
        finer += [(a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])), b]
    for readings in (corners, finer):
        total = total_of(readings)
        assert total.energy_j == pytest.approx(exact_j, rel=1e-9, abs=1e-9)
        assert total.duration_s == pytest.approx(corners[-1][0] - corners[0][0], rel=1e-12)
        assert (total.steps_back, total.negative, total.not_numbers) == (0, 0, 0)


@given(_READINGS, st.data())
def test_the_two_parts_of_a_log_add_up(steps: list[tuple[float, float]], data: st.DataObject) -> None:
    readings = _moments(steps)
    cut = data.draw(st.integers(0, len(readings) - 1))
    first, second, whole = total_of(readings[: cut + 1]), total_of(readings[cut:]), total_of(readings)
    parts_j = (first.energy_j or 0.0) + (second.energy_j or 0.0)
    assert parts_j == pytest.approx(whole.energy_j, rel=1e-9, abs=1e-9)
    # Cut between two readings instead, and the interval between them is in neither part.
    if cut > 0:
        before, after = readings[cut - 1], readings[cut]
        between_j = (after[0] - before[0]) * (before[1] + after[1]) / 2
        first = total_of(readings[:cut])
        assert (first.energy_j or 0.0) + (second.energy_j or 0.0) + between_j == pytest.approx(
            whole.energy_j, rel=1e-9, abs=1e-9
        )


@given(_READINGS, st.floats(0.1, 10))
def test_energy_scales_with_power(steps: list[tuple[float, float]], factor: float) -> None:
    readings = _moments(steps)
    more = total_of([(t_s, factor * power_w) for t_s, power_w in readings])
    assert more.energy_j == pytest.approx(factor * (total_of(readings).energy_j or 0), rel=1e-9, abs=1e-9)


def test_a_gap_is_told_with_its_share() -> None:
    total = total_of([(float(t), 100.0) for t in [*range(50), *range(60, 100)]])
    assert (total.gaps, total.gap_s, total.gap_j, total.longest_gap_s) == (1, 11.0, 1100.0, 11.0)
    assert total.unseen_share == pytest.approx(11 / 99)
    assert total.energy_j == pytest.approx(9900)


def test_an_interval_of_a_few_periods_is_no_gap() -> None:
    late = GAP_PERIODS * 0.999
    assert total_of([(float(t), 1.0) for t in range(20)] + [(19 + late, 1.0)]).gaps == 0
    assert total_of([(float(t), 1.0) for t in range(20)] + [(19 + GAP_PERIODS * 1.01, 1.0)]).gaps == 1


def _silent(before: float, told: int, after: float) -> PowerTotal:
    """A reading a second, with moments that tell none before and after."""
    readings: list[tuple[float, float | None]] = [(-before, None), (-before / 2, None)] if before else []
    readings += [(float(t), 100.0) for t in range(told)]
    return total_of(readings + ([(told - 1 + after / 2, None), (told - 1 + after, None)] if after else []))


def test_silence_at_either_end_is_unseen_time() -> None:
    total = _silent(0, 100, 100)
    assert (total.silent_before_s, total.silent_after_s, total.gaps) == (0.0, 100.0, 0)
    assert (total.energy_j, total.duration_s) == (9900, 99)
    assert total.unseen_share == pytest.approx(100 / 199)
    total = _silent(50, 101, 0)
    assert (total.silent_before_s, total.silent_after_s) == (50.0, 0.0)
    assert total.unseen_share == pytest.approx(50 / 150)
    total = _silent(6, 81, 14)
    assert (total.silent_before_s, total.silent_after_s) == (6.0, 14.0)
    assert total.unseen_share == pytest.approx(0.2)


def test_silence_of_a_few_periods_is_no_gap_at_the_ends_either() -> None:
    for total in (_silent(GAP_PERIODS, 100, GAP_PERIODS), _silent(0, 100, 0)):
        assert (total.silent_before_s, total.silent_after_s, total.unseen_share) == (0.0, 0.0, 0.0)
    assert _silent(0, 100, GAP_PERIODS + 0.01).silent_after_s == pytest.approx(GAP_PERIODS + 0.01)
    assert _silent(GAP_PERIODS + 0.01, 100, 0).silent_before_s == pytest.approx(GAP_PERIODS + 0.01)


def test_silence_in_the_middle_is_a_gap_and_not_told_again_at_the_end() -> None:
    readings: list[tuple[float, float | None]] = [(float(t), None if 40 <= t < 60 else 100.0) for t in range(100)]
    total = total_of(readings)
    assert (total.gaps, total.gap_s) == (1, 21.0)
    assert (total.silent_before_s, total.silent_after_s) == (0.0, 0.0)
    assert total.unseen_share == pytest.approx(21 / 99)
    # Of a gap and silence, all of it is unseen.
    total = total_of([*readings, (110.0, None)])
    assert total.silent_after_s == 11.0
    assert total.unseen_share == pytest.approx((21 + 11) / (99 + 11))


def test_a_clock_put_back_in_silence_takes_no_time_from_it() -> None:
    readings: list[tuple[float, float | None]] = [(float(t), 100.0) for t in range(100)]
    total = total_of([*readings, (109.0, None), (9.0, None), (29.0, None)])
    assert total.silent_after_s == 30.0


def test_without_an_interval_there_is_no_silence_to_tell() -> None:
    assert total_of([(0, None), (100, None)]).unseen_share == 0.0
    assert total_of([(0, None), (100, 5.0), (200, None)]).unseen_share == 0.0


def test_a_reading_that_is_missing_is_bridged_and_counted() -> None:
    readings: list[tuple[float, float | None]] = [(float(t), 10.0 * t) for t in range(10)]
    readings[4] = (4.0, None)
    total = total_of(readings)
    assert (total.missing, total.readings, total.gaps) == (1, 9, 0)
    assert total.energy_j == pytest.approx(405)


def test_a_clock_that_is_put_back_loses_that_interval() -> None:
    total = total_of([(0, 10), (1, 10), (2, 10), (-3598, 10), (-3597, 10)])
    assert (total.steps_back, total.step_back_s, total.energy_j, total.duration_s) == (1, 3600, 30, 3)
    assert total.jump_share == pytest.approx(3601 / 3604)


def test_readings_of_one_moment_do_not_hide_the_period() -> None:
    # A clock of whole seconds, read a bit more often than that.
    total = total_of([(0, 1), (1, 1), (1, 1), (1, 1), (2, 1), (2, 1), (3, 1)])
    assert total.period_s == 1
    assert total.energy_j == 3


def test_nothing_makes_no_energy() -> None:
    assert total_of([]).energy_j is None
    assert total_of([(0, 5)]).energy_j is None
    assert total_of([(0, None), (1, None)]).missing == 2
    only_back = total_of([(1, 5), (0, 5)])
    assert only_back.energy_j is None
    assert only_back.jump_share == 1.0


@pytest.mark.parametrize("power_w", [math.nan, math.inf])
def test_a_power_that_is_no_number_leaves_no_energy(power_w: float) -> None:
    total = total_of([(0, 1), (1, power_w), (2, 1)])
    assert total.energy_j is None
    assert total.not_numbers == 1


def test_negative_powers_are_counted() -> None:
    assert total_of([(0, 1), (1, -5), (2, 1)]).negative == 1


def test_memory_does_not_grow_with_the_readings() -> None:
    series = PowerSeries()
    for moment in range(100_000):
        series.add(moment * 0.1 + (moment % 7) * 1e-3, 100.0)
    assert len(series._lengths) < 20
    assert series.total().readings == 100_000


@pytest.mark.parametrize("devices", [1, 2, 8, 16])
def test_readings_of_several_devices_come_in_bunches(devices: int) -> None:
    total = total_of([(moment + 0.01 * device, 100.0) for moment in range(50) for device in range(devices)])
    expected = (devices - 1) * 50 / (50 * devices - 1)
    assert total.short_share == pytest.approx(expected)


def test_readings_of_two_devices_in_turn_show_in_intervals_or_powers() -> None:
    uneven = total_of([(moment + 0.4 * device, 100.0 * device) for moment in range(50) for device in range(2)])
    assert uneven.alike_share == pytest.approx(0.5, abs=0.01)
    even = total_of([(moment + 0.5 * device, 100.0 * device) for moment in range(50) for device in range(2)])
    assert (even.alike_share, even.far_change) == (1.0, 0.0)
    rising = total_of([(float(moment), float(moment)) for moment in range(50)])
    assert (rising.alike_share, rising.far_change) == (1.0, 2.0)
    assert (total_of([]).alike_share, total_of([]).far_change) == (1.0, 1.0)
