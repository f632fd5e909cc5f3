"""What was read of one GPU's counter: its ticks, its rhythm, and when to look for the next tick."""

from __future__ import annotations

import math
import statistics
from collections import deque
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Final

from scorekit.measuring.meters.rhythm import Edge, Read, Tick, calibrate, edge_between

_DENSE_S: Final = 0.001
"""Time between reads where a tick is due."""
_SEARCH_S: Final = 0.001
"""Time between reads where it is not known when the next tick is due."""
_EARLY_S: Final = 0.004
"""So long before a tick is due the dense reads begin, at least."""
_CALIBRATION_EDGES: Final = 64
_READS_TIMED: Final = 15
_STRAYS: Final = 5
"""So many ticks at moments at which none was due, less half of those that were due, show that the rhythm is wrong."""
_MOST_STRAYS: Final = 2
"""More such ticks among the last ones show that they come irregularly, even if those that were due came on time."""
_TICKS_AFTER: Final = 2
"""Ticks that must be seen after a window's edge: one for the energy, one more for the power after it."""
_RHYTHM_LASTS_TICKS: Final = 50
_SETTLED_TICKS: Final = 5


@dataclass(slots=True)
class Track:
    """What was read of one GPU's counter, and which ticks were seen."""

    reads: deque[Read] = field(default_factory=deque)
    edges: deque[Edge] = field(default_factory=lambda: deque(maxlen=_CALIBRATION_EDGES))
    tick: Tick | None = None
    last: Read | None = None
    inside: bool = False
    strays: int = 0
    strayed: deque[bool] = field(default_factory=lambda: deque(maxlen=_CALIBRATION_EDGES))
    took_s: deque[float] = field(default_factory=lambda: deque(maxlen=_READS_TIMED))
    next_s: float = float("-inf")

    def add(self, read: Read) -> None:
        """Take a read; find out whether the counter ticked before it."""
        self.reads.append(read)
        last, self.last = self.last, read
        if last is None or last.energy_mj is None or read.energy_mj is None or read.energy_mj <= last.energy_mj:
            return
        stray = not self.inside and self._out_of_rhythm(last, read)
        if not self.inside and self.tick is not None:
            self.strayed.append(stray)
        if stray:
            self.strays += 2
            if self.strays >= 2 * _STRAYS:
                # Every second tick was missed, say: reading where ticks are due would never see the others.
                self.edges.clear()
                self.strayed.clear()
                self.tick, self.strays = None, 0
        else:
            # Reads that came late look like strays now and then.
            self.strays = max(0, self.strays - 1)
        edge = edge_between(last, read, self.tick)
        if edge is not None:
            self.edges.append(edge)
            # Working it out takes longer than a sample, and within a window it has no need to be newer.
            if self.tick is None or not self.inside:
                self.tick = self._with_strays(calibrate(self.edges, self.tick))

    def _with_strays(self, tick: Tick | None) -> Tick | None:
        """The rhythm, less regular where ticks came at other moments: reading where they are due misses those."""
        count = sum(self.strayed)
        if tick is None or count <= _MOST_STRAYS:
            return tick
        stray_s = math.sqrt(count / len(self.strayed)) * tick.period_s / 2
        return replace(tick, spread_s=max(tick.spread_s, stray_s))

    def urgency(self, turn: int) -> tuple[int, float]:
        """The least first: which of several counters to read where there is no time for all.

        Args:
            turn: 0 where it is this one's turn, if nothing else tells.
        """
        if not self.edges:
            # It may never tick, and must not keep others from being read.
            return 0 if turn == 0 else 2, turn
        if self.tick is None or self.tick.count < _SETTLED_TICKS:
            # A rhythm is learnt from ticks that follow each other.
            return 0, 0.0
        return 1, self.edges[-1].t_s

    def read_time_s(self) -> float:
        """How long a read of this counter takes; 0 before any."""
        return statistics.median(self.took_s) if self.took_s else 0.0

    def _out_of_rhythm(self, last: Read, read: Read) -> bool:
        """Whether the counter moved between two reads between which no tick was due."""
        if self.tick is None or not self.edges:
            return False
        early_s = max(_EARLY_S, 4 * self.tick.spread_s)
        period_s, seen_s = self.tick.period_s, self.edges[-1].t_s
        due = math.ceil((last.t_s - early_s - seen_s) / period_s)
        return seen_s + due * period_s > read.t_s + early_s

    def settled_after(self, t_s: float) -> bool:
        """Whether enough was seen after a moment: two ticks closely, or three, one of them closely."""
        seen = sum(1 for _ in takewhile(lambda edge: edge.t_s > t_s, reversed(self.edges)))
        if not 0 < seen < _TICKS_AFTER:
            return seen > 0
        values = {read.energy_mj for read in takewhile(lambda read: read.t_s > t_s, reversed(self.reads))}
        return len(values - {None}) > _TICKS_AFTER + 1

    def forget(self, before_s: float) -> None:
        """Drop the reads of before a moment."""
        while self.reads and self.reads[0].t_s < before_s:
            self.reads.popleft()

    def due(self, now_s: float) -> float:
        """When to read next, to see the next tick closely."""
        if self.tick is None or not self.edges:
            return now_s + _SEARCH_S
        period_s, seen_s = self.tick.period_s, self.edges[-1].t_s
        if now_s - seen_s > _RHYTHM_LASTS_TICKS * period_s:
            return now_s + _SEARCH_S
        early_s = max(_EARLY_S, 4 * self.tick.spread_s, 2 * self.edges[-1].half_width_s)
        ticks = max(1, int((now_s - seen_s + early_s) / period_s))
        next_s = seen_s + ticks * period_s
        if next_s - early_s > now_s + _DENSE_S:
            return next_s - early_s
        return now_s + _DENSE_S
