"""One job of a plan by its index, as an indexed Job of Kubernetes starts it; and how far a plan is, from anywhere."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scorekit import cli
from scorekit.errors import (
    EXIT_BUSY,
    EXIT_INVALID,
    EXIT_LASTING,
    EXIT_TERMINATED,
    ModelError,
    TerminatedError,
    UsageError,
)
from scorekit.records import Attempt, Plan
from scorekit.sweep import attempts, done, driver, folder_lock, job_process, plan
from scorekit.verbs import sweep_job
from tests.unit.sweep.conftest import Bench, attempt, job

PLAN, RUNS = "p.json", "edition"
ONE = ["sweep", "--plan", PLAN, "--runs", RUNS, "--only-job"]


def planned(*models: str, settings: tuple[str, ...] = ()) -> Plan:
    words = ["sweep", *models, "--task", "text_generation", "--plan-only", "--save", PLAN]
    assert cli.main([*words, "--hydra", *settings] if settings else words) == 0
    return plan.load(Path(PLAN))


def tries(made: Plan, index: int) -> tuple[Attempt, ...]:
    return attempts.read(Path(RUNS) / plan.folder_of(made.jobs[index]))


def raising(error: BaseException) -> Callable[[], int]:
    def measure() -> int:
        raise error

    return measure


def test_each_index_measures_its_own_job_once(
    measuring: Bench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = planned("org/a", "org/b", "org/c")
    monkeypatch.setenv(attempts.RESTARTS, "2")
    assert cli.main([*ONE, "1"]) == 0
    out, err = capsys.readouterr()
    assert measuring.measured == ["org/b"]
    assert "job 1 of 3 jobs (text_generation: org/b): attempt 1" in err
    assert "org/b" in out
    assert cli.main([*ONE, "1"]) == 0
    assert "is done already" in capsys.readouterr().err
    assert measuring.measured == ["org/b"]
    (made_one,) = tries(made, 1)
    assert (made_one.engine, made_one.restart_count, made_one.exit_code) == ("array", 2, 0)
    assert attempts.ENGINE not in os.environ
    assert cli.main(["sweep", "--plan", PLAN, "--runs", RUNS]) == 0
    assert measuring.measured == ["org/b", "org/a", "org/c"], "a sweep takes what is left"


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"message": "there is no model org/bad on the Hub, or it is private"}, EXIT_LASTING),
        ({"message": "org/bad is gated, and HF_TOKEN may not read it"}, EXIT_LASTING),
        ({"message": "org/bad is a BERT, which does not do text-generation"}, EXIT_LASTING),
        ({"message": "CUDA out of memory. Tried to allocate 2 GiB", "error": "RuntimeError"}, EXIT_LASTING),
        ({"message": "no GPU answers", "error": "HardwareError"}, 1),
        ({"message": "the Hub does not answer"}, 1),
        ({"message": "the measuring process was killed by SIGKILL", "error": "LauncherError"}, 1),
        ({"message": "unforeseen", "error": "ZeroDivisionError"}, 1),
        ({"message": "this setting cannot be", "error": "UsageError", "exit_code": 2}, 2),
    ],
)
def test_the_code_tells_whether_another_try_may_do(told: dict[str, Any], code: int) -> None:
    assert sweep_job.exit_code(done.JobState(job("org/bad"), "failed", None, attempt(**told))) == code


def test_what_is_not_done_is_tried_again(measuring: Bench) -> None:
    made = planned("org/bad")
    measuring.instead = {"org/bad": raising(ModelError("there is no model org/bad on the Hub"))}
    assert cli.main([*ONE, "0"]) == EXIT_LASTING
    measuring.instead = {"org/bad": lambda: EXIT_INVALID}
    assert cli.main([*ONE, "0"]) == EXIT_INVALID
    assert [each.exit_code for each in tries(made, 0)] == [1, EXIT_INVALID]


def test_one_that_is_ended_by_sigterm_leaves_an_attempt(measuring: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    made = planned("org/a")
    measuring.instead = {"org/a": raising(TerminatedError())}
    assert cli.main([*ONE, "0"]) == EXIT_TERMINATED
    (left,) = tries(made, 0)
    assert (left.exit_code, left.error, left.ended_utc is None) == (EXIT_TERMINATED, "TerminatedError", False)
    measuring.instead = {}
    assert cli.main([*ONE, "0"]) == 0
    assert len(tries(made, 0)) == 2


def test_a_setting_that_no_config_has_is_written_down(measuring: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    made = planned("org/a", settings=("scenario.num_smaples=3",))
    assert cli.main([*ONE, "0"]) == 2
    (left,) = tries(made, 0)
    assert "num_smaples" in (left.message or "")
    assert measuring.measured == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([*ONE, "2"], "p.json has 2 jobs, from 0 to 1, and none of index 2"),
        ([*ONE, "-1"], "none of index -1"),
        ([*ONE, ""], "invalid int value: ''"),
        ([*ONE, "0", "--plan-only"], "not allowed with argument"),
        ([*ONE, "0", "--launcher", "ray"], "give --plan FILE, and no --launcher"),
        (["sweep", "org/a", "--task", "text_generation", "--only-job", "0"], "one job of a saved plan"),
    ],
)
def test_usage(measuring: Bench, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    planned("org/a", "org/b")
    assert cli.main(arguments) == 2
    assert message in capsys.readouterr().err
    assert measuring.measured == []


def test_two_processes_do_not_measure_one_job(measuring: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    made = planned("org/a", "org/b")
    first = Path(RUNS) / plan.folder_of(made.jobs[0])
    with folder_lock.held(first / folder_lock.JOB):
        assert cli.main([*ONE, "0"]) == EXIT_BUSY
        assert "the job is being measured" in capsys.readouterr().err
        assert cli.main([*ONE, "1"]) == 0, "the others are free"
    with driver.alone(Path(RUNS)):
        assert cli.main([*ONE, "0"]) == EXIT_BUSY
        assert "a sweep works in" in capsys.readouterr().err
    assert measuring.measured == ["org/b"]


def test_while_a_job_is_measured_everybody_sees_it(measuring: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    made = planned("org/a")
    runs = Path(RUNS).absolute()
    seen: list[str] = []

    def look() -> int:
        seen.append(done.look_at(made.jobs[0], runs, alive=lambda _: False).state)
        with pytest.raises(UsageError, match="another sweep works"), driver.alone(runs):
            raise AssertionError("the folder is in use")
        return EXIT_INVALID

    measuring.instead = {"org/a": look}
    assert cli.main([*ONE, "0"]) == EXIT_INVALID
    assert seen == ["running"]


def test_a_run_that_was_not_scored_before_its_process_died_is_settled(measuring: Bench) -> None:
    """The job's lock is this process's own: it must not be taken for somebody else's work."""
    made = planned("org/a")
    assert cli.main([*ONE, "0"]) == 0
    folder = Path(RUNS) / plan.folder_of(made.jobs[0])
    (ended,) = attempts.read(folder)
    dead = ended.model_copy(update={"ended_utc": None, "host": "elsewhere", "exit_code": None})
    (folder / "attempt-1.json").write_text(dead.model_dump_json(), encoding="utf-8")
    measuring.measured.clear()
    assert cli.main([*ONE, "0"]) == 0
    assert measuring.measured == []


def test_the_gpus_that_an_engine_gave_are_used(measuring: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    planned("org/a")
    monkeypatch.setenv(job_process.VISIBLE, "3")
    assert cli.main([*ONE, "0"]) == 0
    assert str(measuring.settings[0].backend.device_ids) == "3"
    assert cli.main(["sweep", "org/b", "--task", "text_generation"]) == 0
    assert str(measuring.settings[1].backend.device_ids) == "0", "a sweep on this machine counts its GPUs itself"


def test_the_state_of_a_plan(measuring: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    made = planned("org/a", "org/bad", "org/c")
    assert cli.main(["sweep", "--state", "--runs", RUNS]) == 1
    assert "no sweep has begun in edition" in capsys.readouterr().err
    assert cli.main(["sweep", "--state", "--runs", RUNS, "--plan", PLAN]) == 1
    assert not Path(RUNS).exists(), "asking leaves nothing behind"
    measuring.instead = {"org/bad": raising(ModelError("there is no model org/bad on the Hub", mend="check it"))}
    cli.main([*ONE, "0"])
    cli.main([*ONE, "1"])
    capsys.readouterr()
    assert cli.main(["sweep", "--state", "--runs", RUNS]) == 1
    out = capsys.readouterr().out
    for told in ("org/a", "mend: check it", "never tried", "not done, of 1 job that ended: 1 not found"):
        assert told in out
    assert "org/c" not in out, "what was never tried is counted"
    assert cli.main(["sweep", "--state", "--runs", RUNS, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["schema_version"] == "scorekit.sweep_state/1"
    assert [(each["index"], each["state"], each["why"]) for each in told["jobs"]] == [
        (0, "done", None),
        (1, "failed", "not found"),
        (2, "missing", None),
    ]
    assert told["jobs"][0]["id"] == made.jobs[0].id
    assert told["jobs"][0]["wh_per_1000_queries"] > 0
    assert measuring.measured == ["org/a", "org/bad"], "the state measures nothing"
    measuring.instead = {}
    assert [cli.main([*ONE, index]) for index in ("1", "2")] == [0, 0]
    assert cli.main(["sweep", "--state", "--runs", RUNS]) == 0


def test_an_attempt_elsewhere_goes_on_while_its_sweep_works(
    measuring: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    made = planned("org/a")
    folder = Path(RUNS).absolute() / plan.folder_of(made.jobs[0])
    folder.mkdir(parents=True)

    def state(started: str) -> str:
        told = Attempt(
            job=made.jobs[0].id, number=1, host=f"not-{socket.gethostname()}", pid=1, engine="ray", started_utc=started
        )
        (folder / "attempt-1.json").write_text(told.model_dump_json(), encoding="utf-8")
        capsys.readouterr()
        cli.main(["sweep", "--state", "--plan", PLAN, "--runs", RUNS, "--json"])
        return str(json.loads(capsys.readouterr().out)["jobs"][0]["state"])

    before, now = "2026-01-01T00:00:00+00:00", "2100-01-01T00:00:00+00:00"
    assert state(now) == "lost"
    with driver.alone(Path(RUNS).absolute()):
        assert state(now) == "running"
        assert state(before) == "lost", "of an earlier sweep"
    assert datetime.fromisoformat(before) < datetime.now(UTC)
