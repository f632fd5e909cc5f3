"""The rhythm of an energy counter that moves in ticks: its ticks between reads, and how regularly they come.

Times are of the monotonic clock [s]; energies are as the counter gives them [mJ].
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

PRECISE_S: Final = 0.005
"""An edge is known closely when the reads on either side of it are at most this far apart."""
COARSE_S: Final = 0.02
"""On a busy machine they are further apart. Up to this, an edge is still better than none, and known less well."""
_COARSE_READS: Final = 8
"""Where a read takes long, reads stand so many of its times apart at most: a sample of a GPU takes some of them."""
_ENOUGH_PRECISE: Final = 8
"""Of so many gaps between ticks the rhythm is known; others then say nothing more."""
_SHORT_GAP: Final = 6
_NEAR_WHOLE: Final = 0.1
MOST_SKIPPED: Final = 20
"""Over more ticks than so many the rhythm's error adds up to anything."""
MOST_UNSEEN: Final = 3
"""Energy at a moment is worked out over at most so many ticks: over more, nobody knows how the power went."""
MOST_UNSEEN_S: Final = 0.25
"""Where ticks are short, it is worked out over this time all the same."""
_IRREGULAR: Final = 0.03
_IRREGULAR_S: Final = 0.001
"""A rhythm whose spread is a greater part of its period, and more than what close reads leave open, places no tick:
only the reads around one do."""


class Read(NamedTuple):
    """One read of the counter.

    Attributes:
        t_s: the middle of the time it took.
        energy_mj: what it gave; None where it was answered with an error.
        took_s: how long it took; 0 where that was not told.
    """

    t_s: float
    energy_mj: int | None
    took_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Edge:
    """A tick of the counter.

    Attributes:
        t_s: the moment at which it took its value.
        half_width_s: how well the moment is known, either way.
        energy_mj: the value.
        before_mj: the value right before; None where it was not read. It tells whether a tick before was missed.
    """

    t_s: float
    half_width_s: float
    energy_mj: int
    before_mj: int | None = field(default=None, compare=False)


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

    @property
    def regular(self) -> bool:
        """Whether a tick that was not seen can be placed by the rhythm."""
        return self.spread_s <= max(_IRREGULAR * self.period_s, _IRREGULAR_S)

    @property
    def most_unseen_s(self) -> float:
        """Energy at a moment is not worked out from a tick further away."""
        return max(MOST_UNSEEN * self.period_s, MOST_UNSEEN_S)


def edge_between(earlier: Read, later: Read, tick: Tick | None) -> Edge | None:
    """The tick between two reads of which the later one gave more; None where they are too far apart."""
    width_s = later.t_s - earlier.t_s
    took_s = max(earlier.took_s, later.took_s)
    if later.energy_mj is None or width_s > max(COARSE_S, _COARSE_READS * took_s):
        return None
    if width_s > PRECISE_S and tick is not None and width_s > tick.period_s / 2:
        return None
    # A read looked at the counter at some moment of the time it took.
    half_width_s = (width_s + took_s) / 2
    return Edge((earlier.t_s + later.t_s) / 2, half_width_s, later.energy_mj, earlier.energy_mj)


def calibrate(edges: Sequence[Edge], known: Tick | None = None) -> Tick | None:
    """The rhythm of the counter from edges, between which some may have been missed; None with fewer than three.

    Args:
        edges: in the order of time.
        known: the rhythm so far. It tells how many ticks were missed where no two edges followed each other.
    """
    gaps_s = _gaps_s(edges)
    if len(gaps_s) < 2:
        return None
    whole = _whole(edges)
    if len(whole) >= _ENOUGH_PRECISE:
        return _rhythm(whole)
    if whole:
        base_s = statistics.median(later.t_s - earlier.t_s for earlier, later in whole)
    elif known is not None:
        base_s = known.period_s
    else:
        # Most gaps are one period. The first quartile is one even where many ticks were missed.
        base_s = statistics.quantiles(gaps_s, n=4)[0]
        base_s = _undivided(base_s if base_s > 0 else min(gaps_s), gaps_s)
    precise_s = _gaps_s([edge for edge in edges if edge.half_width_s <= PRECISE_S / 2])
    counted = [
        (gap_s, count)
        for gap_s in (precise_s if len(precise_s) >= _ENOUGH_PRECISE else gaps_s)
        if 1 <= (count := round(gap_s / base_s)) <= MOST_SKIPPED
    ]
    if len(counted) < 2:
        return None
    periods_s = [gap_s / count for gap_s, count in counted]
    return Tick(statistics.median(periods_s), statistics.stdev(periods_s), len(periods_s))


def _whole(edges: Sequence[Edge]) -> list[tuple[Edge, Edge]]:
    """Ticks of which one followed the other: right before the later one the counter still had the earlier's value."""
    return [(earlier, later) for earlier, later in pairwise(edges) if later.before_mj == earlier.energy_mj]


def _rhythm(whole: Sequence[tuple[Edge, Edge]]) -> Tick:
    """The rhythm of ticks of which each followed the one before."""
    close = [pair for pair in whole if all(edge.half_width_s <= PRECISE_S / 2 for edge in pair)]
    gaps_s = [later.t_s - earlier.t_s for earlier, later in (close if len(close) >= _ENOUGH_PRECISE else whole)]
    period_s = statistics.median(gaps_s)
    # Where the counter stood still for a while, that is no part of its rhythm.
    gaps_s = [gap_s for gap_s in gaps_s if gap_s <= MOST_SKIPPED * period_s]
    return Tick(period_s, statistics.stdev(gaps_s), len(gaps_s))


def _gaps_s(edges: Sequence[Edge]) -> list[float]:
    return [later.t_s - earlier.t_s for earlier, later in pairwise(edges)]


def _undivided(base_s: float, gaps_s: Sequence[float]) -> float:
    """The base, or a half or third of it where only that divides all gaps: most ticks in between were missed.

    Gaps of a counter that ticks irregularly may be multiples of something, too. So this is asked only where no two
    ticks are known to have followed each other.
    """
    # Over a long gap, as between two windows, the error of the base adds up to anything.
    short_s = [gap_s for gap_s in gaps_s if gap_s < _SHORT_GAP * base_s]
    for parts in (1, 2, 3):
        counts = [gap_s * parts / base_s for gap_s in short_s]
        if all(count > 0.5 and abs(count - round(count)) < _NEAR_WHOLE for count in counts):
            return base_s / parts
    return base_s
