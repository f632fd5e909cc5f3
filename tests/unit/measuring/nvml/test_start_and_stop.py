"""What the meter refuses at its start, with the mend; and that it leaves no thread and no driver open."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit.errors import HardwareError, ScorekitError, UsageError
from scorekit.measuring import meters
from scorekit.measuring.meters import MeterRequest
from tests.fake_nvml import FakeNvml
from tests.unit.measuring.nvml.windows import make

pynvml = pytest.importorskip("pynvml")

NOT_SUPPORTED, NO_PERMISSION, NOT_LOADED, NO_LIBRARY = 3, 4, 9, 12


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
