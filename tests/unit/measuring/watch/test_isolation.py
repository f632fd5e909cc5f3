"""The watch over the GPUs in use: another process is seen while the run goes on, and nothing else ends it."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
from pathlib import Path

import pytest

from scorekit import bundle
from scorekit.errors import HardwareError
from scorekit.measuring import isolation
from tests.fake_nvml import FakeNvml
from tests.unit.measuring.watch.watching import PATIENCE_S, Asked, looking, states, wait_for_end, wait_until


def watch(fake: FakeNvml, pid: int, action: str, *, gpu_ids: tuple[str, ...] = ("0",)) -> isolation.Watch:
    return isolation.Watch(pid, gpu_ids, action)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Looks that are as the driver tells."""
    return looking(monkeypatch)


def test_a_foreign_process_that_starts_in_mid_run_is_warned_of(
    fake_nvml_here: FakeNvml,
    run: subprocess.Popen[bytes],
    foreign: int,
    caplog: pytest.LogCaptureFixture,
    asked: Asked,
) -> None:
    fake_nvml_here.set(processes=[run.pid, os.getpid()])
    with caplog.at_level(logging.WARNING), watch(fake_nvml_here, run.pid, "warn") as watching:
        asked.wait_for_more(2)
        assert watching._thread.is_alive()
        fake_nvml_here.set(processes=[run.pid, foreign])
        wait_until(lambda: watching._violation is not None)
        watching.raise_violation()
    assert caplog.text.count(f"during the run: [{foreign}]") == 1
    assert run.poll() is None


def test_every_change_is_told_in_the_bundle(
    fake_nvml_here: FakeNvml, run: subprocess.Popen[bytes], foreign: int, tmp_path: Path, asked: Asked
) -> None:
    """A process that comes and goes between two repeats is seen nowhere else."""

    def told() -> list[int | None]:
        found = states(tmp_path) if (tmp_path / bundle.GPU_STATES).exists() else []
        assert {state.device for state in found} <= {fake_nvml_here.uuid(0)}
        return [state.foreign_processes for state in found]

    fake_nvml_here.set(processes=[run.pid])
    with isolation.Watch(run.pid, ("0",), "warn", tmp_path):
        asked.wait_for_more(2)
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


def test_only_the_gpus_in_use_are_watched(
    fake_nvml_here: FakeNvml, run: subprocess.Popen[bytes], foreign: int, asked: Asked
) -> None:
    fake_nvml_here.set(gpus=2)
    fake_nvml_here.set(1, processes=[foreign])
    for gpu_ids in (("0",), (fake_nvml_here.uuid(0)[:12],), ("0", "-1", "1")):
        with watch(fake_nvml_here, run.pid, "kill", gpu_ids=gpu_ids) as watching:
            asked.wait_for_more(2)
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


def test_without_a_gpu_there_is_nothing_to_watch(run: subprocess.Popen[bytes]) -> None:
    with isolation.Watch(run.pid, (), "kill") as watching:
        assert not watching._thread.is_alive()
