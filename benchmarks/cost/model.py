"""A GPU of known, noisy power in virtual time, and its energy counter."""

from __future__ import annotations

import bisect
import math
import random
from dataclasses import dataclass, field
from typing import Final

LOAD_W: Final = 500.0
IDLE_W: Final = 100.0
TICK_S: Final = 0.1
_GAP_S: Final = (0.2, 1.0)
"""Idle time between two windows."""
_EDGE_S: Final = 0.002
"""Between a window's edge and the work in it."""
_GRAIN: Final = 4
"""Parts of a pass within which the slow noise does not change."""


@dataclass(frozen=True, slots=True)
class Noise:
    """A trace model.

    Attributes:
        what: for the table.
        pass_s: time of one pass of generation over the samples.
        prefill: time of a pass of prefill, as a share of it; the official protocol measures one before each.
        white: standard deviation of a pass's energy, drawn anew for each, relative.
        slow: standard deviation of a noise that lasts (temperature, voltage, other users of the host), relative.
        slow_s: time over which that noise forgets itself (an Ornstein-Uhlenbeck process).
    """

    what: str
    pass_s: float
    prefill: float
    white: float
    slow: float = 0.0
    slow_s: float = 300.0


class Machine:
    """A GPU that works when it is told to. The noise is a function of the seed: of each pass's number, and of time.

    Attributes:
        now_s: virtual time.
    """

    def __init__(self, noise: Noise, seed: int) -> None:
        self._noise = noise
        self._gaps = random.Random(f"gaps {seed}")
        self._white = random.Random(f"white {seed}")
        self._slow = _Slow(noise, random.Random(f"slow {seed}"))
        self._times = [0.0]
        self._joules = [0.0]
        self._powers = [IDLE_W]
        # Where the ticks lie is chance.
        self._phase_s = self._gaps.random() * TICK_S
        self.now_s = 1.0

    def window(self, work_s: float, passes: int = 1) -> tuple[float, float]:
        """Idle for a moment, then work; returns the edges of a window tightly around the work.

        Args:
            work_s: time of one pass.
            passes: how many follow on each other, each with noise of its own.
        """
        self.now_s += self._gaps.uniform(*_GAP_S)
        start_s = self.now_s
        self.now_s += _EDGE_S
        for _ in range(passes):
            factor = 1 + self._noise.white * self._white.gauss(0, 1)
            for _ in range(_GRAIN):
                self._power(LOAD_W * factor * (1 + self._slow.at(self.now_s)))
                self.now_s += work_s / _GRAIN
        self._power(IDLE_W)
        self.now_s += _EDGE_S
        return start_s, self.now_s

    def counter_mj(self, t_s: float) -> int:
        """What the energy counter says: the energy up to its last tick."""
        ticked_s = math.floor((t_s - self._phase_s) / TICK_S) * TICK_S + self._phase_s
        return int(1000 * self.energy_j(ticked_s))

    def ticks(self, start_s: float, end_s: float) -> list[float]:
        """The moments of the counter's ticks between two moments."""
        first = math.ceil((start_s - self._phase_s) / TICK_S)
        last = math.floor((end_s - self._phase_s) / TICK_S)
        return [number * TICK_S + self._phase_s for number in range(first, last + 1)]

    def energy_j(self, t_s: float) -> float:
        """The exact energy since the start."""
        number = max(0, bisect.bisect_right(self._times, t_s) - 1)
        return self._joules[number] + self._powers[number] * (t_s - self._times[number])

    def _power(self, watts: float) -> None:
        self._joules.append(self.energy_j(self.now_s))
        self._times.append(self.now_s)
        self._powers.append(watts)


@dataclass(slots=True)
class _Slow:
    """The slow noise: the same at the same time, whoever asks."""

    noise: Noise
    randomness: random.Random
    _values: list[float] = field(default_factory=list)

    def at(self, t_s: float) -> float:
        if not self.noise.slow:
            return 0.0
        step_s = self.noise.pass_s / _GRAIN
        number = int(t_s / step_s)
        kept = math.exp(-step_s / self.noise.slow_s)
        while len(self._values) <= number:
            last = self._values[-1] if self._values else None
            fresh = self.noise.slow * self.randomness.gauss(0, 1)
            self._values.append(fresh if last is None else kept * last + math.sqrt(1 - kept * kept) * fresh)
        return self._values[number]


def exact_j(noise: Noise) -> float:
    """The energy of a window of one pass without noise."""
    return LOAD_W * noise.pass_s + IDLE_W * 2 * _EDGE_S
