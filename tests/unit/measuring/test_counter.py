"""The arithmetic of a counter that moves in ticks: true within its bound whatever the power, and honest about it."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scorekit.measuring.meters import SAMPLING_S
from tests.unit.measuring.ticking import Power, rig_of

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
