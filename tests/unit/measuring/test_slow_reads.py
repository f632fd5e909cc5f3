"""A read of the counter during which the thread lost the processor says nothing of when it was taken."""

from __future__ import annotations

import functools
import random

import pytest

from scorekit.measuring.meters import PowerSample
from scorekit.measuring.meters.sampler import Schedule
from tests.unit.measuring import ticking
from tests.unit.measuring.ticking import Clock, Power, Rig


class Gpu:
    """Its reads take as long as they are told to, and give how many there were."""

    uuid = "GPU-a"

    def __init__(self, *durations_s: float) -> None:
        self.now_s = 10.0
        self.durations_s = list(durations_s)
        self.reads = 0

    def clock(self) -> float:
        return self.now_s

    def read_counter(self) -> int:
        self.reads += 1
        self.now_s += self.durations_s.pop(0) if self.durations_s else 0.0001
        return self.reads

    def sample(self, t_s: float, counter_mj: int | None) -> PowerSample:
        return PowerSample(t_s, self.uuid, counter_mj=counter_mj)


def test_a_read_that_took_long_is_taken_again() -> None:
    gpu = Gpu(0.04, 0.0002)
    schedule = Schedule([gpu])
    schedule.close(gpu.clock)
    (read,) = schedule.tracks["GPU-a"].reads
    assert read.energy_mj == 2
    assert abs(read.t_s - 10.0401) < 1e-9


def test_a_driver_that_is_always_slow_is_not_asked_for_ever() -> None:
    gpu = Gpu(*[0.01] * 50)
    schedule = Schedule([gpu])
    schedule.close(gpu.clock)
    assert gpu.reads == 3
    assert len(schedule.tracks["GPU-a"].reads) == 1


def test_a_driver_that_is_always_slow_is_known_to_be_so() -> None:
    gpu = Gpu(*[0.004] * 50)
    schedule = Schedule([gpu])
    for _ in range(10):
        schedule.close(gpu.clock)
    assert gpu.reads == 3 + 9
    gpu.durations_s = [0.04, 0.004]
    schedule.close(gpu.clock)
    assert gpu.reads == 14, "a read that took far longer than the others is taken again all the same"


@functools.cache
def windows(gpus: int, read_s: float) -> list[tuple[tuple[float, float] | None, float]]:
    """Energies with their uncertainties, and the true energies [J], of some windows on GPUs with a slow driver."""
    found = []
    for seed in range(4):
        draw = random.Random(seed)
        start_s = 4.0 + draw.random()
        power = Power((start_s, 100), (start_s, 300), (start_s + 5, 300), (start_s + 5, 100))
        clock = Clock()
        # All tick at nearly the same time in every second run: that is where they are in each other's way.
        rig = Rig(
            clock,
            [
                ticking.Gpu(
                    clock,
                    power,
                    phase_s=0.05 + draw.uniform(0, 0.1 if seed % 2 else 0.003),
                    jitter_s=0.001,
                    seed=8 * seed + number,
                    uuid=f"GPU-{number}",
                    read_s=read_s,
                )
                for number in range(gpus)
            ],
            late_s=0.0005,
            seed=seed,
        )
        opened_s, closed_s = rig.window(start_s, start_s + 5)
        found += [(rig.energy_j(opened_s, closed_s, gpu), power.between_j(opened_s, closed_s)) for gpu in rig.gpus]
    return found


@pytest.mark.parametrize(("gpus", "read_s"), [(1, 0.001), (1, 0.004), (2, 0.001), (4, 0.002), (8, 0.0005), (8, 0.001)])
def test_slow_reads_cost_accuracy_and_no_window(gpus: int, read_s: float) -> None:
    errors = []
    covered = 0
    for energy, true_j in windows(gpus, read_s):
        assert energy is not None
        errors.append(abs(energy[0] - true_j) / true_j)
        covered += abs(energy[0] - true_j) <= 2 * energy[1]
    assert max(errors) < 0.01
    assert sorted(errors)[len(errors) // 2] < 0.002
    assert covered / len(errors) >= 0.95


def test_gpus_that_tick_together_are_each_read_closely_by_turns() -> None:
    clock = Clock()
    gpus = [ticking.Gpu(clock, Power((0, 300)), uuid=f"GPU-{number}", read_s=0.003) for number in range(6)]
    rig = Rig(clock, gpus, late_s=0.0005)
    # So long that the ticks which followed each other at the beginning are forgotten.
    rig.run(40.0)
    for gpu in gpus:
        track = rig.track(gpu)
        assert track.tick is not None
        assert track.tick.period_s == pytest.approx(0.1, rel=0.05)
        assert clock.now_s - track.edges[-1].t_s < 1.0
