"""True energies of windows under a fake driver, and the samples beside them."""

from __future__ import annotations

import ctypes
import time

import pytest

from scorekit.measuring import meters
from scorekit.measuring.meters import MeterDevice
from tests.fake_nvml import FakeNvml
from tests.unit.measuring.nvml.windows import MOST_TRIES, make, whole_window, window

NOT_SUPPORTED = 3


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


@pytest.mark.parametrize("edge", ["opened", "closed"])
def test_a_call_that_keeps_pythons_lock_at_an_edge_costs_no_window(
    fake: FakeNvml, meter: meters.Meter, edge: str
) -> None:
    for _ in range(MOST_TRIES):
        found = window(meter, 0.6, **{f"{edge}_then": lambda: keep_pythons_lock(0.6)})
        if found.readings[0].energy_wh is not None:
            break
    found.assert_true(fake)
    counter = found.readings[0].counter
    assert counter is not None
    assert (counter.after_start if edge == "opened" else counter.after_end) == ()


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
