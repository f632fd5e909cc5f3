"""Which GPUs are measured, counted and waited for, of those that nobody named."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

import scorekit
from scorekit.api.wording import check_in_python
from scorekit.errors import HardwareError, MissingExtraError, install_line
from scorekit.measuring import code, code_gpus, code_meters, meters
from scorekit.measuring.meters import MeterDevice, MeterRequest, PowerSample
from scorekit.records import MeterReading
from scorekit.validity import Evidence
from scorekit.validity import code as checks
from tests.bundles import NVML_GPU
from tests.evidence import FACTS, OTHER_GPU, good_evidence
from tests.fake_nvml import FakeNvml

_AUTO = code_meters.AUTO


@pytest.mark.parametrize(
    ("error", "mend"), [(4, "add it to the group"), (9, "modprobe"), (18, "restart the machine"), (999, "nvidia-smi")]
)
def test_a_driver_that_cannot_be_used_is_no_machine_without_one(
    fake_nvml_here: FakeNvml, monkeypatch: pytest.MonkeyPatch, error: int, mend: str
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    fake_nvml_here.set(init_errors=f"init:{error}")
    with pytest.raises(HardwareError, match="NVML cannot be used") as raised:
        scorekit.measure(lambda: None)
    assert mend in str(raised.value.mend)
    assert str(raised.value.mend).endswith("gpus=None measures without GPUs")


def test_a_machine_without_a_driver_has_no_gpus(
    fake_nvml_here: FakeNvml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(code_meters, "_ROOT", tmp_path)
    fake_nvml_here.set(init_errors="init:12")
    assert code_meters.gpus_of(_AUTO) == ()
    # In a container that was given the devices, and CUDA alone.
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "nvidiactl").touch()
    with pytest.raises(HardwareError, match="NVML cannot be used"):
        code_meters.gpus_of(_AUTO)


@pytest.mark.parametrize("sign", ["dev/nvidiactl", "proc/driver/nvidia/version", None])
def test_gpus_that_cannot_be_asked_for_want_of_a_package_are_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sign: str | None
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setitem(sys.modules, "pynvml", None)
    monkeypatch.setattr(code_meters, "_ROOT", tmp_path)
    if sign is None:
        assert code_meters.gpus_of(_AUTO) == ()
        return
    (tmp_path / sign).parent.mkdir(parents=True)
    (tmp_path / sign).touch()
    with pytest.raises(MissingExtraError, match="pynvml") as raised:
        code_meters.gpus_of(_AUTO)
    assert raised.value.mend == install_line("measure")


def torch_with(contexts: set[int], waited: list[int], *, uuids: bool = True, tells: bool = True) -> SimpleNamespace:
    """A torch that sees three GPUs, and takes note of those that are waited for."""
    cuda = SimpleNamespace(
        is_initialized=lambda: True,
        device_count=lambda: 3,
        get_device_properties=lambda index: SimpleNamespace(**({"uuid": f"{index}"} if uuids else {})),
        memory_reserved=lambda index: 2**20 * (index in contexts),
        synchronize=waited.append,
    )
    return SimpleNamespace(
        cuda=cuda, _C=SimpleNamespace(**({"_cuda_hasPrimaryContext": contexts.__contains__} if tells else {}))
    )


@pytest.mark.parametrize(
    ("measured", "contexts", "given", "expected"),
    [
        (("GPU-0", "GPU-1"), {0}, {}, [0]),
        (("GPU-0", "GPU-1"), {0, 1, 2}, {}, [0, 1]),
        (("GPU-0", "GPU-1"), {0, 2}, {"tells": False}, [0]),
        (("GPU-0", "GPU-1"), {0, 2}, {"uuids": False}, [0, 2]),
        (("GPU-0",), set(), {}, []),
        ((), {0}, {}, []),
    ],
)
def test_torch_is_waited_for_where_it_works_and_given_no_context_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
    measured: tuple[str, ...],
    contexts: set[int],
    given: dict[str, bool],
    expected: list[int],
) -> None:
    waited: list[int] = []
    monkeypatch.setitem(sys.modules, "torch", torch_with(contexts, waited, **given))
    session = code.Session(code.Asked(None, ("auto",), _AUTO, 0.0, 0.0, lambda: waited.append(-1)))
    session.gpu_ids = measured
    session.synchronize()
    # What its user gave comes last.
    assert waited == [*expected, -1]


def test_a_torch_that_uses_no_gpu_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[int] = []
    torch = torch_with({0}, waited)
    torch.cuda.is_initialized = lambda: False
    monkeypatch.setitem(sys.modules, "torch", torch)
    code_gpus.wait_for_torch(["GPU-0"])
    monkeypatch.delitem(sys.modules, "torch")
    code_gpus.wait_for_torch(["GPU-0"])
    assert waited == []


def test_gpus_on_which_nobody_is_are_told_where_the_driver_lists_this_process(fake_nvml_here: FakeNvml) -> None:
    fake_nvml_here.set(gpus=3)
    uuids = [fake_nvml_here.uuid(number) for number in range(3)]
    # Process 1 is there on every machine, and is none of ours: what it took is for a check to tell.
    fake_nvml_here.set(2, processes=[1])
    users = code_gpus.Users(uuids)
    users.look()
    assert users.without == ()
    fake_nvml_here.set(0, processes=[os.getpid()])
    users.look()
    assert users.without == (uuids[1],)
    # What was there once stays counted.
    fake_nvml_here.set(1, processes=[os.getpid()])
    users.look()
    fake_nvml_here.set(1, processes=[])
    users.look()
    assert users.without == ()


def test_gpus_whose_processes_are_not_told_stay_counted(fake_nvml_here: FakeNvml) -> None:
    fake_nvml_here.set(gpus=2)
    fake_nvml_here.set(0, processes=[os.getpid()])
    fake_nvml_here.set(1, errors="processes:4")
    users = code_gpus.Users([fake_nvml_here.uuid(0), fake_nvml_here.uuid(1)])
    users.look()
    assert users.without == ()
    fake_nvml_here.set(1, errors="")
    gone = code_gpus.Users([fake_nvml_here.uuid(0), "GPU-gone"])
    gone.look()
    assert gone.without == ()


def two_gpus(percent: float, *, by_hand: bool, lasting_s: float = 60.0) -> Evidence:
    """One GPU that works, and one whose use is this."""
    found = good_evidence()
    assert found.trace is not None
    environment = found.environment.model_copy(
        update={
            "gpus": (FACTS, FACTS.model_copy(update={"uuid": OTHER_GPU, "index": 1})),
            "run": found.environment.run.model_copy(update={"gpus_by_hand": by_hand}),
        }
    )
    own = found.trace.devices[NVML_GPU]
    other = replace(own, utilization_percent=tuple(percent for _ in own.t_s))
    working = replace(own, utilization_percent=tuple(90.0 for _ in own.t_s))
    windows = tuple(
        window.model_copy(
            update={
                "readings": (*window.readings, *(
                    reading.model_copy(update={"device": OTHER_GPU if reading.meter == "nvml" else "1"})
                    for reading in window.readings if reading.component == "gpu"
                )),
                "end_monotonic_s": window.start_monotonic_s + lasting_s,
            }
        )
        for window in found.windows
    )  # fmt: skip
    trace = replace(found.trace, devices={NVML_GPU: working, OTHER_GPU: other})
    return replace(found, environment=environment, windows=windows, trace=trace)


@pytest.mark.parametrize(
    ("percent", "by_hand", "lasting_s", "expected"),
    [
        (50.0, False, 60.0, (True, "info")),
        (0.0, False, 60.0, (False, "fail")),
        (0.0, True, 60.0, (False, "warn")),
        # Too short for the utilization to tell.
        (0.0, False, 0.9, (False, "warn")),
    ],
)
def test_a_gpu_that_idles_beside_others_spoils_the_energy_unless_it_was_named(
    percent: float, by_hand: bool, lasting_s: float, expected: tuple[bool, str]
) -> None:
    check = check_in_python(checks.only_used_gpus(two_gpus(percent, by_hand=by_hand, lasting_s=lasting_s)))
    assert (check.passed, check.severity) == expected
    if not check.passed:
        assert f"{OTHER_GPU} did nothing in all windows, and its energy is counted" in check.message
        assert NVML_GPU not in check.message
        assert "gpus=[0]" in check.message


def test_what_did_nothing_and_held_no_context_is_left_out() -> None:
    evidence = two_gpus(0.0, by_hand=False)
    found, out = checks.of_used_gpus(evidence, (OTHER_GPU,))
    assert [gpu.index for gpu in out] == [1]
    assert [gpu.uuid for gpu in found.environment.gpus] == [NVML_GPU]
    assert found.devices == (NVML_GPU,)
    left = {reading.device for window in found.windows for reading in window.readings if reading.component == "gpu"}
    assert left.isdisjoint({OTHER_GPU, "1"})
    assert checks.only_used_gpus(found).passed
    # The other parts of the machine stay.
    assert {reading.component for reading in found.windows[0].readings} == {
        reading.component for reading in good_evidence().windows[0].readings
    }


@pytest.mark.parametrize("case", ["context", "work", "no samples"])
def test_what_may_have_worked_stays_counted(case: str) -> None:
    evidence = two_gpus(1.0 if case == "work" else 0.0, by_hand=False)
    if case == "no samples":
        evidence = replace(evidence, trace=None)
    found, out = checks.of_used_gpus(evidence, () if case == "context" else (OTHER_GPU,))
    assert found is evidence
    assert out == ()


class Boards:
    """A meter of GPUs whose energies and use are what a test says.

    Attributes:
        energies_wh: of the next windows of each GPU, by its number.
        percent: use of each GPU.
    """

    name = "nvml"

    def __init__(self) -> None:
        self.energies_wh: dict[int, list[float]] = {}
        self.percent: dict[int, int] = {}
        self._gpus: tuple[str, ...] = ()
        self._samples: list[PowerSample] = []

    def make(self, request: MeterRequest) -> Boards:
        self._gpus = request.gpu_ids
        return self

    def devices(self) -> tuple[MeterDevice, ...]:
        return tuple(MeterDevice("gpu", uuid) for uuid in self._gpus)

    def work(self) -> None:
        """What is measured: samples are taken within it."""
        self._samples += [
            PowerSample(time.monotonic(), uuid, power_w=100.0, utilization_percent=self.percent[number])
            for number, uuid in enumerate(self._gpus)
        ]

    def open(self, window: str) -> None: ...

    def close(self) -> None: ...

    def readings(self) -> tuple[MeterReading, ...]:
        return tuple(
            MeterReading(meter=self.name, component="gpu", device=uuid, energy_wh=self.energies_wh[number].pop(0),
                         origin="measured", source="boards")
            for number, uuid in enumerate(self._gpus)
        )  # fmt: skip

    def trace(self) -> tuple[PowerSample, ...]:
        return tuple(self._samples)

    def stop(self) -> None: ...


@pytest.fixture
def boards(fake_nvml_here: FakeNvml, monkeypatch: pytest.MonkeyPatch) -> Boards:
    """Two GPUs, of which this process uses the first."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(code, "_GAP_S", 0.0)
    fake_nvml_here.set(gpus=2)
    fake_nvml_here.set(0, processes=[os.getpid()])
    made = Boards()
    made.percent = {0: 90, 1: 0}
    monkeypatch.setitem(meters._FACTORIES, "nvml", made.make)
    return made


def block(work: Callable[[], None], *, gpus: str | list[int] = _AUTO) -> scorekit.Measurement:
    with scorekit.measure(meters="nvml", gpus=gpus) as found:
        work()
    return found.measurement


def test_of_two_gpus_the_one_that_is_used_is_counted(boards: Boards, fake_nvml_here: FakeNvml) -> None:
    boards.energies_wh = {0: [2.0], 1: [1.0]}
    found = block(boards.work)
    assert (found.energy_wh, found.gpu_count) == (2.0, 1)
    assert [device.device for device in found.devices] == [fake_nvml_here.uuid(0)]
    assert found.notes == (
        "GPU 1 is not counted: no process was there, and no work was done; gpus=[...] counts those that it names",
    )
    assert found.hardware == "NVIDIA H100 80GB HBM3"
    assert next(check for check in found.checks if check.name == "only_used_gpus").passed


@pytest.mark.parametrize("case", ["named", "not told"])
def test_gpus_that_were_named_and_those_that_may_be_used_are_counted(
    boards: Boards, fake_nvml_here: FakeNvml, case: str
) -> None:
    boards.energies_wh = {0: [2.0], 1: [1.0]}
    if case == "not told":
        fake_nvml_here.set(processes=[])
    found = block(boards.work, gpus=[0, 1] if case == "named" else _AUTO)
    assert (found.energy_wh, found.gpu_count, found.notes) == (3.0, 2, ())
    check = next(check for check in found.checks if check.name == "only_used_gpus")
    assert "did nothing" in check.message


def test_repeats_do_not_end_by_the_steadiness_of_a_gpu_that_is_not_counted(boards: Boards) -> None:
    boards.energies_wh = {0: [1.0, 3.0, 1.0, 3.0, 1.0, 3.0], 1: [1e6] * 6}
    with scorekit.measure(meters="nvml") as found:
        for _ in found.repeats(5, target_ci=0.01):
            boards.work()
    assert [window.energy_wh for window in found.windows] == [1.0, 3.0, 1.0, 3.0, 1.0]
