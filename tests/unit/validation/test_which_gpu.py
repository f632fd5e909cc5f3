"""Which GPU a validation takes, and how one that is not there is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scripts import validate_gpu

from scorekit.errors import EXIT_FAILED, EXIT_USAGE, HardwareError, ScorekitError, UsageError
from tests.fake_nvml import FakeNvml


def given(gpu: str | None, visible: str | None = None, device: str = "cuda") -> int:
    return validate_gpu._gpu(gpu, device, {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible})


UUID = "GPU-00000000-0000-0000-0000-00000000000{}"


@pytest.mark.parametrize(
    ("gpu", "visible", "expected"),
    [
        (None, None, 0),
        (None, "2,3", 2),
        (None, UUID.format(1), 1),
        ("3", "2", 3),
        (UUID.format(2), None, 2),
        (UUID.format(2), "0", 2),
    ],
)
def test_the_gpu_that_is_named_is_validated_or_the_first_that_was_given(
    fake_nvml_here: FakeNvml, gpu: str | None, visible: str | None, expected: int
) -> None:
    fake_nvml_here.set(gpus=4)
    named = {UUID.format(index): fake_nvml_here.uuid(index) for index in range(4)}
    assert given(named.get(str(gpu), gpu), named.get(str(visible), visible)) == expected


def test_the_beginning_of_a_uuid_names_a_gpu_where_it_fits_one_alone(fake_nvml_here: FakeNvml) -> None:
    fake_nvml_here.set(gpus=2)
    one, other = fake_nvml_here.uuid(0), fake_nvml_here.uuid(1)
    alike = next(place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b)
    assert given(other[: alike + 1]) == 1
    assert given(None, other[: alike + 1]) == 1
    with pytest.raises(UsageError, match=r"--gpu names GPU-.* fits 2 GPUs"):
        given(other[:alike])
    with pytest.raises(HardwareError, match=r"CUDA_VISIBLE_DEVICES names GPU-.* fits 2 GPUs"):
        given(None, other[:alike])


@pytest.mark.parametrize(
    ("gpu", "visible", "words", "mend"),
    [
        ("4", None, "--gpu names the GPU 4, but this machine has 4 GPUs (0 to 3)", "--gpu=0"),
        ("-1", None, "--gpu names '-1'", "--gpu=0"),
        ("first", None, "--gpu names 'first'; valid: an index (0), a UUID or its beginning", "--gpu=0"),
        ("", None, "--gpu names ''", "--gpu=0"),
        ("GPU-none", None, "is none of 4 GPUs", "nvidia-smi -L"),
        ("MIG-1", None, "names the slice MIG-1", "a whole GPU"),
        (None, "GPU-none", "CUDA_VISIBLE_DEVICES names GPU-none, which is none of 4 GPUs", "--gpu 0"),
        (None, "7", "CUDA_VISIBLE_DEVICES names the GPU 7", "--gpu 0"),
        (None, "", "leaves no GPU", "--gpu 0"),
    ],
)
def test_a_gpu_that_is_not_there_is_refused_and_never_taken_for_the_first(
    fake_nvml_here: FakeNvml, gpu: str | None, visible: str | None, words: str, mend: str
) -> None:
    fake_nvml_here.set(gpus=4)
    with pytest.raises(ScorekitError) as caught:
        given(gpu, visible)
    assert words in caught.value.message
    assert mend in str(caught.value.mend)


def test_a_rehearsal_beside_a_model_on_the_cpu_takes_a_gpu_that_is_hidden_from_cuda(fake_nvml_here: FakeNvml) -> None:
    assert given(None, "", "cpu") == 0


@pytest.mark.parametrize(
    ("settings", "arguments", "code", "told"),
    [
        ({"init_errors": "init:9"}, [], EXIT_FAILED, "sudo modprobe nvidia"),
        ({}, ["--gpu", "1"], EXIT_USAGE, "--gpu names the GPU 1, but this machine has one GPU (0)"),
    ],
)
def test_a_machine_that_cannot_be_validated_is_told_at_once_with_the_rehearsal(
    tmp_path: Path,
    fake_nvml_here: FakeNvml,
    capsys: pytest.CaptureFixture[str],
    settings: dict[str, Any],
    arguments: list[str],
    code: int,
    told: str,
) -> None:
    fake_nvml_here.set(**settings)
    assert validate_gpu.main(["--device", "cpu", "--out", str(tmp_path / "out"), *arguments]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert told in line
    assert "--tiny --device cpu --fake-nvml" in line
    assert not (tmp_path / "out").exists()
