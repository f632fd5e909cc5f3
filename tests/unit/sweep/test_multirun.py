"""`scorekit bench -m`: the scores of all jobs at its end, whatever launcher has run them; engines are stood in for."""

from __future__ import annotations

import contextlib
import pickle
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hydra_plugins.scorekit_sweeps.composing import start_method
from scorekit import cli, logs
from scorekit.errors import EXIT_FAILED, EXIT_INVALID, ModelError
from scorekit.measuring.gpu_lock import SWEEP_JOB
from scorekit.sweep import elsewhere, ray_cluster, ray_jobs, slurm, slurm_jobs
from scorekit.sweep.plan import HARDWARE
from tests import bundles
from tests.unit.sweep.conftest import Bench

HEAD = "compar-"
"""In the head of a table of scores, once."""
COMMAND = ["bench", "-m", "--config-name", "text_generation"]


def write_scored(folder: Path, model: str) -> None:
    bundles.write_bundle(
        folder, bundles.environment("text_generation", model={"name": model}), bundles.official_windows()
    )
    logs.write_validity(folder, logs.read_validity(folder))
    logs.write_score(folder, logs.read_score(folder))


def test_jobs_of_this_process_have_a_table_together(measuring: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([*COMMAND, "backend.model=org/a,org/b", "hydra/launcher=local"]) == 0
    assert measuring.measured == ["org/a", "org/b"]
    out = capsys.readouterr().out
    assert out.count(HEAD) == 3, "each as it ends, and both together"
    *_, last = out.split(HEAD)
    assert "org/a" in last
    assert "org/b" in last
    assert cli.main([*COMMAND[:1], *COMMAND[2:], "backend.model=org/a"]) == 0
    assert capsys.readouterr().out.count(HEAD) == 1, "a single run tells its score once"


@pytest.fixture
def on_ray(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The configs of the jobs that were handed over."""
    seen: list[Any] = []

    def run(
        jobs: Iterator[ray_jobs.Job], _retries: int, _wait_s: float, begins: Callable[[Any], None]
    ) -> Iterator[Any]:
        for job in jobs:
            begins(job)
            config = pickle.loads(pickle.loads(job.given)[3])
            seen.append(config)
            model = config.backend.model
            folder = Path(config.hydra.sweep.dir) / config.hydra.sweep.subdir
            if model == "org/gone":
                yield ray_jobs.Ended(job, False, ModelError("there is no model org/gone", mend="check the spelling"))
            elif model == "org/invalid":
                yield ray_jobs.Ended(job, True, EXIT_INVALID)
            else:
                write_scored(folder, model)
                yield ray_jobs.Ended(job, True, 0)

    monkeypatch.setattr(ray_cluster, "connected", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(ray_jobs, "run", run)
    return seen


def test_jobs_on_ray_have_a_table(
    on_ray: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = [*COMMAND, "backend.device=cpu", "hydra/launcher=ray"]
    assert cli.main([*command, "backend.model=org/a,org/gone,org/b"]) == EXIT_FAILED
    out, err = capsys.readouterr()
    assert out.count("org/a") == out.count("org/b") == 1, out
    assert "text_generation: gone: there is no model org/gone" in err
    assert "text_generation: b: done: " in err
    assert {each.launcher.start_method for each in on_ray} == {"fork"}
    on_ray.clear()
    assert cli.main([*command, "backend.model=org/invalid", "launcher.start_method=spawn"]) == EXIT_INVALID
    assert on_ray[0].launcher.start_method == "spawn"
    out, err = capsys.readouterr()
    assert out == ""
    assert "text_generation: invalid: measured, but not valid" in err


def test_jobs_on_slurm_have_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[slurm_jobs.Job] = []

    def submit(_settings: Any, _state: Path, jobs: list[slurm_jobs.Job]) -> Iterator[list[tuple[Any, Any]]]:
        seen.extend(jobs)
        for job in jobs:
            write_scored(job.output_folder, "org/a" if "backend.model=org/a" in job.overrides else "org/b")
        yield [(job, types.SimpleNamespace(job_id=f"1_{job.number}")) for job in jobs]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(slurm, "require", lambda: None)
    monkeypatch.setattr(slurm, "wait", lambda *_: None)
    monkeypatch.setattr(slurm_jobs, "submit", submit)
    monkeypatch.setattr(slurm_jobs, "failure", lambda *_: None)
    assert cli.main([*COMMAND, "hydra/launcher=slurm", "backend.model=org/a,org/b"]) == 0
    out = capsys.readouterr().out
    assert out.count("org/a") == out.count("org/b") == 1, out
    assert all("launcher.start_method=fork" in job.overrides for job in seen)


def test_the_run_of_a_job_is_the_last_beside_its_folder(tmp_path: Path) -> None:
    elsewhere.begin()
    for name in ("0", "0.2", "0.10"):
        write_scored(tmp_path / name, f"org/{name}")
    (tmp_path / "0.old").mkdir()
    elsewhere.add(tmp_path / "0")
    elsewhere.add(tmp_path / "1")
    assert [score.model for score in elsewhere.scores()] == ["org/0.10"]
    elsewhere.begin()
    assert elsewhere.scores() == []


def test_only_our_own_launcher_is_told_how_to_begin() -> None:
    assert start_method({"launcher": {"name": "process"}}, ["backend.model=a"]) == "fork"
    assert start_method({"launcher": {"name": "process"}}, ["++launcher.start_method=spawn"]) is None
    assert start_method({"launcher": {"name": "inline"}}, []) is None
    of_a_sweep = {SWEEP_JOB: "0" * 16, HARDWARE: "H100"}
    for variables, expected in ((of_a_sweep, "fork"), ({**of_a_sweep, "OMP_NUM_THREADS": 4}, None)):
        config = {"launcher": {"name": "process"}, "hydra": {"job": {"env_set": variables}}}
        assert start_method(config, []) == expected
    assert start_method({}, []) is None
