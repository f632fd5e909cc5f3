"""A sweep on a real Ray cluster, two nodes with a fake GPU each: what is lost is measured once more, and only that."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from scorekit import cli
from scorekit.records import Attempt
from scorekit.sweep import attempts, done, plan
from scorekit.sweep.failures import failure
from tests.e2e.ray_app import SEEN, SENT, TASK
from tests.fake_nvml import FakeNvml

ROOT = Path(__file__).parents[2]
PATIENCE_S = 300
TOO_LARGE = "too-large"
"""A model of class C, which needs more GPUs than a node has."""


@pytest.fixture
def cluster(fake_nvml: FakeNvml) -> Iterator[dict[str, str]]:
    """The variables of a driver that may join it, with its address as RAY_ADDRESS."""
    fake_nvml.set(gpus=2)
    variables = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    variables |= fake_nvml.environment()
    variables |= {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
        "RAY_AUTH_TOKEN": uuid.uuid4().hex,
        "RAY_USAGE_STATS_ENABLED": "0",
        # Whatever else fills the memory of the machine, no job is killed for it.
        "RAY_memory_monitor_refresh_ms": "0",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.ray_nodes", "0", "1"],
        cwd=ROOT,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    family: list[psutil.Process] = []
    try:
        address = process.stdout.readline().strip()
        assert address, "the cluster did not start"
        yield {**variables, "RAY_ADDRESS": address}
        family = psutil.Process(process.pid).children(recursive=True)
        process.stdin.close()
        process.wait(PATIENCE_S)
    finally:
        process.kill()
    left = [each for each in family if not ends(each)]
    for each in left:
        each.kill()
    assert left == []


class Sweep:
    """Jobs of a plan on the cluster, and what they left."""

    def __init__(self, folder: Path, variables: dict[str, str], *models: str) -> None:
        self.folder, self.runs, self.variables = folder, folder / "runs", variables
        self.plan, listed = folder / "plan.json", folder / "list.csv"
        rows = (f"org/{model},{'C' if model == TOO_LARGE else 'A'}\n" for model in models)
        listed.write_text(f"model,class\n{''.join(rows)}", encoding="utf-8")
        options = ["--task", TASK, "--class-c-gpus", "3", "--plan-only", "--save", str(self.plan)]
        assert cli.main(["sweep", str(listed), *options]) == 0
        configs = folder / "configs"
        configs.mkdir(exist_ok=True)
        (configs / f"{TASK}.yaml").write_text(
            "backend:\n  model: ???\n  device: cuda\n  device_ids: 0\n  device_map: null\n", "utf-8"
        )

    def start(self) -> subprocess.Popen[str]:
        command = ["tests.e2e.ray_app", "--config-dir", "configs", "-m", "hydra/launcher=ray", "hydra/sweeper=plan"]
        command += [f"hydra.sweeper.plan={self.plan}", f"hydra.sweep.dir={self.runs}", "hydra.output_subdir=null"]
        return self._start(*command)

    def go_on(self) -> subprocess.Popen[str]:
        """The same by `scorekit sweep`, with only the measuring itself stood in for."""
        command = ["tests.e2e.ray_sweep", "--plan", str(self.plan), "--runs", str(self.runs), "--launcher", "ray"]
        return self._start(*command)

    def _start(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=self.folder,
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def states(self) -> dict[str, str]:
        """Of each model that its job is done, or why it is not."""
        found = {}
        for state in done.look(self.jobs, self.runs):
            why = failure(state)
            found[state.job.model.removeprefix("org/")] = state.state if why is None else why.kind
        return found

    def attempts(self, model: str) -> tuple[Attempt, ...]:
        return attempts.read(self.job_folder(model))

    def job_folder(self, model: str) -> Path:
        return next(self.runs / plan.folder_of(job) for job in self.jobs if job.model == f"org/{model}")

    @property
    def jobs(self) -> tuple[plan.SweepJob, ...]:
        return plan.load(self.plan).jobs


def result(driver: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code of a driver, and all that it told."""
    with driver:
        try:
            told, _ = driver.communicate(timeout=PATIENCE_S)
        finally:
            driver.kill()
    return driver.returncode, told


def ends(process: psutil.Process) -> bool:
    """Whether a process that is not this one's child ends; a zombie has."""
    deadline = time.monotonic() + PATIENCE_S
    with contextlib.suppress(psutil.NoSuchProcess):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
    return True


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert process.poll() is None, f"{what} did not happen: {process.stdout and process.stdout.read()}"
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.05)


def test_what_is_lost_is_measured_once_more(tmp_path: Path, cluster: dict[str, str], fake_nvml: FakeNvml) -> None:
    kill = ("kills-its-worker", "kills-itself", "kills-its-node")
    models = ("a", *kill[:1], "gone", *kill[1:2], "outlives-its-server", "invalid", "b", "fills-its-disk", *kill[2:])
    sweep = Sweep(tmp_path, cluster, *models, TOO_LARGE)
    code, told = result(sweep.start())
    expected = dict.fromkeys(models, "done") | {
        "gone": "not found", "invalid": "invalid measurement", "fills-its-disk": "disk full", TOO_LARGE: "no device"
    }  # fmt: skip
    assert sweep.states() == expected, told
    assert code != 0, told
    (never,) = sweep.attempts(TOO_LARGE)
    assert "no node of the Ray cluster has 3 GPUs and 1 CPUs; the largest have 1 GPUs and 1 CPUs" in str(never.message)
    assert {model: len(sweep.attempts(model)) for model in models} == {
        model: 2 if model in kill else 1 for model in models
    }, told
    for model in models:
        last = sweep.attempts(model)[-1]
        assert (last.engine, last.restart_count) == ("ray", len(sweep.attempts(model)) - 1)
        assert last.engine_job is not None
    seen = [json.loads((sweep.job_folder(model) / SEEN).read_text(encoding="utf-8")) for model in models]
    # By the machine's count, whatever the config counts; and without the one thread that Ray gives its workers.
    assert all(each["gpus"] == [fake_nvml.uuid(int(each["device_ids"]))] for each in seen), seen
    assert {each["threads"] for each in seen} == {None}
    assert len({each["pid"] for each in seen}) == len(models), "each in a process of its own"

    # Its driver is killed in the middle of a job, and started again.
    sweep = Sweep(tmp_path, cluster, "a", "waits")
    driver = sweep.start()
    try:
        wait_for((sweep.job_folder("waits") / SENT).exists, driver, "the job's beginning")
        (first,) = sweep.attempts("waits")
        assert attempts.alive_here(first)
        job = psutil.Process(first.pid)
    finally:
        driver.send_signal(signal.SIGKILL)
        driver.communicate()
    assert ends(job), "a job ends with its driver"
    code, told = result(sweep.go_on())
    assert code == 0, told
    assert "2 jobs: 1 is done, 1 to do" in told, told
    assert "2 of 2 jobs are done" in told, told
    assert sweep.states() == {"a": "done", "waits": "done"}, told
    assert [len(sweep.attempts(model)) for model in ("a", "waits")] == [1, 2], "what is done is not measured again"
