"""Logs are found in folders, files and archives, each read once, and a broken one keeps no other from being read."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

import pytest

from scorekit import bundle, logs
from scorekit.errors import LogError
from scorekit.logs import Refusal, archives
from scorekit.messages import DEBUG
from scorekit.records import Result
from tests.golden import make
from tests.log_writers import ai_energy_benchmarks, optimum_benchmark

GOLDEN = Path(make.__file__).parent


def _all(*paths: Path) -> tuple[list[Result], list[Refusal]]:
    found = list(logs.read_logs(paths))
    return [f for f in found if isinstance(f, Result)], [f for f in found if isinstance(f, Refusal)]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for name in ("forward_cpu", "generate_h100"):
        shutil.copytree(GOLDEN / name, tmp_path / "runs" / name)
    return tmp_path / "runs"


def test_a_run_becomes_a_result_with_its_score(runs: Path) -> None:
    results, refusals = _all(runs)
    assert [result.source.name for result in results] == ["runs/forward_cpu", "runs/generate_h100"]
    assert not refusals
    for result in results:
        score = logs.read_score(runs / result.source.name.rpartition("/")[2])
        assert result.score == score
        assert result.wh_per_1000_queries == score.wh_per_1000_queries == result.published.wh_per_1000_queries
        assert result.queries_from == "counted"
        assert result.dtype == {"forward_cpu": "float32", "generate_h100": "float16"}[score.provenance.run]
        assert result.faults == ()


def test_what_is_named_twice_is_read_once(runs: Path) -> None:
    assert len(_all(runs / "forward_cpu", runs / "forward_cpu", runs / ".." / "runs" / "forward_cpu")[0]) == 1


def test_a_faulty_run_keeps_no_other_from_being_read(runs: Path) -> None:
    for name in make.FAULTY:
        shutil.copytree(GOLDEN / name, runs / name)
    results, refusals = _all(runs)
    assert len(results) == 2
    assert sorted(refusal.label for refusal in refusals) == sorted(f"runs/{name}" for name in make.FAULTY)
    assert all(refusal.error.mend for refusal in refusals)


def test_an_error_that_no_reader_expects_keeps_no_other_log_from_being_read(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (runs / "odd").mkdir()
    (runs / "odd" / "benchmark_report.json").write_bytes(ai_energy_benchmarks.write(ai_energy_benchmarks.Report()))

    def prompts(*_counts: object) -> None:
        raise OverflowError

    monkeypatch.setattr("scorekit.logs.foreign.ai_energy_benchmarks.Prompts", prompts)
    results, (refusal,) = _all(runs)
    assert len(results) == 2
    assert refusal.label == "runs/odd/benchmark_report.json"
    assert isinstance(refusal.error, LogError)
    assert refusal.error.message == "runs/odd/benchmark_report.json cannot be worked with: OverflowError"
    assert "restore it from a copy" in str(refusal.error.mend)

    def starved(*_counts: object) -> None:
        raise MemoryError

    # The machine is at fault, not the log.
    monkeypatch.setattr("scorekit.logs.foreign.ai_energy_benchmarks.Prompts", starved)
    with pytest.raises(MemoryError):
        _all(runs)


def test_a_fault_of_the_checks_is_told_as_one_of_scorekit_and_not_of_the_log(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def judge(_evidence: object) -> None:
        raise AttributeError("a check that is wrong")

    monkeypatch.setattr("scorekit.logs.run_bundle.judge", judge)
    monkeypatch.setenv(DEBUG, "1")
    results, refusals = _all(runs)
    assert results == []
    assert len(refusals) == 2
    for refusal in refusals:
        told = "was read, and could not be judged: AttributeError: a check that is wrong"
        assert refusal.error.message.endswith(f"{refusal.label} {told}")
        assert "fault of scorekit" in str(refusal.error.mend)
        assert "restore" not in str(refusal.error.mend)
    assert capsys.readouterr().err.count("Traceback (most recent call last)") == 2


def test_a_log_whose_form_cannot_be_told_keeps_no_other_from_being_read(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (runs / "odd.json").write_text("{}")

    def kind_of(path: Path, _head: bytes) -> None:
        if path.name == "odd.json":
            raise ValueError("odd")

    monkeypatch.setattr(archives, "kind_of", kind_of)
    results, (refusal,) = _all(runs)
    assert len(results) == 2
    assert refusal.error.message == "runs/odd.json cannot be worked with: ValueError: odd"


def test_an_archive_of_runs_is_read_and_leaves_nothing(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    for form in ("zip", "gztar"):
        path = Path(shutil.make_archive(str(tmp_path / "packed"), form, runs))
        results, refusals = _all(path)
        names = [result.source.name for result in results]
        assert names == [f"{path.name}!/forward_cpu", f"{path.name}!/generate_h100"]
        assert not refusals
        assert not list(scratch.iterdir())


def test_an_archive_in_an_archive_is_told_and_not_opened(runs: Path, tmp_path: Path) -> None:
    inner = shutil.make_archive(str(tmp_path / "inner"), "zip", runs)
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as archive:
        archive.write(inner, "logs/inner.zip")
    results, (refusal,) = _all(tmp_path / "outer.zip")
    assert not results
    assert "archive in an archive" in refusal.error.message


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("notes.txt", b"hello", "is no log that is known; expected one of"),
        ("a.zip", b"<html>", "is no archive, whatever its name says"),
        ("empty.json", b"", "is no log that is known"),
    ],
)
def test_a_named_file_that_is_no_log_is_told(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    results, (refusal,) = _all(path)
    assert not results
    assert message in refusal.error.message


def test_what_is_not_there_or_holds_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    _, refusals = _all(tmp_path / "empty", tmp_path / "nowhere")
    assert "there is no log; expected one of" in refusals[0].error.message
    assert "there is no" in refusals[1].error.message
    assert refusals[1].label.endswith("nowhere")


def test_links_below_a_folder_are_not_followed(runs: Path, tmp_path: Path) -> None:
    (runs / "loop").symlink_to(runs)
    (runs / "secret.json").symlink_to(GOLDEN / "forward_cpu" / bundle.SCORE)
    os.mkfifo(runs / "pipe.json")
    results, refusals = _all(runs)
    assert (len(results), refusals) == (2, [])


def test_ten_gigabytes_that_are_none_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "benchmark_report.json"
    with path.open("wb") as file:
        file.write(json.dumps({"prefill": {"energy": {"unit": "kWh", "gpu": 1.0}}})[:-1].encode())
        file.truncate(10 * 1024**3)
    results, refusals = _all(path)
    assert not results
    assert len(refusals) == 1


def test_a_log_beside_another_tools_report_is_read_too(tmp_path: Path) -> None:
    for module in (optimum_benchmark, ai_energy_benchmarks):
        for name, content in module.example().items():
            place = tmp_path / (name if module is optimum_benchmark else f"other_{name}")
            place.write_bytes(content)
    results, refusals = _all(tmp_path)
    assert sorted(result.source.format for result in results) == ["ai-energy-benchmarks/1", "optimum-benchmark/0.5"]
    assert refusals == []


def test_what_lies_below_a_path_that_was_named_is_read_once(runs: Path) -> None:
    for paths in ((runs, runs / "forward_cpu"), (runs / "forward_cpu", runs)):
        assert len(_all(*paths)[0]) == 2


def test_a_report_that_is_cut_off_is_not_passed_over(runs: Path) -> None:
    (runs / "broken").mkdir()
    (runs / "broken" / "benchmark_report.json").write_bytes(b'{"preproc')
    results, (refusal,) = _all(runs)
    assert len(results) == 2
    assert "runs/broken/benchmark_report.json is named like a log" in refusal.error.message


def test_a_name_that_is_no_text_is_told_and_written(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/mod\xe8le"))
    shutil.copytree(GOLDEN / "forward_cpu", folder)
    (result,) = _all(folder)[0]
    assert result.source.name == "mod\\xe8le"
    assert Result.model_validate_json(result.model_dump_json()) == result


def test_a_link_to_itself_and_a_name_too_long_are_told(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    _, refusals = _all(tmp_path / "loop", tmp_path / ("x" * 5000))
    assert len(refusals) == 2


def test_an_exclamation_mark_in_a_path_is_no_archive(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "wow!").mkdir()
    path = shutil.make_archive(str(tmp_path / "wow!" / "packed"), "zip", runs)
    assert len(_all(Path(path))[0]) == 2
    assert len(_all(tmp_path / "wow!")[0]) == 2
