"""The arithmetic of a counter that moves in ticks: true within its bound whatever the power, and honest about it."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scorekit.measure.meters import SAMPLING_S
from scorekit.measure.meters.counter import (
    PRECISE_S,
    Edge,
    Read,
    Tick,
    calibrate,
    energy_at,
    energy_between,
    find_edges,
)
from tests.unit.measure.ticking import Clock, Gpu, Power, Rig

WARM_TICKS = 12
"""The rhythm is known after so many ticks."""
DENSE_S = 0.0012
"""Time between dense reads: a tick is known to half of it either way."""

ticks_s = st.sampled_from([0.01, 0.02, 0.05, 0.1, 0.2, 0.5]) | st.floats(0.01, 0.5)
parts = st.floats(0, 1, exclude_max=True)
watts = st.floats(20, 700)
moments = st.tuples(parts, st.floats(0.3, 3))


@st.composite
def powers(draw: st.DrawFn, lowest_w: float = 0.0) -> Power:
    """Any power over some seconds: ramps, jumps, spikes."""
    points = [(0.0, draw(st.floats(lowest_w, 700)))]
    for _ in range(draw(st.integers(0, 12))):
        at = points[-1][0] + draw(st.floats(0.001, 2))
        points.append((at, draw(st.floats(lowest_w, 700))))
        if draw(st.booleans()):
            points.append((at, draw(st.floats(lowest_w, 700))))
    return Power(*points)


def rig_of(power: Power, tick_s: float, phase: float, *, jitter_s: float = 0.0, seed: int = 0) -> Rig:
    clock = Clock()
    return Rig(clock, [Gpu(clock, power, tick_s, phase * tick_s, jitter_s, seed)], seed=seed)


def times(tick_s: float, where: tuple[float, float]) -> tuple[float, float]:
    """Start and end of a window, at any phase of the ticks and once the rhythm is known."""
    start_s = WARM_TICKS * tick_s + 0.2 + where[0]
    return start_s, start_s + where[1]


def bound_j(power: Power, tick_s: float, edge_s: float, uncertain_s: float) -> float:
    """What an edge may be off by: a tick at the swing of power near it, and how well the ticks' times are known."""
    near = power.swing_w(edge_s - 7 * tick_s, edge_s + 4 * tick_s)
    return tick_s * near + uncertain_s * power.highest_w() + 0.002


@given(powers(), ticks_s, parts, moments, st.floats(0, 0.02), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_any_power_is_measured_within_a_tick_of_its_swing(
    power: Power, tick_s: float, phase: float, where: tuple[float, float], jitter: float, seed: int
) -> None:
    rig = rig_of(power, tick_s, phase, jitter_s=jitter * tick_s, seed=seed)
    start_s, end_s = rig.window(*times(tick_s, where))
    found = rig.energy_j(start_s, end_s)
    # A GPU that takes nothing lets its counter stand still, and where it does not tick there is no number.
    assume(found is not None)
    energy_j, standard_j = found
    known_s = DENSE_S + 4 * jitter * tick_s
    bound = bound_j(power, tick_s, start_s, known_s) + bound_j(power, tick_s, end_s, known_s)
    assert abs(energy_j - power.between_j(start_s, end_s)) <= bound
    assert energy_j >= -0.002
    assert math.isfinite(standard_j)
    assert standard_j >= 0


@given(powers(lowest_w=20), ticks_s, parts, moments)
@settings(max_examples=25, deadline=None)
def test_a_gpu_that_takes_power_always_has_an_energy(
    power: Power, tick_s: float, phase: float, where: tuple[float, float]
) -> None:
    rig = rig_of(power, tick_s, phase)
    assert rig.energy_j(*rig.window(*times(tick_s, where))) is not None


@given(watts, ticks_s, parts, moments)
@settings(max_examples=30, deadline=None)
def test_constant_power_is_exact_to_the_time_between_reads(
    power_w: float, tick_s: float, phase: float, where: tuple[float, float]
) -> None:
    rig = rig_of(Power((0, power_w)), tick_s, phase)
    start_s, end_s = rig.window(*times(tick_s, where))
    found = rig.energy_j(start_s, end_s)
    assert found is not None
    assert abs(found[0] - power_w * (end_s - start_s)) <= power_w * 2 * DENSE_S + 0.002


@given(st.floats(20, 100), st.floats(150, 700), st.floats(0.02, 0.5), parts, parts, st.floats(1, 4))
@settings(max_examples=40, deadline=None)
def test_a_load_that_begins_and_ends_with_the_window_is_exact_too(
    idle_w: float, load_w: float, tick_s: float, phase: float, offset: float, length_s: float
) -> None:
    assume(length_s > 4 * tick_s)
    start_s, end_s = times(tick_s, (offset, length_s))
    rig = rig_of(Power((start_s, idle_w), (start_s, load_w), (end_s, load_w), (end_s, idle_w)), tick_s, phase)
    start_s, end_s = rig.window(start_s, end_s)
    found = rig.energy_j(start_s, end_s)
    assert found is not None
    # Mean power of a tick is known to two reads' time in its length, and the window's edge may lie anywhere in it.
    assert abs(found[0] - load_w * (end_s - start_s)) <= 6 * load_w * DENSE_S


@given(st.floats(-100, 100), st.floats(0.02, 0.5), parts, moments)
@settings(max_examples=25, deadline=None)
def test_a_ramp_is_nearly_exact(slope_w_s: float, tick_s: float, phase: float, where: tuple[float, float]) -> None:
    start_s, end_s = times(tick_s, where)
    middle_s = (start_s + end_s) / 2
    long_s = end_s + 3
    power = Power((0, 1000 - slope_w_s * middle_s), (long_s, 1000 + slope_w_s * (long_s - middle_s)))
    assume(min(power.at(0), power.at(long_s)) > 0)
    rig = rig_of(power, tick_s, phase)
    start_s, end_s = rig.window(start_s, end_s)
    found = rig.energy_j(start_s, end_s)
    assert found is not None
    bound = abs(slope_w_s) * tick_s**2 + 2 * DENSE_S * power.highest_w()
    assert abs(found[0] - power.between_j(start_s, end_s)) <= bound


@given(powers(lowest_w=20), ticks_s, parts, moments, st.lists(parts, min_size=2, max_size=12))
@settings(max_examples=30, deadline=None)
def test_a_counter_only_adds_and_a_window_that_is_split_adds_up(
    power: Power, tick_s: float, phase: float, where: tuple[float, float], cuts: list[float]
) -> None:
    rig = rig_of(power, tick_s, phase)
    start_s, end_s = rig.window(*times(tick_s, where))
    cut_at = [start_s, *sorted(start_s + cut * (end_s - start_s) for cut in cuts), end_s]
    # In the middle of a window few reads are made, and there may be no telling the energy at a moment.
    known = [found.energy_mj for at in cut_at if (found := rig.estimate(at)) is not None]
    pieces = [later - earlier for earlier, later in pairwise(known)]
    whole = rig.energy_j(start_s, end_s)
    assert whole is not None
    assert math.fsum(pieces) / 1000 == pytest.approx(whole[0], abs=1e-6)
    # Within a window ticks are known to the time between two samples, and no better where they are faster than those.
    assert min(pieces) >= -1000 * power.highest_w() * SAMPLING_S


@given(powers(lowest_w=20), st.floats(0.02, 0.2), parts, parts, st.floats(0.5, 2), st.floats(0.5, 2))
@settings(max_examples=20, deadline=None)
def test_two_windows_one_after_the_other_are_as_much_as_one_over_both(
    power: Power, tick_s: float, phase: float, offset: float, first_s: float, second_s: float
) -> None:
    start_s = times(tick_s, (offset, 0))[0]
    edges = (start_s, start_s + first_s, start_s + first_s + second_s)
    measured = []
    for begin, end in ((edges[0], edges[1]), (edges[1], edges[2]), (edges[0], edges[2])):
        rig = rig_of(power, tick_s, phase)
        found = rig.energy_j(*rig.window(begin, end))
        assert found is not None
        measured.append(found[0])
    bound = math.fsum(bound_j(power, tick_s, edge, DENSE_S) for edge in edges)
    assert abs(measured[0] + measured[1] - measured[2]) <= 2 * bound


def seeded_windows(kind: str, count: int) -> list[tuple[float, float]]:
    """Error and standard uncertainty [J] of windows over powers of a kind."""
    found = []
    for seed in range(count):
        draw = random.Random(seed)
        tick_s = draw.choice([0.02, 0.1, 0.1, 0.2])
        start_s, end_s = times(tick_s, (draw.random(), draw.choice([1.0, 2.0])))
        if kind == "load":
            points = [(start_s, 80.0), (start_s, 400.0), (end_s, 400.0), (end_s, 80.0)]
        else:
            points = [(0.0, 300.0)]
            while points[-1][0] < end_s + 1:
                last_s, power_w = points[-1][0] + draw.uniform(0.02, 0.6), draw.uniform(50, 700)
                points += [(last_s, points[-1][1]), (last_s, power_w)] if draw.random() < 0.5 else [(last_s, power_w)]
        power = Power(*points)
        rig = rig_of(power, tick_s, draw.random(), jitter_s=draw.choice([0, 0.01]) * tick_s, seed=seed)
        start_s, end_s = rig.window(start_s, end_s)
        measured = rig.energy_j(start_s, end_s)
        assert measured is not None
        found.append((measured[0] - power.between_j(start_s, end_s), measured[1]))
    return found


@pytest.mark.parametrize(("kind", "least"), [("load", 0.95), ("any", 0.85)])
def test_the_stated_uncertainty_covers_the_error_in_most_windows(kind: str, least: float) -> None:
    found = seeded_windows(kind, 80)
    covered = [abs(error) <= 2 * standard for error, standard in found]
    assert sum(covered) / len(covered) >= least
    assert all(abs(error) <= 8 * standard for error, standard in found)


@pytest.mark.parametrize("phase", [0.05, 0.3, 0.62, 0.97])
def test_a_burst_shorter_than_two_ticks_is_within_the_stated_uncertainty(phase: float) -> None:
    start_s, end_s = 3.0, 3.15
    power = Power((start_s, 80), (start_s, 400), (end_s, 400), (end_s, 80))
    rig = rig_of(power, 0.1, phase)
    start_s, end_s = rig.window(start_s, end_s)
    found = rig.energy_j(start_s, end_s)
    assert found is not None
    assert abs(found[0] - power.between_j(start_s, end_s)) <= 2 * found[1]


@pytest.mark.parametrize("length_s", [0.01, 0.03, 0.06, 0.1, 0.15, 0.25])
def test_a_load_in_a_short_window_only_is_within_twice_the_stated_uncertainty(length_s: float) -> None:
    covered = []
    for number in range(25):
        start_s = 3.0 + 0.0041 * number
        power = Power((start_s, 100), (start_s, 300), (start_s + length_s, 300), (start_s + length_s, 100))
        rig = rig_of(power, 0.1, 0.0)
        start_s, end_s = rig.window(start_s, start_s + length_s)
        found = rig.energy_j(start_s, end_s)
        assert found is not None
        # Half a joule is what the time between two reads is worth.
        covered.append(abs(found[0] - power.between_j(start_s, end_s)) <= 2 * found[1] + 0.5)
    assert all(covered)


def test_a_short_window_of_a_gpu_at_rest_is_known_well() -> None:
    rig = rig_of(Power((0, 70)), 0.1, 0.4)
    start_s, end_s = rig.window(3.0, 3.02)
    found = rig.energy_j(start_s, end_s)
    assert found is not None
    assert found == pytest.approx((70 * (end_s - start_s), 0), abs=0.1)


# What follows is read by hand: ticks at whole tenths of a second unless said otherwise.

RHYTHM = Tick(0.1, 0.0, 64)


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
