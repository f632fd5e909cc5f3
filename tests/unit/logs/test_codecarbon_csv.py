"""CodeCarbon's emissions.csv of 2.x and 3.x is read as it stands, and what is wrong in a row is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.errors import LogError
from scorekit.logs.foreign import codecarbon_csv as reader
from scorekit.records import Result
from tests.log_writers.codecarbon_csv import Generation, Run, example, fields, on_cpu, runs, table, write
from tests.log_writers.reading import faults, only, placed, read


def _changed(run: Run | None = None, generation: Generation = 3, **changes: object) -> Result:
    return only(read(reader, table([fields(run or Run(), generation) | changes])))


@given(st.lists(runs(), min_size=1, max_size=4, unique_by=lambda run: run.run_id), st.sampled_from([2, 3]))
def test_what_was_written_is_read(written: list[Run], generation: Generation) -> None:
    results = read(reader, write(written, generation))
    assert [result.source.row for result in results] == list(range(1, len(written) + 1))
    for run, result in zip(written, results, strict=True):
        assert result.faults == ()
        assert result.energy_kwh == pytest.approx(run.gpu_kwh)
        assert (result.queries, result.wh_per_1000_queries) == (None, None)
        assert result.refused is not None
        assert "give the benchmark's own log" in result.refused
        assert (result.hardware, result.gpu_count) == ("NVIDIA A100-SXM4-80GB", None)
        assert (result.domain, result.origin) == ("gpu", "measured")
        assert result.meter == result.source.tool == f"codecarbon {run.version}"
        assert (result.source.measured_utc, result.source.measured_local) == (None, run.timestamp)
        assert result.duration_s == run.duration_s
        assert set(result.unknown) == {"model", "task", "queries", "measured_utc", "gpu_count"}
        assert Result.model_validate_json(result.model_dump_json()) == result


@given(runs())
def test_without_a_gpu_the_energy_is_that_of_cpu_and_ram(run: Run) -> None:
    result = only(read(reader, write([on_cpu(run)])))
    assert result.faults == ()
    assert result.energy_kwh == pytest.approx(run.cpu_kwh + run.ram_kwh)
    assert (result.domain, result.origin) == ("cpu+ram", "unknown")
    assert (result.hardware, result.gpu_count) == (run.cpu_model, None)


@pytest.mark.parametrize(
    ("code", "changes", "column"),
    [
        ("zero_energy", {"gpu_energy": 0.0, "energy_consumed": 0.06}, "gpu_energy"),
        ("negative_energy", {"gpu_energy": -0.25, "energy_consumed": -0.19}, "gpu_energy"),
        ("not_a_number", {"gpu_energy": "nan"}, "gpu_energy"),
        ("not_a_number", {"gpu_energy": "inf"}, "gpu_energy"),
        ("missing_energy", {"gpu_energy": ""}, "gpu_energy"),
        ("contradiction", {"energy_consumed": 0.5}, "energy_consumed"),
        ("contradiction", {"duration": 600.0}, "energy_consumed"),
        ("contradiction", {"duration": 18000.0}, "energy_consumed"),
        ("overhead_counted", {"pue": 1.5}, "pue"),
        ("shifted_columns", {"gpu_energy": "France"}, "gpu_energy"),
        ("shifted_columns", {"ram_power": "Linux-6.8"}, "ram_power"),
    ],
)
def test_a_fault_is_named_with_line_and_column_and_spoils_the_energy(
    code: str, changes: dict[str, object], column: str
) -> None:
    result = _changed(**changes)
    fault = faults(result)[code]
    assert fault.spoils
    assert fault.message.startswith(f"log, line 2, column {column}: ")
    assert result.energy_kwh is None
    assert result.refused is not None
    assert fault.message in result.refused


def test_powers_of_older_versions_are_told_but_spoil_nothing() -> None:
    result = _changed(Run(version="2.7.1"), 2, gpu_power=5000.0)
    assert not faults(result)["contradiction"].spoils
    assert result.energy_kwh == pytest.approx(0.25)


def test_a_row_that_lost_a_column_is_shifted_and_knows_nothing() -> None:
    lost = fields(Run())
    del lost["region"]
    first, second = read(reader, table([fields(Run()), lost]))
    assert first.faults == ()
    assert [fault.code for fault in second.faults] == ["shifted_columns"]
    assert (second.published.energy_kwh, second.hardware, second.domain) == (None, None, None)
    assert "line 3: expected 38 cells as in the header, found 37" in second.faults[0].message


def test_rows_of_one_run_hold_each_other() -> None:
    later = Run(gpu_kwh=0.5, cpu_kwh=0.1, ram_kwh=0.02, duration_s=3600)
    first, second, third = read(reader, write([Run(), later, Run(run_id="another")]))
    assert faults(first)["doubled_window"].message.startswith("log, line 2, column run_id: the run goes on at line 3")
    assert first.energy_kwh is None
    assert second.faults == third.faults == ()
    assert second.energy_kwh == pytest.approx(0.5)


def test_rows_of_two_runs_that_were_written_in_turn_hold_each_other() -> None:
    def at(run_id: str, times: int) -> Run:
        return Run(
            run_id=run_id, gpu_kwh=0.25 * times, cpu_kwh=0.05 * times, ram_kwh=0.01 * times, duration_s=1800 * times
        )

    results = read(reader, write([at("one", 1), at("two", 1), at("one", 2), at("two", 2), at("one", 3)]))
    told = [faults(result)["doubled_window"].message if result.faults else None for result in results]
    assert [text is None for text in told] == [False, False, False, True, True]
    assert "the run goes on at line 4" in (told[0] or "")
    assert "the run goes on at line 5" in (told[1] or "")
    assert [result.energy_kwh for result in results] == [None, None, None, pytest.approx(0.5), pytest.approx(0.75)]


def test_tasks_are_phases_by_the_name_of_the_user() -> None:
    rows = [{"task_name": name, **fields(replace(Run(), gpu_kwh=0.1))} for name in ("load", "answer")]
    first, second = read(reader, table(rows))
    assert [phase.phase for result in (first, second) for phase in result.phases] == ["load", "answer"]
    assert first.faults == second.faults == ()


@pytest.mark.parametrize(
    ("model", "count", "name"),
    [
        ("1 x NVIDIA H100 80GB HBM3", 1, "NVIDIA H100 80GB HBM3"),
        ("2 x A, 1 x B", 3, "2 x A, 1 x B"),
        ("", 2, None),
    ],
)
def test_gpus_are_named_as_far_as_they_are_alike(model: str, count: int, name: str | None) -> None:
    result = _changed(gpu_model=model, gpu_count=count)
    assert (result.hardware, result.gpu_count) == (name, None)
    assert ("hardware" in result.unknown) == (name is None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (write([Run()]).splitlines(keepends=True)[0], "log has no rows below its header"),
        (write([Run()])[:-1] + b"\xff\n", "line 2: is not UTF-8"),
        (write([Run()]).decode().encode("utf-16"), "UTF-16"),
        (write([Run()]) + b"x" * 70_000, "line 3: longer than"),
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
