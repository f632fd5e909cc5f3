"""What a sweep on Ray decides by itself; a real cluster is in tests/e2e/test_ray.py."""

from __future__ import annotations

import errno
import importlib.util
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from scorekit import cli
from scorekit.errors import (
    EXIT_FAILED,
    EXIT_TERMINATED,
    HardwareError,
    LauncherError,
    MissingExtraError,
    ModelError,
    UsageError,
)
from scorekit.sweep import attempts, engines, plan, ray_child, ray_cluster, ray_engine, ray_jobs, ray_worker
from scorekit.sweep.job_process import SAME_EVERYWHERE
from tests.unit.sweep.conftest import job, write_attempt

NODES = [{"CPU": 8.0, "GPU": 4.0}, {"CPU": 2.0, "GPU": 1.0}, {"CPU": 16.0}]


@pytest.mark.parametrize(
    ("need", "at_once"),
    [
        (ray_cluster.Need(1, 1.0), 5),
        (ray_cluster.Need(2, 1.0), 2),
        (ray_cluster.Need(1, 4.0), 2),
        (ray_cluster.Need(0, 2.0), 13),
        (ray_cluster.Need(5, 1.0), 0),
    ],
)
def test_how_many_jobs_a_cluster_has_room_for(need: ray_cluster.Need, at_once: int) -> None:
    assert ray_cluster.room(need, NODES) == at_once
    assert any(need.fits(node) for node in NODES) == (at_once > 0)


def test_an_attempt_lives_from_when_its_job_was_handed_over_until_that_has_ended(tmp_path: Path) -> None:
    made = job()
    folder = tmp_path / plan.folder_of(made)
    engine = engines.of("ray", tmp_path)
    write_attempt(tmp_path, made, number=1, ended_utc=None, exit_code=None)
    (earlier,) = attempts.read(folder)
    assert not engine.alive(earlier), "it ended with its driver"
    ray_engine.begins(folder, made.id)
    assert not engine.alive(earlier), "the job is handed over, but has not begun"
    write_attempt(tmp_path, made, number=2, ended_utc=None, exit_code=None)
    assert [engine.alive(each) for each in attempts.read(folder)] == [False, True]
    ray_engine.ends(folder, made.id, LauncherError("its node was lost"))
    assert not any(engine.alive(each) for each in attempts.read(folder))
    assert len(attempts.read(folder)) == 2, "it came to an attempt, which tells enough"


def test_a_job_that_never_began_is_told_of_by_its_driver(tmp_path: Path) -> None:
    made = job()
    folder = tmp_path / plan.folder_of(made)
    ray_engine.begins(folder, made.id)
    ray_engine.ends(folder, made.id, ModelError("no node has 8 GPUs", mend="wait"))
    (told,) = attempts.read(folder)
    assert (told.engine, told.error, told.message, told.mend) == ("ray", "ModelError", "no node has 8 GPUs", "wait")
    assert told.ended_utc is not None
    assert told.last_lines == ()


def test_without_ray_the_line_that_installs_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError):
        ray_cluster.require()
    assert cli.main(["sweep", "org/a", "--task", "text_generation", "--launcher", "ray"]) == 2
    assert 'pip install -c constraints.txt -e ".[ray]"' in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("address", "error", "text"),
    [
        ("ray://head:10001", UsageError, "a remote client's"),
        ("head", UsageError, "neither auto, local nor HOST:PORT"),
        ("127.0.0.1:1", LauncherError, "there is no Ray cluster at 127.0.0.1:1"),
    ],
)
def test_addresses_of_no_cluster(address: str, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text), ray_cluster.connected(address, {}):
        pytest.fail("it was joined")


def test_a_cluster_that_is_too_busy_to_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    def init(**_: Any) -> None:
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray_cluster, "_knock", lambda _: None)
    for address, text in (("10.0.0.1:6379", "or it does not answer: The current node"), ("local", "cannot be started")):
        with pytest.raises(LauncherError, match=text), ray_cluster.connected(address, {}):
            pytest.fail("it was joined")


@pytest.fixture
def server() -> Iterator[ray_worker.Server]:
    """What a worker has its jobs' processes started by; it imports nothing that measures."""
    made = ray_worker.Server(measures=False, told={"HF_HUB_OFFLINE": "told"})
    yield made
    made.close()


def given(*arguments: Any) -> bytes:
    return pickle.dumps(arguments)


def test_a_node_without_the_drivers_folder_says_so_of_every_job(tmp_path: Path, server: ray_worker.Server) -> None:
    for _ in range(2):
        content, code = server.do(given(str(tmp_path / "elsewhere"), False, b"", b""), {})
        assert code == 0
        assert content is not None
        returned, error = pickle.loads(content)
        assert not returned
        assert isinstance(error, UsageError)
        assert "is not there on" in error.message
    assert server.alive()


class Ends:
    """Ends the process that reads its pickle."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (EXIT_FAILED,)


def test_a_job_that_cannot_read_or_dies_leaves_the_next_ones_alone(tmp_path: Path, server: ray_worker.Server) -> None:
    content, code = server.do(b"not a pickle", {})
    assert code == 0
    assert content is not None
    returned, error = pickle.loads(content)
    assert (returned, str(error)) == (False, "UnpicklingError: invalid load key, 'n'.")
    assert server.do(given(Ends()), {}) == (None, EXIT_FAILED)
    content, code = server.do(given(str(tmp_path / "elsewhere"), False, b"", b""), {"OF_THIS_JOB": "1"})
    assert (content is not None, code) == (True, 0)


def test_a_node_without_a_module_says_how_to_mend_it(
    tmp_path: Path, server: ray_worker.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "hydra.core.singleton", None)
    returned, error = ray_child._tried(given(str(tmp_path), False, b"", b""))
    assert not returned
    assert isinstance(error, LauncherError)
    assert (error.message.split()[2:5], error.mend) == (["hydra.core.singleton", "halted;", "None"], SAME_EVERYWHERE)


def test_a_node_whose_kernel_is_too_old_is_no_lost_node(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray
    from ray.exceptions import RayTaskError

    def not_there(_pid: int) -> int:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", not_there)
    with pytest.raises(HardwareError, match=r"expected Linux 5\.3 or later") as caught:
        ray_worker.run(given("", False, b"", b""), {}, measures=False)

    def fails(_reference: Any) -> None:
        raise RayTaskError("run", "", caught.value)

    monkeypatch.setattr(ray, "get", fails)
    one = ray_jobs.Job(0, "a", b"", ray_cluster.Need(1, 1.0))
    assert ray_jobs._ended(one, None) == ray_jobs.Ended(one, False, caught.value)


def test_what_the_driver_tells_is_there_before_anything_is_imported(server: ray_worker.Server) -> None:
    process = psutil.Process(server._process.pid)
    # The kernel shows a program's variables a moment after Popen has returned.
    while not (variables := process.environ()):
        time.sleep(0.01)
    assert variables["HF_HUB_OFFLINE"] == "told"


def test_half_a_word_of_a_job_that_was_killed_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    monkeypatch.setattr(ray, "get", lambda reference: reference)
    one, whole = ray_jobs.Job(0, "a", b"", ray_cluster.Need(1, 1.0)), pickle.dumps((True, 3))
    assert ray_jobs._ended(one, (whole, "ended with code 0")) == ray_jobs.Ended(one, True, 3)
    for length in range(1, len(whole)):
        ended = ray_jobs._ended(one, (whole[:length], "was killed by SIGKILL"))
        assert (ended.lost, ended.value.message) == (True, "its process was killed by SIGKILL")


def test_a_server_that_was_killed_is_told(server: ray_worker.Server) -> None:
    server._process.kill()
    server._process.wait()
    assert not server.alive()
    assert server.do(b"", {}) == (None, None)
    assert ray_worker._how(None) == "was lost with the one that starts it"
    assert ray_worker._how(-9) == "was killed by SIGKILL"
    assert ray_worker._how(3) == "ended with code 3"


def test_a_job_whose_worker_is_gone_before_it_was_told_all_ends() -> None:
    channel, workers = os.pipe()
    answer, its_answer = os.pipe()
    os.write(workers, ray_worker.LENGTH.pack(1000))
    os.close(workers)
    code = f"import sys; from scorekit.sweep import ray_child; sys.exit(ray_child.main({channel}, {its_answer}))"
    done = subprocess.run([sys.executable, "-c", code], pass_fds=(channel, its_answer), check=False, timeout=60)
    for each in (channel, its_answer):
        os.close(each)
    assert os.read(answer, 1) == b""
    os.close(answer)
    assert done.returncode == EXIT_TERMINATED


def test_errors_of_libraries_come_back_as_text() -> None:
    class OwnError(Exception):
        pass

    assert pickle.loads(ray_child._portable((True, 3))) == (True, 3)
    assert pickle.loads(ray_child._portable((True, object()))) == (True, None)
    returned, error = pickle.loads(ray_child._portable((False, OwnError("of a library"))))
    assert (returned, str(error)) == (False, "OwnError: of a library")
    _, known = pickle.loads(ray_child._portable((False, ModelError("no model", mend="another"))))
    assert (known.message, known.mend) == ("no model", "another")


def test_jobs_say_what_they_need() -> None:
    assert str(ray_cluster.Need(2, 0.5)) == "2 GPUs and 0.5 CPUs"
    assert str(ray_cluster.Need(0, 1.0)) == "1 CPUs"
    assert ray_jobs.Job(0, "a", b"", ray_cluster.Need(1, 1.0)).told == {}
