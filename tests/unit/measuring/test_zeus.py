"""Zeus as a meter: over a stand-in for its package, since the package itself is not installed with the others."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from scorekit.errors import HardwareError, UsageError
from scorekit.measuring.meters import MeterDevice, MeterRequest
from scorekit.measuring.meters import zeus as ours
from scorekit.measuring.meters.zeus import INSTALL, ZeusMeter
from scorekit.records import MeterReading
from tests.fake_nvml import FakeNvml

ROOT = Path(__file__).resolve().parents[3]
VISIBLE = "CUDA_VISIBLE_DEVICES"


class ZeusBaseError(Exception):
    pass


class Machine:
    """What Zeus would find; a test changes it between the edges of a window."""

    def __init__(self, counters_j: dict[int, float]) -> None:
        self.counters_j = counters_j
        self.without_counter: set[int] = set()
        self.lost = False
        self.visible_then: str | None = "not asked"
        self.cancelled: list[str] = []

    def read(self, index: int) -> float:
        if self.lost:
            raise ZeusBaseError("GPU is lost")
        return self.counters_j[index]

    def get_gpus(self) -> Any:
        self.visible_then = os.environ.get(VISIBLE)
        return SimpleNamespace(supports_get_total_energy_consumption=lambda index: index not in self.without_counter)

    def monitor(self, gpu_indices: list[int], cpu_indices: list[int]) -> Any:
        assert cpu_indices == []
        begun: dict[str, dict[int, float]] = {}

        def begin_window(key: str, *, sync_execution: bool, restart: bool) -> None:
            assert restart
            assert not sync_execution
            begun[key] = {index: self.read(index) for index in gpu_indices}

        def end_window(key: str, *, sync_execution: bool, cancel: bool = False) -> Any:
            assert not sync_execution
            start = begun.pop(key)
            if cancel:
                self.cancelled.append(key)
            return SimpleNamespace(gpu_energy={index: self.read(index) - start[index] for index in gpu_indices})

        return SimpleNamespace(begin_window=begin_window, end_window=end_window)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine({0: 1000.0, 1: 2000.0})
    package = ModuleType("zeus")
    parts = {
        "device": {"get_gpus": found.get_gpus},
        "exception": {"ZeusBaseError": ZeusBaseError},
        "monitor": {"ZeusMonitor": found.monitor},
    }
    monkeypatch.setitem(sys.modules, "zeus", package)
    for name, content in parts.items():
        part = ModuleType(f"zeus.{name}")
        vars(part).update(content)
        setattr(package, name, part)
        monkeypatch.setitem(sys.modules, f"zeus.{name}", part)
    return found


def meter_for(folder: Path, *gpus: str) -> ZeusMeter:
    return ZeusMeter(MeterRequest(gpu_ids=gpus, country_iso_code="USA", folder=folder))


def window(meter: ZeusMeter, machine: Machine, *counters_j: float) -> tuple[MeterReading, ...]:
    meter.open("generate")
    machine.counters_j = dict(enumerate(counters_j))
    meter.close()
    return meter.readings()


def test_each_gpu_in_use_has_its_energy_and_no_other_is_counted(tmp_path: Path, machine: Machine) -> None:
    meter = meter_for(tmp_path, "1")
    assert meter.devices() == (MeterDevice("gpu", "1"),)
    (reading,) = window(meter, machine, 5000, 2036)
    assert reading.energy_wh == pytest.approx(0.01)
    assert (reading.meter, reading.device, reading.origin, reading.source) == ("zeus", "1", "measured", "nvml")
    assert meter.trace() == ()


def test_uuids_are_numbered_as_nvml_does_whatever_is_visible(
    tmp_path: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ours, "_index", {"GPU-a": 0, "GPU-b": 1}.__getitem__)
    monkeypatch.setenv(VISIBLE, "GPU-b")
    meter = meter_for(tmp_path, "GPU-b")
    # Zeus would fail on a UUID there, and would number what is visible.
    assert machine.visible_then is None
    assert os.environ[VISIBLE] == "GPU-b"
    (reading,) = window(meter, machine, 1000, 2072)
    assert (reading.device, reading.energy_wh) == ("GPU-b", pytest.approx(0.02))


@pytest.mark.parametrize(
    ("counter_j", "reason"),
    [(3.0, "gave -997.0 J: the energy counter started again"), (1000.0, "gave 0 J: the energy counter stood still")],
)
def test_an_energy_that_cannot_be_is_no_energy(tmp_path: Path, machine: Machine, counter_j: float, reason: str) -> None:
    (reading,) = window(meter_for(tmp_path, "0"), machine, counter_j)
    assert reading.energy_wh is None
    assert reason in str(reading.problem)


def test_mig_and_a_missing_counter_leave_the_other_gpus_their_energy(tmp_path: Path, machine: Machine) -> None:
    machine.without_counter = {0}
    mig, old, good = window(meter_for(tmp_path, "MIG-1234", "0", "1"), machine, 1000, 2036)
    assert (mig.energy_wh, mig.problem) == (None, "Zeus does not measure MIG")
    assert (old.energy_wh, old.problem) == (None, "the GPU has no energy counter")
    assert (good.energy_wh, good.problem) == (pytest.approx(0.01), None)


@pytest.mark.parametrize("when", ["begin", "end"])
def test_a_gpu_lost_in_the_window_is_told_and_the_next_window_is_its_own(
    tmp_path: Path, machine: Machine, when: str
) -> None:
    meter = meter_for(tmp_path, "0")
    machine.lost = when == "begin"
    meter.open("generate")
    machine.lost = True
    meter.close()
    (reading,) = meter.readings()
    assert (reading.energy_wh, reading.problem) == (None, f"Zeus could not {when} the window: GPU is lost")
    machine.lost = False
    (reading,) = window(meter, machine, machine.counters_j[0] + 36)
    assert reading.energy_wh == pytest.approx(0.01)


def test_stopping_forgets_an_open_window(tmp_path: Path, machine: Machine) -> None:
    meter = meter_for(tmp_path, "0")
    meter.open("generate")
    meter.stop()
    meter.stop()
    assert machine.cancelled == ["generate"]


def test_without_a_gpu_there_is_nothing_to_measure(tmp_path: Path, machine: Machine) -> None:
    with pytest.raises(HardwareError, match="the model uses none"):
        meter_for(tmp_path)


def test_without_zeus_both_commands_that_bring_it_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zeus", None)
    with pytest.raises(UsageError, match="needs Zeus") as caught:
        meter_for(tmp_path, "0")
    assert caught.value.mend == INSTALL


def test_the_extra_brings_what_zeus_needs_but_neither_zeus_nor_amdsmi() -> None:
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    names = {re.split(r"[<>=\[ ]", requirement)[0] for requirement in extras["zeus"]}
    assert names == {
        "httpx", "numpy", "nvidia-ml-py", "pandas", "pydantic", "python-dateutil", "rich", "scikit-learn", "tyro",
    }  # fmt: skip


def test_the_installed_zeus_needs_nothing_more_than_the_extra() -> None:
    try:
        needed = importlib.metadata.requires("zeus") or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("not applicable: Zeus is not installed here")
    import tomllib

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    ours_ = {re.split(r"[<>=\[ ]", requirement)[0] for requirement in extras["zeus"]}
    theirs = {re.split(r"[<>=\[; ]", requirement)[0] for requirement in needed if "extra ==" not in requirement}
    assert theirs - ours_ == {"amdsmi"}


REAL = """
import json, os, sys, time
from pathlib import Path
from scorekit.measuring.meters import MeterRequest, start
from tests.fake_nvml import FakeNvml

fake = FakeNvml(Path(sys.argv[1]), gpus=2, tick_ms=20)
fake.set(1, power_w=500)
os.environ["CUDA_VISIBLE_DEVICES"] = fake.uuid(1)
(meter,) = start(["zeus"], MeterRequest((fake.uuid(1),), "USA", Path(sys.argv[1])))
found = []
for change in ({}, {"reset_at_s": 0.0}, {"errors": ["energy:15"]}):
    meter.open("window")
    begun = time.monotonic()
    time.sleep(0.5)
    if "reset_at_s" in change:
        change = {"reset_at_s": fake.now() - 0.1}
    fake.set(1, **change)
    ended = time.monotonic()
    meter.close()
    (reading,) = meter.readings()
    found.append([reading.energy_wh, fake.energy_wh(1, begun, ended), reading.problem])
meter.stop()
print(json.dumps(found))
"""


def test_the_real_zeus_measures_the_gpu_in_use(fake_nvml: FakeNvml) -> None:
    if importlib.util.find_spec("zeus") is None:
        pytest.skip("not applicable: Zeus is not installed here")
    done = subprocess.run(
        [sys.executable, "-c", REAL, str(fake_nvml.folder)],
        env={**os.environ, **fake_nvml.environment()},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    (energy_wh, exact_wh, problem), reset, lost = json.loads(done.stdout.splitlines()[-1])
    assert problem is None
    # It reads at arbitrary moments: a tick off at either edge, and what a busy machine adds.
    assert energy_wh == pytest.approx(exact_wh, rel=0.3)
    assert reset[0] is None
    assert "started again" in reset[2]
    assert lost[0] is None
    assert "GPU is lost" in lost[2]
