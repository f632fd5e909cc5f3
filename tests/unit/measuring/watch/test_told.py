"""What a watch over GPUs leaves in the bundle: how it ended, how often it looked, and whose processes it saw."""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from pathlib import Path

import pytest

from scorekit.measuring import gpu_probe, isolation
from tests.fake_nvml import FakeNvml
from tests.unit.measuring.watch.watching import Asked, every_state, looking, states, wait_for_end, wait_until


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Looks that are as the driver tells."""
    return looking(monkeypatch)


def test_a_watch_that_lasts_tells_how_often_it_looked(
    fake_nvml_here: FakeNvml, run: subprocess.Popen[bytes], tmp_path: Path, asked: Asked
) -> None:
    fake_nvml_here.set(gpus=2, processes=[run.pid])
    with isolation.Watch(run.pid, ("0", "1"), "warn", tmp_path):
        asked.wait_for_more(4)
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
    [({"init_errors": "init:9"}, "0", (0, 0)), ({"errors": "processes:15"}, None, (1, 10**6))],
    ids=["never", "no longer"],
)
def test_a_watch_that_ended_before_the_run_is_told_in_the_bundle(
    fake_nvml_here: FakeNvml,
    run: subprocess.Popen[bytes],
    tmp_path: Path,
    change: dict[str, str],
    device: str | None,
    looks: tuple[int, int],
    asked: Asked,
) -> None:
    fake_nvml_here.set(processes=[run.pid])
    if device is not None:
        fake_nvml_here.set(**change)
    with isolation.Watch(run.pid, ("0",), "warn", tmp_path) as watching:
        if device is None:
            asked.wait_for_more(2)
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
    asked = looking(monkeypatch, None, None, {run.pid}, None, then={run.pid})
    with isolation.Watch(run.pid, ("0",), "warn", tmp_path) as watching:
        asked.wait_for_more(6)
        assert watching._thread.is_alive()
    assert [state.foreign_processes for state in states(tmp_path)] == [0]


@pytest.mark.parametrize("unanswered", [1, 2])
def test_a_last_look_without_an_answer_ends_no_watch(
    fake_nvml_here: FakeNvml,
    run: subprocess.Popen[bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    unanswered: int,
) -> None:
    """The child tears down its context then, and a driver is never as busy."""
    watching = isolation.Watch(run.pid, ("0",), "warn", tmp_path)
    answers = [{run.pid}, {run.pid}, *[None] * unanswered]

    def look(*_: object) -> set[int] | None:
        answer = answers.pop(0)
        if not answers:
            watching._stop.set()
        return answer

    monkeypatch.setattr(gpu_probe, "compute_pids", look)
    with watching:
        wait_for_end(watching)
    assert [(state.foreign_processes, state.looks) for state in states(tmp_path)] == [(0, 2)]


def test_a_watch_that_never_had_an_answer_saw_nothing(
    fake_nvml_here: FakeNvml, run: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "PERIOD_S", 600.0)
    looking(monkeypatch, then=None)
    with isolation.Watch(run.pid, ("0",), "warn", tmp_path):
        pass
    assert [(state.foreign_processes, state.looks) for state in states(tmp_path)] == [(None, 0)]


def test_a_long_time_without_a_look_is_told_where_it_ended(
    fake_nvml_here: FakeNvml, run: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "LONGEST_UNWATCHED_S", 0.2)
    answers = iter([{run.pid}, {run.pid}, ...])
    slow = threading.Event()

    def look(*_: object) -> set[int]:
        if next(answers, None) is ... and not slow.is_set():
            time.sleep(0.5)
            slow.set()
        return {run.pid}

    monkeypatch.setattr(gpu_probe, "compute_pids", look)
    with isolation.Watch(run.pid, ("0",), "warn", tmp_path):
        wait_until(slow.is_set)
    *waits, last = every_state(tmp_path)
    assert waits
    assert all((state.foreign_processes, state.looks) == (0, None) for state in waits)
    longest_s = max(state.unwatched_s or 0 for state in waits)
    assert longest_s >= 0.5
    assert last.looks is not None
    assert last.unwatched_s is not None
    assert last.unwatched_s >= longest_s


def test_a_gpu_that_is_never_seen_is_told_by_its_uuid_where_nvml_gives_it(
    fake_nvml_here: FakeNvml, run: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    fake_nvml_here.set(gpus=3)
    named = (fake_nvml_here.uuid(1)[:12], "MIG-1", "0", "-1", "2")
    with isolation.Watch(run.pid, named, "warn", tmp_path) as watching:
        wait_for_end(watching)
    expected = [fake_nvml_here.uuid(1), "MIG-1", fake_nvml_here.uuid(0)]
    assert [(state.device, state.foreign_processes, state.looks) for state in states(tmp_path)] == [
        (device, None, 0) for device in expected
    ]


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
    asked: Asked,
) -> None:
    fake_nvml_here.set(processes=[run.pid if pid is None else pid for pid in listed])
    with caplog.at_level(logging.WARNING), isolation.Watch(run.pid, ("0",), "warn", tmp_path):
        asked.wait_for_more(3)
    last = (others or [0])[-1:]
    assert [state.foreign_processes for state in states(tmp_path)] == [*others, *last]
    assert ("whose number is that of the container's host" in caplog.text) is bool(others)


def test_a_process_that_has_just_ended_is_none(
    fake_nvml_here: FakeNvml, run: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = looking(monkeypatch, {run.pid}, {run.pid, NOT_HERE[0]}, then={run.pid})
    with isolation.Watch(run.pid, ("0",), "warn", tmp_path):
        asked.wait_for_more(4)
    assert [state.foreign_processes for state in states(tmp_path)] == [0]


@pytest.mark.parametrize(
    ("computing", "listed", "told"),
    [(1, NOT_HERE[:2], 1), (2, NOT_HERE[:1], 0), (2, NOT_HERE[:2], None), (2, NOT_HERE, 1), (None, NOT_HERE[:1], None)],
)
def test_a_servers_own_processes_without_a_number_are_no_strangers(
    fake_nvml_here: FakeNvml,
    run: subprocess.Popen[bytes],
    tmp_path: Path,
    computing: int | None,
    listed: tuple[int, ...],
    told: int | None,
    asked: Asked,
) -> None:
    fake_nvml_here.set(processes=list(listed))
    with isolation.Watch(run.pid, ("0",), "warn", tmp_path, computing=lambda: computing) as watching:
        if told is None:
            wait_for_end(watching)
        else:
            asked.wait_for_more(3)
    assert states(tmp_path)[-1].foreign_processes == told
