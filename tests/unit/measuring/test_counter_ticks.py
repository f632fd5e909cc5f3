"""Ticks of a counter among its reads, their rhythm, and its energy between two of them: worked out by hand."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scorekit.measuring.meters.counter import (
    PRECISE_S,
    Edge,
    Read,
    Tick,
    calibrate,
    energy_at,
    energy_between,
    find_edges,
)
from tests.unit.measuring.ticking import Power, rig_of

RHYTHM = Tick(0.1, 0.0, 64)
"""Ticks are at whole tenths of a second, unless said otherwise."""


def around(at: float, before_mj: int, after_mj: int, width_s: float = 0.001) -> list[Read]:
    return [Read(at - width_s / 2, before_mj), Read(at + width_s / 2, after_mj)]


def test_a_tick_between_close_reads_is_known_to_half_of_their_distance() -> None:
    (edge,) = find_edges(around(2.0, 5, 9))
    assert edge == Edge(pytest.approx(2.0), pytest.approx(0.0005), 9)


def test_steps_backwards_and_failed_reads_are_no_ticks() -> None:
    reads = [Read(1.0, 9), Read(1.001, 5), Read(1.002, None), Read(1.003, 5)]
    assert find_edges(reads, RHYTHM) == []


def test_a_tick_is_seen_across_a_read_that_failed() -> None:
    (edge,) = find_edges([Read(1.0, 5), Read(1.001, None), Read(1.002, 9)])
    assert (edge.t_s, edge.half_width_s) == pytest.approx((1.001, 0.001))


def test_a_tick_between_distant_reads_is_timed_by_the_rhythm_from_the_nearest_known_one() -> None:
    reads = [*around(1.0, 0, 10), Read(1.33, 10), Read(1.37, 10), Read(1.44, 50)]
    known, timed = find_edges(reads, RHYTHM)
    assert known.t_s == pytest.approx(1.0)
    assert (timed.t_s, timed.energy_mj) == (pytest.approx(1.4), 50)
    assert timed.half_width_s >= known.half_width_s
    assert find_edges(reads) == [known]


def test_it_is_timed_backwards_from_a_later_one_too() -> None:
    timed, known = find_edges([Read(1.05, 0), Read(1.12, 10), Read(1.399, 10), Read(1.401, 40)], RHYTHM)
    assert known.t_s == pytest.approx(1.4)
    assert timed.t_s == pytest.approx(1.1)


@pytest.mark.parametrize(
    "reads",
    [
        pytest.param([Read(1.33, 10), Read(1.58, 60)], id="two ticks were due"),
        pytest.param([Read(1.32, 10), Read(1.38, 50)], id="none was due"),
        pytest.param([Read(9.33, 10), Read(9.44, 50)], id="the rhythm is too old"),
    ],
)
def test_no_tick_is_timed_where_the_rhythm_does_not_tell(reads: list[Read]) -> None:
    assert len(find_edges([*around(1.0, 0, 10), *reads], RHYTHM)) == 1


def test_a_rhythm_that_is_less_sure_than_the_reads_times_nothing() -> None:
    reads = [*around(1.0, 0, 10), Read(1.39, 10), Read(1.41, 50)]
    assert len(find_edges(reads, Tick(0.1, 0.01, 64))) == 1
    assert len(find_edges(reads, RHYTHM)) == 2


def edges_at(*at: float) -> list[Edge]:
    return [Edge(t_s, 0.0005, number) for number, t_s in enumerate(at)]


def test_the_rhythm_is_the_median_of_its_periods() -> None:
    tick = calibrate(edges_at(0, 0.1, 0.2, 0.3))
    assert tick is not None
    assert (tick.period_s, tick.spread_s, tick.count) == (pytest.approx(0.1), pytest.approx(0, abs=1e-9), 3)


@given(st.floats(0.01, 0.5), st.sets(st.integers(1, 60), max_size=20), st.integers(0, 999))
def test_it_is_found_with_jitter_and_with_ticks_that_were_missed(period_s: float, missed: set[int], seed: int) -> None:
    draw = random.Random(seed)
    kept = [number for number in range(64) if number not in missed]
    # Missed ones stand among many that were seen.
    assume(sum(later - earlier == 1 for earlier, later in pairwise(kept)) > 0.4 * len(kept))
    tick = calibrate(edges_at(*(number * period_s + draw.uniform(-0.02, 0.02) * period_s for number in kept)))
    assert tick is not None
    assert tick.period_s == pytest.approx(period_s, rel=0.02)
    assert tick.spread_s < 0.04 * period_s


@pytest.mark.parametrize("at", [(), (0.1,), (0.1, 0.2)], ids=str)
def test_fewer_than_three_ticks_are_no_rhythm(at: tuple[float, ...]) -> None:
    assert calibrate(edges_at(*at)) is None


def test_a_pause_in_the_ticks_does_not_slow_the_rhythm() -> None:
    tick = calibrate(edges_at(0, 0.1, 0.2, 0.3, 5.3, 5.4, 5.5))
    assert tick is not None
    assert tick.period_s == pytest.approx(0.1)
    assert tick.count == 5


def test_a_counter_that_moves_all_the_time_is_read_as_it_is() -> None:
    power = Power((0, 250), (1, 250), (3, 400))
    rig = rig_of(power, 0.0, 0.0)
    start_s, end_s = rig.window(1.5, 2.5)
    found = rig.energy_j(start_s, end_s)
    assert found is not None
    assert found[0] == pytest.approx(power.between_j(start_s, end_s), abs=0.02)
    assert found[1] < 1
    tick = rig.track().tick
    assert tick is not None
    assert tick.period_s < PRECISE_S


def exact_reads(power: Power, start_s: float, end_s: float, width_s: float = 1e-7) -> list[Read]:
    """Reads that frame every tick tightly."""
    reads = []
    for number in range(round(start_s * 10), round(end_s * 10)):
        levels = [round(1e6 * power.energy_j((number + step) / 10)) for step in (-1, 0)]
        reads += [Read(read.t_s, read.energy_mj) for read in around(number / 10, *levels, width_s)]
    # In millionths of a joule, so that rounding hides nothing.
    return reads


@pytest.mark.parametrize("at", [1.5, 1.5001, 1.53, 1.55, 1.5999])
def test_where_the_ticks_are_known_exactly_so_is_constant_power_and_a_step(at: float) -> None:
    for power in (Power((0, 300)), Power((at, 80), (at, 400)), Power((at, 400), (at, 80))):
        found = energy_at(at, exact_reads(power, 0.5, 2.5), Tick(0.1, 0.0, 64))
        assert found is not None
        assert found.energy_mj / 1e6 == pytest.approx(power.energy_j(at), abs=1e-3)
        assert [edge.t_s <= at for edge in (*found.before, *found.after)] == [True, False, False]


def test_the_last_tick_may_be_known_from_one_read_and_the_rhythm() -> None:
    # Nothing was read around the tick at 1.5, only its value a little later, and the tick after it.
    power = Power((0, 300))
    reads = [read for read in exact_reads(power, 0.5, 2.5) if not 1.45 < read.t_s < 1.55]
    level = round(1e6 * power.energy_j(1.5))
    found = energy_at(1.57, sorted([*reads, Read(1.57, level)], key=lambda read: read.t_s), RHYTHM)
    assert found is not None
    assert found.energy_mj / 1e6 == pytest.approx(power.energy_j(1.57), abs=1e-3)
    assert found.before[-1].t_s == pytest.approx(1.5)


def test_a_tick_that_a_read_has_shown_is_not_set_after_that_read() -> None:
    # By the rhythm the tick came at 1.5003, but a read at 1.5 shows its value already.
    tick = Tick(0.1, 0.0006, 64)
    reads = [Read(1.42, 10), Read(1.5, 20), Read(1.55, 20), *around(1.6003, 20, 30), *around(1.7, 30, 40)]
    found = energy_at(1.5, reads, tick)
    assert found is not None
    assert found.before[-1].t_s <= 1.5
    assert found.energy_mj == pytest.approx(20, abs=0.2)


@pytest.mark.parametrize(
    "reads",
    [
        pytest.param([], id="no reads"),
        pytest.param([Read(1.0 + number / 1000, None) for number in range(900)], id="errors only"),
        pytest.param([Read(1.0 + number / 1000, 7) for number in range(900)], id="a counter that stands still"),
        pytest.param([*around(1.2, 1, 2), *around(1.3, 2, 3)], id="no tick after the moment"),
        pytest.param([*around(1.6, 1, 2), *around(1.7, 2, 3)], id="no tick before, and no rhythm"),
    ],
)
def test_there_is_no_energy_where_there_is_nothing_to_go_by(reads: list[Read]) -> None:
    assert energy_at(1.5, reads, None) is None


def test_one_tick_on_each_side_is_enough_with_power_taken_as_even() -> None:
    found = energy_at(1.525, [*around(1.5, 0, 1000), *around(1.6, 1000, 3000)], None)
    assert found is not None
    assert found.energy_mj == pytest.approx(1500)


def test_what_an_edge_leaves_open_adds_up_over_both() -> None:
    rig = rig_of(Power((0, 300)), 0.1, 0.25)
    start_s, end_s = rig.window(2.0, 3.0)
    start, end = rig.estimate(start_s), rig.estimate(end_s)
    assert start is not None
    assert end is not None
    energy_mj, standard_mj = energy_between(start, end)
    assert energy_mj == end.energy_mj - start.energy_mj
    assert standard_mj == pytest.approx(math.hypot(start.standard_mj, end.standard_mj))
