"""A config counts GPUs from 0; a job's own are those that its engine names."""

from __future__ import annotations

import pytest

from scorekit.errors import HardwareError
from scorekit.sweep import job_process, node


@pytest.mark.parametrize(
    ("asked", "visible", "expected"),
    [
        (0, "3", "3"),
        ("0,1", "2,5", "2,5"),
        ("1, 0", "2,5", "5,2"),
        (0, "GPU-1a2b,GPU-3c4d", "GPU-1a2b"),
        ("GPU-1a2b", "2", None),
        (None, "2", None),
    ],
)
def test_the_first_gpu_of_a_config_is_the_first_that_was_given(
    asked: str | int | None, visible: str, expected: str | None
) -> None:
    assert node.device_ids("cuda", asked, {job_process.VISIBLE: visible}) == expected


def test_without_an_engine_s_word_or_on_the_cpu_nothing_changes() -> None:
    assert node.device_ids("cuda", 0, {}) is None
    assert node.device_ids("cpu", 0, {job_process.VISIBLE: "3"}) is None


@pytest.mark.parametrize("visible", ["", "-1", "NoDevFiles", "2"])
def test_fewer_gpus_than_asked_for_are_refused(visible: str) -> None:
    with pytest.raises(HardwareError, match="asks for 2 GPUs") as caught:
        node.device_ids("cuda", "0,1", {job_process.VISIBLE: visible})
    assert "hydra.launcher.gres" in (caught.value.mend or "")
