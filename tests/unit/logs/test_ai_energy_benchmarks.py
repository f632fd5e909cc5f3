"""Reports of ai_energy_benchmarks are read as they stand, and what is wrong in them is named."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from scorekit.errors import LogError
from scorekit.logs.foreign import ai_energy_benchmarks as reader
from scorekit.records import Result
from tests.log_writers.ai_energy_benchmarks import Report, content, example, reports, write
from tests.log_writers.reading import faults, only, placed, read


def _changed(*changes: tuple[str, Any], report: Report | None = None) -> Result:
    """The result of a report with some fields changed; a change to `...` takes the field away."""
    found = content(report or Report())
    for path, value in changes:
        *parents, last = path.split(".")
        within = found
        for parent in parents:
            within = within[parent]
        if value is ...:
            del within[last]
        else:
            within[last] = value
    return only(read(reader, json.dumps(found)))


@given(reports())
def test_what_was_written_is_read(report: Report) -> None:
    result = only(read(reader, write(report)))
    assert result.faults == ()
    assert result.refused is None
    assert (result.model, result.queries, result.queries_from) == (report.model, report.successful, "summary")
    assert result.energy_kwh == pytest.approx(report.gpu_wh / 1000)
    assert result.wh_per_1000_queries == pytest.approx(1000 * report.gpu_wh / report.successful)
    assert result.output_tokens == (report.completion_tokens or None)
    assert result.duration_s == report.duration_s
    assert result.dtype == (None if report.dtype == "auto" else report.dtype)
    assert result.gpu_count == report.gpus
    assert result.task in ("text_generation", "reasoning", "automatic_speech_recognition")
    assert (result.domain, result.origin, result.meter) == ("gpu", "measured", "codecarbon 3.0.2")
    assert Result.model_validate_json(result.model_dump_json()) == result


def test_what_the_tool_does_not_tell_stays_unknown() -> None:
    result = _changed(("config.name", "ai_energy_benchmark"), ("metrics_metadata", {}))
    assert result.hardware is None
    assert result.task is None
    assert set(result.unknown) == {"task", "hardware", "meter", "measured_utc"}
    assert result.wh_per_1000_queries == pytest.approx(25.5)


def test_queries_are_never_assumed() -> None:
    counts = [(f"summary.{name}_prompts", ...) for name in ("total", "successful", "failed")]
    asked = _changed(*counts)
    assert (asked.queries, asked.queries_from) == (1000, "config")
    result = _changed(*counts, ("config.num_samples", ...))
    assert (result.queries, result.wh_per_1000_queries) == (None, None)
    assert result.energy_kwh == pytest.approx(0.0255)
    assert "queries" in result.unknown
    assert result.refused is not None
    assert "does not tell how many queries" in result.refused
    # Neither answered nor failed is told: how many of them were answered is not known.
    assert _changed(*counts[1:]).queries is None
    assert _changed(counts[1]).queries == 1000


NO_TOTAL = ("summary.total_prompts", ...)


@pytest.mark.parametrize(
    ("successful", "failed", "told", "codes"),
    [
        # The other half failed, or was never sent: if it ran, the energy of a query is half of what it seems.
        (500, ..., "500 prompts were answered or failed, expected 1,000 as asked", {"too_few_prompts"}),
        (999, ..., "999 prompts were answered or failed, expected 1,000 as asked", {"too_few_prompts"}),
        (999, 0, "999 prompts were answered or failed", {"too_few_prompts"}),
        (500, 499, "999 prompts were answered or failed", {"too_few_prompts", "failed_prompts"}),
        (500, 500, "500 prompts failed", {"failed_prompts"}),
        (0, ..., "0 prompts were answered or failed", {"too_few_prompts"}),
    ],
)
def test_fewer_answers_than_were_asked_are_told_without_a_total(
    successful: int, failed: Any, told: str, codes: set[str]
) -> None:
    result = _changed(NO_TOTAL, ("summary.successful_prompts", successful), ("summary.failed_prompts", failed))
    assert set(faults(result)) == codes
    assert all(fault.spoils for fault in result.faults)
    assert any(told in fault.message for fault in result.faults)
    assert result.wh_per_1000_queries is None
    assert result.refused is not None


def test_as_many_answers_as_were_asked_need_no_total() -> None:
    for failed in (0, ...):
        result = _changed(NO_TOTAL, ("summary.failed_prompts", failed))
        assert (result.faults, result.queries, result.refused) == ((), 1000, None)
    # Nobody says how many were asked.
    result = _changed(NO_TOTAL, ("summary.successful_prompts", 500), ("config.num_samples", ...))
    assert (result.faults, result.queries) == ((), 500)


@pytest.mark.parametrize(
    ("code", "changes", "where"),
    [
        ("zero_energy", [("energy.gpu_energy_wh", 0.0), ("energy.gpu_energy_kwh", 0.0)], "energy.gpu_energy_wh"),
        ("negative_energy", [("energy.gpu_energy_wh", -1.0)], "energy.gpu_energy_wh"),
        ("not_a_number", [("energy.gpu_energy_wh", math.nan)], "energy.gpu_energy_wh"),
        ("not_a_number", [("energy.gpu_energy_wh", math.inf)], "energy.gpu_energy_wh"),
        ("missing_energy", [("energy", {})], "energy.gpu_energy_wh"),
        ("contradiction", [("energy.gpu_energy_kwh", 25.5)], "energy.gpu_energy_kwh"),
        ("contradiction", [("energy.total_energy_wh", 50.0)], "energy.total_energy_wh"),
        ("contradiction", [("summary.total_prompts", 900)], "summary.total_prompts"),
        ("failed_prompts", [("summary.successful_prompts", 990), ("summary.failed_prompts", 10)], "failed_prompts"),
        ("failed_prompts", [("summary.successful_prompts", 990), ("summary.failed_prompts", ...)], "failed_prompts"),
        ("too_few_prompts", [("config.num_samples", 2000)], "summary.total_prompts"),
        ("too_few_prompts", [("summary.successful_prompts", 990)], "summary.total_prompts"),
        ("too_few_prompts", [("summary.successful_prompts", 0), ("summary.failed_prompts", 1000)], "successful"),
        ("invalid_run", [("energy.error", "Tracker not\nstarted")], "energy.error"),
    ],
)
def test_a_fault_is_named_with_its_field_and_spoils_the_energy(
    code: str, changes: list[tuple[str, Any]], where: str
) -> None:
    result = _changed(*changes)
    fault = faults(result)[code]
    assert fault.spoils
    assert where in fault.message
    assert result.refused is not None
    assert fault.message in result.refused
    assert (result.energy_kwh, result.wh_per_1000_queries) == (None, None)


def test_failed_prompts_leave_the_figure_as_published() -> None:
    result = _changed(("summary.successful_prompts", 500), ("summary.failed_prompts", 500))
    assert result.published.wh_per_1000_queries == pytest.approx(51)
    assert result.queries == 500


def test_either_name_of_the_energy_will_do() -> None:
    assert _changed(("energy.gpu_energy_wh", ...)).energy_kwh == pytest.approx(0.0255)


def test_a_run_on_a_cpu_is_of_cpu_and_ram() -> None:
    result = _changed(("backend_info.device", "cpu"))
    assert (result.domain, result.origin, result.gpu_count) == ("cpu+ram", "unknown", None)
    assert result.energy_kwh == pytest.approx(0.0045)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"summary": {"total_prompts": 10', "log is not JSON"),
        (b'{"total_prompts": 10}', "neither summary nor energy"),
        (b'{"summary": {"total_prompts": "ten"}}', "log: summary.total_prompts: expected a whole number, found 'ten'"),
        (b'{"summary": {"total_prompts": -1}}', "log: summary.total_prompts: expected a count, found -1"),
        (b'{"summary": {"total_prompts": 1' + b"0" * 300 + b"}}", "expected a count"),
        (b'{"energy": {"gpu_energy_wh": "25.5 Wh"}}', "log: energy.gpu_energy_wh: expected a number, found '25.5 Wh'"),
        (b'{"energy": ["gpu_energy_wh"], "gpu_energy_wh": 1}', "log: energy: expected a mapping"),
        (b'{"gpu_energy_wh": ' + b"[" * 100_000, "log is not JSON"),
        (b'{"gpu_energy_wh": "\xff"}', "log is not JSON"),
        ('{"gpu_energy_wh": 1}'.encode("utf-16"), "log is UTF-16"),
    ],
)
def test_what_is_no_report_is_refused_with_its_field(text: bytes, message: str) -> None:
    with pytest.raises(LogError, match=message):
        read(reader, text)


def test_only_its_content_makes_a_report(tmp_path: Path) -> None:
    for name, text in example().items():
        assert reader.recognises(placed(tmp_path, text, "anything"))
        assert not reader.recognises(placed(tmp_path, b"{}", name))
        assert not reader.recognises(placed(tmp_path, b"", name))
