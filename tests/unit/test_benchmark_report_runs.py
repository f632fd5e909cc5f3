"""Benchmarks are run one by one for the report; one that dies does not take the others along."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
from benchmarks.comparison import Goal
from benchmarks.report import __main__ as program
from benchmarks.report import machine, running
from benchmarks.report.programs import Program

from tests.unit.left_by_benchmarks import MACHINE, compared, document, leave, leave_some


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return leave_some(tmp_path)


def wait_until_dead(pid: int) -> None:
    """Until a process that was killed is gone, or only waits for somebody to ask how it ended."""
    state = Path(f"/proc/{pid}/stat")
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        while state.read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX":
            time.sleep(0.01)


def test_one_that_dies_is_a_failure_and_tells_its_last_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = tmp_path / "benchmarks"
    code.mkdir()
    (code / "__init__.py").touch()
    file = (
        "import pathlib, sys\npathlib.Path(sys.argv[-1]).write_text('{\"comparisons\": []}')\nprint(sys.argv[1:-1])\n"
    )
    (code / "missing.py").write_text(file + "sys.exit(1)\n", encoding="utf-8")
    (code / "dying.py").write_text(file + "raise SystemExit(f'not there: {__file__}')\n", encoding="utf-8")
    server = "import os, pathlib, signal, subprocess\n"
    server += "server = subprocess.Popen(['sleep', '100000'], stdout=-3, stderr=-3)\n"
    server += "pathlib.Path('server').write_text(str(server.pid))\n"
    (code / "killed.py").write_text(f"{server}os.kill(os.getpid(), signal.SIGKILL)\n", encoding="utf-8")
    (code / "hanging.py").write_text("import time\nprint('waits', flush=True)\ntime.sleep(600)\n", encoding="utf-8")
    monkeypatch.setattr(running, "ROOT", tmp_path)
    monkeypatch.setattr(machine, "facts", lambda: MACHINE)
    out = tmp_path / "out"
    out.mkdir()

    def failed(name: str, patience_s: float = 300.0) -> str | None:
        told = running.run(Program(name, "what", 1), out, quick=True, patience_s=patience_s)
        assert json.loads(running.files(out, name)[1].read_text(encoding="utf-8")) == told
        return told["failed"]

    # A missed goal is no failure.
    assert failed("missing") is None
    assert "['--quick', '--json']" in running.files(out, "missing")[2].read_text(encoding="utf-8")
    running.files(out, "killed")[0].write_text("of an earlier run", encoding="utf-8")
    assert failed("killed") == "code -9: it printed nothing"
    assert not running.files(out, "killed")[0].exists()
    wait_until_dead(int((tmp_path / "server").read_text(encoding="utf-8")))
    (code / "dying.py").write_text("raise SystemExit(f'not there: {__file__}')\n", encoding="utf-8")
    assert failed("dying") == "code 1: not there: (path)"
    # However long it takes to start, it has not ended by then.
    assert str(failed("hanging", 0.5)).startswith("it did not end within 0 s: ")


def test_one_that_was_asked_for_and_left_nothing_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(running, "run", lambda *_, **__: {"wall_s": 1.0, "failed": None})
    monkeypatch.setattr(program, "CACHE", tmp_path)
    assert program.main(["--only", "verify", "--out", str(tmp_path)]) == 1
    told = capsys.readouterr().out
    assert "verify was asked for, and did not run\n" in told
    assert "labels was asked for" not in told


def test_one_is_run_beside_what_the_others_found_before(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def run(one: Program, where: Path, *, quick: bool) -> dict[str, Any]:
        ran.append(one.name)
        leave(where, one.name, document(compared("met", (1.0,) * 5, Goal(1.2))), commit="def456", quick=quick)
        return {"wall_s": 1.0, "failed": None}

    monkeypatch.setattr(running, "run", run)
    monkeypatch.setattr(program, "CACHE", tmp_path / "cache")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "bench").symlink_to(folder)
    out = tmp_path / "report"
    assert program.main(["--only", "verify", "--out", str(out)]) == 1
    assert ran == ["verify"]
    text = (out / program.PAGE).read_text(encoding="utf-8")
    assert "| verify | 2026-02-03 04:05 | def456 |" in text
    assert "| ratings | 2026-02-03 04:05 | abc123 |" in text
    assert "quick run" not in text


def test_one_that_is_run_in_a_clone_leaves_the_other_rows_of_the_report_as_they_are(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "report"
    assert program.main(["--from", str(folder), "--out", str(out)]) == 1
    before = json.loads((out / program.DATA).read_text(encoding="utf-8"))

    def run(one: Program, where: Path, *, quick: bool) -> dict[str, Any]:
        leave(
            where, one.name, document(compared("new", (1.0,) * 5, None)), machine={**MACHINE, "cores": 64}, quick=quick
        )
        return {"wall_s": 1.0, "failed": None}

    monkeypatch.setattr(running, "run", run)
    monkeypatch.setattr(program, "CACHE", tmp_path / "empty")
    program.main(["--only", "verify", "--out", str(out)])
    after = json.loads((out / program.DATA).read_text(encoding="utf-8"))
    found = {one["name"]: one for one in after["benchmarks"]}
    assert [one["name"] for one in after["benchmarks"]] == [one["name"] for one in before["benchmarks"]]
    assert [row["key"] for row in found["verify"]["rows"]] == ["new"]
    assert after["machines"][found["verify"]["machine"] - 1]["cores"] == 64
    for one in before["benchmarks"]:
        if one["name"] != "verify":
            kept = {**found[one["name"]], "machine": after["machines"][found[one["name"]]["machine"] - 1]}
            assert kept == {**one, "machine": before["machines"][one["machine"] - 1]}
    assert after["not_run"] == before["not_run"]


def test_what_was_asked_for_and_left_nothing_is_not_covered_up_by_the_report_before(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report"
    program.main(["--from", str(folder), "--out", str(out)])
    monkeypatch.setattr(running, "run", lambda *_, **__: {"wall_s": 1.0, "failed": None})
    monkeypatch.setattr(program, "CACHE", tmp_path / "empty")
    assert program.main(["--only", "ratings", "--out", str(out)]) == 1
    assert "ratings was asked for, and did not run\n" in capsys.readouterr().out
