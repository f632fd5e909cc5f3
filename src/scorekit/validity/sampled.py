"""What the samples say around one window: counter and power from idle to idle, and the counter over the window."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

from scorekit.records import MeterReading, Window
from scorekit.units import wh_to_joules
from scorekit.validity.trace import AVERAGED_S, DeviceTrace

REACH_S: Final = 10.0
"""So far around a window the quietest moment is looked for."""
BRIDGED: Final = 0.05
"""Share of a window that may be unseen around it. Power is taken for a straight line there, which is wrong by the
unseen time and what power can swing at most; that is allowed for, and beyond this share nothing is left to compare."""
QUIET: Final = 1.5
"""Up to this many times its idle power a GPU is idle, and its power between samples what the samples say."""


@dataclass(frozen=True, slots=True)
class Span:
    """Counter and sampled power between two moments before and after a window, in joules.

    Attributes:
        lag_j: most by which the samples' lag may part the two.
        ticks_j: most by which the counter's ticks and the order of the reads may.
        unseen_j: most by which what no sample tells of may.
    """

    window: Window
    counter_j: float
    integral_j: float
    lag_j: float
    ticks_j: float
    unseen_j: float


@dataclass(frozen=True, slots=True)
class Rise:
    """A window's reading and how far its counter rose by the samples, in joules; `open_j` parts them at most."""

    window: Window
    reading_j: float
    counter_j: float
    open_j: float


@dataclass(frozen=True, slots=True)
class _Edge:
    t_s: float
    counter_mj: float
    power_w: float
    swing_w: float


def span_around(
    trace: DeviceTrace, window: Window, tick_s: float, idle_w: float | None, widest_swing_w: float
) -> Span | None:
    """Counter against power from the quietest moment before a window to that after it; None without such samples, or
    where too much is unseen between them (`why_no_span`).

    Integral less energy is half of the averaging time times the difference of the powers at the two moments (as in
    `against_power`), which is next to nothing between two moments of idling. Where there are none, the room is that
    of a busy edge.
    """
    before, after = _edges(trace, window)
    if before is None or after is None:
        return None
    integral_j = trace.energy_ws(before.t_s, after.t_s, BRIDGED * window.duration_s)
    if integral_j is None:
        return None
    swings_w = [
        edge.swing_w if idle_w is not None and _is_quiet(trace, edge, idle_w) else widest_swing_w
        for edge in (before, after)
    ]
    return Span(
        window=window,
        counter_j=(after.counter_mj - before.counter_mj) / 1000,
        integral_j=integral_j,
        lag_j=AVERAGED_S / 2 * abs(after.power_w - before.power_w) + AVERAGED_S / 8 * math.fsum(swings_w),
        ticks_j=2 * tick_s * (before.power_w + after.power_w),
        unseen_j=unseen_j(trace, before.t_s, after.t_s, idle_w, widest_swing_w),
    )


def _is_quiet(trace: DeviceTrace, edge: _Edge, idle_w: float) -> bool:
    """Whether the samples show how a GPU idled in the second before a moment: none of it is in a gap."""
    return edge.power_w <= QUIET * idle_w and not trace.unseen_s(edge.t_s - AVERAGED_S, edge.t_s)


def unseen_j(trace: DeviceTrace, start_s: float, end_s: float, idle_w: float | None, widest_swing_w: float) -> float:
    """Most by which the energy of a stretch may differ from its integral for what no sample tells of [J].

    Power and the straight line in its place both lie between the least and the most that the GPU takes: idle power and
    its limit, or what was seen beyond them.
    """
    unseen_s = trace.unseen_s(start_s, end_s)
    if not unseen_s:
        return 0.0
    # The line at an edge is drawn from the sample before it.
    powers = trace.values("power_w", start_s - AVERAGED_S, end_s + AVERAGED_S)
    idle_w, limit_w = idle_w or 0.0, (idle_w or 0.0) + widest_swing_w
    return unseen_s * (max(limit_w, max(powers, default=limit_w)) - min(idle_w, min(powers, default=idle_w)))


def why_no_span(trace: DeviceTrace, window: Window) -> tuple[str, bool]:
    """Why there is no span around a window, and whether it is that no power was sampled for a time."""
    before, after = _edges(trace, window)
    if before is None:
        return _nothing_at(trace, window.start_monotonic_s - REACH_S, "before")
    if after is None:
        return _nothing_at(trace, window.end_monotonic_s, "after")
    gaps = trace.unseen(before.t_s, after.t_s)
    from_s, until_s = max(gaps, key=lambda gap: gap[1] - gap[0])
    since_s = from_s - window.start_monotonic_s
    in_all = f", and for {trace.unseen_s(before.t_s, after.t_s):.1f} s in all" if len(gaps) > 1 else ""
    return (
        f"power was not sampled for {until_s - from_s:.1f} s from {abs(since_s):.1f} s "
        f"{'after' if since_s >= 0 else 'before'} the window's start on{in_all}, of which at most "
        f"{BRIDGED * window.duration_s:.1f} s ({BRIDGED:.0%} of the window) can be bridged"
    ), True


def _nothing_at(trace: DeviceTrace, start_s: float, side: str) -> tuple[str, bool]:
    silent = not trace.times("power_w", start_s, start_s + REACH_S)
    found = "was not sampled" if silent else "and counter were not sampled together"
    return f"power {found} within {REACH_S:.0f} s {side} the window", silent


def _edges(trace: DeviceTrace, window: Window) -> tuple[_Edge | None, _Edge | None]:
    """The quietest moments before and after a window; None where there is no sample of power and counter."""
    start_s, end_s = window.start_monotonic_s, window.end_monotonic_s
    return _quietest(trace, start_s - REACH_S, start_s), _quietest(trace, end_s, end_s + REACH_S)


def _quietest(trace: DeviceTrace, start_s: float, end_s: float) -> _Edge | None:
    """The moment of a stretch whose last second had the least and steadiest power."""
    times = trace.times("power_w", start_s - AVERAGED_S, end_s)
    powers = trace.values("power_w", start_s - AVERAGED_S, end_s)
    best: _Edge | None = None
    least_w = math.inf
    # From the least power on: no swing makes up for more power than the best moment has with its own.
    for at in sorted(range(bisect_left(times, start_s), len(times)), key=powers.__getitem__):
        t_s, power_w = times[at], powers[at]
        if power_w >= least_w:
            break
        recent = powers[bisect_left(times, t_s - AVERAGED_S) : at + 1]
        swing_w = max(recent) - min(recent)
        if power_w + swing_w < least_w and (counters := trace.values("counter_mj", t_s, t_s)):
            best, least_w = _Edge(t_s, counters[-1], power_w, swing_w), power_w + swing_w
    return best


def rise_over(
    trace: DeviceTrace, window: Window, reading: MeterReading, tick_s: float, highest_w: float
) -> Rise | None:
    """A reading against its counter's samples next to the window's edges; None without both.

    A sample is up to a tick old, and the edge lies between two samples: hence the least and the most that it can be.
    """
    if reading.energy_wh is None or not math.isfinite(reading.energy_wh):
        return None
    edges = []
    for edge_s in (window.start_monotonic_s, window.end_monotonic_s):
        before = trace.values("counter_mj", edge_s - AVERAGED_S, edge_s)
        after = trace.values("counter_mj", edge_s, edge_s + AVERAGED_S)
        if not before or not after:
            return None
        edges.append((max(before), min(after)))
    (start_low, start_high), (end_low, end_high) = edges
    least_j = (end_low - start_high) / 1000 - tick_s * highest_w
    most_j = (end_high - start_low) / 1000 + tick_s * highest_w
    # A meter that does not tell how it found the edges read its counter at arbitrary times.
    own_j = (
        2 * tick_s * highest_w
        if reading.standard_uncertainty_wh is None
        else 2 * wh_to_joules(reading.standard_uncertainty_wh)
    )
    return Rise(
        window=window,
        reading_j=wh_to_joules(reading.energy_wh),
        counter_j=(least_j + most_j) / 2,
        open_j=(most_j - least_j) / 2 + own_j,
    )
