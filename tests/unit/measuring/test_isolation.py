"""The watch over the GPUs in use: another process is seen while the run goes on, and nothing else ends it."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scorekit import bundle
from scorekit.errors import HardwareError
from scorekit.measuring import isolation
from scorekit.records import GpuState
from tests.fake_nvml import FakeNvml

PATIENCE_S = 30


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "PERIOD_S", 0.02)


def sleeping() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)


@pytest.fixture
def run() -> Iterator[subprocess.Popen[bytes]]:
    """Stands for the measuring process."""
    process = sleeping()
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def foreign() -> int:
    """A process that lives and is not of this one's family."""
    return os.getppid()


def watch(fake: FakeNvml, pid: int, action: str, *, gpu_ids: tuple[str, ...] = ("0",)) -> isolation.Watch:
    return isolation.Watch(pid, gpu_ids, action)


def wait_until(done: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def wait_for_end(watching: isolation.Watch) -> None:
    watching._thread.join(PATIENCE_S)
    assert not watching._thread.is_alive()


def test_a_foreign_process_that_starts_in_mid_run_is_warned_of(
    fake_nvml_here: FakeNvml, run: subprocess.Popen[bytes], foreign: int, caplog: pytest.LogCaptureFixture
) -> None:
    fake_nvml_here.set(processes=[run.pid, os.getpid()])
    with caplog.at_level(logging.WARNING), watch(fake_nvml_here, run.pid, "warn") as watching:
        time.sleep(0.1)
        assert watching._thread.is_alive()
        fake_nvml_here.set(processes=[run.pid, foreign])
        wait_until(lambda: watching._violation is not None)
        watching.raise_violation()
    assert caplog.text.count(f"during the run: [{foreign}]") == 1
    assert run.poll() is None


def test_every_change_is_told_in_the_bundle(
    fake_nvml_here: FakeNvml, run: subprocess.Popen[bytes], foreign: int, tmp_path: Path
) -> None:
    """A process that comes and goes between two repeats is seen nowhere else."""

    def told() -> list[int | None]:
        path = tmp_path / bundle.GPU_STATES
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        states = [GpuState.model_validate_json(line) for line in lines]
        assert {(state.when, state.device) for state in states} <= {("watch", fake_nvml_here.uuid(0))}
        return [state.foreign_processes for state in states]

    fake_nvml_here.set(processes=[run.pid])
    with isolation.Watch(run.pid, ("0",), "warn", tmp_path):
        time.sleep(0.1)
        assert told() == []
        fake_nvml_here.set(processes=[run.pid, foreign])
        wait_until(lambda: told() == [1])
        fake_nvml_here.set(processes=[run.pid])
        wait_until(lambda: told() == [1, 0])
    assert told() == [1, 0, 0], "and how it ended"


@pytest.mark.parametrize(("action", "number"), [("error", signal.SIGTERM), ("kill", signal.SIGKILL)])
def test_a_foreign_process_ends_the_run_where_that_is_asked(
    fake_nvml_here: FakeNvml, run: subprocess.Popen[bytes], foreign: int, action: str, number: int
) -> None:
    fake_nvml_here.set(processes=[foreign])
    with watch(fake_nvml_here, run.pid, action) as watching:
        assert run.wait(PATIENCE_S) == -number
        wait_for_end(watching)
        with pytest.raises(HardwareError, match="other processes ran on the GPUs 0") as caught:
            watching.raise_violation()
    assert "end that process" in str(caught.value.mend)


def test_only_the_gpus_in_use_are_watched(fake_nvml_here: FakeNvml, run: subprocess.Popen[bytes], foreign: int) -> None:
    fake_nvml_here.set(gpus=2)
    fake_nvml_here.set(1, processes=[foreign])
    for gpu_ids in (("0",), (fake_nvml_here.uuid(0)[:12],), ("0", "-1", "1")):
        with watch(fake_nvml_here, run.pid, "kill", gpu_ids=gpu_ids) as watching:
            time.sleep(0.1)
            assert watching._thread.is_alive()
    assert run.poll() is None


@pytest.mark.parametrize(
    ("change", "told"),
    [({"init_errors": "init:9"}, "cannot be watched"), ({"errors": "processes:15"}, "can no longer be watched")],
)
def test_a_driver_that_does_not_tell_ends_the_watch_and_not_the_run(
    fake_nvml_here: FakeNvml,
    run: subprocess.Popen[bytes],
    caplog: pytest.LogCaptureFixture,
    change: dict[str, str],
    told: str,
) -> None:
    fake_nvml_here.set(**change)
    with caplog.at_level(logging.WARNING), watch(fake_nvml_here, run.pid, "kill") as watching:
        wait_for_end(watching)
        watching.raise_violation()
    assert told in caplog.text
    assert run.poll() is None


def states(folder: Path) -> list[GpuState]:
    """The lines of a watch."""
    lines = (folder / bundle.GPU_STATES).read_text(encoding="utf-8").splitlines()
    found = [GpuState.model_validate_json(line) for line in lines]
    assert {state.when for state in found} == {"watch"}
    return found


def test_a_watch_that_lasts_tells_how_often_it_looked(
    fake_nvml_here: FakeNvml, run: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    fake_nvml_here.set(gpus=2, processes=[run.pid])
    with isolation.Watch(run.pid, ("0", "1"), "warn", tmp_path):
        time.sleep(0.2)
    last = states(tmp_path)
    assert [(state.device, state.foreign_processes) for state in last] == [
        (fake_nvml_here.uuid(gpu), 0) for gpu in (0, 1)
    ]
    assert all(state.looks is not None and state.looks >= 2 for state in last)


def test_one_that_ends_at_once_has_looked_once(
    fake_nvml_here: FakeNvml,
    run: subprocess.Popen[bytes],
    foreign: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(isolation, "PERIOD_S", 60.0)
    fake_nvml_here.set(processes=[foreign])
    with isolation.Watch(run.pid, ("0",), "warn", tmp_path):
        pass
    assert [(state.foreign_processes, state.looks) for state in states(tmp_path)] == [(1, None), (1, 1)]


@pytest.mark.parametrize(
    ("change", "device", "looks"),
    [({"init_errors": "init:9"}, "0", (0, 0)), ({"errors": "processes:15"}, None, (1, 500))],
    ids=["never", "no longer"],
)
def test_a_watch_that_ended_before_the_run_is_told_in_the_bundle(
    fake_nvml_here: FakeNvml,
    run: subprocess.Popen[bytes],
    tmp_path: Path,
    change: dict[str, str],
    device: str | None,
    looks: tuple[int, int],
) -> None:
    fake_nvml_here.set(processes=[run.pid])
    if device is not None:
        fake_nvml_here.set(**change)
    with isolation.Watch(run.pid, ("0",), "warn", tmp_path) as watching:
        if device is None:
            time.sleep(0.1)
            fake_nvml_here.set(**change)
        wait_for_end(watching)
    (last,) = states(tmp_path)
    assert last.device == (device or fake_nvml_here.uuid(0))
    assert last.foreign_processes is None
    assert last.looks is not None
    assert looks[0] <= last.looks <= looks[1]


def test_what_nobody_foresaw_is_told_too(
    fake_nvml_here: FakeNvml, run: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("not foreseen")

    monkeypatch.setattr(isolation.gpu_probe, "compute_pids", fail)
    with isolation.Watch(run.pid, ("0",), "kill", tmp_path) as watching:
        wait_for_end(watching)
        watching.raise_violation()
    assert [(state.foreign_processes, state.looks) for state in states(tmp_path)] == [(None, 0)]


def test_a_look_without_an_answer_is_made_again(
    fake_nvml_here: FakeNvml, run: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([None, None, {run.pid}, None])

    def compute_pids(*_: object) -> set[int] | None:
        return next(answers, {run.pid})

    monkeypatch.setattr(isolation.gpu_probe, "compute_pids", compute_pids)
    with isolation.Watch(run.pid, ("0",), "warn", tmp_path) as watching:
        time.sleep(0.3)
        assert watching._thread.is_alive()
    assert [state.foreign_processes for state in states(tmp_path)] == [0]


NOT_HERE = (2**22 + 1, 2**22 + 2, 2**22 + 3)
"""Numbers that no process of this machine has: those of the host, seen from a container."""


@pytest.mark.parametrize(
    ("listed", "others"),
    [
        (NOT_HERE[:1], []),
        (NOT_HERE[:2], [1]),
        (NOT_HERE, [2]),
        ((None, *NOT_HERE[:1]), [1]),
    ],
    ids=["ours alone", "one more", "two more", "ours has a number"],
)
def test_processes_by_the_hosts_numbers_are_counted_and_one_is_ours(
    fake_nvml_here: FakeNvml,
    run: subprocess.Popen[bytes],
    tmp_path: Path,
    listed: tuple[int | None, ...],
    others: list[int],
    caplog: pytest.LogCaptureFixture,
) -> None:
    fake_nvml_here.set(processes=[run.pid if pid is None else pid for pid in listed])
    with caplog.at_level(logging.WARNING), isolation.Watch(run.pid, ("0",), "warn", tmp_path):
        time.sleep(0.3)
    last = (others or [0])[-1:]
    assert [state.foreign_processes for state in states(tmp_path)] == [*others, *last]
    assert ("whose number is that of the container's host" in caplog.text) is bool(others)


def test_a_process_that_has_just_ended_is_none(
    fake_nvml_here: FakeNvml, run: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([{run.pid}, {run.pid, NOT_HERE[0]}])
    monkeypatch.setattr(isolation.gpu_probe, "compute_pids", lambda *_: next(answers, {run.pid}))
    with isolation.Watch(run.pid, ("0",), "warn", tmp_path):
        time.sleep(0.2)
    assert [state.foreign_processes for state in states(tmp_path)] == [0]


def test_without_a_gpu_there_is_nothing_to_watch(run: subprocess.Popen[bytes]) -> None:
    with isolation.Watch(run.pid, (), "kill") as watching:
        assert not watching._thread.is_alive()
