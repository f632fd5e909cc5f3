"""A read of the counter during which the thread lost the processor says nothing of when it was taken."""

from __future__ import annotations

from scorekit.measure.meters import PowerSample
from scorekit.measure.meters.sampler import Schedule


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
