"""What the samples say around a window, worked out by hand: which moments are its quiet ones, and what is left open."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest

from scorekit.validity import DeviceTrace
from scorekit.validity.sampled import Rise, Span, rise_over, span_around, why_no_span
from scorekit.validity.sampled import unseen_j as left_open_j
from tests.bundles import reading, window

WINDOW = window("generate", 0, [], start_monotonic_s=20.0, end_monotonic_s=30.0)
NO_COUNTER: Mapping[float, float] = {}


def _trace(powers_w: Mapping[float, float], counters_mj: Mapping[float, float] = NO_COUNTER) -> DeviceTrace:
    """A sample a second from 5 s to 45 s of a GPU at 100 W, other powers at some moments.

    The counter counts a joule a second, so that a difference of it tells between which moments it is.
    """
    times = [float(second) for second in range(5, 46)]
    counters = [counters_mj.get(t_s, 1000 * t_s) for t_s in times]
    return DeviceTrace(times, power_w=[powers_w.get(t_s, 100.0) for t_s in times], counter_mj=counters)


def _around(trace: DeviceTrace, idle_w: float | None = 100.0) -> Span | None:
    return span_around(trace, WINDOW, tick_s=0.1, idle_w=idle_w, widest_swing_w=600.0)


@pytest.mark.parametrize(
    ("powers_w", "before_s"),
    [
        # The same everywhere: the first moment within reach.
        ({}, 10.0),
        # The second moment of the two is the steady one.
        ({14.0: 60.0, 15.0: 60.0}, 15.0),
        # The second before the reach begins tells how steady its first moment is.
        ({9.0: 60.0, 10.0: 60.0, 14.0: 70.0, 15.0: 70.0}, 10.0),
        # Ten seconds before the window, and not further.
        ({8.0: 60.0, 9.0: 60.0, 14.0: 70.0, 15.0: 70.0}, 15.0),
        # The window's own edge is within reach, and nothing past it.
        ({19.0: 60.0, 20.0: 60.0}, 20.0),
        ({14.0: 70.0, 15.0: 70.0, 21.0: 60.0, 22.0: 60.0}, 15.0),
        # 70 W after 100 W, or 95 W after 95 W: the latter is below 100 W with its swing.
        ({13.0: 70.0, 16.0: 95.0, 17.0: 95.0}, 17.0),
        # Of equal ones the first.
        ({12.0: 80.0, 14.0: 80.0}, 12.0),
        ({12.0: 60.0, 15.0: 80.0}, 12.0),
    ],
)
def test_the_quiet_moment_before_a_window(powers_w: dict[float, float], before_s: float) -> None:
    span = _around(_trace(powers_w))
    assert span is not None
    assert span.counter_j == 30.0 - before_s


@pytest.mark.parametrize(
    ("powers_w", "after_s"),
    [
        ({}, 30.0),
        ({39.0: 60.0, 40.0: 60.0}, 40.0),
        ({41.0: 60.0, 42.0: 60.0}, 30.0),
        ({27.0: 60.0, 28.0: 60.0}, 30.0),
        # At its edge the window still shows in the second before: the third second is the first steady one.
        ({29.0: 400.0, 30.0: 400.0}, 32.0),
    ],
)
def test_the_quiet_moment_after_a_window(powers_w: dict[float, float], after_s: float) -> None:
    span = _around(_trace(powers_w))
    assert span is not None
    assert span.counter_j == after_s - 10.0


def test_a_moment_without_its_counter_is_passed_over() -> None:
    span = _around(_trace({14.0: 60.0, 15.0: 60.0}, {15.0: math.nan}))
    assert span is not None
    assert span.counter_j == 30.0 - 14.0
    nowhere = DeviceTrace([float(second) for second in range(5, 46)], power_w=[100.0] * 41)
    assert _around(nowhere) is None


LOAD = {float(second): 400.0 for second in range(20, 31)} | {float(second): 120.0 for second in range(31, 46)}


@pytest.mark.parametrize(
    ("idle_w", "lag_j"),
    [
        # Half a second of the 20 W between the two moments. Where they are idle, their swings are those of the samples.
        (100.0, 10.0),
        # 120 W are idle up to 1.5 times the idle power; beyond, an eighth of a second of the widest swing is open.
        (80.0, 10.0),
        (79.9, 10.0 + 600.0 / 8),
        (66.0, 10.0 + 2 * 600.0 / 8),
        (None, 10.0 + 2 * 600.0 / 8),
    ],
)
def test_counter_and_power_from_quiet_to_quiet_by_hand(idle_w: float | None, lag_j: float) -> None:
    # From 10 s to 32 s: 9 s at 100 W, a step over 1 s, 10 s at 400 W, a step, and a second at 120 W.
    trace = _trace(LOAD, {10.0: 5_000.0, 32.0: 4_326_000.0})
    assert _around(trace, idle_w) == Span(
        window=WINDOW,
        counter_j=4321.0,
        integral_j=pytest.approx(900.0 + 250.0 + 4000.0 + 260.0 + 120.0),  # type: ignore[arg-type]
        lag_j=pytest.approx(lag_j),  # type: ignore[arg-type]
        ticks_j=pytest.approx(2 * 0.1 * (100.0 + 120.0)),  # type: ignore[arg-type]
        unseen_j=0.0,
    )


def test_idle_moments_leave_their_own_swing_open() -> None:
    # 100 W and 104 W by turns before, 100 W and 108 W after; both moments are at 100 W.
    load = {float(second): 400.0 for second in range(20, 30)}
    before = {float(second): 104.0 for second in range(5, 20, 2)}
    after = {float(second): 108.0 for second in range(31, 46, 2)}
    span = _around(_trace(before | load | after))
    assert span is not None
    assert span.lag_j == pytest.approx(4.0 / 8 + 8.0 / 8)


@pytest.mark.parametrize(
    "trace",
    [
        DeviceTrace([20.5 + n for n in range(20)], power_w=[100.0] * 20, counter_mj=[1.0] * 20),
        DeviceTrace([10.0 + n for n in range(20)], power_w=[100.0] * 20, counter_mj=[1.0] * 20),
        DeviceTrace([10.0, 11.0, 31.0, 32.0], power_w=[100.0] * 4, counter_mj=[1.0] * 4),
        DeviceTrace([]),
    ],
    ids=["nothing before", "nothing after", "a gap", "nothing"],
)
def test_without_samples_on_both_sides_and_between_nothing_is_said(trace: DeviceTrace) -> None:
    assert _around(trace) is None


def _gapped(*gaps: tuple[float, float], power_w: float = 100.0) -> DeviceTrace:
    """A sample every quarter of a second from 5 s to 100 s, and none within some gaps."""
    times = [5 + 0.25 * number for number in range(381)]
    times = [t_s for t_s in times if not any(from_s < t_s < until_s for from_s, until_s in gaps)]
    return DeviceTrace(times, power_w=[power_w] * len(times), counter_mj=[1000 * t_s for t_s in times])


LONG = window("generate", 0, [], start_monotonic_s=20.0, end_monotonic_s=80.0)


@pytest.mark.parametrize(
    ("gaps", "known"),
    [
        # A twentieth of 60 s; a step of a second is no gap.
        ([(30.0, 33.0)], True),
        ([(30.0, 33.25)], False),
        ([(30.0, 31.5), (40.0, 41.5), (50.0, 51.0)], True),
        ([(30.0, 31.5), (40.0, 41.75)], False),
        # Between the quiet moments, also outside of the window.
        ([(15.0, 18.0)], True),
        ([(15.0, 18.25)], False),
    ],
)
def test_a_twentieth_of_a_window_may_be_unseen_around_it(gaps: list[tuple[float, float]], known: bool) -> None:
    span = span_around(_gapped(*gaps), LONG, tick_s=0.1, idle_w=100.0, widest_swing_w=600.0)
    assert (span is not None) is known
    if span is not None:
        assert span.integral_j == pytest.approx(7000.0)
        assert span.unseen_j == pytest.approx(3 * 600.0)


@pytest.mark.parametrize(
    ("idle_w", "swing_w", "power_w", "unseen_j"),
    [
        # Two seconds of what the power may have been: from idle to the limit, and as far as samples were beyond them.
        (100.0, 600.0, 400.0, 2 * 600.0),
        (None, 700.0, 400.0, 2 * 700.0),
        (100.0, 600.0, 720.0, 2 * 620.0),
        (100.0, 600.0, 70.0, 2 * 630.0),
        (100.0, 0.0, 100.0, 0.0),
    ],
)
def test_what_no_sample_tells_of_leaves_its_time_and_the_widest_swing_open(
    idle_w: float | None, swing_w: float, power_w: float, unseen_j: float
) -> None:
    gapped, seen = _gapped((30.0, 32.0), power_w=power_w), _gapped((30.0, 31.0), power_w=power_w)
    assert left_open_j(gapped, 20.0, 80.0, idle_w, swing_w) == pytest.approx(unseen_j)
    assert left_open_j(seen, 20.0, 80.0, idle_w, swing_w) == 0.0


def test_what_is_open_in_a_gap_is_that_of_idle_and_limit_also_where_no_sample_is_near() -> None:
    assert left_open_j(_gapped((30.0, 40.0)), 33.0, 36.0, 100.0, 600.0) == pytest.approx(3 * 600.0)


def test_the_span_leaves_open_what_its_own_idle_power_and_limit_do() -> None:
    span = span_around(_gapped((30.0, 32.0), power_w=650.0), LONG, tick_s=0.1, idle_w=100.0, widest_swing_w=600.0)
    assert span is not None
    assert span.unseen_j == pytest.approx(2 * 600.0)


@pytest.mark.parametrize(("edge_s", "seen"), [(29.0, True), (28.75, False), (32.0, True), (32.25, False)])
def test_a_sample_next_to_the_stretch_is_seen_too(edge_s: float, seen: bool) -> None:
    times = _gapped((30.0, 32.0)).t_s
    trace = DeviceTrace(times, power_w=[720.0 if t_s == edge_s else 100.0 for t_s in times])
    # From a second before the stretch to a second after it.
    assert left_open_j(trace, 30.0, 31.0, 100.0, 600.0) == pytest.approx(620.0 if seen else 600.0)


@pytest.mark.parametrize(
    ("gap", "lag_j"),
    [
        # The quiet moments are 10 s and 80 s. What happened in the second before them must be seen.
        ((7.0, 9.0), 0.0),
        ((7.0, 9.25), 600.0 / 8),
        ((8.0, 10.0), 600.0 / 8),
        ((10.0, 12.0), 0.0),
        ((78.0, 80.0), 600.0 / 8),
    ],
)
def test_a_moment_after_a_gap_is_quiet_once_a_second_is_seen(gap: tuple[float, float], lag_j: float) -> None:
    span = span_around(_gapped(gap), LONG, tick_s=0.1, idle_w=100.0, widest_swing_w=600.0)
    assert span is not None
    assert span.lag_j == pytest.approx(lag_j)


@pytest.mark.parametrize(
    ("trace", "why", "silent"),
    [
        (
            _gapped((30.0, 34.0)),
            "power was not sampled for 4.0 s from 10.0 s after the window's start on, of which at most 3.0 s (5% of "
            "the window) can be bridged",
            True,
        ),
        (
            _gapped((20.0, 24.0)),
            "power was not sampled for 4.0 s from 0.0 s after the window's start on, of which at most 3.0 s (5% of "
            "the window) can be bridged",
            True,
        ),
        (
            _gapped((16.0, 26.5), (40.0, 41.5)),
            "power was not sampled for 10.5 s from 4.0 s before the window's start on, and for 12.0 s in all, of which "
            "at most 3.0 s (5% of the window) can be bridged",
            True,
        ),
        (
            _gapped((25.0, 26.5), (40.0, 44.0)),
            "power was not sampled for 4.0 s from 20.0 s after the window's start on, and for 5.5 s in all, of which "
            "at most 3.0 s (5% of the window) can be bridged",
            True,
        ),
        (_gapped((6.0, 20.25)), "power was not sampled within 10 s before the window", True),
        (_gapped((79.75, 90.25)), "power was not sampled within 10 s after the window", True),
        (
            DeviceTrace([5 + n for n in range(90)], power_w=[100.0] * 90),
            "power and counter were not sampled together within 10 s before the window",
            False,
        ),
        (
            DeviceTrace(
                [5 + n for n in range(90)],
                power_w=[100.0] * 90,
                counter_mj=[1.0 if n < 70 else math.nan for n in range(90)],
            ),
            "power and counter were not sampled together within 10 s after the window",
            False,
        ),
    ],
)
def test_what_keeps_a_window_from_being_compared_is_named(trace: DeviceTrace, why: str, silent: bool) -> None:
    assert span_around(trace, LONG, tick_s=0.1, idle_w=100.0, widest_swing_w=600.0) is None
    assert why_no_span(trace, LONG) == (why, silent)


COUNTED = {
    19.2: 10_000.0, 19.9: 12_000.0, 20.1: 13_000.0, 20.9: 15_000.0,
    29.3: 500_000.0, 29.9: 510_000.0, 30.2: 512_000.0, 30.8: 520_000.0,
}  # fmt: skip


def _rise(counters_mj: Mapping[float, float], **facts: Any) -> Rise | None:
    told = {"energy_wh": 0.2} | facts
    trace = DeviceTrace(sorted(counters_mj), counter_mj=[counters_mj[t_s] for t_s in sorted(counters_mj)])
    return rise_over(trace, WINDOW, reading("gpu", **told), tick_s=0.1, highest_w=700.0)


@pytest.mark.parametrize(
    ("uncertainty_wh", "own_j"),
    # 0.01 Wh are 36 J, of which two standard deviations count; a meter that does not tell is off by a tick of 70 J at
    # either edge.
    [(0.01, 72.0), (0.0, 0.0), (None, 140.0)],
)
def test_a_reading_against_its_sampled_counter_by_hand(uncertainty_wh: float | None, own_j: float) -> None:
    # From 13 J to 510 J at least and from 12 J to 512 J at most, a tick of 70 J less and more.
    rise = _rise(COUNTED, standard_uncertainty_wh=uncertainty_wh)
    assert rise is not None
    assert (rise.window, rise.reading_j) == (WINDOW, pytest.approx(720.0))
    assert rise.counter_j == pytest.approx((427.0 + 570.0) / 2)
    assert rise.open_j == pytest.approx((570.0 - 427.0) / 2 + own_j)


def test_a_sample_at_the_edge_itself_is_on_both_of_its_sides() -> None:
    rise = _rise({20.0: 10_000.0, 30.0: 500_000.0}, standard_uncertainty_wh=0.0)
    assert rise is not None
    assert (rise.counter_j, rise.open_j) == (pytest.approx(490.0), pytest.approx(70.0))


@pytest.mark.parametrize(
    ("moved", "to", "known"),
    [
        # A sample a second from its edge still counts.
        (19.9, 19.0, True),
        (19.9, 18.99, False),
        (20.1, 21.0, True),
        (20.1, 21.01, False),
        (29.9, 29.0, True),
        (29.9, 28.99, False),
        (30.2, 31.0, True),
        (30.2, 31.01, False),
    ],
)
def test_each_edge_needs_a_sample_within_a_second_on_both_sides(moved: float, to: float, known: bool) -> None:
    nearest = {t_s: COUNTED[t_s] for t_s in (19.9, 20.1, 29.9, 30.2)}
    counted = {to if t_s == moved else t_s: counter_mj for t_s, counter_mj in nearest.items()}
    assert (_rise(counted) is not None) is known


@pytest.mark.parametrize("energy_wh", [None, math.nan, math.inf, -math.inf])
def test_an_energy_that_is_no_number_is_not_held_against_a_counter(energy_wh: float | None) -> None:
    assert _rise(COUNTED, energy_wh=energy_wh) is None
