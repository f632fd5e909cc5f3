"""parse, rate and tasks as a user meets them: what they print, write, refuse and leave out."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scorekit import bundle, cli
from scorekit.logs import run_bundle
from tests.golden import make
from tests.log_writers import batch_csv

GOLDEN = Path(make.__file__).parent


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """The golden runs that can be scored, below one folder."""
    for name in make.GOOD:
        shutil.copytree(GOLDEN / name, tmp_path / "runs" / name)
    return tmp_path / "runs"


def _run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scorekit", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_parse_writes_the_scores_and_prints_them_as_json(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["parse", str(runs), "--json"]) == 0
    captured = capsys.readouterr()
    results = json.loads(captured.out)
    assert [result["source"]["name"] for result in results] == [f"runs/{name}" for name in sorted(make.GOOD)]
    assert captured.err.count("wrote ") == len(make.GOOD)
    for name in make.GOOD:
        assert json.loads((runs / name / bundle.SCORE).read_text()) in [result["score"] for result in results]


def test_parse_scores_what_it_can_and_tells_the_rest(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(GOLDEN / "zero_repeat", runs / "zero_repeat")
    assert cli.main(["parse", str(runs)]) == 3
    captured = capsys.readouterr()
    assert "example/model-1b" in captured.out
    assert "is zero" in captured.err
    assert "mend:" in captured.err


def test_parse_of_no_run_prints_no_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["parse", str(tmp_path), "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out) == []
    assert "there is no log; expected one of" in captured.err
    assert "windows.jsonl" in captured.err


def test_rate_gives_official_stars_and_reasons(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rate", str(runs), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (official,) = [rating for rating in found if rating["official"]]
    assert (official["task"], official["stars"], official["edition"]) == ("text_generation", 4, "2025-02")
    ratings = {rating["task"]: rating for rating in found}
    assert [reason["code"] for reason in ratings["text_to_image"]["no_official_star_because"]] == ["evidence"]
    assert ratings["text_classification"]["stars"] is None
    assert ratings["text_classification"]["no_official_star_because"] != []


def test_rate_takes_score_files_and_runs_and_counts_none_twice(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published = tmp_path / "results" / "one"
    published.mkdir(parents=True)
    shutil.copy(runs / "generate_h100_counter" / bundle.SCORE, published)
    arguments = [
        runs / "generate_h100_counter",
        runs / "generate_h100_counter",
        tmp_path / "results",
        published / bundle.SCORE,
        runs / "generate_h100_counter" / bundle.SCORE,
    ]
    assert cli.main(["rate", *map(str, arguments), "--json"]) == 0
    ratings = json.loads(capsys.readouterr().out)
    assert [rating["official"] for rating in ratings] == [True, False]


def test_rate_gives_no_official_star_to_a_score_without_its_run(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = shutil.copy(runs / "generate_h100_counter" / bundle.SCORE, tmp_path)
    content = json.loads(Path(alone).read_text())
    other = tmp_path / "other.json"
    other.write_text(json.dumps(content | {"model": "other", "wh_per_1000_queries": 20.0}))
    assert cli.main(["rate", str(alone), str(other), "--json"]) == 0
    for rating in json.loads(capsys.readouterr().out):
        assert (rating["official"], rating["comparable"], rating["edition"]) == (False, False, "local")
        assert [reason["code"] for reason in rating["no_official_star_because"]] == ["unverified"]


def test_rate_reads_the_run_that_a_score_lies_in(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = runs / "generate_h100_counter" / bundle.SCORE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"wh_per_1000_queries": 1.5}))
    assert cli.main(["rate", str(path), "--json"]) == 0
    (rating,) = json.loads(capsys.readouterr().out)
    assert (rating["official"], rating["wh_per_1000_queries"]) == (True, pytest.approx(7.6))
    (path.parent / bundle.WINDOWS).write_text("")
    assert cli.main(["rate", str(path)]) == 1
    assert "is not what was measured" in capsys.readouterr().err


def test_rate_locally(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rate", str(runs / "generate_h100"), "--edition", "local"]) == 1
    assert "only model given" in capsys.readouterr().out


def test_each_run_below_a_folder_is_worked_out_once(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examined: list[Path] = []
    examine = run_bundle.examine

    def counted(path: Path, allow_invalid: bool = False) -> run_bundle.Examined:
        examined.append(path)
        return examine(path, allow_invalid)

    monkeypatch.setattr(run_bundle, "examine", counted)
    # A log of another tool beside them once made all of them be read again.
    (log,) = batch_csv.example().values()
    (runs / "master_results.csv").write_bytes(log)
    walked: list[str] = []
    walk = os.walk
    monkeypatch.setattr(os, "walk", lambda top, *rest, **more: walked.append(str(top)) or walk(top, *rest, **more))
    assert cli.main(["rate", str(runs)]) == 0
    assert sorted(examined) == sorted(runs / name for name in make.GOOD)
    assert walked == [str(runs)]


def test_a_run_that_is_named_and_lies_below_a_named_folder_is_read_once_and_must_be_good(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named = str(runs / "generate_h100_counter")
    assert cli.main(["rate", str(runs), named, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(make.GOOD)
    assert cli.main(["rate", str(runs), str(runs / "nowhere")]) == 1
    told = capsys.readouterr()
    assert (told.out, "there is no" in told.err) == ("", True)


def test_rate_refuses_a_score_that_was_named_and_leaves_out_one_that_was_found(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = Path(shutil.copytree(GOLDEN / "zero_repeat", runs / "bad"))
    assert cli.main(["rate", str(runs), str(bad)]) == 3
    assert capsys.readouterr().out == ""
    assert cli.main(["rate", str(runs)]) == 0
    assert "warning: left out: " in capsys.readouterr().err


def test_rate_of_only_bad_runs_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(GOLDEN / "zero_repeat", tmp_path / "runs" / "bad")
    assert cli.main(["rate", str(tmp_path)]) == 1
    assert "none of the runs could be scored" in capsys.readouterr().err


def test_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["tasks"]) == 0
    assert "automatic_speech_recognition" in capsys.readouterr().out
    assert cli.main(["tasks", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 15


@pytest.mark.parametrize("arguments", [["tasks"], ["rate"], ["parse"], ["check"], ["verify", "--no-sandbox"]])
def test_tables_fit_a_terminal_of_80_columns(arguments: list[str], runs: Path) -> None:
    paths = {"tasks": [], "verify": [GOLDEN / "submissions" / "open.zip"]}.get(arguments[0], [runs])
    text = _in_a_terminal(*arguments, *paths, columns=80)
    lines = text.splitlines()
    assert len(lines) > 5
    assert max(len(line) for line in lines) <= 80
    if arguments[0] == "check":
        assert "  mend: See the kernel's log" in text
    if arguments[0] == "verify":
        assert "  file: runs/1/windows.jsonl" in text


@pytest.mark.parametrize("arguments", [["tasks"], ["rate"], ["parse"]])
def test_a_pipe_gets_one_plain_line_a_row_in_however_narrow_a_window(arguments: list[str], runs: Path) -> None:
    paths = [] if arguments == ["tasks"] else [runs]
    done = _run(*arguments, *paths, COLUMNS="80")
    assert done.returncode == 0, done.stderr
    assert done.stdout == _run(*arguments, *paths, COLUMNS="400").stdout
    assert done.stdout.isascii()


def _in_a_terminal(*arguments: str | Path, columns: int) -> str:
    """What the program prints where stdout is a terminal of that width; messages are left out."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "scorekit", *map(str, arguments)],
            stdout=theirs,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "COLUMNS": str(columns), "PYTHONUTF8": "1"},
        )
    finally:
        os.close(theirs)
    parts = []
    # Linux ends a terminal whose other side was closed with an error.
    with contextlib.suppress(OSError):
        while part := os.read(ours, 65_536):
            parts.append(part)
    os.close(ours)
    assert process.wait(timeout=60) == 0
    return b"".join(parts).decode("utf-8")
