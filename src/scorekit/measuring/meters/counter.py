"""The arithmetic of an energy counter that moves in ticks: pure, on reads that somebody else took.

NVML's counter stands still between its ticks (about every 100 ms on an A100 or H100), so what is read at an arbitrary
moment is the energy up to the last tick: an error of up to a tick at either edge of a window (arXiv 2312.02741). Here
the ticks' edges are found from dense reads, and the energy at a window's edge is worked out from the ticks around it.

Times are of the monotonic clock [s]; energies are as the counter gives them [mJ].
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import Final

from scorekit.measuring.meters.rhythm import (
    COARSE_S,
    MOST_SKIPPED,
    MOST_UNSEEN,
    MOST_UNSEEN_S,
    PRECISE_S,
    Edge,
    Read,
    Tick,
    calibrate,
    edge_between,
)

__all__ = [
    "COARSE_S",
    "PRECISE_S",
    "Edge",
    "Estimate",
    "Read",
    "Tick",
    "calibrate",
    "edge_between",
    "energy_after_tick",
    "energy_at",
    "energy_between",
    "find_edges",
]

_NEAR_TICKS: Final = 5.5
"""Reads further than this from an edge are not set into its rhythm: irregular ticks would add up."""
_NEARBY_S: Final = 2.5
_SLACK: Final = 1.1
"""A rhythm is contradicted by ticks that came so much faster, within this time of where it is used."""
_ONE_VALUE_TICKS: Final = 1.5
"""Where a counter gave one value for so many ticks, it is not told from a frozen one."""
_RECTANGULAR: Final = 1 / math.sqrt(3)
"""Standard deviation of a rectangular distribution of half-width 1 (GUM, JCGM 100, 4.3.7)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The counter's true energy at one moment.

    Attributes:
        energy_mj: what the counter would say if it moved without ticks.
        standard_mj: one standard deviation, from how well the edges are known and the power between them is.
        before: tick edges before the moment, the nearest last.
        after: tick edges after it, the nearest first.
        t_s: the moment.
    """

    energy_mj: float
    standard_mj: float
    before: tuple[Edge, ...]
    after: tuple[Edge, ...]
    t_s: float


def find_edges(reads: Sequence[Read], tick: Tick | None = None) -> list[Edge]:
    """The ticks between reads; steps backwards are none.

    A tick between two reads that stand close together is known from them. One between reads further apart is set into
    the rhythm, where a tick nearby is known and exactly one is due between the two.

    Args:
        reads: in the order of time.
        tick: the rhythm; None where it is not known.
    """
    steps = [
        (earlier, later)
        for earlier, later in pairwise(read for read in reads if read.energy_mj is not None)
        if later.energy_mj > earlier.energy_mj  # type: ignore[operator]
    ]
    seen = [edge_between(earlier, later, tick) for earlier, later in steps]
    known = [edge for edge in seen if edge is not None and edge.half_width_s <= PRECISE_S / 2]
    known = known or [edge for edge in seen if edge is not None]
    edges = []
    for step, edge in zip(steps, seen, strict=True):
        precise = edge is not None and edge.half_width_s <= PRECISE_S / 2
        edges.append(edge if precise else _in_rhythm(*step, known, tick) or edge)
    return [edge for edge in edges if edge is not None]


def _in_rhythm(earlier: Read, later: Read, known: Sequence[Edge], tick: Tick | None) -> Edge | None:
    """The one tick between two reads, timed by the rhythm from the nearest tick that is known."""
    if tick is None or not known or later.energy_mj is None:
        return None
    position = bisect_right(known, later.t_s, key=lambda edge: edge.t_s)
    nearest = min(known[max(0, position - 1) : position + 1], key=lambda edge: abs(edge.t_s - later.t_s))
    begin, end = ((read.t_s - nearest.t_s) / tick.period_s for read in (earlier, later))
    first = math.floor(begin) + 1
    if first != math.floor(end) or abs(first) > MOST_SKIPPED:
        return None
    half_width_s = nearest.half_width_s + tick.spread_s * math.sqrt(abs(first)) / _RECTANGULAR
    if 2 * half_width_s > later.t_s - earlier.t_s:
        return None
    if any(abs(number - round(number)) * tick.period_s < half_width_s for number in (begin, end)):
        # A tick is due so near to one of the reads that it may lie on either side of it.
        return None
    return Edge(nearest.t_s + first * tick.period_s, half_width_s, later.energy_mj)


def energy_at(t_s: float, reads: Sequence[Read], tick: Tick | None) -> Estimate | None:
    """The energy at a moment, from the ticks around it.

    Between two ticks only their difference is known. The power before the first and after the second says how it came
    about: where the mean power between them lies between those two, power is taken to have changed once, at the moment
    that makes the difference true (a load that begins or ends); else it is taken to have been even.

    Args:
        t_s: the moment.
        reads: in the order of time, dense after the moment for two ticks.
        tick: the rhythm, which gives the time of a tick that was not seen closely; None where it is not known.

    Returns:
        None when no tick was seen on both sides.
    """
    reads = [read for read in reads if read.energy_mj is not None]
    tick = _trusted(tick, t_s, reads)
    edges = find_edges(reads, tick)
    position = bisect_right([edge.t_s for edge in edges], t_s)
    following = edges[position : position + 2]
    if not following:
        return None
    next_edge = following[0]
    last_edge = _edge_before(next_edge, edges[:position], reads, tick)
    while last_edge is not None and last_edge.t_s - last_edge.half_width_s > t_s:
        # A tick after the moment that was seen from afar only.
        following = [last_edge, *following]
        next_edge, last_edge = last_edge, _edge_before(last_edge, edges[:position], reads, tick)
    if last_edge is not None and last_edge.t_s > t_s:
        # It may as well have come before the moment, and then there is nothing between the two.
        last_edge = Edge(t_s, last_edge.half_width_s, last_edge.energy_mj)
    if last_edge is None:
        return None
    return _between(t_s, last_edge, _power_before(last_edge, reads, tick), tuple(following[:2]))


def energy_after_tick(t_s: float, reads: Sequence[Read], tick: Tick | None, most_w: float) -> Estimate | None:
    """The energy at a moment, from the tick before it alone.

    For a moment after which nothing was read for a while, as where the machine stood still or a call kept Python's
    lock. A read right at the moment tells that no other tick came in between. Since the tick, power is taken to have
    been as before it; it may have been anything from none to the most that the GPU can take, and the tick may have come
    at any time between the two reads around it. The rhythm may have moved meanwhile, and proves nothing.

    Args:
        t_s: the moment.
        reads: in the order of time, those answered with an error among them.
        tick: the rhythm; None where it is not known.
        most_w: the highest power that the GPU can take [W].

    Returns:
        None without a read right at the moment, where the counter did not tick before it and after it or stood still
        for longer than its ticks do, where an error came in between, or where the power before is not known.
    """
    good = [read for read in reads if read.energy_mj is not None]
    tick = _trusted(tick, t_s, good)
    at = min(good, key=lambda read: abs(read.t_s - t_s), default=None)
    if tick is None or at is None or at.energy_mj is None or abs(at.t_s - t_s) + at.took_s / 2 > PRECISE_S:
        return None
    earlier = next((read for read in reversed(good) if read.t_s < at.t_s and read.energy_mj != at.energy_mj), None)
    later = next((read for read in reads if read.t_s > at.t_s and read.energy_mj != at.energy_mj), None)
    if earlier is None or later is None or later.energy_mj is None or later.energy_mj < at.energy_mj:
        return None
    alike = [read for read in good if earlier.t_s < read.t_s < later.t_s]
    first, last = alike[0], alike[-1]
    if first.t_s - earlier.t_s > MOST_UNSEEN_S or last.t_s - first.t_s > _ONE_VALUE_TICKS * tick.period_s:
        return None
    seen = (edge for edge in find_edges(good, tick) if earlier.t_s <= edge.t_s <= first.t_s)
    middle_s, half_s = (earlier.t_s + first.t_s) / 2, (first.t_s - earlier.t_s) / 2
    edge = next(seen, Edge(middle_s, half_s, at.energy_mj, earlier.energy_mj))
    before, most = _power_before(edge, good, tick), 1000 * most_w
    if before is None:
        return None
    since_mj = min(before, most) * (t_s - edge.t_s)
    least_mj = most * min(0.0, t_s - first.t_s - first.took_s / 2)
    most_mj = most * (t_s - earlier.t_s + earlier.took_s / 2)
    standard_mj = _RECTANGULAR * max(since_mj - least_mj, most_mj - since_mj)
    return Estimate(at.energy_mj + since_mj, standard_mj, (edge,), (), t_s)


def _trusted(tick: Tick | None, t_s: float, reads: Sequence[Read]) -> Tick | None:
    """The rhythm, unless what was read around a moment contradicts it."""
    nearby = [read for read in reads if abs(read.t_s - t_s) < _NEARBY_S]
    return None if tick is not None and tick.regular and _is_too_slow(tick, nearby) else tick


def _is_too_slow(tick: Tick, reads: Sequence[Read]) -> bool:
    """Whether the counter moved more often than it could have with this rhythm, as where most ticks were missed."""
    moved_s = [later.t_s for earlier, later in pairwise(reads) if later.energy_mj != earlier.energy_mj]
    # At least one tick came between any two of these moments.
    return len(moved_s) > 2 and (len(moved_s) - 2) * tick.period_s > _SLACK * (moved_s[-1] - moved_s[0])


def energy_between(start: Estimate, end: Estimate) -> tuple[float, float]:
    """The energy of a window and its standard uncertainty [mJ].

    In a window of less than two whole ticks nothing tells what happened within it from what happened around it. There,
    power is known to be at least the lowest of the ticks around, and no more: the energy may lie anywhere between what
    the lowest power gives and that with all that came on top of it. Where an end is known from the tick before it
    alone, the window must be longer.

    Args:
        start: the energy at its start.
        end: the energy at its end.
    """
    energy_mj, standard_mj = end.energy_mj - start.energy_mj, math.hypot(start.standard_mj, end.standard_mj)
    if start.after and end.after and end.before[-1].t_s < start.after[-1].t_s:
        lowest = min(
            (later.energy_mj - earlier.energy_mj) / (later.t_s - earlier.t_s)
            for estimate in (start, end)
            for earlier, later in pairwise((*estimate.before, *estimate.after))
        )
        first, last, inner_first, inner_last = start.before[-1], end.after[0], start.after[0], end.before[-1]
        sure_s = max(0.0, inner_last.t_s - inner_first.t_s)
        sure_mj = max(0, inner_last.energy_mj - inner_first.energy_mj)
        open_mj = last.energy_mj - first.energy_mj - sure_mj - lowest * (last.t_s - first.t_s - sure_s)
        window_s = end.t_s - start.t_s
        least_mj = sure_mj + lowest * max(0.0, window_s - sure_s)
        farther_mj = max(energy_mj - least_mj, least_mj + open_mj - energy_mj)
        standard_mj = max(standard_mj, _RECTANGULAR * farther_mj)
    return energy_mj, standard_mj


def _edge_before(edge: Edge, known: Sequence[Edge], reads: Sequence[Read], tick: Tick | None) -> Edge | None:
    """The last tick before `edge` whose value was read: as it was seen, or placed by the rhythm.

    A read holds the value of the latest tick before it, which is some periods before `edge` where reads are missing (a
    busy machine, errors of NVML).
    """
    ahead = [read for read in reads if read.t_s < edge.t_s - edge.half_width_s / 2]
    if not ahead or ahead[-1].energy_mj is None or ahead[-1].energy_mj >= edge.energy_mj:
        return None
    value = ahead[-1].energy_mj
    seen = next((seen for seen in reversed(known) if seen.energy_mj == value), None)
    if tick is not None and seen is not None and edge.t_s - seen.t_s >= tick.most_unseen_s + tick.period_s / 2:
        return None
    if seen is not None and (tick is None or seen.half_width_s <= PRECISE_S / 2):
        return seen
    alike = list(takewhile(lambda read: read.energy_mj == value, reversed(ahead)))
    first_s, last_s = alike[-1].t_s, alike[0].t_s
    between = None
    if len(ahead) > len(alike):
        between = _bracket(edge, ahead[-len(alike) - 1], alike[-1], last_s, tick)
    placed = None if tick is None else _placed(edge, value, first_s, last_s, tick)
    if tick is not None and not tick.regular and between is not None:
        placed = None
    return min(filter(None, (placed, seen, between)), key=lambda found: found.half_width_s, default=None)


def _bracket(edge: Edge, earlier: Read, first: Read, last_s: float, tick: Tick | None) -> Edge | None:
    """The tick that brought a value, from the last read of another and the first one of this."""
    most_s = MOST_UNSEEN_S if tick is None else tick.most_unseen_s
    width_s = first.t_s - earlier.t_s
    if first.energy_mj is None or width_s > MOST_UNSEEN_S or edge.t_s - last_s > most_s:
        return None
    return Edge((earlier.t_s + first.t_s) / 2, width_s / 2, first.energy_mj, earlier.energy_mj)


def _placed(edge: Edge, value: int, first_s: float, last_s: float, tick: Tick) -> Edge | None:
    """The tick that brought `value`, which was read from `first_s` to `last_s`, by the rhythm from a later tick."""
    most = (edge.t_s - last_s) / tick.period_s
    if most > MOST_UNSEEN:
        return None
    half_width_s = edge.half_width_s + max(1, math.ceil(most)) * tick.spread_s / _RECTANGULAR
    slack = half_width_s / tick.period_s
    least = max(1, math.ceil((edge.t_s - first_s) / tick.period_s - slack))
    if least != max(1, math.floor(most + slack) + 1):
        # A read came just before a tick or just after it.
        return None
    # The tick cannot have come after a read that shows it.
    latest_s = min(edge.t_s - least * tick.period_s + half_width_s, first_s)
    earliest_s = min(edge.t_s - least * tick.period_s - half_width_s, latest_s)
    return Edge((earliest_s + latest_s) / 2, (latest_s - earliest_s) / 2, value)


def _power_before(edge: Edge, reads: Sequence[Read], tick: Tick | None) -> float | None:
    """Mean power [mW] over the ticks before an edge, from the last read of another value; None where there is none."""
    others = (read for read in reversed(reads) if read.t_s < edge.t_s and read.energy_mj != edge.energy_mj)
    earlier = next(others, None)
    if earlier is not None and tick is not None and not tick.regular:
        # How many ticks came in between is not known: over more of them it matters less.
        near_s = edge.t_s - _NEAR_TICKS * tick.period_s
        earlier = deque((earlier, *takewhile(lambda read: read.t_s > near_s, others)), maxlen=1)[0]
    if earlier is None or earlier.energy_mj is None or tick is None or earlier.energy_mj > edge.energy_mj:
        return None
    ticks = (edge.t_s - earlier.t_s) / tick.period_s
    if ticks > MOST_SKIPPED:
        return None
    # The read fell between two ticks and holds the value of the one before it; from afar, half a tick earlier.
    counted = max(1, math.ceil(ticks - 1e-9)) if ticks <= _NEAR_TICKS and tick.regular else ticks + 0.5
    return (edge.energy_mj - earlier.energy_mj) / (counted * tick.period_s)


def _between(t_s: float, last: Edge, power_before: float | None, following: tuple[Edge, ...]) -> Estimate:
    nearest = following[0]
    span_s = nearest.t_s - last.t_s
    gained_mj = nearest.energy_mj - last.energy_mj
    mean = gained_mj / span_s
    before = mean if power_before is None else power_before
    after = mean
    if len(following) > 1:
        after = (following[1].energy_mj - nearest.energy_mj) / (following[1].t_s - nearest.t_s)
    even_mj = last.energy_mj + mean * (t_s - last.t_s)
    from_last_mj = last.energy_mj + before * (t_s - last.t_s)
    from_next_mj = nearest.energy_mj - after * (nearest.t_s - t_s)
    vague_mj = max(before, mean) * last.half_width_s
    if last.half_width_s > max(PRECISE_S / 2, nearest.half_width_s) and abs(from_last_mj - from_next_mj) <= vague_mj:
        # The last tick is not known well enough to tell whether power changed before the moment or at it.
        energy_mj, edge = from_next_mj, nearest
        even_mj = energy_mj + vague_mj / 2
    elif min(before, after) < mean < max(before, after):
        change_s = last.t_s + (gained_mj - after * span_s) / (before - after)
        energy_mj, edge = (from_last_mj, last) if t_s < change_s else (from_next_mj, nearest)
    else:
        # Mean power outside of what was before and after: it changed within the tick, nobody knows when.
        energy_mj = even_mj
        edge = last if t_s - last.t_s < nearest.t_s - t_s else nearest
    # Half of how far apart the ways lie in which the energy may have come about.
    model_mj = max(abs(energy_mj - even_mj), abs(from_last_mj - from_next_mj)) / 2
    # Where an edge is not known well, nor is on which side of it the power changed.
    standard_mj = _RECTANGULAR * math.hypot(max(before, mean, after) * edge.half_width_s, model_mj)
    return Estimate(energy_mj, standard_mj, (last,), following, t_s)
