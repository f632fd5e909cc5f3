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
QUIET: Final = 1.5
"""Up to this many times its idle power a GPU is idle, and its power between samples what the samples say."""


@dataclass(frozen=True, slots=True)
class Span:
    """Counter and sampled power between two moments before and after a window, in joules.

    Attributes:
        lag_j: most by which the samples' lag may part the two.
        ticks_j: most by which the counter's ticks and the order of the reads may.
    """

    window: Window
    counter_j: float
    integral_j: float
    lag_j: float
    ticks_j: float


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
    """Counter against power from the quietest moment before a window to that after it; None without such samples.

    Integral less energy is half of the averaging time times the difference of the powers at the two moments (as in
    `against_power`), which is next to nothing between two moments of idling. Where there are none, the room is that
    of a busy edge.
    """
    before = _quietest(trace, window.start_monotonic_s - REACH_S, window.start_monotonic_s)
    after = _quietest(trace, window.end_monotonic_s, window.end_monotonic_s + REACH_S)
    if before is None or after is None:
        return None
    integral_j = trace.energy_ws(before.t_s, after.t_s)
    if integral_j is None:
        return None
    swings_w = [
        edge.swing_w if idle_w is not None and edge.power_w <= QUIET * idle_w else widest_swing_w
        for edge in (before, after)
    ]
    return Span(
        window=window,
        counter_j=(after.counter_mj - before.counter_mj) / 1000,
        integral_j=integral_j,
        lag_j=AVERAGED_S / 2 * abs(after.power_w - before.power_w) + AVERAGED_S / 8 * math.fsum(swings_w),
        ticks_j=2 * tick_s * (before.power_w + after.power_w),
    )


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
