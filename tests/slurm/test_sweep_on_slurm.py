"""A sweep on two nodes: its driver is killed, a job is preempted, and each model has one result."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from hydra_plugins.scorekit_sweeps.slurm_launcher import SlurmLauncherConf
from scorekit import bundle, logs
from scorekit.errors import EXIT_DONE, EXIT_FAILED, LauncherError
from scorekit.measuring import gpu_lock
from scorekit.records import Attempt, Environment
from scorekit.sweep import attempts, slurm, slurm_jobs
from tests.e2e.commands import Process, run_cli, start
from tests.e2e.conftest import Tiny
from tests.e2e.conftest import tiny as tiny
from tests.fake_nvml.build import NoCompilerError
from tests.slurm import cluster as clusters

PATIENCE_S = 600.0


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> Iterator[clusters.Cluster]:
    missing = clusters.missing()
    if missing:
        pytest.skip(
            f"{', '.join(missing)}: apt-get install slurmctld slurmd slurm-client munge slurmdbd mariadb-server"
        )
    try:
        with clusters.started(accounting=getattr(request, "param", False), tick_ms=100) as found:
            yield found
    except NoCompilerError as error:
        pytest.skip(str(error))


def settings(tiny: Tiny) -> list[str]:
    found = tiny["text_classification"]
    return [
        *("backend.device=cpu", "backend.torch_dtype=float32", f"scenario.dataset_name={found.dataset}"),
        *("scenario.num_samples=4", "scenario.runs=1", "scenario.warmup_runs=1"),
    ]


def on_the_gpu() -> list[str]:
    """A hundred ticks of the node's GPU, which Slurm gives to one job at a time."""
    return [
        *("scenario.gpus=[0]", "scenario.meters=[nvml]", "scenario.min_window_s=10.5"),
        *("scenario.idle_s=0.5", "scenario.max_gap_s=0.1", "scenario.cool_down_s=0"),
    ]


def wait_for(condition: Callable[[], bool], process: Process, err: Path, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert process.poll() is None, f"{what} did not happen: {err.read_text(encoding='utf-8')}"
        assert time.monotonic() < deadline, f"{what} did not happen: {err.read_text(encoding='utf-8')}"
        time.sleep(0.1)


def preempt(cluster: clusters.Cluster, job: str) -> None:
    """Have a job of a partition of higher priority take the GPU of a job that runs, and wait until it has."""
    node = cluster.ask("squeue", "--noheader", f"--job={job}", "--format=%N").strip()
    assert node in clusters.NODES, cluster.told()
    words = ["--partition=high", "--gres=gpu:1", f"--nodelist={node}", "--output=/dev/null", "--wrap=true"]
    assert cluster.ask("sbatch", "--parsable", *words).strip().isdigit(), cluster.told()
    cluster.until(lambda: "Restarts=1" in cluster.ask("scontrol", "show", "job", job), "putting the job back")


def test_driver_and_job_may_be_lost_and_each_model_has_one_result(
    cluster: clusters.Cluster, tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny["text_classification"].model
    names = ("first", "second")
    for name in names:
        (tmp_path / name).symlink_to(model)
    runs = tmp_path / "runs"
    command = ["sweep", "./first", "./second", "--task", "text_classification", "--launcher", "slurm"]
    command += ["--runs", str(runs), "--hydra", *settings(tiny), *on_the_gpu(), "hydra.launcher.partition=low"]
    variables = cluster.environment()

    def made(name: str) -> tuple[Attempt, ...]:
        folder = next(runs.glob(f"text_classification/{name}--*"), None)
        return () if folder is None else attempts.read(folder)

    err = tmp_path / "err.txt"
    with err.open("wb") as stream:
        driver = start(*command, cwd=tmp_path, env=variables, err=stream)
    try:
        # Neither comes to its end meanwhile: its GPU is in use.
        with contextlib.ExitStack() as stack:
            for gpu in cluster.gpus.values():
                monkeypatch.setenv(gpu_lock.FOLDER, str(gpu.folder / "locks"))
                stack.enter_context(gpu_lock.held([gpu.uuid()], 0, "another run"))
            wait_for(lambda: len(slurm.handed_over(runs)) == len(names), driver, err, "handing both jobs over")
            wait_for(lambda: bool(made("first")), driver, err, "a first attempt at a job")
            (first,) = made("first")
            assert (first.engine, first.restart_count) == ("slurm", None)
            assert first.engine_job is not None
            driver.send_signal(signal.SIGKILL)
            driver.wait()
            preempt(cluster, first.engine_job)
    finally:
        driver.kill()
        driver.wait()

    again = run_cli(*command, cwd=tmp_path, env=variables, timeout=PATIENCE_S)
    told = again.told() + cluster.told()
    assert again.rc == EXIT_DONE, told
    assert "0 to do" in again.stderr, "the jobs of the driver that was killed are waited for, not handed over again"
    assert [(each.restart_count, each.engine_job) for each in made("first")[1:]] == [(1, first.engine_job)], told
    assert len(made("second")) == 1, told
    done = [run for run in logs.find_runs(runs) if bundle.is_complete(run)]
    assert sorted(logs.read_score(run).model for run in done) == sorted(names), told
    uuids = {gpu.uuid() for gpu in cluster.gpus.values()}
    for run in done:
        bundle.check(run, bundle.read_manifest(run))
        told_there = Environment.model_validate_json((run / bundle.ENVIRONMENT).read_bytes())
        assert {gpu.uuid for gpu in told_there.gpus} <= uuids, "the GPU of a node"
    assert os.listdir(runs / slurm.HANDED_OVER) == []
    assert cluster.ask("squeue", "-h") == ""


@pytest.mark.parametrize("cluster", [True], indirect=True, ids=["accounting"])
def test_hydra_alone_tells_the_error_of_a_job_that_slurm_calls_completed(
    cluster: clusters.Cluster, tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["bench", "-m", "--config-name", "text_classification", "hydra/launcher=slurm"]
    words += ["backend.model=no-such-org/no-such-model", *settings(tiny)]
    found = run_cli(*words, cwd=tmp_path, env=cluster.environment(), timeout=PATIENCE_S)
    assert found.rc == EXIT_FAILED, found.told() + cluster.told()
    assert "no-such-org/no-such-model is not in the local cache" in found.stderr, found.told() + cluster.told()
    told = ("sacct", "--noheader", "--allocations", "--format=State")
    cluster.until(lambda: "COMPLETED" in cluster.ask(*told), "Slurm's word that it is completed")

    # No node has so many GPUs, which keeps nobody else's jobs from Slurm.
    for name, value in cluster.environment().items():
        monkeypatch.setenv(name, value)
    large = slurm_jobs.Job(0, (), tmp_path / "large", "cuda", "0,1,2,3", 4)
    launcher = asdict(SlurmLauncherConf(submitit_folder=str(tmp_path)))
    del launcher["_target_"]
    ((refused,),) = slurm_jobs.submit(launcher, tmp_path, [large])
    assert isinstance(refused[1], LauncherError)
    assert "jobs of 4 GPUs each" in refused[1].message
    assert "Requested node configuration is not available" in refused[1].message
