"""When counters are read: densely where ticks are due around a window's edges, seldom within it; in virtual time."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest

from scorekit.measuring.meters import SAMPLING_S, PowerSample
from scorekit.measuring.meters.counter import PRECISE_S
from scorekit.measuring.meters.sampler import Sampler, Schedule, Track
from tests.unit.measuring.ticking import Clock, Gpu, Power, Rig

PATIENCE_S = 1.5
"""So long within a window ticks that do not come are looked for."""
CONSTANT = Power((0, 300))
NEVER_S = 1e9
"""Time between the ticks of a counter that stands still."""


def rig_of(*tick_s: float, power: Power = CONSTANT) -> Rig:
    clock = Clock()
    gpus = [
        Gpu(clock, power, period_s, phase_s=0.37 * period_s, uuid=f"GPU-{number}")
        for number, period_s in enumerate(tick_s)
    ]
    return Rig(clock, gpus)


def reads_between(gpu: Gpu, start_s: float, end_s: float) -> list[float]:
    return [at for at in gpu.read_at if start_s <= at <= end_s]


def test_between_windows_it_reads_where_a_tick_is_due_and_hardly_elsewhere() -> None:
    rig = rig_of(0.1)
    rig.run(4.0)
    (gpu,) = rig.gpus
    seen = reads_between(gpu, 3.0, 4.0)
    samples = [at for at in gpu.sampled_at if 3.0 <= at <= 4.0]
    dense = [at for at in seen if not any(abs(at - sample_s) < 0.0005 for sample_s in samples)]
    from_tick = [(at - 0.037 + 0.05) % 0.1 - 0.05 for at in dense]
    assert min(from_tick) > -0.008
    assert max(from_tick) < 0.003
    assert len(dense) < 10 * 12


def test_the_ticks_are_known_to_half_a_millisecond() -> None:
    rig = rig_of(0.1)
    rig.run(3.0)
    track = rig.track()
    assert track.tick is not None
    assert track.tick.period_s == pytest.approx(0.1, abs=1e-4)
    assert track.tick.count >= 20
    assert all(edge.half_width_s <= PRECISE_S / 2 for edge in track.edges)
    assert all(abs((edge.t_s - 0.037 + 0.05) % 0.1 - 0.05) <= 0.001 for edge in track.edges)


@pytest.mark.parametrize("tick_s", [0.01, 0.1, 0.5])
def test_within_a_window_it_takes_ten_reads_a_second_once_the_start_is_settled(tick_s: float) -> None:
    rig = rig_of(tick_s)
    start_s, end_s = rig.window(7.0, 17.0)
    (gpu,) = rig.gpus
    # Two ticks after the start must have been seen, and some time passes until it is noticed.
    quiet = reads_between(gpu, start_s + 3 * tick_s + 0.1, end_s - 0.001)
    assert len(quiet) == pytest.approx((end_s - start_s - 3 * tick_s) / SAMPLING_S, abs=3)
    busy = reads_between(gpu, start_s, start_s + 3 * tick_s + 0.1)
    assert len(busy) < 60


def test_after_a_window_it_looks_for_two_ticks_and_then_it_is_settled() -> None:
    rig = rig_of(0.1)
    _, end_s = rig.window(3.0, 5.0)
    assert rig.schedule.settled
    (gpu,) = rig.gpus
    # The second tick after the end, and not much later.
    assert 0.1 < rig.clock.now_s - end_s < 0.24
    assert [edge.t_s > end_s for edge in list(rig.track().edges)[-3:]] == [False, True, True]
    assert len(reads_between(gpu, end_s, rig.clock.now_s)) < 130


@pytest.mark.parametrize("ever", [False, True], ids=["from the beginning", "from the start of the window"])
def test_a_counter_that_stands_still_keeps_it_busy_for_its_patience_and_no_longer(ever: bool) -> None:
    power = Power((0, 300), (3.0, 300), (3.0, 0)) if ever else CONSTANT
    rig = rig_of(0.1 if ever else NEVER_S, power=power)
    start_s, end_s = rig.window(3.05, 13.05)
    (gpu,) = rig.gpus
    late = reads_between(gpu, start_s + PATIENCE_S + 0.1, end_s - 0.001)
    assert len(late) == pytest.approx((end_s - start_s - PATIENCE_S) / SAMPLING_S, abs=3)
    assert not rig.schedule.settled
    assert rig.energy_j(start_s, end_s) is None


def test_samples_come_ten_times_a_second_all_the_time() -> None:
    rig = rig_of(0.1)
    rig.window(2.0, 6.0)
    (gpu,) = rig.gpus
    gaps = [later - earlier for earlier, later in pairwise(gpu.sampled_at)]
    assert gaps == pytest.approx([SAMPLING_S] * len(gaps), abs=0.002)
    assert [sample.t_s for sample in rig.samples] == gpu.sampled_at
    assert {sample.power_w for sample in rig.samples} == {300}
    assert all(sample.counter_mj is not None for sample in rig.samples)
    assert rig.schedule.missed_samples == 0


def test_samples_that_came_too_late_are_missed_and_the_next_keep_their_times() -> None:
    rig = rig_of(0.1)
    rig.run(2.0)
    before = rig.samples[-1].t_s
    rig.clock.now_s = before + 0.57
    rig.run(3.0)
    assert rig.schedule.missed_samples == 4
    after = [sample.t_s for sample in rig.samples if sample.t_s > before]
    assert after[0] - before == pytest.approx(0.57, abs=0.002)
    assert after[1] - before == pytest.approx(0.6, abs=0.002)


def test_several_gpus_are_sampled_and_read_together_each_at_its_own_ticks() -> None:
    rig = rig_of(0.1, 0.13, 0.02)
    start_s, end_s = rig.window(3.0, 5.0)
    assert rig.schedule.settled
    assert {sample.device for sample in rig.samples} == {"GPU-0", "GPU-1", "GPU-2"}
    for gpu in rig.gpus:
        found = rig.energy_j(start_s, end_s, gpu)
        assert found is not None
        assert found[0] == pytest.approx(300 * (end_s - start_s), abs=1)
        tick = rig.track(gpu).tick
        assert tick is not None
        assert tick.period_s == pytest.approx(gpu.tick_s, rel=0.01)


def test_one_gpu_that_stands_still_does_not_spoil_another() -> None:
    rig = rig_of(0.1, NEVER_S)
    start_s, end_s = rig.window(3.0, 8.0)
    ticking, still = rig.gpus
    found = rig.energy_j(start_s, end_s, ticking)
    assert found is not None
    assert found[0] == pytest.approx(1500, abs=1)
    assert rig.energy_j(start_s, end_s, still) is None


def test_the_reads_of_a_window_are_kept_and_those_long_before_it_are_not() -> None:
    rig = rig_of(0.1)
    rig.window(3.0, 4.0)
    start_s, end_s = rig.window(20.0, 25.0)
    first_s = rig.track().reads[0].t_s
    assert start_s - 2.1 < first_s < start_s - 1.9
    assert rig.energy_j(start_s, end_s) is not None


def test_a_read_that_took_too_long_is_taken_again() -> None:
    clock = Clock()

    class Slow(Gpu):
        slow = 1

        def read_counter(self) -> int | None:
            if self.slow:
                self.slow -= 1
                clock.now_s += 0.02
            return super().read_counter()

    gpu = Slow(clock, CONSTANT)
    schedule = Schedule([gpu])
    schedule.open(clock)
    assert len(gpu.read_at) == 2
    assert len(schedule.tracks[gpu.uuid].reads) == 1


def test_a_read_with_an_error_is_kept_as_one() -> None:
    clock = Clock()
    gpu = Gpu(clock, CONSTANT, broken=lambda at: 2.0 <= at < 2.5)
    rig = Rig(clock, [gpu])
    rig.run(3.0)
    failed = [read.t_s for read in rig.track().reads if read.energy_mj is None]
    assert failed
    assert all(2.0 <= at < 2.51 for at in failed)


def test_nothing_is_settled_without_a_tick() -> None:
    assert not Track().settled_after(0.0)
    assert rig_of(0.1).schedule.settled, "before any window there is nothing to wait for"


class Live:
    """A counter that ticks every 20 ms of the real clock."""

    uuid = "GPU-live"

    def read_counter(self) -> int | None:
        return int(time.monotonic() / 0.02) * 1000

    def sample(self, t_s: float, counter_mj: int | None) -> PowerSample:
        return PowerSample(t_s, self.uuid, 50.0, counter_mj)


def test_a_thread_follows_the_schedule_and_ends_when_told() -> None:
    samples: list[PowerSample] = []
    sampler = Sampler(Schedule([Live()], keep=samples.append))
    try:
        assert sampler.wait_until_calibrated(30)
        assert "gpu-sampler" in {thread.name for thread in threading.enumerate()}
        start_s = sampler.open()
        time.sleep(0.4)
        end_s = sampler.close()
        assert sampler.wait_until_settled(30)
        track = sampler.snapshot()["GPU-live"]
        reads = len(track.reads)
    finally:
        sampler.stop()
    assert "gpu-sampler" not in {thread.name for thread in threading.enumerate()}
    assert len(track.reads) == reads, "a snapshot does not change"
    assert sampler.window_s == pytest.approx(end_s - start_s)
    assert 0 < sampler.cpu_s < sampler.window_s
    assert [sample.t_s for sample in samples] == sorted(sample.t_s for sample in samples)
    count = len(samples)
    time.sleep(2 * SAMPLING_S)
    assert len(samples) == count


def test_waiting_for_what_never_comes_ends_in_time() -> None:
    class Still(Live):
        def read_counter(self) -> int | None:
            return 7

    sampler = Sampler(Schedule([Still()]))
    try:
        assert not sampler.wait_until_calibrated(0.05)
        sampler.open()
        sampler.close()
        assert not sampler.wait_until_settled(0.05)
    finally:
        sampler.stop()
