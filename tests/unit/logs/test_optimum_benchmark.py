"""Logs of optimum-benchmark are read as what they are, of both generations: facts, units, domains, files."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from scorekit import tasks
from scorekit.errors import LogError
from scorekit.logs.foreign import optimum_benchmark, optimum_benchmark_v0
from scorekit.logs.places import Place
from scorekit.records import Result
from tests.log_writers import optimum_benchmark as writer
from tests.log_writers import optimum_benchmark_v0 as writer_v0
from tests.log_writers.optimum_benchmark_parts import CPU_SHARE, RAM_SHARE, Run, encode
from tests.unit.logs.written import read_folder, recognised

ONE_PASS = Run(answers_kwh={"prefill": (0.001,), "decode": (0.002,)})
BOTH = pytest.mark.parametrize(
    ("reader", "write", "run"),
    [(optimum_benchmark_v0, writer_v0, Run()), (optimum_benchmark, writer, ONE_PASS)],
    ids=["v0", "0.6"],
)


def _told(result: Result) -> dict[str, Any]:
    """What a result tells of the run, in the writer's terms."""
    by_phase = {phase.phase: phase for phase in result.phases if phase.counted}
    preparing, *answering = by_phase
    return {
        "model": result.model,
        "model_revision": result.model_revision,
        "task": result.task,
        "queries": result.queries,
        "dtype": result.dtype,
        "batch_size": result.conditions.batch_size if result.conditions is not None else None,
        "used": result.gpu_count,
        "hardware": result.hardware,
        "preprocess_kwh": by_phase[preparing].energy_kwh,
        "answers_kwh": {
            name: by_phase[name].energy_kwh_by_repeat or (by_phase[name].energy_kwh,) for name in answering
        },
    }


def _written(run: Run) -> dict[str, Any]:
    return {
        "model": run.model,
        "model_revision": run.model_revision,
        "task": run.task,
        "queries": run.queries,
        "dtype": run.dtype,
        "batch_size": run.batch_size,
        "used": len(run.device_ids.split(",")),
        "hardware": run.gpus[0],
        "preprocess_kwh": run.preprocess_kwh,
        "answers_kwh": run.answers_kwh,
    }


@settings(max_examples=60, deadline=None)
@given(run=writer_v0.logs())
def test_what_is_written_as_v0_is_read(run: Run) -> None:
    result = read_folder(optimum_benchmark_v0, writer_v0.write(run))
    assert _told(result) == _written(run)
    assert result.faults == ()
    assert result.published.runs == len(next(iter(run.answers_kwh.values())))


@settings(max_examples=60, deadline=None)
@given(run=writer.logs())
def test_what_is_written_as_0_6_is_read(run: Run) -> None:
    result = read_folder(optimum_benchmark, writer.write(run))
    assert _told(result) == _written(run)
    assert result.faults == ()
    assert result.published.runs == 1


@settings(max_examples=30, deadline=None)
@given(run=writer_v0.logs())
def test_the_energy_is_that_of_the_counted_phases(run: Run) -> None:
    result = read_folder(optimum_benchmark_v0, writer_v0.write(run))
    count = len(next(iter(run.answers_kwh.values())))
    expected = run.preprocess_kwh + sum(sum(repeats) / count for repeats in run.answers_kwh.values())
    assert result.energy_kwh == pytest.approx(expected)
    if run.queries is None:
        assert result.wh_per_1000_queries is None
        assert result.refused is not None
        assert "how many queries" in result.refused
    else:
        assert result.wh_per_1000_queries == pytest.approx(expected * 1e6 / run.queries)


@BOTH
@pytest.mark.parametrize(("unit", "kwh"), [("kWh", 1), ("Wh", 1e-3), ("J", 1 / 3.6e6)])
def test_known_units_are_converted(reader: Any, write: Any, run: Run, unit: str, kwh: float) -> None:
    report = write.report(run, unit)
    for phase in report.values():
        # Samples for a kWh, which are other numbers than samples for a Wh.
        phase["efficiency"] = None
    result = read_folder(reader, {"benchmark_report.json": encode(report), **_config(write, run)})
    assert result.faults == ()
    assert result.energy_kwh == pytest.approx(0.0031 * kwh)
    assert result.wh_per_1000_queries == pytest.approx(3.1 * kwh)


@BOTH
@pytest.mark.parametrize("unit", [None, "kwh", "MWh", "tokens/s", ""])
def test_an_unknown_unit_leaves_no_energy(reader: Any, write: Any, run: Run, unit: str | None) -> None:
    report = write.report(run)
    for phase in report.values():
        if phase["energy"] is not None:
            phase["energy"]["unit"] = unit
    report["decode"].pop("measures", None)
    report["prefill"].pop("measures", None)
    result = read_folder(reader, {"benchmark_report.json": encode(report), **_config(write, run)})
    codes = {fault.code for fault in result.faults}
    assert codes >= {"unit_missing" if not unit else "unit_unknown"}
    assert result.energy_kwh is None
    assert result.published.energy_kwh is None
    assert result.refused is not None
    assert "energy.unit" in result.refused
    assert "kWh, Wh, J" in result.refused


def _config(write: Any, run: Run) -> dict[str, bytes]:
    name = "experiment_config.json" if write is writer_v0 else "benchmark_config.json"
    return {name: encode(write.config(run))}


@BOTH
def test_without_a_config_nothing_is_assumed(reader: Any, write: Any, run: Run) -> None:
    result = read_folder(reader, {"benchmark_report.json": encode(write.report(run))})
    assert result.energy_kwh == pytest.approx(0.0031)
    assert result.queries is None
    assert result.wh_per_1000_queries is None
    assert set(result.unknown) >= {"model", "task", "hardware", "queries", "meter"}
    assert result.conditions is None
    assert result.origin == "unknown"


@BOTH
@pytest.mark.parametrize("samples", [-1, None])
def test_all_samples_are_an_unknown_number(reader: Any, write: Any, run: Run, samples: int | None) -> None:
    config = write.config(run)
    config["benchmark" if write is writer_v0 else "scenario"]["num_samples"] = samples
    name = next(iter(_config(write, run)))
    result = read_folder(reader, {"benchmark_report.json": encode(write.report(run)), name: encode(config)})
    assert result.queries is None
    assert result.queries_from is None
    assert "queries" in result.unknown


@BOTH
def test_a_run_on_a_cpu_is_the_energy_of_cpu_and_ram(reader: Any, write: Any, run: Run) -> None:
    report, config = write.report(run), write.config(run)
    for phase in report.values():
        for energy in (phase["energy"], *(phase.get("measures") or ())):
            if energy is not None:
                energy["gpu"], energy["total"] = 0.0, energy["cpu"] + energy["ram"]
        phase["efficiency"] = None
    config["backend"].update(device="cpu", device_ids=None)
    name = next(iter(_config(write, run)))
    result = read_folder(reader, {"benchmark_report.json": encode(report), name: encode(config)})
    assert result.domain == "cpu+ram"
    assert result.hardware == "AMD EPYC 7R13 Processor"
    assert result.gpu_count is None
    assert result.faults == ()
    assert result.energy_kwh == pytest.approx(0.0031 * (CPU_SHARE + RAM_SHARE))


@BOTH
def test_a_gpu_that_read_nothing_is_no_cpu(reader: Any, write: Any, run: Run) -> None:
    report = write.report(run)
    for phase in report.values():
        for energy in (phase["energy"], *(phase.get("measures") or ())):
            if energy is not None:
                energy["gpu"], energy["total"] = 0.0, energy["cpu"] + energy["ram"]
        phase["efficiency"] = None
    result = read_folder(reader, {"benchmark_report.json": encode(report), **_config(write, run)})
    assert result.domain == "gpu"
    assert result.energy_kwh is None
    assert "zero_energy" in {fault.code for fault in result.faults}


@pytest.mark.parametrize(
    ("device_ids", "gpus", "count", "name"),
    [
        (0, ["A", "B"], 1, "A"),
        ("1", ["A", "B"], 1, "B"),
        ("0, 1", ["A", "A"], 2, "A"),
        ([0, 1], ["A", "B"], 2, "A + B"),
        ("5", ["A", "A"], 1, "A"),
        ("5", ["A", "B"], 1, None),
        (None, ["A"], None, "A"),
        ("GPU-1f2e", ["A", "B"], 1, None),
        ("0", "A", 1, "A"),
        ("0", None, 1, None),
    ],
)
def test_gpus_are_those_of_device_ids(device_ids: Any, gpus: Any, count: int | None, name: str | None) -> None:
    config = writer.config(ONE_PASS)
    config["backend"].update(device_ids=device_ids, device_map="auto")
    config["environment"]["gpu"] = gpus
    result = read_folder(
        optimum_benchmark,
        {"benchmark_report.json": encode(writer.report(ONE_PASS)), "benchmark_config.json": encode(config)},
    )
    assert (result.gpu_count, result.hardware) == (count, name)
    assert ("hardware" in result.unknown) == (name is None)


@pytest.mark.parametrize(
    ("changes", "task"),
    [
        ({}, "text_generation"),
        ({"name": "llama"}, "text_generation"),
        ({"scenario.reasoning": True}, "reasoning"),
        ({"backend.task": "text-to-image"}, "text_to_image"),
        ({"backend.task": None, "name": "text_to_image"}, "text_to_image"),
        ({"backend.task": None, "name": "llama"}, None),
        ({"backend.task": "fill-mask"}, None),
        ({"backend.task": "text2text-generation", "scenario.t5_task": "summarization"}, "t5_summarization"),
        (
            {"backend.task": "text2text-generation", "scenario.dataset_name": "EnergyStarAI/extractive_qa"},
            "t5_question_answering",
        ),
        ({"backend.task": "text2text-generation", "scenario.dataset_name": "org/other"}, None),
    ],
)
def test_the_task_is_what_the_config_tells(changes: dict[str, Any], task: str | None) -> None:
    config = writer.config(ONE_PASS)
    for place, value in changes.items():
        section, _, name = place.rpartition(".")
        (config[section] if section else config)[name] = value
    result = read_folder(
        optimum_benchmark,
        {"benchmark_report.json": encode(writer.report(ONE_PASS)), "benchmark_config.json": encode(config)},
    )
    assert result.task == task
    assert result.cohort == (None if task is None else tasks.TASKS[task].cohort)


def test_the_time_of_the_pass_is_local() -> None:
    source = read_folder(optimum_benchmark, writer.example()).source
    assert source.measured_local == "2025-05-30T15:22:36"
    assert source.measured_utc is None
    assert source.tool == "optimum-benchmark 0.6.0"
    assert set(source.files) == set(writer.example())


def test_loading_is_told_and_not_counted() -> None:
    result = read_folder(optimum_benchmark, writer.example())
    loading = {phase.phase: phase.energy_kwh for phase in result.phases if not phase.counted}
    assert loading == {"load_dataset": 0.5, "load_model": 2.0}
    assert result.energy_kwh == pytest.approx(0.0031)


@BOTH
def test_a_lone_report_is_read_with_the_config_beside_it(reader: Any, write: Any, run: Run, tmp_path: Path) -> None:
    for name, content in write.write(run).items():
        (tmp_path / name).write_bytes(content)
    (result,) = reader.read(Place.of_file(tmp_path / "benchmark_report.json"))
    assert result.queries == 1000
    (tmp_path / "benchmark_report.json").rename(tmp_path / "renamed.json")
    (result,) = reader.read(Place.of_file(tmp_path / "renamed.json"))
    assert result.queries is None


def test_benchmark_json_alone_holds_both(tmp_path: Path) -> None:
    (tmp_path / "benchmark.json").write_bytes(writer.example()["benchmark.json"])
    for place in (Place.of_folder(tmp_path), Place.of_file(tmp_path / "benchmark.json")):
        assert optimum_benchmark.recognises(place)
        (result,) = optimum_benchmark.read(place)
        assert (result.queries, result.energy_kwh) == (1000, pytest.approx(0.0031))


@BOTH
def test_each_generation_is_recognised_by_its_own_reader(reader: Any, write: Any, run: Run) -> None:
    other = optimum_benchmark if reader is optimum_benchmark_v0 else optimum_benchmark_v0
    files = write.write(run)
    assert recognised(reader, files)
    assert recognised(reader, files, lone="benchmark_report.json")
    assert not recognised(other, files)
    assert not recognised(other, files, lone="benchmark_report.json")
    # Where the phases were sorted by name, and spaces taken out.
    small = json.dumps(json.loads(files["benchmark_report.json"]), sort_keys=True, separators=(",", ":")).encode()
    assert recognised(reader, {"any.json": small}, lone="any.json")
    assert recognised(reader, {"any.json": small.decode().encode("utf-16")}, lone="any.json")


@pytest.mark.parametrize(
    "names", [("windows.jsonl",), ("INCOMPLETE",), ("environment.json", "manifest.json")], ids=lambda names: names[0]
)
def test_a_run_folder_of_ours_is_not_claimed(names: tuple[str, ...]) -> None:
    files = {**writer.example(), **dict.fromkeys(names, b"{}")}
    assert not recognised(optimum_benchmark, files)
    assert not recognised(optimum_benchmark_v0, files)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"notes.json": b"{}"},
        {"benchmark_report.json": b'{"config": {}, "summary": {"total_prompts": 3}}'},
        {"generate_codecarbon.json": encode(writer.codecarbon(0.1, 1))},
        {"benchmark_config.json": b'{"backend": "other tool"}'},
    ],
    ids=["empty", "other", "summary", "codecarbon", "config"],
)
def test_what_is_none_of_its_logs_is_not_claimed(files: dict[str, bytes]) -> None:
    for reader in (optimum_benchmark, optimum_benchmark_v0):
        assert not recognised(reader, files)
        assert not any(recognised(reader, files, lone=name) for name in files)


def test_two_reports_that_differ_are_refused_by_name() -> None:
    files = writer.example()
    other = copy.deepcopy(writer.report(ONE_PASS))
    other["prefill"]["energy"]["gpu"] *= 2
    for name, content in (
        ("benchmark_report (1).json", encode(other)),
        ("benchmark.json", encode({"config": writer.config(ONE_PASS), "report": other})),
    ):
        with pytest.raises(LogError) as caught:
            read_folder(optimum_benchmark, {**files, name: content})
        assert name in caught.value.message
        assert "benchmark_report.json" in caught.value.message


def test_two_reports_that_are_one_are_read() -> None:
    files = writer.example()
    result = read_folder(optimum_benchmark, {**files, "copy.json": files["benchmark_report.json"]})
    assert result.faults == ()
    report = writer.report(ONE_PASS)
    report["prefill"]["energy"]["gpu"] = float("nan")
    both = {"benchmark_report.json": encode(report)}
    both["benchmark.json"] = encode({"config": writer.config(ONE_PASS), "report": report})
    assert "not_a_number" in {fault.code for fault in read_folder(optimum_benchmark, both).faults}


def test_two_configs_of_other_runs_are_refused() -> None:
    config = writer.config(ONE_PASS)
    config["scenario"]["num_samples"] = 10
    with pytest.raises(LogError, match=r"two configs .*benchmark\.json and benchmark_config\.json"):
        read_folder(optimum_benchmark, {**writer.example(), "benchmark_config.json": encode(config)})


def test_a_run_that_did_not_end_is_told() -> None:
    files = {"benchmark_config.json": writer.example()["benchmark_config.json"]}
    assert recognised(optimum_benchmark, files)
    with pytest.raises(LogError, match="did not end"):
        read_folder(optimum_benchmark, files)
