"""When the counters and the power of GPUs are read: often around the edges of a window, seldom within it.

A thread samples every GPU ten times a second. Around the edges of a window it also looks for ticks of the energy
counter: from the moment at which the next one is due it reads every millisecond until it has come. Within a window
it does not, so that measuring takes next to nothing from what is measured; between windows it always does, so that the
rhythm stays known.

`Schedule` decides and holds what was read; it knows no thread and no clock, so a test can drive it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from scorekit.measuring.meters import SAMPLING_S, PowerSample
from scorekit.measuring.meters.rhythm import Read
from scorekit.measuring.meters.track import Track

_SLOW_READ_S: Final = 0.002
_SLOW_READ: Final = 2.5
_READ_TRIES: Final = 3
"""A read that takes longer than this, and so many times as long as the GPU's reads do, is taken again, so many times at
most: its moment is not known well enough."""
_ROUND_S: Final = 0.008
"""Of several GPUs whose ticks are due, as many are read by turns as can be in this time; the others later."""
_TURN_S: Final = 0.6
"""So long it is one's turn of those that were never seen to tick: the slowest known counter ticks every 500 ms."""
_PATIENCE_S: Final = 1.5
"""So long after the start of a window its ticks are looked for: three times the slowest known tick."""
_KEPT_S: Final = 2.0
"""Reads that are kept from before a window."""


class GpuSource(Protocol):
    """One GPU, read through its driver. Both functions answer None for what the driver does not tell."""

    @property
    def uuid(self) -> str:
        """Which GPU."""

    def read_counter(self) -> int | None:
        """The energy counter [mJ]."""

    def sample(self, t_s: float, counter_mj: int | None) -> PowerSample:
        """Power, clocks, temperature and throttle reasons."""


class Schedule:
    """Which reads are due when, and what they gave.

    Args:
        sources: the GPUs.
        period_s: time between samples.
        keep: given every sample.
    """

    def __init__(
        self,
        sources: Sequence[GpuSource],
        period_s: float = SAMPLING_S,
        keep: Callable[[PowerSample], None] | None = None,
    ) -> None:
        self._sources = tuple(sources)
        self._period_s = period_s
        self._keep = keep or (lambda _sample: None)
        self.tracks = {source.uuid: Track() for source in sources}
        self._quiet = tuple((source, self.tracks[source.uuid], self._keep) for source in sources)
        self._edge_s: float | None = None
        self._settled = True
        self._inside = False
        self._next_sample_s = float("-inf")
        self._waiting: deque[GpuSource] = deque()
        self.missed_samples = 0

    def step(self, now_s: float, clock: Callable[[], float] = time.monotonic) -> float:
        """Read what is due.

        Args:
            now_s: the present moment.
            clock: looked at right before and after each read.

        Returns:
            The moment of the next step.
        """
        if self._inside and self._settled and not self._waiting:
            return self._sample_quietly(now_s, clock)
        if now_s >= self._next_sample_s:
            self._waiting.extend(source for source in self._sources if source not in self._waiting)
            self._plan(now_s)
        if self._waiting:
            # One after the other, and the ticks in between: a sample takes several times as long as a read.
            source = self._waiting.popleft()
            read = self._read(source, clock)
            self._keep(source.sample(read.t_s, read.energy_mj))
        next_s = now_s if self._waiting else self._next_sample_s
        if self._hunting(now_s):
            self._hunt(now_s, clock)
            return min(next_s, *(track.next_s for track in self.tracks.values()))
        return next_s

    def _hunt(self, now_s: float, clock: Callable[[], float]) -> None:
        """Read the counters that are due to tick; where reads take long, some of them and the others later."""
        due = [(track, source, own) for own, (source, track, _) in enumerate(self._quiet) if now_s >= track.next_s]
        if len(due) > 1:
            turn, count = int(now_s / _TURN_S), len(self._sources)
            due.sort(key=lambda entry: entry[0].urgency((entry[2] - turn) % count))
        round_s = 0.0
        for number, (track, source, _) in enumerate(due):
            round_s += track.read_time_s()
            if number > 1 and round_s > _ROUND_S:
                break
            self._read(source, clock)
            track.next_s = track.due(now_s)

    def _sample_quietly(self, now_s: float, clock: Callable[[], float]) -> float:
        """Sample within a window, with as few steps as can be: a thread that wakes up finds no step in the caches."""
        if now_s >= self._next_sample_s:
            for source, track, keep in self._quiet:
                before_s = clock()
                energy_mj = source.read_counter()
                after_s = clock()
                read_s = (before_s + after_s) / 2
                track.last = read = Read(read_s, energy_mj, after_s - before_s)
                track.reads.append(read)
                keep(source.sample(read_s, energy_mj))
            self._plan(now_s)
        return self._next_sample_s

    def _plan(self, now_s: float) -> None:
        """Set the time of the next sample; count those that should have been taken meanwhile."""
        due_s = self._next_sample_s if self._next_sample_s > 0 else now_s
        behind = int((now_s - due_s) / self._period_s)
        self.missed_samples += behind
        self._next_sample_s = due_s + (behind + 1) * self._period_s

    def _hunting(self, now_s: float) -> bool:
        """Whether ticks are being looked for: always between windows, within one only until its start is settled."""
        if not self._inside or self._edge_s is None:
            return True
        # A counter that does not tick must not keep the thread busy for the whole window.
        return not self.settled and now_s - self._edge_s < _PATIENCE_S

    @property
    def settled(self) -> bool:
        """Whether enough ticks were seen after the last edge of a window."""
        # Kept, because within a long window it would be asked again at every sample.
        if not self._settled and self._edge_s is not None:
            self._settled = all(track.settled_after(self._edge_s) for track in self.tracks.values())
        return self._settled

    def open(self, clock: Callable[[], float] = time.monotonic) -> float:
        """A window begins; returns the moment."""
        for source in self._sources:
            self._read(source, clock)
        now_s = clock()
        for track in self.tracks.values():
            track.forget(now_s - _KEPT_S)
            track.inside, track.next_s = True, now_s
        self._edge_s, self._settled, self._inside = now_s, False, True
        return now_s

    def close(self, clock: Callable[[], float] = time.monotonic) -> float:
        """A window ends; returns the moment."""
        now_s = clock()
        for source in self._sources:
            self._read(source, clock)
        for track in self.tracks.values():
            track.inside, track.next_s = False, now_s
        self._edge_s, self._settled, self._inside = now_s, False, False
        return now_s

    def _read(self, source: GpuSource, clock: Callable[[], float]) -> Read:
        track = self.tracks[source.uuid]
        slow_s = max(_SLOW_READ_S, _SLOW_READ * track.read_time_s())
        for _ in range(_READ_TRIES):
            before_s = clock()
            energy_mj = source.read_counter()
            after_s = clock()
            track.took_s.append(after_s - before_s)
            if after_s - before_s <= slow_s:
                break
            # The thread lost the processor meanwhile: nobody knows when in this time the counter was looked at.
        read = Read((before_s + after_s) / 2, energy_mj, after_s - before_s)
        track.add(read)
        return read


class Sampler:
    """A thread that follows a schedule.

    It is never woken: within a window that would cost more than the sampling. Whoever waits for a tick looks for it
    himself meanwhile.

    Attributes:
        cpu_s: CPU time that the thread has used within windows.
        window_s: time spent within windows.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._lock = threading.Lock()
        self._ended = False
        self.cpu_s = 0.0
        self.window_s = 0.0
        self._opened_s = self._opened_cpu_s = 0.0
        self._thread = threading.Thread(target=self._run, name="gpu-sampler", daemon=True)
        self._thread.start()
        assert self._thread.ident is not None
        self._cpu_clock = time.pthread_getcpuclockid(self._thread.ident)

    def open(self) -> float:
        """A window begins; returns the moment on the monotonic clock."""
        with self._lock:
            self._opened_cpu_s = time.clock_gettime(self._cpu_clock)
            self._opened_s = self._schedule.open()
            return self._opened_s

    def close(self) -> float:
        """A window ends; returns the moment."""
        with self._lock:
            closed_s = self._schedule.close()
            self.cpu_s += time.clock_gettime(self._cpu_clock) - self._opened_cpu_s
        self.window_s += closed_s - self._opened_s
        return closed_s

    def wait_until_calibrated(self, timeout_s: float, ticks: int = 5) -> bool:
        """Wait until every counter's rhythm is known; False when it is not in time."""

        def known() -> bool:
            rhythms = [track.tick for track in self._schedule.tracks.values()]
            return all(tick is not None and tick.count >= ticks for tick in rhythms)

        return self._look(known, timeout_s)

    def wait_for_tick(self, timeout_s: float, just_now_s: float = 0.0) -> bool:
        """Wait until the first GPU's counter ticks, seen closely; False when it does not in time.

        A window that begins right after a tick begins where the counter's value is the energy, whatever the load does.

        Args:
            timeout_s: longest wait.
            just_now_s: a tick that came so shortly before is waited for no more.
        """
        track = next(iter(self._schedule.tracks.values()))
        since_s = time.monotonic() - just_now_s
        return self._look(lambda: bool(track.edges) and track.edges[-1].t_s > since_s, timeout_s)

    def wait_until_settled(self, timeout_s: float) -> bool:
        """Wait until the ticks after a window's edge were seen; False when they did not come in time."""
        return self._look(lambda: self._schedule.settled, timeout_s)

    def _look(self, done: Callable[[], bool], timeout_s: float) -> bool:
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            with self._lock:
                if done():
                    return True
                next_s = self._schedule.step(time.monotonic())
            time.sleep(max(0.0, min(next_s, deadline_s) - time.monotonic()))
        return False

    def snapshot(self) -> dict[str, Track]:
        """The reads as they are now, safe to look at while the thread goes on."""
        with self._lock:
            return {
                uuid: Track(deque(track.reads), deque(track.edges), track.tick, track.last)
                for uuid, track in self._schedule.tracks.items()
            }

    def stop(self) -> None:
        """End the thread, within a sampling period."""
        self._ended = True
        self._thread.join()

    def _run(self) -> None:
        lock, step, clock, sleep = self._lock, self._schedule.step, time.monotonic, time.sleep
        while not self._ended:
            with lock:
                next_s = step(clock())
            left_s = next_s - clock()
            if left_s > 0:
                sleep(left_s)
