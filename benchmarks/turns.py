"""Loops that take turns with a measured pass, slice by slice, so that all meet the same disturbances."""

from __future__ import annotations

import statistics
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
        slices: what each slice of the pass took, its share of what the pass does once included.
        loops: of each loop, what each slice took.
    """

    slices: tuple[Times, ...]
    loops: Mapping[str, tuple[Times, ...]]

    def wall_ratio(self, loop: str | None = None) -> float:
        """Median over the slices of wall time, of the pass or a loop, to that of the loop named "bare"."""
        return statistics.median(ours.wall / bare.wall for ours, bare in self._pairs(loop))

    def cpu_ratio(self, loop: str | None = None) -> float:
        """The same in CPU time of the thread."""
        return statistics.median(ours.thread / bare.thread for ours, bare in self._pairs(loop))

    def wall_s(self, loop: str | None = None) -> float:
        """Wall time of the whole pass or loop, in s."""
        return sum(times.wall for times in (self.loops[loop] if loop else self.slices))

    def _pairs(self, loop: str | None) -> Iterable[tuple[Times, Times]]:
        return zip(self.loops[loop] if loop else self.slices, self.loops["bare"], strict=True)


class Turns:
    """Rows of a pass that, when the first of a slice is asked for, let the other loops do that slice.

    They do so before the pass in one slice and after it, in the opposite order, in the next. The time that this takes
    is nobody's.

    Args:
        rows: what the pass would fetch its batches of one from.
        loops: the others, by name; one is named "bare".
    """

    def __init__(self, rows: Any, loops: Mapping[str, Loop]) -> None:
        self._rows = rows
        self._loops = loops
        self._waiting = range(0)
        self._begun: tuple[float, float] | None = None
        self._slices: list[Times] = []
        self._loop_times: dict[str, list[Times]] = {name: [] for name in loops}

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, key: slice) -> Any:
        if key.start % SLICE == 0:
            self._end_slice()
            self._change(key.start)
            self._begun = time.monotonic(), time.thread_time()
        return self._rows[key]

    def around(self, measured_pass: Callable[[], tuple[float, float]]) -> Pass:
        """Run the pass, which fetches from these rows.

        Args:
            measured_pass: returns when its window began and ended, by time.monotonic().
        """
        windows: list[tuple[float, float]] = []
        whole = timed(lambda: windows.append(measured_pass()))
        (start, end), begun = windows[0], self._begun
        assert begun is not None
        wall = end - begun[0]
        # Of the last slice only the end of its wall time is known.
        self._slices.append(Times(wall, wall, 0.0))
        # The meters' threads work while the other loops run too; alone, the pass would not have needed that.
        others = whole.others - sum(times.others for all_times in self._loop_times.values() for times in all_times)
        self._run_waiting()
        # A median of slices does not see what happens once or now and then; so every slice bears its share of it.
        share = (whole.wall - (end - start) + max(0.0, others)) / len(self._slices)
        return Pass(
            tuple(Times(one.wall + share, one.thread + share, 0.0) for one in self._slices),
            {name: tuple(times) for name, times in self._loop_times.items()},
        )

    def _end_slice(self) -> None:
        if self._begun is not None:
            wall, thread = time.monotonic() - self._begun[0], time.thread_time() - self._begun[1]
            self._slices.append(Times(wall, thread, 0.0))

    def _change(self, start: int) -> None:
        self._run_waiting()
        samples = range(start, min(start + SLICE, len(self)))
        if (start // SLICE) % 2:
            self._waiting = samples
        else:
            self._run(self._loops, samples)

    def _run_waiting(self) -> None:
        if self._waiting:
            self._run(reversed(list(self._loops)), self._waiting)
            self._waiting = range(0)

    def _run(self, names: Iterable[str], samples: range) -> None:
        for name in names:
            self._loop_times[name].append(timed(partial(self._loops[name], samples)))
