"""`scorekit parse` in every form: what is written, where, and with which exit code."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from scorekit import bundle, cli
from scorekit.errors import LogError
from scorekit.records import Result
from scorekit.sinks import open_sink
from scorekit.verbs import parse
from tests.golden import make
from tests.log_writers import batch_csv
from tests.unit.store import records

GOLDEN = Path(make.__file__).parent


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for name in ("forward_cpu", "generate_h100"):
        shutil.copytree(GOLDEN / name, tmp_path / "runs" / name)
    return tmp_path / "runs"


def test_every_form_holds_the_same_results(runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {form: tmp_path / f"out.{form}" for form in ("json", "jsonl", "csv", "parquet")}
    for path in files.values():
        assert cli.main(["parse", str(runs), "-o", str(path)]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("wrote 2 results to") == 4
    lines = [Result.model_validate_json(line) for line in files["jsonl"].read_text().splitlines()]
    array = [Result.model_validate(entry) for entry in json.loads(files["json"].read_text())]
    assert lines == array
    wanted = [(result.model, result.wh_per_1000_queries, result.energy_kwh) for result in lines]
    with files["csv"].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["model"], float(r["wh_per_1000_queries"]), float(r["energy_kwh"])) for r in rows] == wanted
    table = pq.read_table(files["parquet"]).to_pylist()
    assert [(row["model"], row["wh_per_1000_queries"], row["energy_kwh"]) for row in table] == wanted
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "out.csv",
        "out.json",
        "out.jsonl",
        "out.parquet",
        "runs",
    ]


def test_read_only_leaves_runs_as_they_were(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in runs.rglob("*") if path.is_file()}
    assert cli.main(["parse", str(runs), "--read-only", "--format", "jsonl"]) == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 2
    assert captured.err == ""
    assert {path: path.read_bytes() for path in runs.rglob("*") if path.is_file()} == before


def test_a_refused_run_loses_its_old_score_and_the_others_are_told(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(GOLDEN / "zero_repeat", runs / "zero_repeat")
    (runs / "zero_repeat" / bundle.SCORE).write_text("{}")
    assert cli.main(["parse", str(runs), "--format", "jsonl"]) == 3
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 2
    assert "is zero" in captured.err
    assert not (runs / "zero_repeat" / bundle.SCORE).exists()
    assert (runs / "zero_repeat" / bundle.VALIDITY).exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "parquet"], "Parquet cannot be written to a terminal or pipe"),
        (["-o", "results.xlsx"], "does not tell how to write the results"),
        (["-o", "nowhere/results.csv"], "could not be written"),
    ],
)
def test_an_output_that_cannot_be_is_told(
    arguments: list[str], message: str, runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(runs.parent)
    assert cli.main(["parse", str(runs), *arguments]) in (1, 2)
    assert message in capsys.readouterr().err
    assert not list(runs.parent.glob("*.part"))


def test_many_runs_are_counted_and_not_named(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parse, "_MOST_TOLD", 1)
    assert cli.main(["parse", str(runs)]) == 0
    told = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in told] == ["wrote", "wrote"]
    assert told[1] == "wrote the scores of 1 more runs"


def test_a_failure_in_the_middle_leaves_no_half_file(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("before\n")

    def broken(*_: object, **__: object) -> object:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("scorekit.sinks._Lines.add", broken)
    assert cli.main(["parse", str(runs), "-o", str(target)]) == 1
    assert target.read_text() == "before\n"
    assert not list(tmp_path.glob(".*"))


def test_a_count_that_no_column_holds_is_told(tmp_path: Path) -> None:
    for form in ("csv", "parquet"):
        with open_sink(form, tmp_path / "out") as sink:
            with pytest.raises(LogError, match="parameters is larger than any count can be"):
                sink.add(records.make(parameters=10**30))
            sink.add(records.make())
        assert sink.count == 1


@pytest.mark.parametrize("name", ["runs/forward_cpu/out.csv", "log.csv"])
def test_results_are_never_written_over_a_log(
    name: str, runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(runs.parent)
    ((_, content),) = batch_csv.example().items()
    Path("log.csv").write_bytes(content)
    assert cli.main(["parse", "log.csv", "-o", name]) == 2
    assert "never written over" in capsys.readouterr().err
    assert Path("log.csv").read_bytes() == content


def test_a_strangers_name_cannot_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a\x1b]0;owned\x07").mkdir()
    assert cli.main(["parse", str(tmp_path / "a\x1b]0;owned\x07")]) == 1
    told = capsys.readouterr().err
    assert "a?]0;owned?" in told
    assert "\x1b" not in told
