"""Two works in turn, in CPU time, and whether their ratio is far from the stored one: pure but for the clock."""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from benchmarks.timing import in_order

LIMIT: Final = 1.5
"""How many times the stored ratio is a regression."""
TURNS: Final = 5
"""Turns of each pair, if what they find is clearly within the limit."""
CLEAR: Final = 1.25
"""Up to so many times the stored ratio is clear."""
SURE_TURNS: Final = 15
"""What is not clear, but within the limit, is believed after so many turns."""
MOST_TURNS: Final = 40
"""A ratio beyond the limit is a regression only when it stays there through so many turns."""

Work = Callable[[], object]
CpuS = Callable[[Work], float]
"""Does a work and tells what CPU time it took, s."""


def of_this_process(work: Work) -> float:
    """CPU time of all threads of this process, s. The collector does not run within."""
    gc.collect()
    gc.disable()
    try:
        begun = time.process_time()
        work()
        return time.process_time() - begun
    finally:
        gc.enable()


def of_children(work: Work) -> float:
    """CPU time of the processes that the work starts and waits for, s."""
    # os.times() counts hundredths of a second.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@dataclass(frozen=True, slots=True)
class Pair:
    """A work of ours beside a floor.

    Attributes:
        key: in the file of stored ratios.
        what: the work.
        reference: the floor.
        ours: done once a turn.
        floor: the same; both take some tens of milliseconds, which the clock's grain does not blur.
        cpu_s: the clock.
    """

    key: str
    what: str
    reference: str
    ours: Work
    floor: Work
    cpu_s: CpuS = of_this_process


@dataclass(frozen=True, slots=True)
class Count:
    """A number of ours beside a number of a floor, the same each time: bytes, modules.

    Attributes:
        value: ours, and the floor's.
    """

    key: str
    what: str
    reference: str
    value: Callable[[], tuple[float, float]]


@dataclass(slots=True)
class Turns:
    """What both took so far, s.

    Other programs only ever add to what a work takes, in caches and in pages that have to be found again; so the least
    of many turns comes near to what it takes by itself, and the ratio of the least stays the same on a busy machine.
    """

    ours: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)

    def take(self, pair: Pair, count: int) -> None:
        """So many turns more; each is first in every second one."""
        for _ in range(count):
            for into, work in in_order(((self.floor, pair.floor), (self.ours, pair.ours)), len(self.ours)):
                into.append(pair.cpu_s(work))

    @property
    def ratio(self) -> float:
        """Of the least of ours to the least of the floor's."""
        return min(self.ours) / min(self.floor)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one row.

    Attributes:
        ratio: of ours to the floor.
        stored: the ratio that it is held to; None where there is none.
        turns: how many it took.
        ours_s: the least that ours took, s; None for a count.
    """

    key: str
    what: str
    reference: str
    ratio: float
    stored: float | None
    turns: int
    ours_s: float | None = None

    @property
    def times_stored(self) -> float | None:
        """How many times the stored ratio it is."""
        return None if self.stored is None else self.ratio / self.stored

    @property
    def fault(self) -> str | None:
        """What is wrong; None where nothing is."""
        if self.times_stored is None:
            return f"{self.key} has no stored ratio: python -m benchmarks.guard --store"
        if self.times_stored > LIMIT:
            how = "as much as" if self.ours_s is None else "as slow as"
            return f"{self.key}: {self.what} is {self.times_stored:.2f} x {how} stored, beside {self.reference}"
        return None


def judge(row: Pair | Count, stored: float | None, turns: int = TURNS, most: int = MOST_TURNS) -> Found:
    """Hold a row to its stored ratio; more turns are taken until it is within the limit, or `most` are done.

    Few turns may find the floor disturbed and ours not, which would hide a regression: so they are believed only where
    they are clear.
    """
    if isinstance(row, Count):
        ours, floor = row.value()
        return Found(row.key, row.what, row.reference, ours / floor, stored, 1)
    taken = Turns()
    # The first of each is for nothing: what is made once a process is made then.
    row.ours()
    row.floor()
    while True:
        taken.take(row, turns)
        found = Found(row.key, row.what, row.reference, taken.ratio, stored, len(taken.ours), min(taken.ours))
        clear = found.times_stored is None or found.times_stored <= CLEAR
        sure = found.turns >= SURE_TURNS and found.fault is None
        if clear or sure or found.turns >= most:
            return found
