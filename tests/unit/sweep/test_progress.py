"""What people see of a sweep: a line a job or a live table, and the summary."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from scorekit.errors import EXIT_DONE, EXIT_FAILED, EXIT_INVALID, UsageError
from scorekit.layout import Layout
from scorekit.records import SweepJob
from scorekit.sweep import done, driver
from scorekit.sweep.progress import Board, length, summary
from scorekit.tables.sweep import summary_tables
from scorekit.verbs import sweep
from tests.unit.sweep.conftest import job, write_attempt, write_run


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def looks(jobs: list[SweepJob], runs: Path) -> list[done.JobState]:
    return list(done.look(jobs, runs))


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["pipe", "terminal"])
def test_each_job_that_ends_is_told_once(tmp_path: Path, stream: io.StringIO) -> None:
    good, bad, early = job("org/good"), job("org/bad"), job("org/early")
    write_run(tmp_path, early)
    write_attempt(tmp_path, bad, message="an old failure")
    before = looks([good, bad, early], tmp_path)
    with Board(before, lambda each: done.look_at(each, tmp_path), stream) as board:
        board.refresh()
        write_run(tmp_path, good)
        write_attempt(tmp_path, good, exit_code=0, duration_s=90.0)
        write_attempt(tmp_path, bad, number=2)
        board.refresh()
        board.refresh()
    told = " ".join(stream.getvalue().split())
    assert told.count("text_generation: org/good: done in 1 min 30 s, 10 Wh per 1,000 queries") == 1
    assert told.count("text_generation: org/bad: failed in 1 min 0 s: not found: there is no model org/x") == 1
    assert "an old failure" not in told
    assert "org/early" not in told
    assert "[3/3]" in told


def test_without_a_terminal_each_job_that_begins_is_told_once(tmp_path: Path) -> None:
    one = job("org/one")
    states = looks([one], tmp_path)
    running = replace(states[0], state="running")
    stream = io.StringIO()
    with Board(states, lambda _: running, stream) as board:
        board.refresh()
        board.refresh()
    assert stream.getvalue() == "text_generation: org/one: measuring ...\n"


def test_energy_and_time_left_come_from_what_was_measured(tmp_path: Path) -> None:
    jobs = [job("org/a"), job("org/b"), job("org/c")]
    assert summary(looks(jobs, tmp_path)).left_s is None
    write_run(tmp_path, jobs[0])
    write_attempt(tmp_path, jobs[0], exit_code=0, duration_s=60.0)
    states = looks(jobs, tmp_path)
    now = summary(states)
    score = states[0].accepted.score if states[0].accepted else None
    assert score is not None
    assert now.energy_wh == pytest.approx(score.energy_kwh * 1000 * score.runs)
    assert now.left_s == pytest.approx(120.0)
    assert summary(states, frozenset({jobs[1].id})).left_s == pytest.approx(60.0)
    assert now.by_state["done"] == 1
    assert now.by_state["missing"] == 2


def test_lengths() -> None:
    assert [length(each) for each in (0.4, 59.4, 60, 3599, 3600, 90_061)] == [
        "0 s",
        "59 s",
        "1 min 0 s",
        "59 min 59 s",
        "1 h 0 min",
        "25 h 1 min",
    ]


def test_the_summary_has_scores_and_failures_with_mends(tmp_path: Path) -> None:
    jobs = [job("org/good"), job("org/gone"), job("org/never")]
    write_run(tmp_path, jobs[0])
    write_attempt(tmp_path, jobs[1], mend="check the spelling")
    states = looks(jobs, tmp_path)
    text = summary_tables(states, Layout())
    assert "org/good" in text
    assert str(tmp_path) in text
    assert "not found" in text
    assert "mend: check the spelling" in text
    assert "it was not begun" in text
    assert sweep.exit_code(states) == EXIT_FAILED


def test_exit_codes(tmp_path: Path) -> None:
    good, invalid = job("org/good"), job("org/invalid")
    write_run(tmp_path, good)
    write_attempt(tmp_path, invalid, exit_code=EXIT_INVALID)
    assert sweep.exit_code(looks([good], tmp_path)) == EXIT_DONE
    assert sweep.exit_code(looks([good, invalid], tmp_path)) == EXIT_INVALID
    assert sweep.exit_code(looks([good, invalid, job("org/never")], tmp_path)) == EXIT_FAILED


def test_one_sweep_at_a_time_in_a_folder(tmp_path: Path) -> None:
    with driver.alone(tmp_path / "runs") as batch:
        batch.write_text("{}")
        with pytest.raises(UsageError, match=r"another sweep works in .* \(process"), driver.alone(tmp_path / "runs"):
            pass
    assert not batch.exists()
    with driver.alone(tmp_path / "runs"):
        pass


def test_variables_are_set_for_as_long_as_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("SWEEP_TEST_A", "own")
    with driver.variables({"SWEEP_TEST_A": "ours", "SWEEP_TEST_B": "ours"}):
        assert os.environ["SWEEP_TEST_A"] == "own"
        assert os.environ["SWEEP_TEST_B"] == "ours"
    assert "SWEEP_TEST_B" not in os.environ
