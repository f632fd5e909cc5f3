"""master_results.csv of every generation is read as it stands, and what is wrong in a row is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.errors import LogError
from scorekit.logs.foreign import batch_csv as reader
from scorekit.records import Result
from tests.log_writers.batch_csv import Generation, Run, example, row, runs, table, write
from tests.log_writers.reading import faults, only, placed, read

GENERATIONS: tuple[Generation, ...] = (19, 20, 24)


def _changed(generation: Generation = 24, run: Run | None = None, **changes: str) -> Result:
    return only(read(reader, table([row(run or Run(), generation) | changes])))


@given(st.lists(runs(), min_size=1, max_size=4), st.sampled_from(GENERATIONS))
def test_what_was_written_is_read(written: list[Run], generation: Generation) -> None:
    results = read(reader, write(written, generation))
    assert [result.source.row for result in results] == list(range(1, len(written) + 1))
    for run, result in zip(written, results, strict=True):
        assert result.faults == ()
        assert result.refused is None
        assert (result.model, result.model_class, result.queries) == (run.model, run.model_class, run.successful)
        assert result.queries_from == "summary"
        assert result.energy_kwh == pytest.approx(run.energy_wh / 1000)
        assert result.wh_per_1000_queries == pytest.approx(1000 * run.energy_wh / run.successful)
        assert result.duration_s == run.duration_s
        assert result.output_tokens == (run.completion_tokens or None)
        assert result.task == ("reasoning" if run.reasoning.startswith("On") else "text_generation")
        assert (result.source.measured_utc, result.source.measured_local) == (None, run.timestamp)
        assert (result.hardware, result.gpu_count) == (None, None)
        assert Result.model_validate_json(result.model_dump_json()) == result


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_generations_have_their_columns(generation: Generation) -> None:
    assert len(row(Run(), generation)) == generation


@pytest.mark.parametrize(
    ("task", "reasoning", "expected"),
    [
        ("text_gen", "On (Low)", "reasoning"),
        ("text_gen", "Off", "text_generation"),
        ("text_gen", "", "text_generation"),
        ("text_gen", "perhaps", None),
        ("image_gen", "", "text_to_image"),
        ("asr", "", "automatic_speech_recognition"),
        ("video_gen", "", None),
        ("", "", None),
    ],
)
def test_tasks_go_by_the_names_of_the_runner(task: str, reasoning: str, expected: str | None) -> None:
    result = _changed(task=task, reasoning_state=reasoning)
    assert result.task == expected
    assert ("task" in result.unknown) == (expected is None)


@pytest.mark.parametrize("model_class", ["", "D", "a"])
def test_a_class_that_is_none_stays_unknown(model_class: str) -> None:
    assert _changed(model_class=model_class).model_class is None


@pytest.mark.parametrize(
    ("code", "changes", "column"),
    [
        ("zero_energy", {"gpu_energy_wh": "0.0000"}, "gpu_energy_wh"),
        ("negative_energy", {"gpu_energy_wh": "-254.5"}, "gpu_energy_wh"),
        ("not_a_number", {"gpu_energy_wh": "nan"}, "gpu_energy_wh"),
        ("not_a_number", {"gpu_energy_wh": "inf"}, "gpu_energy_wh"),
        ("missing_energy", {"gpu_energy_wh": ""}, "gpu_energy_wh"),
        ("mixed_units", {"gpu_energy_wh": "0.2545 kWh"}, "gpu_energy_wh"),
        ("failed_prompts", {"successful_prompts": "990", "failed_prompts": "10"}, "failed_prompts"),
        ("too_few_prompts", {"successful_prompts": "990"}, "total_prompts"),
        ("too_few_prompts", {"total_prompts": "0", "successful_prompts": "0"}, "successful_prompts"),
        ("contradiction", {"total_prompts": "900"}, "total_prompts"),
        ("contradiction", {"wh_per_1000_queries": "25.4500"}, "wh_per_1000_queries"),
        ("contradiction", {"avg_energy_per_prompt_wh": "2.5450"}, "avg_energy_per_prompt_wh"),
        ("contradiction", {"tokens_per_joule": "4.0000"}, "tokens_per_joule"),
        ("invalid_run", {"error_message": "CUDA out of memory"}, "error_message"),
        ("shifted_columns", {"gpu_energy_wh": "4909.98"}, "gpu_energy_wh"),
        ("shifted_columns", {"gpu_energy_wh": "2025-10-21T14:03:11"}, "gpu_energy_wh"),
        ("shifted_columns", {"total_tokens": "0.1500"}, "total_tokens"),
        ("shifted_columns", {"total_tokens": "nan"}, "total_tokens"),
        ("shifted_columns", {"total_prompts": "-5"}, "total_prompts"),
        ("shifted_columns", {"total_prompts": "1e300"}, "total_prompts"),
        ("shifted_columns", {"co2_emissions_g": "text_gen"}, "co2_emissions_g"),
        ("shifted_columns", {"timestamp": "0.0254"}, "timestamp"),
    ],
)
def test_a_fault_is_named_with_line_and_column_and_spoils_the_energy(
    code: str, changes: dict[str, str], column: str
) -> None:
    result = _changed(**changes)
    fault = faults(result)[code]
    assert fault.spoils
    assert fault.message.startswith(f"log, line 2, column {column}: ")
    assert (result.energy_kwh, result.wh_per_1000_queries) == (None, None)
    assert result.refused is not None
    assert fault.message in result.refused


def test_throughput_in_the_energy_column_is_no_contradiction() -> None:
    assert "contradiction" not in faults(_changed(gpu_energy_wh="4909.98"))
    # A true energy may well be as large as the throughput: the other columns then fit to it.
    alike = Run(energy_wh=100.0, duration_s=10.0, prompt_tokens=500, completion_tokens=500)
    assert _changed(run=alike).faults == ()


@pytest.mark.parametrize("extra", [["0.1500"], []])
def test_a_row_of_another_generation_is_shifted_and_the_next_one_is_read(extra: list[str]) -> None:
    old, new = row(Run(), 19), row(Run(model="org/newer"), 24)
    shifted = {str(number): cell for number, cell in enumerate([*list(new.values())[: 19 - 1], *extra, *extra])}
    results = read(reader, table([old, shifted, old]))
    assert [result.source.row for result in results] == [1, 2, 3]
    fault = faults(results[1])["shifted_columns"]
    assert fault.message.startswith(f"log, line 3: expected 19 cells as in the header, found {len(shifted)}")
    assert (results[1].model, results[1].energy_kwh, results[1].published.energy_kwh) == ("org/newer", None, None)
    assert results[0].faults == results[2].faults == ()


def test_an_error_of_several_lines_is_one_row() -> None:
    first, second = read(reader, write([Run(error="Traceback:\n  line, 1\n"), Run()]))
    assert "Traceback: line, 1" in faults(first)["invalid_run"].message
    assert second.source.row == 2


def test_a_run_that_failed_at_once_is_no_zero() -> None:
    failed = Run(successful=0, energy_wh=0.0, prompt_tokens=0, completion_tokens=0, error="Model not found")
    assert set(faults(_changed(run=failed))) == {"invalid_run", "zero_energy", "too_few_prompts"}


def test_columns_may_be_rounded_further() -> None:
    assert _changed(avg_energy_per_prompt_wh="0.3", tokens_per_joule="1.64", wh_per_1000_queries="254").faults == ()


def test_missing_counts_stay_unknown() -> None:
    cells = row(Run())
    for name in ("total_prompts", "successful_prompts", "failed_prompts"):
        del cells[name]
    result = only(read(reader, table([cells])))
    assert (result.queries, result.wh_per_1000_queries) == (None, None)
    assert result.energy_kwh == pytest.approx(0.2545)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (write([Run()]).splitlines(keepends=True)[0], "log has no rows below its header"),
        (b"total_prompts,successful_prompts,failed_prompts\n1,1,0\n", "line 1: there is no column gpu_energy_wh"),
        (b"model_name,gpu_energy_wh\nm\xff,1\n", "line 2: is not UTF-8"),
        ("model_name,gpu_energy_wh\nm,1\n".encode("utf-16"), "UTF-16"),
        (b"model_name,gpu_energy_wh,model_name\nm,1,n\n", "the column 'model_name' is there twice"),
    ],
)
def test_what_is_no_such_table_is_refused(text: bytes, message: str) -> None:
    with pytest.raises(LogError, match=message):
        read(reader, text)


def test_only_its_header_makes_a_table(tmp_path: Path) -> None:
    for name, text in example().items():
        assert reader.recognises(placed(tmp_path, text, "anything"))
        assert not reader.recognises(placed(tmp_path, b"a,b\n1,2\n", name))
        assert not reader.recognises(placed(tmp_path, b"", name))
