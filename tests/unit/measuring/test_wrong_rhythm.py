"""A rhythm that was taken wrongly, as on a busy machine, is found out by the ticks that come between."""

from __future__ import annotations

import math

import pytest

from scorekit.measuring.meters import PowerSample
from scorekit.measuring.meters.counter import Edge, Read, calibrate
from scorekit.measuring.meters.sampler import Schedule, Track


class Gpu:
    """300 W, and a counter that ticks every 100 ms."""

    uuid = "GPU-a"

    def __init__(self) -> None:
        self.now_s = 100.02

    def clock(self) -> float:
        return self.now_s

    def read_counter(self) -> int:
        self.now_s += 0.00005
        return 30_000 * math.floor(self.now_s * 10)

    def sample(self, t_s: float, counter_mj: int | None) -> PowerSample:
        return PowerSample(t_s, self.uuid, counter_mj=counter_mj)


def run(gpu: Gpu, schedule: Schedule, seconds: float) -> None:
    end_s = gpu.now_s + seconds
    while gpu.now_s < end_s:
        gpu.now_s = max(gpu.now_s, schedule.step(gpu.now_s, gpu.clock))


def test_a_rhythm_of_every_second_tick_is_given_up() -> None:
    gpu = Gpu()
    schedule = Schedule([gpu])
    track = schedule.tracks["GPU-a"]
    track.edges.extend(Edge(at, 0.0005, int(at * 300_000)) for at in (99.0, 99.2, 99.4, 99.6, 99.8, 100.0))
    track.tick = calibrate(track.edges)
    assert track.tick is not None
    assert track.tick.period_s == pytest.approx(0.2)
    run(gpu, schedule, 4)
    assert track.tick is not None
    assert track.tick.period_s == pytest.approx(0.1, rel=0.01)


def test_a_true_rhythm_stays() -> None:
    gpu = Gpu()
    schedule = Schedule([gpu])
    run(gpu, schedule, 4)
    track = schedule.tracks["GPU-a"]
    assert track.tick is not None
    assert track.tick.period_s == pytest.approx(0.1, rel=0.01)
    assert track.strays == 0
    assert len(track.edges) > 30


def test_within_a_window_the_rhythm_is_left_alone() -> None:
    track = Track()
    for number in range(20):
        track.add(Read(number / 10 - 0.0005, number))
        track.add(Read(number / 10 + 0.0005, number + 1))
    track.inside = True
    tick = track.tick
    for number in range(10):
        track.add(Read(3.02 + number / 10, 100 + 2 * number))
        track.add(Read(3.06 + number / 10, 101 + 2 * number))
    assert track.tick == tick


def test_ticks_at_other_moments_make_the_rhythm_irregular_though_they_are_not_seen_closely() -> None:
    track = Track()
    for number in range(40):
        track.add(Read(number / 10 - 0.0005, 2 * number))
        track.add(Read(number / 10 + 0.0005, 2 * number + 1))
        if number == 20:
            assert track.tick is not None
            assert track.tick.regular
        if number in {23, 28, 33}:
            # Between two reads that stand far apart: when it came is not known, only that none was due.
            track.add(Read(number / 10 + 0.02, 2 * number + 1))
            track.add(Read(number / 10 + 0.06, 2 * number + 2))
    assert track.tick is not None
    assert track.tick.period_s == pytest.approx(0.1)
    assert not track.tick.regular
