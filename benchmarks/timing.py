"""What a work takes, and works that take turns. The standard library alone: peers' environments have no more."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Took(NamedTuple):
    """What a work took, in s.

    Attributes:
        wall_s: wall time.
        cpu_s: CPU time of all threads of the process; more than 0.
    """

    wall_s: float
    cpu_s: float


def took(work: Callable[[], object], repeats: int = 1, of: int = 1) -> Took:
    """Do a work, and tell what one of the things that it is about took.

    Args:
        work: done in this process.
        repeats: how often in a row.
        of: how many things each is about.
    """
    wall_s, cpu_ns = time.perf_counter(), time.process_time_ns()
    for _ in range(repeats):
        work()
    cpu_ns, wall_s = time.process_time_ns() - cpu_ns, time.perf_counter() - wall_s
    # A clock of the process that has not moved would make no ratio.
    return Took(wall_s / (repeats * of), max(cpu_ns, 1) / 1e9 / (repeats * of))


def in_order(works: Sequence[T], turn: int) -> Sequence[T]:
    """As they are in every second turn, the first one among them; the other way round in the others.

    Who comes second finds the caches as the first left them.
    """
    return works[:: -1 if turn % 2 else 1]


def in_turns(ours: Callable[[], T], theirs: Callable[[], T], runs: int, warm_ups: int = 1) -> tuple[list[T], list[T]]:
    """Do both in turns, theirs first in every second one.

    Args:
        ours: returns what it took.
        theirs: the same of the floor or peer.
        runs: turns that count.
        warm_ups: turns before them, for nothing: files are read and modules imported then.

    Returns:
        What each returned, by turn.
    """
    taken: tuple[list[T], list[T]] = [], []
    for turn in range(warm_ups + runs):
        for into, work in in_order(((taken[1], theirs), (taken[0], ours)), turn):
            into.append(work())
    return taken[0][warm_ups:], taken[1][warm_ups:]
