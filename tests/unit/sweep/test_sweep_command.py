"""`scorekit sweep` as a user meets it, and Hydra underneath; only the measuring itself is stood in for."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from pathlib import Path

import pytest

from scorekit import bundle, cli, logs
from scorekit.errors import EXIT_INVALID, ModelError
from scorekit.records.machine import ProbedFolder
from scorekit.sweep import attempts, driver
from tests.unit.sweep.conftest import Bench


def fail() -> int:
    raise ModelError("there is no model org/bad on the Hub, or it is private", mend="check the spelling")


def crash() -> int:
    raise ZeroDivisionError("unforeseen")


def interrupt() -> int:
    raise KeyboardInterrupt


def test_a_sweep_measures_each_job_once_and_goes_on(measuring: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    measuring.instead = {"org/bad": fail, "org/broken": crash}
    command = ["sweep", "org/a", "org/bad", "org/broken", "org/b", "--task", "text_generation", "--hydra"]
    command += ["scenario.num_samples=20", "backend.seed=7"]
    assert cli.main(command) == 1
    out, err = capsys.readouterr()
    assert measuring.measured == ["org/a", "org/bad", "org/broken", "org/b"], "a failure does not stop the others"
    assert {(each.scenario.num_samples, each.backend.seed) for each in measuring.settings} == {(20, 7)}
    assert "4 jobs: 0 are done, 4 to do" in err
    assert "[4/4]" in err
    assert "2 of 4 jobs are done" in err
    assert "mend: check the spelling" in out
    assert "unforeseen" in out
    assert "not found" in out
    measuring.measured.clear()
    measuring.instead = {"org/broken": lambda: EXIT_INVALID}
    measuring.instead["org/bad"] = measuring.instead["org/broken"]
    assert cli.main(command) == 3
    assert measuring.measured == ["org/bad", "org/broken"], "what is done stays done"
    measuring.measured.clear()
    measuring.instead = {}
    assert cli.main(["sweep", "--plan", "sweeps/plan.json"]) == 0
    assert measuring.measured == ["org/bad", "org/broken"]
    assert cli.main(command) == 0
    assert measuring.measured == ["org/bad", "org/broken"]
    runs = logs.find_runs(Path("sweeps"))
    assert len(runs) == 4
    assert all(bundle.is_complete(run) for run in runs)
    assert sorted(len(attempts.read(run.parent)) for run in runs) == [1, 1, 3, 3]


def test_a_sweep_that_is_interrupted_says_how_to_go_on(measuring: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    measuring.instead = {"org/b": interrupt}
    command = ["sweep", "org/a", "org/b", "org/c", "--task", "text_generation"]
    assert cli.main(command) == 130
    assert "the same command goes on, or: scorekit sweep --plan" in capsys.readouterr().err
    measuring.instead = {}
    assert cli.main(command) == 0
    assert measuring.measured == ["org/a", "org/b", "org/b", "org/c"]


def test_jobs_of_several_configs_come_by_priority(measuring: Bench, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(
        "model,task,priority,reasoning state,chat template\n"
        "org/b,reasoning,1,On (High),\norg/a,text_gen,2,,\norg/c,text_gen,1,Off,N/A\n"
    )
    assert cli.main(["sweep", "list.csv", "--runs", "runs"]) == 0
    assert measuring.measured == ["org/b", "org/c", "org/a"]
    assert measuring.settings[0].scenario.reasoning_params == {"reasoning_effort": "high"}
    assert measuring.settings[0].scenario.generate_kwargs.max_new_tokens == 8192


def test_plain_hydra_takes_models_and_plans(measuring: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench", "-m", "--config-name", "text_generation", "backend.model=org/a,org/b"]) == 0
    assert measuring.measured == ["org/a", "org/b"]
    assert sorted(os.listdir("sweeps/text_generation")) == ["0-org--a", "1-org--b", "multirun.yaml"]
    cli.main(["sweep", "org/c", "org/bad", "org/d", "--task", "text_generation", "--plan-only", "--save", "p.json"])
    measuring.measured.clear()
    measuring.instead = {"org/bad": fail}
    capsys.readouterr()
    plain = ["bench", "-m", "hydra/sweeper=plan", "hydra.sweeper.plan=p.json", "hydra.sweep.dir=own"]
    for launcher in ("local", "basic"):
        assert cli.main([*plain, "--config-name", "text_generation", f"hydra/launcher={launcher}"]) == 1
        assert "error: there is no model org/bad" in capsys.readouterr().err
    assert measuring.measured == ["org/c", "org/bad", "org/d", "org/bad"], "what is done is not measured again"
    assert len(logs.find_runs(Path("own"))) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hydra.sweeper.plan=none.json", "--config-name", "text_generation"], "there is no plan none.json"),
        (["hydra.sweeper.plan=p.json", "--config-name", "summarization"], "has no job of the config summarization"),
        (["hydra.sweeper.plan=p.json", "--config-name", "text_generation", "backend.seed=1,2"], "several values"),
    ],
)
def test_plans_that_hydra_cannot_take(
    measuring: Bench, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["sweep", "org/c", "--task", "text_generation", "--plan-only", "--save", "p.json"])
    assert cli.main(["bench", "-m", "hydra/sweeper=plan", *arguments]) != 0
    assert message in capsys.readouterr().err
    assert measuring.measured == []


def test_settings_that_are_wrong_for_all_are_told_before_anything_is_measured(
    measuring: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["sweep", "org/a", "org/b", "--task", "text_generation", "--hydra", "scenario.num_smaples=3"]
    assert cli.main(command) == 2
    assert "num_smaples" in capsys.readouterr().err
    assert measuring.measured == []


def test_a_plan_is_shown_as_table_and_json(measuring: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["sweep", "org/a@v1", "--task", "asr", "--plan-only"]) == 0
    assert "org/a@v1" in capsys.readouterr().out
    assert cli.main(["sweep", "org/a@v1", "--task", "asr", "--plan-only", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["schema_version"] == "scorekit.plan/1"
    assert [each["task"] for each in told["jobs"]] == ["automatic_speech_recognition"]
    assert not Path("sweeps").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no model is named"),
        (["--plan", "p.json", "org/a"], "--plan takes the jobs as they were planned"),
        (["org/a", "--task", "text_generation", "--launcher", "nobody"], "nobody"),
    ],
)
def test_usage(measuring: Bench, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["sweep", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert measuring.measured == []


def test_a_class_c_model_needs_to_be_told_how_many_gpus(
    measuring: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from scorekit.verbs import sweep

    monkeypatch.setattr(sweep, "_gpus_here", list)
    (tmp_path / "list.csv").write_text("model,task,class\norg/a,text_gen,A\norg/big,text_gen,C\n")
    assert cli.main(["sweep", "list.csv"]) == 2
    assert "1 job is of class C, and how many GPUs to use is not told: org/big" in capsys.readouterr().err
    monkeypatch.setattr(sweep, "_gpus_here", lambda: ["NVIDIA H100 80GB HBM3"])
    assert cli.main(["sweep", "list.csv"]) == 2
    assert "needs several GPUs, and there is 1" in capsys.readouterr().err
    assert cli.main(["sweep", "list.csv", "--class", "A"]) == 0
    assert measuring.measured == ["org/a"]


def test_what_was_measured_on_other_hardware_is_measured_again(measuring: Bench) -> None:
    command = ["sweep", "org/a", "--task", "text_generation"]
    for hardware, times in (("H100", 1), ("H100", 1), ("A100", 2)):
        code = cli.main([*command, "--hardware", hardware])
        assert len(measuring.measured) == times
        assert (code == 0) == (hardware == "H100"), "the stand-in measures on an H100 whatever is asked"


def test_two_sweeps_do_not_share_a_folder(measuring: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with driver.alone(tmp_path / "sweeps"):
        assert cli.main(["sweep", "org/a", "--task", "text_generation"]) == 2
    assert "another sweep works in" in capsys.readouterr().err
    assert measuring.measured == []


def test_a_folder_without_locks_is_told_before_anything_is_measured(
    measuring: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from scorekit.measuring import file_system as probes

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    # Without locks the GPU's lock is refused too, so a run itself would say it; here it is stood in for.
    assert cli.main(["sweep", "org/a", "--task", "text_generation"]) == 0
    assert "refuses locks (flock: ENOLCK" in capsys.readouterr().err
    monkeypatch.setattr(probes, "probe", lambda folder: ProbedFolder(path=str(folder), problem="Read-only file system"))
    assert cli.main(["sweep", "org/b", "--task", "text_generation"]) == 1
    assert "cannot be written to: Read-only file system" in capsys.readouterr().err
    assert measuring.measured == ["org/a"]
