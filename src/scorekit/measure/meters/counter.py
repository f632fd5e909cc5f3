"""The arithmetic of an energy counter that moves in ticks: pure, on reads that somebody else took.

NVML's counter stands still between its ticks (about every 100 ms on an A100 or H100), so what is read at an arbitrary
moment is the energy up to the last tick: an error of up to a tick at either edge of a window (arXiv 2312.02741). Here
the ticks' edges are found from dense reads, and the energy at a window's edge is worked out from the ticks around it.

Times are of the monotonic clock [s]; energies are as the counter gives them [mJ].
"""

from __future__ import annotations

import math
import statistics
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import Final, NamedTuple

PRECISE_S: Final = 0.005
"""An edge is known closely when the reads on either side of it are at most this far apart."""
COARSE_S: Final = 0.02
"""On a busy machine they are further apart. Up to this, an edge is still better than none, and known less well."""
_ENOUGH_PRECISE: Final = 8
_NEAR_TICKS: Final = 5.5
"""Reads further than this from an edge are not set into its rhythm: irregular ticks would add up."""
_MOST_SKIPPED: Final = 20
_SHORT_GAP: Final = 6
_NEAR_WHOLE: Final = 0.1
_MOST_UNSEEN: Final = 3
"""Energy at a moment is worked out over at most so many ticks: over more, nobody knows how the power went."""
_NEARBY_S: Final = 2.5
_SLACK: Final = 1.1
"""A rhythm is contradicted by ticks that came so much faster, within this time of where it is used."""
_RECTANGULAR: Final = 1 / math.sqrt(3)
"""Standard deviation of a rectangular distribution of half-width 1 (GUM, JCGM 100, 4.3.7)."""


class Read(NamedTuple):
    """One read of the counter; `energy_mj` is None where it was answered with an error."""

    t_s: float
    energy_mj: int | None


@dataclass(frozen=True, slots=True)
class Edge:
    """A tick: the moment at which the counter took the value `energy_mj`, known to `half_width_s` either way."""

    t_s: float
    half_width_s: float
    energy_mj: int


@dataclass(frozen=True, slots=True)
class Tick:
    """The counter's rhythm.

    Attributes:
        period_s: median time from tick to tick.
        spread_s: standard deviation of those times.
        count: periods that were seen.
    """

    period_s: float
    spread_s: float
    count: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """The counter's true energy at one moment.

    Attributes:
        energy_mj: what the counter would say if it moved without ticks.
        standard_mj: one standard deviation, from how well the edges are known and the power between them is.
        before: tick edges before the moment, the nearest last.
        after: tick edges after it, the nearest first.
    """

    energy_mj: float
    standard_mj: float
    before: tuple[Edge, ...]
    after: tuple[Edge, ...]


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


def edge_between(earlier: Read, later: Read, tick: Tick | None) -> Edge | None:
    """The tick between two reads of which the later one gave more; None where they are too far apart."""
    width_s = later.t_s - earlier.t_s
    if later.energy_mj is None or width_s > COARSE_S:
        return None
    if width_s > PRECISE_S and tick is not None and width_s > tick.period_s / 2:
        return None
    return Edge((earlier.t_s + later.t_s) / 2, width_s / 2, later.energy_mj)


def _in_rhythm(earlier: Read, later: Read, known: Sequence[Edge], tick: Tick | None) -> Edge | None:
    """The one tick between two reads, timed by the rhythm from the nearest tick that is known."""
    if tick is None or not known or later.energy_mj is None:
        return None
    position = bisect_right(known, later.t_s, key=lambda edge: edge.t_s)
    nearest = min(known[max(0, position - 1) : position + 1], key=lambda edge: abs(edge.t_s - later.t_s))
    begin, end = ((read.t_s - nearest.t_s) / tick.period_s for read in (earlier, later))
    first = math.floor(begin) + 1
    if first != math.floor(end) or abs(first) > _MOST_SKIPPED:
        return None
    half_width_s = nearest.half_width_s + tick.spread_s * math.sqrt(abs(first)) / _RECTANGULAR
    if 2 * half_width_s > later.t_s - earlier.t_s:
        return None
    if any(abs(number - round(number)) * tick.period_s < half_width_s for number in (begin, end)):
        # A tick is due so near to one of the reads that it may lie on either side of it.
        return None
    return Edge(nearest.t_s + first * tick.period_s, half_width_s, later.energy_mj)


def calibrate(edges: Sequence[Edge]) -> Tick | None:
    """The rhythm of the counter from edges, between which some may have been missed; None with fewer than three."""
    gaps_s = _gaps_s(edges)
    if len(gaps_s) < 2:
        return None
    # Most gaps are one period. The first quartile is one even where many ticks were missed.
    base_s = statistics.quantiles(gaps_s, n=4)[0]
    base_s = _undivided(base_s if base_s > 0 else min(gaps_s), gaps_s)
    precise_s = _gaps_s([edge for edge in edges if edge.half_width_s <= PRECISE_S / 2])
    counted = [
        (gap_s, count)
        for gap_s in (precise_s if len(precise_s) >= _ENOUGH_PRECISE else gaps_s)
        if 1 <= (count := round(gap_s / base_s)) <= _MOST_SKIPPED
    ]
    if len(counted) < 2:
        return None
    periods_s = [gap_s / count for gap_s, count in counted]
    return Tick(statistics.median(periods_s), statistics.stdev(periods_s), len(periods_s))


def _gaps_s(edges: Sequence[Edge]) -> list[float]:
    return [later.t_s - earlier.t_s for earlier, later in pairwise(edges)]


def _undivided(base_s: float, gaps_s: Sequence[float]) -> float:
    """The base, or a half or third of it where only that divides all gaps: most ticks in between were missed.

    Gaps of a counter that ticks irregularly are multiples of nothing, and leave the base as it is.
    """
    # Over a long gap, as between two windows, the error of the base adds up to anything.
    short_s = [gap_s for gap_s in gaps_s if gap_s < _SHORT_GAP * base_s]
    for parts in (1, 2, 3):
        counts = [gap_s * parts / base_s for gap_s in short_s]
        if all(count > 0.5 and abs(count - round(count)) < _NEAR_WHOLE for count in counts):
            return base_s / parts
    return base_s


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
    if tick is not None and _is_too_slow(tick, [read for read in reads if abs(read.t_s - t_s) < _NEARBY_S]):
        tick = None
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


def _is_too_slow(tick: Tick, reads: Sequence[Read]) -> bool:
    """Whether the counter moved more often than it could have with this rhythm, as where most ticks were missed."""
    moved_s = [later.t_s for earlier, later in pairwise(reads) if later.energy_mj != earlier.energy_mj]
    # At least one tick came between any two of these moments.
    return len(moved_s) > 2 and (len(moved_s) - 2) * tick.period_s > _SLACK * (moved_s[-1] - moved_s[0])


def energy_between(start: Estimate, end: Estimate) -> tuple[float, float]:
    """The energy of a window and its standard uncertainty [mJ].

    In a window of less than two whole ticks nothing tells what happened within it from what happened around it. There,
    power is known to be at least the lowest of the ticks around, and no more.

    Args:
        start: the energy at its start.
        end: the energy at its end.
    """
    energy_mj, standard_mj = end.energy_mj - start.energy_mj, math.hypot(start.standard_mj, end.standard_mj)
    if end.before[-1].t_s < start.after[-1].t_s:
        lowest = min(
            (later.energy_mj - earlier.energy_mj) / (later.t_s - earlier.t_s)
            for estimate in (start, end)
            for earlier, later in pairwise((*estimate.before, *estimate.after))
        )
        first, last, inner_first, inner_last = start.before[-1], end.after[0], start.after[0], end.before[-1]
        sure_s = max(0.0, inner_last.t_s - inner_first.t_s)
        sure_mj = max(0, inner_last.energy_mj - inner_first.energy_mj)
        open_mj = last.energy_mj - first.energy_mj - sure_mj - lowest * (last.t_s - first.t_s - sure_s)
        standard_mj = max(standard_mj, _RECTANGULAR * open_mj / 2)
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
    if tick is None:
        return seen
    if seen is not None and edge.t_s - seen.t_s >= (_MOST_UNSEEN + 0.5) * tick.period_s:
        return None
    if seen is not None and seen.half_width_s <= PRECISE_S / 2:
        return seen
    alike = list(takewhile(lambda read: read.energy_mj == value, reversed(ahead)))
    placed = _placed(edge, value, alike[-1].t_s, alike[0].t_s, tick)
    return min(filter(None, (placed, seen)), key=lambda found: found.half_width_s, default=None)


def _placed(edge: Edge, value: int, first_s: float, last_s: float, tick: Tick) -> Edge | None:
    """The tick that brought `value`, which was read from `first_s` to `last_s`, by the rhythm from a later tick."""
    most = (edge.t_s - last_s) / tick.period_s
    if most > _MOST_UNSEEN:
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
    earlier = next((read for read in reversed(reads) if read.t_s < edge.t_s and read.energy_mj != edge.energy_mj), None)
    if earlier is None or earlier.energy_mj is None or tick is None or earlier.energy_mj > edge.energy_mj:
        return None
    ticks = (edge.t_s - earlier.t_s) / tick.period_s
    if ticks > _MOST_SKIPPED:
        return None
    # The read fell between two ticks and holds the value of the one before it; from afar, half a tick earlier.
    counted = max(1, math.ceil(ticks - 1e-9)) if ticks <= _NEAR_TICKS else ticks + 0.5
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
    if min(before, after) < mean < max(before, after):
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
    return Estimate(energy_mj, standard_mj, (last,), following)
