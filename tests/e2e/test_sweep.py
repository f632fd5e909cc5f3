"""A sweep of real runs on the CPU: it waits for its turn, is killed in the middle, and goes on where it was."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from scorekit import bundle, logs
from scorekit.measuring import gpu_lock
from scorekit.sweep import attempts
from tests.e2e.commands import Process, run_cli, start
from tests.e2e.conftest import Tiny

PATIENCE_S = 600
NOWHERE = "no-such-org/no-such-model"


def wait_for(condition: Callable[[], bool], process: Process, err: Path, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert process.poll() is None, f"{what} did not happen: {err.read_text(encoding='utf-8')}"
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.05)


def test_a_sweep_that_is_killed_goes_on(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(gpu_lock.FOLDER, str(tmp_path / "locks"))
    found = tiny["text_classification"]
    second = tmp_path / "second"
    second.symlink_to(found.model)
    listed = tmp_path / "list.yaml"
    listed.write_text("".join(f"- {model}\n" for model in (found.model, NOWHERE, second)), encoding="utf-8")
    command = [
        *("sweep", str(listed), "--task", "text_classification", "--runs", str(tmp_path / "runs"), "--hydra"),
        *("backend.device=cpu", "backend.torch_dtype=float32", f"scenario.dataset_name={found.dataset}"),
        *("scenario.num_samples=4", "scenario.runs=1", "scenario.warmup_runs=1"),
    ]
    err = tmp_path / "err.txt"
    with err.open("wb") as stream:
        process = start(*command, cwd=tmp_path, err=stream)

    def job(name: str) -> Path | None:
        return next((tmp_path / "runs").glob(f"text_classification/{name}--*"), None)

    def told(name: str, text: str) -> bool:
        folder = job(name)
        log = None if folder is None else folder / attempts.RUN / bundle.LOG
        return log is not None and log.is_file() and text in log.read_text(encoding="utf-8")

    family: list[psutil.Process] = []
    try:
        with gpu_lock.held([gpu_lock.CPU], 0, "another run"):
            waiting = f"waiting for the CPU: another measured run uses it (process {os.getpid()}"
            wait_for(lambda: told(found.model.name, waiting), process, err, "waiting for its turn")
        # The second job begins before the end of the first is told.
        first_done = f"[1/3] text_classification: {found.model.name}: done"
        wait_for(lambda: first_done in err.read_text(encoding="utf-8"), process, err, "the end of its first job")
        wait_for(
            lambda: (folder := job("second")) is not None and attempts.read(folder) != (), process, err, "a second job"
        )
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=PATIENCE_S)
    finally:
        process.kill()
    _, left = psutil.wait_procs(family, timeout=PATIENCE_S)
    assert [one for one in left if one.status() != psutil.STATUS_ZOMBIE] == []

    again = run_cli(*command, cwd=tmp_path, timeout=PATIENCE_S)
    assert again.rc == 1, again.told()
    assert "3 jobs: 1 is done, 2 to do" in again.stderr, again.told()
    assert "not found" in again.stdout, "the model that does not exist, with its mend"
    assert NOWHERE in again.stdout
    folders = [job(name) for name in (found.model.name, "second", NOWHERE.replace("/", "--"))]
    assert [len(attempts.read(folder)) for folder in folders if folder is not None] == [1, 2, 2]
    done = [run for run in logs.find_runs(tmp_path / "runs") if bundle.is_complete(run)]
    assert len(done) == 2, "each model was measured once"
    for run in done:
        bundle.check(run, bundle.read_manifest(run))
        assert logs.read_score(run).model == run.parent.name.rpartition("--")[0]
