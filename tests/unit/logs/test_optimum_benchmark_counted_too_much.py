"""Logs that count what the run did not use: idle GPUs, and an overhead on every energy."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scorekit.logs.foreign import optimum_benchmark
from tests.log_writers import optimum_benchmark as writer
from tests.log_writers.optimum_benchmark_parts import encode
from tests.unit.logs.optimum_benchmark_runs import DECODE, ONE_PASS, PREFILL, read_v06, told_of
from tests.unit.logs.written import read_folder


@pytest.mark.parametrize(
    ("backend", "machine", "idle"),
    [
        ({"device_ids": "0", "device_map": None}, 1, False),
        # CodeCarbon counts the machine's GPUs, and reads those of device_ids alone.
        ({"device_ids": "0", "device_map": None}, 8, False),
        ({"device_ids": "0,1,2,3", "device_map": None}, 8, True),
        ({"device_ids": "0,1,2,3", "device_map": None}, None, True),
        ({"device_ids": "0,1,2,3", "device_map": "auto"}, 4, False),
        ({"device_ids": "0,1", "device_map": None, "tp_plan": "auto"}, None, False),
        ({"device_ids": "0,1", "device_map": None, "name": "vllm"}, None, False),
        ({"device": "cpu", "device_ids": None}, None, True),
        ({"device_ids": None, "device_map": None}, 8, False),
    ],
)
def test_energy_of_gpus_that_were_not_used(backend: dict[str, Any], machine: int | None, idle: bool) -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        config["backend"].update(backend)

    beside = None if machine is None else writer.codecarbon(PREFILL + DECODE, machine)
    result = read_v06(edit=edit, beside=beside)
    assert [fault.code for fault in result.faults] == (["idle_gpus"] if idle else [])
    assert (result.energy_kwh is None) == idle


def test_several_processes_use_all_gpus() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        config["backend"].update(device_ids="0,1", device_map=None)
        config["launcher"]["name"] = "torchrun"

    assert read_v06(edit=edit).faults == ()


@pytest.mark.parametrize("file", ["generate_codecarbon.json", "preprocess_dataset_codecarbon.json"])
@pytest.mark.parametrize("both", [True, False])
def test_an_overhead_in_a_file_beside_the_report_spoils(file: str, both: bool) -> None:
    files = writer.write(ONE_PASS)
    content = json.loads(files[file])
    files[file] = encode(content | {"pue": 1.5})
    if not both:
        files = {name: text for name, text in files.items() if name == file or "codecarbon" not in name}
    result = read_folder(optimum_benchmark, files)
    assert told_of(result.faults) == [("overhead_counted", None, None, True)]
    assert f"{file}: pue: every energy is multiplied by 1.5" in (result.refused or "")
    assert result.energy_kwh is None
