"""A named problem for every way in which a counter or its driver can leave a window without an energy."""

from __future__ import annotations

import time

import pytest

from scorekit.measuring import meters
from tests.fake_nvml import FakeNvml
from tests.unit.measuring.nvml.windows import MOST_TRIES, Measured, make, whole_window, window

pynvml = pytest.importorskip("pynvml")

LOST, UNKNOWN = 15, 999


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
