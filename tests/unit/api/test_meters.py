"""scorekit.measure by real meters: RAPL over a powercap tree, and NVML over a fake driver."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import scorekit
from scorekit.errors import HardwareError, MissingExtraError, UsageError
from scorekit.measuring import code_meters, meters
from scorekit.measuring.meters.rapl import RaplMeter
from scorekit.measuring.meters.sampler import Sampler
from scorekit.units import joules_to_wh
from tests.fake_nvml import FakeNvml
from tests.unit.measuring.test_rapl import Tree

TRIES = 5
"""On a busy machine ticks may be missed, and then there is no number."""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """A machine without a GPU, whose CPU has RAPL."""
    made = Tree(tmp_path / "powercap")
    made.add("intel-rapl:0", "package-0")
    monkeypatch.setattr(code_meters.rapl, "POWERCAP", made.root)
    monkeypatch.setitem(meters._FACTORIES, "rapl", lambda _: RaplMeter(root=made.root))
    monkeypatch.setattr(code_meters, "is_installed", lambda package: package != "codecarbon")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    return made


def spend(tree: Tree) -> Callable[[], None]:
    """Each call takes 1 J of the package and 0.5 J of its DRAM."""
    taken_j = 0.0

    def take() -> None:
        nonlocal taken_j
        taken_j += 1
        tree.set("intel-rapl:0", taken_j)
        if (tree.root / "intel-rapl:0:2").exists():
            tree.set("intel-rapl:0:2", taken_j / 2)

    return take


def test_rapl_measures_cpu_and_ram(tree: Tree) -> None:
    tree.add("intel-rapl:0:2", "dram")
    take = spend(tree)
    found = scorekit.measure(take, samples=10, repeats=3, min_window_s=0)
    assert found.meters == ("rapl",)
    assert found.origin == "measured"
    assert found.energy_wh == pytest.approx(joules_to_wh(1.5))
    assert {device.device: device.source for device in found.devices} == {"package-0": "rapl", "dram-0": "rapl"}
    # RAPL tells its tick, and so one window alone is known that well.
    with scorekit.measure(samples=10) as block:
        take()
    assert block.meters_95_percent is not None
    assert "by the meters alone" in str(block)


def test_a_cpu_without_its_ram_is_no_whole_and_is_not_taken_for_one(tree: Tree) -> None:
    with pytest.raises(MissingExtraError, match="codecarbon"):
        scorekit.measure(spend(tree))
    found = scorekit.measure(spend(tree), meters="rapl", repeats=2, min_window_s=0)
    assert found.energy_wh is None
    assert not found.valid
    assert "read a GPU, or a CPU and RAM" in str(found.refused)
    assert [device.energy_wh for device in found.devices] == [pytest.approx(joules_to_wh(1))]


def test_the_energy_of_a_gpu_is_true_and_a_run_s_checks_are_made(
    fake_nvml_here: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_nvml_here.set(tick_ms=20, utilization_percent=90, processes=[os.getpid()])
    moments: list[float] = []
    for name in ("open", "close"):
        plain = getattr(Sampler, name)
        monkeypatch.setattr(Sampler, name, lambda self, plain=plain: moments.append(plain(self)) or moments[-1])
    for _ in range(TRIES):
        moments.clear()
        with scorekit.measure(samples=10, meters="nvml") as found:
            for _ in found.repeats(2):
                time.sleep(0.3)
        if all(window.energy_wh is not None for window in found.windows):
            break
    # The window of the block itself was discarded.
    pairs = list(zip(moments[2::2], moments[3::2], strict=True))
    expected_wh = [fake_nvml_here.energy_wh(0, start_s, end_s) for start_s, end_s in pairs]
    (device,) = found.devices
    assert (device.component, device.device, device.meter) == ("gpu", fake_nvml_here.uuid(0), "nvml")
    assert (found.domain, found.origin, found.gpu_count) == ("gpu", "measured", 1)
    assert found.hardware == "NVIDIA H100 80GB HBM3"
    room = 0.02 + 2 * (found.meters_95_percent or 0) / 100
    assert [window.energy_wh for window in found.windows] == pytest.approx(expected_wh, rel=room)
    checks = {check.name: check for check in found.checks}
    assert [check.number for check in found.checks] == sorted(check.number for check in found.checks)
    assert checks["no_foreign_processes"].passed
    assert checks["idle_steady"].passed is None
    for check in found.checks:
        for word in ("scenario.", "backend.", "launcher.", "preparing"):
            assert word not in check.message
    assert fake_nvml_here.setter_calls() == []


def test_a_gpu_that_others_use_is_told(fake_nvml_here: FakeNvml) -> None:
    # Process 1 is there on every machine, and is none of ours.
    fake_nvml_here.set(tick_ms=20, processes=[1])
    with scorekit.measure(meters="nvml", gpus=[0]) as found:
        time.sleep(0.3)
    checks = {check.name: check for check in found.checks}
    assert not found.valid
    assert "foreign process" in checks["no_foreign_processes"].message
    assert "gpus=" in checks["no_foreign_processes"].message


def test_the_gpu_is_locked_against_other_runs(fake_nvml_here: FakeNvml) -> None:
    from scorekit.measuring import gpu_lock

    with gpu_lock.held([fake_nvml_here.uuid(0)], 0, "a run"):
        holders = dict(gpu_lock._HELD)
        gpu_lock._HELD.clear()
        with pytest.raises(HardwareError, match=r"in use by another.*a run"):
            scorekit.measure(lambda: None, meters="nvml", wait_s=0)
        gpu_lock._HELD.update(holders)


@pytest.mark.parametrize(("gpus", "why"), [([7], "names the GPU 7"), ("GPU-none", "none of"), ([0, "0"], "twice")])
def test_a_gpu_that_is_not_there_is_told(fake_nvml_here: FakeNvml, gpus: str | list[int | str], why: str) -> None:
    with pytest.raises(UsageError, match=why) as raised:
        scorekit.measure(lambda: None, gpus=gpus)
    assert "scenario" not in str(raised.value)


def test_no_gpu_is_measured_where_none_is_asked_for(fake_nvml_here: FakeNvml, monkeypatch: pytest.MonkeyPatch) -> None:
    assert code_meters.gpus_of(code_meters.AUTO) == (fake_nvml_here.uuid(0),)
    assert code_meters.gpus_of(None) == ()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert code_meters.gpus_of(code_meters.AUTO) == ()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    fake_nvml_here.set(gpus=0)
    assert code_meters.gpus_of(code_meters.AUTO) == ()
