"""Where the parts of a model lie, and that exactly those GPUs are measured."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from scorekit.errors import HardwareError, ModelError, ScorekitError
from scorekit.measuring import environment, placement
from scorekit.measuring.memory import is_out_of_memory
from scorekit.measuring.placement import Placement, place
from tests.fake_nvml import FakeNvml

ONE, TWO, THREE = "GPU-1", "GPU-2", "GPU-3"


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        ([], Placement(())),
        ([0], Placement((ONE,))),
        (["cuda"], Placement((ONE,))),
        (["cuda:2", 0, "cuda:2"], Placement((ONE, THREE))),
        ([1, "cpu", "disk"], Placement((TWO,), ("cpu", "disk"))),
        # What accelerate has sent away has no device; its map tells where it lies.
        (["meta", "cuda:1", "cpu"], Placement((TWO,), ("cpu",))),
    ],
)
def test_torchs_numbers_become_uuids_in_its_order(devices: list[Any], expected: Placement) -> None:
    assert place(devices, (ONE, TWO, THREE)) == expected


def test_a_gpu_that_torch_does_not_see_is_refused() -> None:
    with pytest.raises(HardwareError, match="GPU 2, but torch sees 2"):
        place([0, 2], (ONE, TWO))


def test_a_model_tells_of_its_parameters_and_of_the_parts_that_were_spread() -> None:
    import torch

    part = torch.nn.Linear(2, 2)
    model = SimpleNamespace(hf_device_map={"embed": 0, "layers.0": 1, "layers.1": "disk"})
    assert placement.devices_of([part], model) == {"cpu", "0", "1", "disk"}
    assert placement.devices_of([part], part) == {"cpu"}


@pytest.mark.parametrize(
    ("measured", "found", "kind", "told", "mend"),
    [
        ((ONE, TWO), Placement((TWO,)), HardwareError, "GPU-1 would be measured, but the model lies on", "'GPU-2'"),
        ((ONE,), Placement((ONE, TWO)), HardwareError, "lies on GPU-2, which is not measured", "scenario.gpus=auto"),
        ((ONE,), Placement((ONE,), ("cpu",)), ModelError, "parts of the model lie on cpu", "device_map=auto"),
        ((ONE,), Placement(()), HardwareError, "lies on no GPU", "backend.device_ids=0"),
    ],
)  # fmt: skip
def test_what_is_measured_beside_the_model_is_told_with_its_mend(
    measured: tuple[str, ...], found: Placement, kind: type[ScorekitError], told: str, mend: str
) -> None:
    with pytest.raises(kind) as caught:
        placement.check(measured, found)
    assert told in caught.value.message
    assert mend in str(caught.value.mend)


def test_exactly_the_gpus_of_the_model_pass_in_any_order() -> None:
    placement.check((TWO, ONE), Placement((ONE, TWO)))


def test_a_run_on_two_gpus_is_refused_where_the_model_took_one(
    fake_nvml_here: FakeNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_nvml_here.set(gpus=2)
    both = (fake_nvml_here.uuid(0), fake_nvml_here.uuid(1))
    monkeypatch.setattr(environment, "torch_gpus", lambda: both)
    spread = SimpleNamespace(parameters=list, hf_device_map={"embed": 0, "head": 1})
    environment.check_placement(both, spread)
    assert environment.model_gpus(spread) == both
    with pytest.raises(HardwareError, match=f"{both[0]} would be measured"):
        environment.check_placement(both, SimpleNamespace(parameters=list, hf_device_map={"": 1}))


def test_a_run_without_a_gpu_has_no_placement_to_check() -> None:
    environment.check_placement((), SimpleNamespace(parameters=list))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (type("OutOfMemoryError", (RuntimeError,), {})("Tried to allocate 2 GiB"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (KeyError("out of memory"), False),
    ],
)
def test_out_of_memory_is_known_whoever_tells_it(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected
