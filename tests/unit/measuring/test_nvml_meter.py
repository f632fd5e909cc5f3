"""The NVML meter under a fake driver: true energies, and a named problem for every way in which there can be none."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scorekit.errors import HardwareError, ScorekitError, UsageError
from scorekit.measuring import meters
from scorekit.measuring.meters import MeterDevice, MeterRequest
from scorekit.records import MeterReading
from tests.fake_nvml import FakeNvml

pynvml = pytest.importorskip("pynvml")

THREAD = "gpu-sampler"
NOT_SUPPORTED, NO_PERMISSION, NOT_LOADED, NO_LIBRARY, LOST, UNKNOWN = 3, 4, 9, 12, 15, 999
MOST_TRIES = 5
LATE_S = 0.03
"""On a busy machine so much time may pass from one line to the next."""


@pytest.fixture
def fake(fake_nvml_here: FakeNvml) -> Iterator[FakeNvml]:
    yield fake_nvml_here
    assert fake_nvml_here.setter_calls() == []
    assert THREAD not in {thread.name for thread in threading.enumerate()}


def make(fake: FakeNvml, *gpu_ids: str) -> meters.Meter:
    (meter,) = meters.start(["nvml"], MeterRequest(gpu_ids or (fake.uuid(0),), "USA", Path("unused")))
    return meter


@pytest.fixture
def meter(fake: FakeNvml) -> Iterator[meters.Meter]:
    made = make(fake)
    yield made
    made.stop()


@dataclass(frozen=True)
class Measured:
    """A window.

    Attributes:
        readings: of the meter.
        opened: times right before and right after the window was opened.
        closed: the same of its end.
    """

    readings: tuple[MeterReading, ...]
    opened: tuple[float, float]
    closed: tuple[float, float]

    def assert_true(self, fake: FakeNvml, gpu: int = 0) -> None:
        """The energy is that of the GPU within the stated uncertainty, or 2 %."""
        reading = next(reading for reading in self.readings if reading.device == fake.uuid(gpu))
        assert reading.problem is None, reading.problem
        assert reading.energy_wh is not None
        assert reading.standard_uncertainty_wh is not None
        least = fake.energy_wh(gpu, self.opened[1], self.closed[0])
        # Opening waits for a tick, and the window begins at its end.
        most = fake.energy_wh(gpu, max(self.opened[0], self.opened[1] - LATE_S), self.closed[1])
        room = max(3 * reading.standard_uncertainty_wh, 0.02 * most)
        assert least - room <= reading.energy_wh <= most + room, reading


def window(meter: meters.Meter, seconds: float) -> Measured:
    before_open = time.monotonic()
    meter.open("window")
    opened = before_open, time.monotonic()
    time.sleep(seconds)
    before_close = time.monotonic()
    meter.close()
    closed = before_close, time.monotonic()
    return Measured(meter.readings(), opened, closed)


def whole_window(meter: meters.Meter, seconds: float) -> Measured:
    """A window in which the ticks were seen: on a busy machine they may be missed, and then there is no number."""
    for _ in range(MOST_TRIES):
        found = window(meter, seconds)
        if all(reading.energy_wh is not None for reading in found.readings):
            break
    return found


@pytest.mark.parametrize("tick_ms", [20, 100, 0])
def test_constant_power(fake: FakeNvml, tick_ms: int) -> None:
    fake.set(tick_ms=tick_ms, tick_phase_ms=7, power_w=310)
    meter = make(fake)
    try:
        found = whole_window(meter, 0.5)
    finally:
        meter.stop()
    found.assert_true(fake)
    (reading,) = found.readings
    assert (reading.meter, reading.component, reading.origin, reading.source) == (
        "nvml", "gpu", "measured", "nvml_counter",
    )  # fmt: skip
    counter = reading.counter
    assert counter is not None
    assert counter.tick_s == pytest.approx(tick_ms / 1000, rel=0.1) or not tick_ms
    assert counter.ticks_seen >= 5
    assert counter.reads >= 4
    assert (counter.failed_reads, counter.decreased) == (0, False)
    start_s, end_s = found.opened[1], found.closed[0]
    # The edges lie within the calls that open and close; what is read while such a call comes back is past its edge.
    ((before_start_s, _),), ((before_end_s, _),) = counter.before_start, counter.before_end
    assert before_start_s <= found.opened[1]
    assert before_end_s <= found.closed[1]
    assert found.opened[0] < counter.after_start[0][0] > before_start_s
    assert found.closed[0] < counter.after_end[-1][0] > before_end_s
    assert 0 < counter.longest_gap_s <= end_s - start_s + 0.1
    assert counter.longest_still_s < 1


def test_a_load_that_begins_and_ends_with_the_window(fake: FakeNvml) -> None:
    # The counter is the integral of the whole trace: what was before must stay.
    points = [(0.0, 90.0)]
    fake.set(power_w=points)
    meter = make(fake)
    try:
        for _ in range(MOST_TRIES):
            start = fake.now() + 0.3
            points += [(start, 90), (start, 500), (start + 1, 500), (start + 1, 90)]
            fake.set(power_w=points)
            time.sleep(max(0, fake.t0 + start - time.monotonic()))
            found = window(meter, max(0, fake.t0 + start + 1 - time.monotonic()))
            if found.readings[0].energy_wh is not None:
                break
    finally:
        meter.stop()
    # A machine that wakes up late measures some rest beside the load; it is counted, too.
    found.assert_true(fake)


def keep_pythons_lock(seconds: float) -> None:
    """As a call of a library does that computes without letting other threads run."""
    ctypes.PyDLL(None).usleep(int(1e6 * seconds))


@pytest.mark.parametrize("edge", ["start", "end"])
def test_a_call_that_keeps_pythons_lock_at_an_edge_costs_no_window(
    fake: FakeNvml, meter: meters.Meter, edge: str
) -> None:
    for _ in range(MOST_TRIES):
        before_open = time.monotonic()
        meter.open("window")
        opened = before_open, time.monotonic()
        if edge == "start":
            keep_pythons_lock(0.6)
        time.sleep(0.6)
        before_close = time.monotonic()
        meter.close()
        closed = before_close, time.monotonic()
        if edge == "end":
            keep_pythons_lock(0.6)
        found = Measured(meter.readings(), opened, closed)
        counter = found.readings[0].counter
        if found.readings[0].energy_wh is not None:
            break
    found.assert_true(fake)
    assert counter is not None
    assert (counter.after_start if edge == "start" else counter.after_end) == ()


def test_one_window_after_the_other_on_a_ramp(fake: FakeNvml) -> None:
    fake.set(power_w=[(0, 100), (60, 700)])
    meter = make(fake)
    try:
        for _ in range(3):
            whole_window(meter, 0.3).assert_true(fake)
    finally:
        meter.stop()


def test_only_the_gpus_in_use_are_read_and_named_by_uuid(fake: FakeNvml) -> None:
    fake.set(gpus=8, power_w=650)
    fake.set(5, power_w=120)
    meter = make(fake, fake.uuid(5))
    try:
        assert meter.devices() == (MeterDevice("gpu", fake.uuid(5)),)
        found = whole_window(meter, 0.4)
        assert [reading.device for reading in found.readings] == [fake.uuid(5)]
        found.assert_true(fake, 5)
        assert {sample.device for sample in meter.trace()} == {fake.uuid(5)}
    finally:
        meter.stop()


def test_two_gpus_each_have_their_own_energy(fake: FakeNvml) -> None:
    fake.set(gpus=2)
    fake.set(0, power_w=100, tick_phase_ms=10)
    fake.set(1, power_w=600, tick_phase_ms=65, tick_ms=80)
    # An index is taken too, and the name is the UUID all the same.
    meter = make(fake, fake.uuid(1), "0")
    try:
        assert [device.device for device in meter.devices()] == [fake.uuid(1), fake.uuid(0)]
        found = whole_window(meter, 0.5)
    finally:
        meter.stop()
    found.assert_true(fake, 0)
    found.assert_true(fake, 1)


def problem_of(found: Measured) -> str:
    (reading,) = found.readings
    assert reading.energy_wh is None
    assert reading.standard_uncertainty_wh is None
    assert reading.counter is not None, "how it was read is told all the same"
    return reading.problem or ""


def test_a_counter_that_is_reset_in_the_window(fake: FakeNvml, meter: meters.Meter) -> None:
    fake.set(reset_at_s=fake.now() + 0.2)
    found = window(meter, 0.6)
    assert "went backwards" in problem_of(found)
    assert found.readings[0].counter.decreased
    # The next one is whole again, with the counter from 0.
    whole_window(meter, 0.3).assert_true(fake)


def test_a_counter_that_was_reset_between_windows_harms_none(fake: FakeNvml, meter: meters.Meter) -> None:
    whole_window(meter, 0.3).assert_true(fake)
    fake.set(reset_at_s=fake.now() + 0.1)
    time.sleep(0.3)
    whole_window(meter, 0.3).assert_true(fake)


def test_a_counter_that_wraps_is_a_named_failure(fake: FakeNvml, meter: meters.Meter) -> None:
    handle = pynvml.nvmlDeviceGetHandleByIndex(0)
    fake.set(wrap_mj=pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) + 300 * 1000 * 0.3)
    assert "went backwards" in problem_of(window(meter, 0.6))


def test_a_counter_that_freezes(fake: FakeNvml, meter: meters.Meter) -> None:
    for _ in range(MOST_TRIES):
        fake.set(freeze_at_s=fake.now() + 0.2)
        told = problem_of(window(meter, 1.6))
        if "stood still for" in told:
            return
        # A machine that stood still itself in the meantime has seen no more than that it did not tick at the end.
        assert "not seen to tick around the end" in told
        fake.set(freeze_at_s=float("inf"))
        time.sleep(0.5)
    pytest.fail(told)


def test_a_counter_that_never_ticked(fake: FakeNvml) -> None:
    fake.set(freeze_at_s=0)
    meter = make(fake)
    try:
        found = window(meter, 0.3)
    finally:
        meter.stop()
    assert "not seen to tick around the start" in problem_of(found)
    assert found.readings[0].counter.tick_s is None


def test_a_driver_that_answers_nothing_for_the_whole_window(fake: FakeNvml, meter: meters.Meter) -> None:
    fake.set(errors=f"energy:{UNKNOWN}")
    # A read of right before the window counts as one of its start.
    time.sleep(0.05)
    told = problem_of(window(meter, 0.3))
    assert "every read of the energy counter with an error" in told
    assert "Unknown" in told


@pytest.mark.parametrize(("edge", "start_s", "end_s"), [("start", -0.6, 1.2), ("end", 1.0, 9.0)])
def test_errors_at_an_edge(fake: FakeNvml, meter: meters.Meter, edge: str, start_s: float, end_s: float) -> None:
    # A window waits up to 0.6 s for a tick before it begins.
    now = fake.now() + max(0.0, -start_s)
    fake.set(errors=f"energy:{LOST}@{now + start_s}..{now + end_s}")
    time.sleep(max(0.0, -start_s))
    told = problem_of(window(meter, 1.0))
    assert f"not seen to tick around the {edge} of the window" in told
    assert "GPU is lost" in told


def test_an_outage_in_the_middle_leaves_the_energy_true_and_is_told(fake: FakeNvml, meter: meters.Meter) -> None:
    for _ in range(MOST_TRIES):
        now = fake.now()
        fake.set(errors=f"energy:{UNKNOWN}@{now + 0.5}..{now + 0.9}")
        found = window(meter, 1.4)
        (reading,) = found.readings
        if reading.energy_wh is not None:
            break
    found.assert_true(fake)
    assert reading.counter is not None
    assert 0 < reading.counter.failed_reads < reading.counter.reads
    assert reading.counter.longest_gap_s > 0.4


def test_a_gpu_that_falls_off_the_bus(fake: FakeNvml, meter: meters.Meter) -> None:
    fake.set(errors=f"all:{LOST}@{fake.now() + 0.3}..")
    assert "GPU is lost" in problem_of(window(meter, 0.6))
    last = meter.trace()[-1]
    assert (last.power_w, last.counter_mj, last.temperature_c, last.reasons) == (None, None, None, None)
    assert "GPU is lost" in problem_of(window(meter, 0.1))


def refused(fake: FakeNvml, *gpu_ids: str) -> ScorekitError:
    with pytest.raises(ScorekitError) as caught:
        make(fake, *gpu_ids)
    # Nothing is left open.
    with pytest.raises(pynvml.NVMLError_Uninitialized):
        pynvml.nvmlDeviceGetCount()
    return caught.value


def test_a_gpu_without_an_energy_counter_is_refused_with_its_mend(fake: FakeNvml) -> None:
    fake.set(errors=f"energy:{NOT_SUPPORTED}")
    error = refused(fake)
    assert isinstance(error, HardwareError)
    assert fake.uuid(0) in error.message
    assert "Not Supported" in error.message
    assert "scenario.meters=[codecarbon]" in str(error.mend)


def test_a_counter_that_may_not_be_read_is_refused(fake: FakeNvml) -> None:
    fake.set(errors=f"energy:{NO_PERMISSION}")
    error = refused(fake)
    assert "Insufficient Permissions" in error.message
    assert "Volta" not in str(error.mend)
    assert "container" in str(error.mend)


@pytest.mark.parametrize("code", [NO_PERMISSION, NOT_LOADED, NO_LIBRARY])
def test_without_nvml_there_is_a_mend(fake: FakeNvml, code: int) -> None:
    fake.set(init_errors=f"init:{code}")
    error = refused(fake)
    assert isinstance(error, HardwareError)
    assert "NVML cannot be used" in error.message
    assert "nvidia-smi" in str(error.mend)


def test_a_gpu_that_is_not_there(fake: FakeNvml) -> None:
    for gpu_id in ("GPU-00000000-0000-0000-0000-000000000000", "7"):
        error = refused(fake, gpu_id)
        assert gpu_id in error.message
        assert "nvidia-smi -L" in str(error.mend)


def test_no_gpu_at_all_is_a_wrong_setting(fake: FakeNvml) -> None:
    with pytest.raises(UsageError, match="no GPU to measure") as caught:
        meters.start(["nvml"], MeterRequest((), "USA", Path("unused")))
    assert "scenario.meters=[auto]" in str(caught.value.mend)


def test_an_error_while_it_starts_ends_its_thread(fake: FakeNvml, monkeypatch: pytest.MonkeyPatch) -> None:
    from scorekit.measuring.meters import nvml

    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(nvml.Sampler, "wait_until_calibrated", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(fake)
    with pytest.raises(pynvml.NVMLError_Uninitialized):
        pynvml.nvmlDeviceGetCount()


def test_stopping_with_a_window_open_ends_the_thread(fake: FakeNvml) -> None:
    meter = make(fake)
    meter.open("window")
    meter.stop()


def test_the_trace_holds_what_the_driver_tells(fake: FakeNvml) -> None:
    fake.set(power_w=240, temperature_c=51, sm_clock_mhz=1755, mem_clock_mhz=2619, reasons=4, utilization_percent=93)
    meter = make(fake)
    try:
        begun = time.monotonic()
        window(meter, 0.5)
        ended = time.monotonic()
        samples = [sample for sample in meter.trace() if begun <= sample.t_s <= ended]
    finally:
        meter.stop()
    # Ten a second, fewer where the machine is busy.
    assert 2 <= len(samples) <= (ended - begun) / meters.SAMPLING_S + 2
    for sample in samples:
        assert sample.power_w == pytest.approx(240, abs=0.01)
        assert (sample.temperature_c, sample.sm_clock_mhz, sample.mem_clock_mhz) == (51, 1755, 2619)
        assert (sample.reasons, sample.utilization_percent, sample.device) == (4, 93, fake.uuid(0))
    counted = [sample.counter_mj for sample in samples]
    assert None not in counted
    assert counted == sorted(counted)
    cost = meter.cost()
    assert cost.window_s >= 0.5
    assert 0 < cost.cpu_s < cost.window_s


def test_what_the_driver_does_not_tell_is_empty_and_not_zero(fake: FakeNvml) -> None:
    fake.set(
        errors=f"power:{NOT_SUPPORTED},temperature:{NOT_SUPPORTED},clocks:{NOT_SUPPORTED},reasons:{NOT_SUPPORTED},"
        f"utilization:{NOT_SUPPORTED}"
    )
    meter = make(fake)
    try:
        whole_window(meter, 0.3).assert_true(fake)
        samples = meter.trace()
    finally:
        meter.stop()
    assert {sample[2:3] + sample[4:] for sample in samples} == {(None,) * 6}
