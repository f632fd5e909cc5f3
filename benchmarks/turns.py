"""Loops that take turns with a measured pass, slice by slice, so that all meet the same disturbances."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

SLICE: Final = 2
"""Samples a slice: few, so that a pair of slices is close in time; not one, so that half of the samples come after
one of their own loop and find the caches as that left them."""

Loop = Callable[[range], None]
"""Does the samples of these numbers."""


@dataclass(frozen=True, slots=True)
class Times:
    """What a piece of work took, in s.

    Attributes:
        wall: wall time.
        thread: CPU time of this thread.
        others: CPU time of all other threads of this process meanwhile.
    """

    wall: float
    thread: float
    others: float


def timed(work: Callable[[], None]) -> Times:
    """Do `work` and say what it took."""
    wall, thread, process = time.monotonic(), time.thread_time(), time.process_time()
    work()
    wall, thread, process = time.monotonic() - wall, time.thread_time() - thread, time.process_time() - process
    return Times(wall, thread, max(0.0, process - thread))


@dataclass(frozen=True, slots=True)
class Pass:
    """One measured pass and the loops that took turns with it.

    Attributes:
        pass_s: wall time of each slice of the pass, with its share of what the pass does once.
        loops_s: of each loop, the wall time of each slice.
        cpu_ratio: CPU time of the pass, meters included, to that of the loop named "bare".
    """

    pass_s: tuple[float, ...]
    loops_s: Mapping[str, tuple[float, ...]]
    cpu_ratio: float


class Turns:
    """Rows of a pass that, when the first of a slice is asked for, let the other loops do that slice.

    They do so before the pass in one slice and after it, in the opposite order, in the next.

    Args:
        rows: what the pass would fetch its batches of one from.
        loops: the others, by name; one is named "bare".
    """

    def __init__(self, rows: Any, loops: Mapping[str, Loop]) -> None:
        self._rows = rows
        self._loops = loops
        self._waiting = range(0)
        self._slice_begun = 0.0
        self._pass_s: list[float] = []
        self._loops_s: dict[str, list[float]] = {name: [] for name in loops}
        self._thread = dict.fromkeys(loops, 0.0)
        self._others = 0.0

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, key: slice) -> Any:
        number, within = divmod(key.start, SLICE)
        if within == 0:
            self._end_slice(time.monotonic())
            self._run_waiting()
            samples = range(key.start, min(key.start + SLICE, len(self)))
            if number % 2:
                self._waiting = samples
            else:
                self._run(self._loops, samples)
            self._slice_begun = time.monotonic()
        return self._rows[key]

    def around(self, measured_pass: Callable[[], float]) -> Pass:
        """Run the pass, which fetches from these rows, and take the loops' share off its times.

        Args:
            measured_pass: returns when the last sample was done, by time.monotonic().
        """
        ends: list[float] = []
        whole = timed(lambda: ends.append(measured_pass()))
        self._end_slice(ends[0])
        # The meters' threads work while the other loops run too; alone, the pass would not have needed that.
        others = whole.others - self._others
        once = whole.wall - sum(self._pass_s) - sum(map(sum, self._loops_s.values()))
        thread = whole.thread - sum(self._thread.values())
        self._run_waiting()
        # A median of slices does not see what happens now and then; so every slice bears its share of it.
        share = (once + others) / len(self._pass_s)
        return Pass(
            tuple(value + share for value in self._pass_s),
            {name: tuple(values) for name, values in self._loops_s.items()},
            (thread + others) / self._thread["bare"],
        )

    def _end_slice(self, now: float) -> None:
        if self._slice_begun:
            self._pass_s.append(now - self._slice_begun)

    def _run_waiting(self) -> None:
        if self._waiting:
            self._run(reversed(list(self._loops)), self._waiting)
            self._waiting = range(0)

    def _run(self, names: Iterable[str], samples: range) -> None:
        for name in names:
            took = timed(partial(self._loops[name], samples))
            self._loops_s[name].append(took.wall)
            self._thread[name] += took.thread
            self._others += took.others
