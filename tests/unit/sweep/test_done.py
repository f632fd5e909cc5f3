"""What has become of a job is told by its runs: whole, valid, of what was asked; and of several by the first."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import psutil
import pytest

from scorekit import bundle, logs
from scorekit.errors import EXIT_DONE, EXIT_INVALID, ModelError
from scorekit.measuring.gpu_lock import SWEEP_JOB
from scorekit.records import SweepJob
from scorekit.sweep import attempts, done, plan, work
from tests.unit.sweep.conftest import MODEL, job, write_attempt, write_run


def state_of(of: SweepJob, runs: Path, **options: object) -> str:
    return done.look_at(of, runs, **options).state  # type: ignore[arg-type]


def test_a_whole_and_valid_run_is_the_result(tmp_path: Path) -> None:
    made = job()
    assert state_of(made, tmp_path) == "missing"
    run = write_run(tmp_path, made)
    found = done.look_at(made, tmp_path)
    assert found.state == "done"
    assert found.accepted is not None
    assert found.accepted.run == run
    assert found.accepted.score is not None
    assert found.accepted.score.model == MODEL


def test_of_several_the_first_counts_and_the_others_are_told(tmp_path: Path) -> None:
    made = job()
    for name in ("run.10", "run.2", "run"):
        write_run(tmp_path, made, name)
    found = done.look_at(made, tmp_path).accepted
    assert found is not None
    assert found.run is not None
    assert found.run.name == "run"
    assert [path.name for path in found.others] == ["run.2", "run.10"]


@pytest.mark.parametrize("damage", ["incomplete", "longer", "shorter", "gone", "score changed", "no manifest"])
def test_what_is_not_whole_is_not_done(tmp_path: Path, damage: str) -> None:
    made = job()
    run = write_run(tmp_path, made)
    if damage == "incomplete":
        bundle.mark_incomplete(run, "killed")
    elif damage == "longer":
        with (run / bundle.WINDOWS).open("a") as file:
            file.write("\n")
    elif damage == "shorter":
        os.truncate(run / bundle.WINDOWS, 10)
    elif damage == "gone":
        (run / bundle.ENVIRONMENT).unlink()
    elif damage == "score changed":
        (run / bundle.SCORE).write_text("{}")
    else:
        (run / bundle.MANIFEST).unlink()
    assert state_of(made, tmp_path) != "done"
    write_run(tmp_path, made, "run.2")
    assert state_of(made, tmp_path) == "done", "a later whole run is the result, and the damaged one is kept"
    assert run.is_dir()


def test_a_run_of_something_else_is_no_result_of_this_job(tmp_path: Path) -> None:
    made = job()
    write_run(tmp_path, made, of_model="example/other")
    assert state_of(made, tmp_path) == "missing"


def test_a_pinned_commit_must_be_the_one_that_was_measured(tmp_path: Path) -> None:
    same, other, branch = job(revision="0" * 12), job(revision="f" * 40), job(revision="main")
    for made in (same, other, branch):
        write_run(tmp_path, made)
    assert state_of(same, tmp_path) == "done"
    assert state_of(other, tmp_path) == "missing"
    assert state_of(branch, tmp_path) == "done", "a branch cannot be compared with a commit"


def test_the_hardware_must_be_the_one_that_is_asked_for(tmp_path: Path) -> None:
    made = job()
    write_run(tmp_path, made)
    assert state_of(made, tmp_path, hardware="h100") == "done"
    assert state_of(made, tmp_path, hardware="A100") == "missing"


def test_a_run_whose_process_died_before_it_was_scored_is_scored_now(tmp_path: Path) -> None:
    made = job()
    run = write_run(tmp_path, made, scored=False)
    assert not (run / bundle.SCORE).exists()
    write_attempt(tmp_path, made, ended_utc=None, exit_code=None)
    assert state_of(made, tmp_path, alive=lambda _: True) == "running", "it is left to the job while that lives"
    assert not (run / bundle.SCORE).exists()
    assert state_of(made, tmp_path) == "done"
    assert (run / bundle.SCORE).is_file()
    bundle.check(run, bundle.read_manifest(run))


def test_states_without_a_result(tmp_path: Path) -> None:
    failed, invalid, lost = job("org/failed"), job("org/invalid"), job("org/lost")
    write_attempt(tmp_path, failed)
    write_attempt(tmp_path, invalid, exit_code=EXIT_INVALID, message=None)
    write_attempt(tmp_path, lost, number=1)
    write_attempt(tmp_path, lost, number=2, ended_utc=None, exit_code=None)
    assert [state_of(each, tmp_path) for each in (failed, invalid, lost)] == ["failed", "invalid", "lost"]
    assert state_of(lost, tmp_path, alive=lambda attempt: attempt.number == 2) == "running"


def test_an_invalid_run_says_which_check_failed(tmp_path: Path) -> None:
    from tests import bundles

    made = job()
    folder = tmp_path / plan.folder_of(made) / "run"
    folder.parent.mkdir(parents=True)
    windows = bundles.change_windows(
        bundles.official_windows(), lambda w: w.phase == "generate", readings=(bundles.reading("gpu", -1.0),)
    )
    bundles.write_bundle(folder, bundles.environment(model={"name": MODEL}), windows)
    logs.write_validity(folder, logs.read_validity(folder))
    write_attempt(tmp_path, made, exit_code=EXIT_INVALID, message=None)
    found = done.look_at(made, tmp_path)
    assert found.state == "invalid"
    assert "Check 1" in (found.why or "")


def test_a_comparable_result_stands_for_a_job_that_asks_for_the_protocol_as_it_is(tmp_path: Path) -> None:
    row = {"model": MODEL, "model_revision": "0" * 40, "task": "text_generation", "hardware": "NVIDIA H100 80GB HBM3"}
    good = done.Published([{**row, "comparable": True, "valid": True}])
    bad = done.Published([{**row, "comparable": False, "valid": True}])
    assert state_of(job(), tmp_path, published=good) == "done"
    assert state_of(job(), tmp_path, published=bad) == "missing"
    assert state_of(job(MODEL, "scenario.runs=3"), tmp_path, published=good) == "missing"
    assert state_of(job(revision="f" * 40), tmp_path, published=good) == "missing"
    assert state_of(job(), tmp_path, published=good, hardware="A100") == "missing"
    assert state_of(job(), tmp_path, published=done.Published.of(tmp_path / "none")) == "missing"


def test_work_outside_of_a_sweep_is_left_alone(tmp_path: Path) -> None:
    assert work.recorded(lambda: 7, tmp_path / "run", {}) == 7
    assert list(tmp_path.iterdir()) == []


def test_an_attempt_is_there_while_it_is_made_and_tells_how_it_ended(tmp_path: Path) -> None:
    seen = []

    def measure() -> int:
        seen.extend(attempts.read(tmp_path))
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / bundle.LOG).write_text("one\ntwo\n")
        raise ModelError("there is no model", mend="another")

    with pytest.raises(ModelError):
        work.recorded(measure, tmp_path / "run", {SWEEP_JOB: "7", "SLURM_RESTART_COUNT": "2", "SLURM_JOB_ID": "41"})
    assert seen[0].engine is None, "within an allocation, but not started by an engine"
    assert [(each.number, each.ended_utc, each.pid) for each in seen] == [(1, None, os.getpid())]
    assert attempts.alive_here(seen[0])
    assert not attempts.alive_here(seen[0].model_copy(update={"process_started_s": 1.0}))
    assert not attempts.alive_here(seen[0].model_copy(update={"host": "elsewhere"}))
    (ended,) = attempts.read(tmp_path)
    assert not attempts.alive_here(ended), "this process goes on, and the attempt has ended"
    assert (ended.job, ended.exit_code, ended.error, ended.mend) == ("7", 1, "ModelError", "another")
    assert (ended.restart_count, ended.engine_job, ended.run) == (2, "41", "run")
    assert ended.last_lines == ("one", "two")
    assert ended.duration_s is not None
    assert ended.host == socket.gethostname()
    with pytest.raises(KeyboardInterrupt):
        work.recorded(lambda: (_ for _ in ()).throw(KeyboardInterrupt), tmp_path / "run", {SWEEP_JOB: "7"})
    assert [each.exit_code for each in attempts.read(tmp_path)] == [1, 130]


def test_a_job_of_an_array_is_called_as_before_it_began(tmp_path: Path) -> None:
    told = {"SLURM_JOB_ID": "43", "SLURM_ARRAY_JOB_ID": "41", "SLURM_ARRAY_TASK_ID": "2", attempts.ENGINE: "slurm"}
    made = attempts.begin(tmp_path, "7", told)
    assert (made.engine, made.engine_job) == ("slurm", "41_2")


def test_a_job_that_will_be_started_again_goes_on(tmp_path: Path) -> None:
    write_attempt(tmp_path, made := job(), exit_code=143)
    assert state_of(made, tmp_path) == "failed"
    assert state_of(made, tmp_path, alive=lambda _: True) == "running", "its engine has put it back into the queue"


def test_a_process_that_is_gone_is_not_alive(tmp_path: Path) -> None:
    write_attempt(tmp_path, made := job(), host=socket.gethostname(), pid=max(psutil.pids()) + 100_000, ended_utc=None)
    assert state_of(made, tmp_path) == "lost"


def test_a_job_that_is_started_again_after_its_end_measures_nothing(tmp_path: Path) -> None:
    made = job()
    run = write_run(tmp_path, made)

    def measure() -> int:
        raise AssertionError("it was measured twice")

    assert work.recorded(measure, run, {SWEEP_JOB: made.id}) == EXIT_DONE
    assert work.recorded(measure, run, {SWEEP_JOB: made.id, plan.HARDWARE: "H100"}) == EXIT_DONE
    assert attempts.read(run.parent) == ()
    assert work.recorded(lambda: 7, run, {SWEEP_JOB: made.id, plan.HARDWARE: "A100"}) == 7, "on other hardware it does"


def test_a_damaged_attempt_does_not_hide_the_others(tmp_path: Path) -> None:
    made = job()
    write_attempt(tmp_path, made)
    folder = tmp_path / plan.folder_of(made)
    (folder / "attempt-2.json").write_text("{")
    assert [each.number for each in attempts.read(folder)] == [1]
    work.recorded(lambda: 0, folder / "run", {SWEEP_JOB: made.id})
    assert [each.number for each in attempts.read(folder)] == [1, 3]
