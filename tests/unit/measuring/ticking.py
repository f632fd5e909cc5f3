"""GPUs whose energy counters tick in virtual time, and windows read of them as the schedule takes its reads."""

from __future__ import annotations

import bisect
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from scorekit.measuring.meters import PowerSample
from scorekit.measuring.meters.counter import Estimate, energy_at, energy_between
from scorekit.measuring.meters.sampler import Schedule, Track

SETTLING_S = 1.5
"""As long as the meter waits for the ticks after a window."""


class Power:
    """A power trace, joined by lines; two points of one time are a jump.

    Args:
        points: (time [s], power [W]) in rising order; the first and the last power hold beyond them.
    """

    def __init__(self, *points: tuple[float, float]) -> None:
        self.points = points
        self._times = [at for at, _ in points]
        self._sums = [0.0]
        for (start, low), (end, high) in pairwise(points):
            self._sums.append(self._sums[-1] + (end - start) * (low + high) / 2)

    def energy_j(self, at: float) -> float:
        """Exact integral from the first point."""
        position = bisect.bisect_right(self._times, at)
        if position == 0:
            return self.points[0][1] * (at - self._times[0])
        start, low = self.points[position - 1]
        if position == len(self.points):
            return self._sums[-1] + low * (at - start)
        end, high = self.points[position]
        reached = low + (high - low) * (at - start) / (end - start)
        return self._sums[position - 1] + (at - start) * (low + reached) / 2

    def between_j(self, start: float, end: float) -> float:
        """Exact energy of a stretch of time."""
        return self.energy_j(end) - self.energy_j(start)

    def at(self, at: float) -> float:
        """Power at a moment; at a jump that of after it."""
        position = bisect.bisect_right(self._times, at)
        if position == 0:
            return self.points[0][1]
        start, low = self.points[position - 1]
        if position == len(self.points):
            return low
        end, high = self.points[position]
        return low + (high - low) * (at - start) / (end - start)

    def swing_w(self, start: float, end: float) -> float:
        """Highest power less the lowest within a stretch of time."""
        inside = [power for at, power in self.points if start <= at <= end]
        values = [*inside, self.at(start), self.at(end)]
        return max(values) - min(values)

    def highest_w(self) -> float:
        """Highest power of all."""
        return max(power for _, power in self.points)


@dataclass
class Clock:
    """A clock that a test moves; each look at it takes a little time, as a real one's does."""

    now_s: float = 0.0
    look_s: float = 10e-6

    def __call__(self) -> float:
        self.now_s += self.look_s
        return self.now_s


class Gpu:
    """A source of reads.

    Args:
        clock: of the test.
        power: its power over time.
        tick_s: time between ticks; 0 for a counter that moves all the time.
        phase_s: time of a tick.
        jitter_s: each tick comes at most so much early or late.
        seed: of the jitter.
        uuid: its name.
        broken: whether the driver answers with an error at a moment.
        ticks: moments of all ticks in rising order, in place of a period.
        read_s: time that a read takes; a sample takes four times as long.
    """

    def __init__(
        self,
        clock: Clock,
        power: Power,
        tick_s: float = 0.1,
        phase_s: float = 0.0,
        jitter_s: float = 0.0,
        seed: int = 0,
        uuid: str = "GPU-a",
        broken: Callable[[float], bool] = lambda _: False,
        ticks: Sequence[float] | None = None,
        read_s: float = 0.0,
    ) -> None:
        self.uuid = uuid
        self._ticks, self._read_s = ticks, read_s
        self.power = power
        self.tick_s = tick_s
        self._clock, self._phase_s, self._jitter_s, self._seed = clock, phase_s, jitter_s, seed
        self._broken = broken
        self.read_at: list[float] = []
        self.sampled_at: list[float] = []

    def tick_before(self, at: float) -> float:
        """Moment of the last tick."""
        if self._ticks is not None:
            return self._ticks[max(0, bisect.bisect_right(self._ticks, at) - 1)]
        if self.tick_s == 0:
            return at
        number = int((at - self._phase_s) // self.tick_s) + 1
        while (moment := self._moment(number)) > at:
            number -= 1
        return moment

    def _moment(self, number: int) -> float:
        late = 2 * random.Random(self._seed * 1_000_003 + number).random() - 1
        return self._phase_s + number * self.tick_s + self._jitter_s * late

    def read_counter(self) -> int | None:
        at = self._clock() + self._read_s / 2
        self._clock.now_s += self._read_s
        self.read_at.append(at)
        if self._broken(at):
            return None
        return int(1_000_000 + 1000 * self.power.energy_j(self.tick_before(at)))

    def sample(self, t_s: float, counter_mj: int | None) -> PowerSample:
        self.sampled_at.append(t_s)
        self._clock.now_s += 4 * self._read_s
        return PowerSample(t_s, self.uuid, self.power.at(t_s), counter_mj)


class Rig:
    """A schedule over such GPUs, driven in virtual time.

    Args:
        clock: of the test.
        gpus: the sources.
        late_s: longest time by which a wait ends late; drawn evenly.
        seed: of the lateness.
    """

    def __init__(self, clock: Clock, gpus: Sequence[Gpu], *, late_s: float = 0.0, seed: int = 0) -> None:
        self.clock = clock
        self.gpus = tuple(gpus)
        self.samples: list[PowerSample] = []
        self.schedule = Schedule(self.gpus, keep=self.samples.append)
        self.steps = 0
        self._late_s, self._random = late_s, random.Random(seed)

    def run(self, until_s: float, done: Callable[[], bool] = lambda: False) -> None:
        """Follow the schedule up to a moment, or until it is done."""
        while not done():
            next_s = max(self.schedule.step(self.clock(), self.clock), self.clock.now_s)
            next_s += self._random.random() * self._late_s
            self.steps += 1
            if next_s >= until_s:
                break
            self.clock.now_s = next_s
        self.clock.now_s = max(self.clock.now_s, until_s) if not done() else self.clock.now_s

    def window(self, start_s: float, end_s: float) -> tuple[float, float]:
        """Run up to a window, through it, and until the ticks after it were seen; its true start and end."""
        self.run(start_s)
        opened_s = self.schedule.open(self.clock)
        self.run(end_s)
        closed_s = self.schedule.close(self.clock)
        self.run(closed_s + SETTLING_S, lambda: self.schedule.settled)
        return opened_s, closed_s

    def track(self, gpu: Gpu | None = None) -> Track:
        """What was read of a GPU."""
        return self.schedule.tracks[(gpu or self.gpus[0]).uuid]

    def estimate(self, at: float, gpu: Gpu | None = None) -> Estimate | None:
        """The energy at a moment from the reads of a GPU."""
        track = self.track(gpu)
        return energy_at(at, list(track.reads), track.tick)

    def energy_j(self, start_s: float, end_s: float, gpu: Gpu | None = None) -> tuple[float, float] | None:
        """Energy of a window and its standard uncertainty; None where it cannot be told."""
        start, end = self.estimate(start_s, gpu), self.estimate(end_s, gpu)
        if start is None or end is None:
            return None
        energy_mj, standard_mj = energy_between(start, end)
        return energy_mj / 1000, standard_mj / 1000


def rig_of(power: Power, tick_s: float, phase: float, *, jitter_s: float = 0.0, seed: int = 0) -> Rig:
    """One GPU at a clock of its own."""
    clock = Clock()
    return Rig(clock, [Gpu(clock, power, tick_s, phase * tick_s, jitter_s, seed)], seed=seed)
