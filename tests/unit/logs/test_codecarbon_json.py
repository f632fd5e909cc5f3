"""CodeCarbon's data of one pass, as optimum-benchmark leaves it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from scorekit.errors import LogError
from scorekit.logs.foreign import codecarbon_json as reader
from scorekit.records import Result
from tests.log_writers.codecarbon_json import Run, example, fields, runs, write
from tests.log_writers.reading import faults, only, placed, read


def _changed(**changes: Any) -> Result:
    return only(read(reader, json.dumps(fields(Run()) | changes), "generate_codecarbon.json"))


@given(runs())
def test_what_was_written_is_read(run: Run) -> None:
    result = only(read(reader, write(run), "forward_codecarbon.json"))
    assert result.faults == ()
    assert result.energy_kwh == pytest.approx(run.gpu_kwh)
    assert (result.hardware, result.gpu_count) == ("NVIDIA A100-SXM4-80GB", None)
    (phase,) = result.phases
    assert (phase.phase, phase.counted, phase.duration_s) == ("forward", True, run.duration_s)
    assert (result.source.measured_utc, result.source.measured_local) == (None, run.timestamp)
    assert result.refused is not None
    assert "does not tell how many queries" in result.refused
    assert Result.model_validate_json(result.model_dump_json()) == result


@pytest.mark.parametrize("phase", ["load_model", "load_dataset", "prefill", "decode"])
def test_a_pass_that_no_score_counts_is_no_energy_of_the_task(phase: str) -> None:
    result = only(read(reader, write(Run()), f"{phase}_codecarbon.json"))
    assert result.energy_kwh is None
    assert not result.phases[0].counted
    assert result.phases[0].energy_kwh == pytest.approx(0.25)
    assert result.faults[0].phase == phase
    assert result.refused is not None
    assert phase in result.refused


def test_without_the_name_the_pass_is_unknown() -> None:
    result = only(read(reader, write(Run()), "renamed.json"))
    assert result.phases == ()
    assert result.energy_kwh == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("code", "changes", "field"),
    [
        ("zero_energy", {"gpu_energy": 0.0, "energy_consumed": 0.06}, "gpu_energy"),
        ("negative_energy", {"gpu_energy": -0.25, "energy_consumed": -0.19}, "gpu_energy"),
        ("not_a_number", {"gpu_energy": math.nan}, "gpu_energy"),
        ("missing_energy", {"gpu_energy": None}, "gpu_energy"),
        ("contradiction", {"energy_consumed": 0.5}, "energy_consumed"),
        ("overhead_counted", {"pue": 1.2}, "pue"),
    ],
)
def test_a_fault_is_named_with_its_field_and_spoils_the_energy(code: str, changes: dict[str, Any], field: str) -> None:
    result = _changed(**changes)
    fault = faults(result)[code]
    assert fault.spoils
    assert fault.message.startswith(f"generate_codecarbon.json: {field}: ")
    assert result.energy_kwh is None


def test_powers_are_not_those_of_the_pass() -> None:
    assert _changed(gpu_power=5000.0).faults == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (write(Run())[:-40], "log is not JSON"),
        (b'{"x": {"energy_consumed": 1, "cpu_energy": 1}}', "log: there is no energy_consumed"),
        (b'{"energy_consumed": "much", "cpu_energy": 1}', "log: energy_consumed: expected a number, found 'much'"),
        (b'{"energy_consumed": 1, "cpu_energy": 1, "gpu_model": 5}', "log: gpu_model: expected text, found 5"),
        (write(Run()).decode().encode("utf-16"), "UTF-16"),
        (b'{"energy_consumed": 1, "cpu_energy": ' + b"[" * 100_000, "log is not JSON"),
    ],
)
def test_what_is_no_such_file_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(LogError, match=message):
        read(reader, text)


def test_only_its_content_makes_it_one(tmp_path: Path) -> None:
    for name, text in example().items():
        assert reader.recognises(placed(tmp_path, text, "anything"))
        assert not reader.recognises(placed(tmp_path, b"{}", name))
        assert not reader.recognises(placed(tmp_path, b"", name))
