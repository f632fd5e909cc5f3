"""The two ways to measure: official repeats, and adaptive ones with the estimators that scorekit measures with."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Final

from benchmarks.cost.model import TICK_S, Machine, Noise
from scorekit import uncertainty
from scorekit.measuring.meters.counter import Read, Tick, energy_at

OFFICIAL_REPEATS: Final = 10
MOST_REPEATS: Final = 200
MIN_WINDOW_S: Final = 10.0
_RHYTHM: Final = Tick(TICK_S, 0.0002, 64)
_HALF_READ_S: Final = 0.0003
"""Where a tick is looked for, it lies this far from the reads before and after it."""


@dataclass(frozen=True, slots=True)
class Result:
    """One run.

    Attributes:
        mean_j: energy of a pass.
        half_width: of its 95 % interval, relative to the mean.
        repeats: how many were made.
        measured_s: length of all measured windows.
    """

    mean_j: float
    half_width: float
    repeats: int
    measured_s: float


def official(noise: Noise, seed: int, target: float | None = None) -> Result:
    """Ten repeats of a pass of prefill and one of generation, read as CodeCarbon does.

    The score is prefill + (generation - prefill), and so the energy of generation.

    Args:
        noise: the trace model.
        seed: of its noise.
        target: instead of ten, as many as their 95 % interval takes to have this half-width.
    """
    machine = Machine(noise, seed)
    energies: list[float] = []
    measured_s = 0.0

    def are_enough() -> bool:
        if target is None:
            return len(energies) == OFFICIAL_REPEATS
        width = uncertainty.half_width_95(energies)
        return len(energies) == MOST_REPEATS or (width is not None and width <= target * uncertainty.mean(energies))

    while not are_enough():
        if noise.prefill:
            start_s, end_s = machine.window(noise.prefill * noise.pass_s)
            measured_s += end_s - start_s
        start_s, end_s = machine.window(noise.pass_s)
        measured_s += end_s - start_s
        energies.append((machine.counter_mj(end_s) - machine.counter_mj(start_s)) / 1000)
    mean_j = uncertainty.mean(energies)
    half_width = uncertainty.half_width_95(energies)
    assert half_width is not None
    return Result(mean_j, half_width / mean_j, len(energies), measured_s)


def adaptive(noise: Noise, seed: int, target: float, min_window_s: float = MIN_WINDOW_S) -> Result:
    """Repeats of generation alone until the interval is as tight as asked for.

    Args:
        noise: the trace model.
        seed: of the same noise as the official run's.
        target: relative half-width.
        min_window_s: windows hold as many passes as this takes.
    """
    machine = Machine(noise, seed)
    reader = random.Random(f"reader {seed}")
    passes = max(1, math.ceil(min_window_s / noise.pass_s))
    energies: list[float] = []
    measured_s = 0.0
    while len(energies) < MOST_REPEATS and not uncertainty.is_tight_enough(energies, target):
        start_s, end_s = machine.window(noise.pass_s, passes)
        # The ticks after the window are waited for.
        machine.now_s += 3 * TICK_S
        measured_s += end_s - start_s
        start_mj, end_mj = _edge(machine, start_s, reader, hunted=True), _edge(machine, end_s, reader, hunted=False)
        energies.append((end_mj - start_mj) / 1000 / passes)
    mean_j = uncertainty.mean(energies)
    half_width = uncertainty.half_width_95(energies, sequential=True)
    assert half_width is not None
    return Result(mean_j, half_width / mean_j, len(energies), measured_s)


def _edge(machine: Machine, t_s: float, reader: random.Random, *, hunted: bool) -> float:
    """The energy at a window's edge, from reads as the sampler takes them, in mJ.

    Args:
        machine: what is read.
        t_s: the edge.
        reader: chance of the reads' moments.
        hunted: whether ticks before the edge are seen closely: before the start, but not within a window.
    """
    ticks = machine.ticks(t_s - 0.6, t_s + 2.9 * TICK_S)
    close = [at for at in ticks if hunted or at > t_s]
    moments = [t_s, *(at + side * _HALF_READ_S for at in close for side in (-1, 1))]
    # Ten samples a second, at whatever phase.
    moments += [t_s - TICK_S * (reader.random() + number) for number in range(6)]
    reads = [Read(at, machine.counter_mj(at)) for at in sorted(moments)]
    found = energy_at(t_s, reads, _RHYTHM)
    assert found is not None
    return found.energy_mj
