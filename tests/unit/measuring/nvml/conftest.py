"""A machine with the fake NVML, and a meter on it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from scorekit.measuring import meters
from tests.fake_nvml import FakeNvml
from tests.unit.measuring.nvml.windows import make

THREAD = "gpu-sampler"


@pytest.fixture
def fake(fake_nvml_here: FakeNvml) -> Iterator[FakeNvml]:
    yield fake_nvml_here
    assert fake_nvml_here.setter_calls() == []
    assert THREAD not in {thread.name for thread in threading.enumerate()}


@pytest.fixture
def meter(fake: FakeNvml) -> Iterator[meters.Meter]:
    made = make(fake)
    yield made
    made.stop()
