"""What NVIDIA's driver says from within a container, with a fake of it."""

from __future__ import annotations

import pytest

from scorekit.container import facts
from scorekit.errors import HardwareError
from scorekit.measuring import driver
from tests.fake_nvml import FakeNvml

pytest.importorskip("pynvml")


def test_a_driver_tells_its_gpus_and_its_cuda(fake_nvml_here: FakeNvml) -> None:
    found = facts._gpus()
    assert (found.count, found.problem) == (1, None)
    assert found.driver
    assert found.cuda is not None
    assert found.cuda[0] >= 12


def test_a_driver_that_is_not_there_is_told_with_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def session() -> None:
        raise driver.NoDriverError("NVML cannot be used: NVML Shared Library Not Found", code=12)

    monkeypatch.setattr(driver, "session", session)
    assert facts._gpus() == facts.Gpus(count=0, problem="NVML cannot be used: NVML Shared Library Not Found", code=12)
    assert issubclass(driver.NoDriverError, HardwareError)
