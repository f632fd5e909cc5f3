"""What a sweep on Ray decides by itself; a real cluster is in tests/e2e/test_ray.py."""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scorekit import cli
from scorekit.errors import EXIT_TERMINATED, LauncherError, MissingExtraError, ModelError, UsageError
from scorekit.sweep import attempts, engines, plan, ray_child, ray_cluster, ray_engine, ray_jobs
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
    assert 'pip install "scorekit[ray]"' in capsys.readouterr().err
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


class Child:
    """A job's process, as a Ray worker starts it."""

    def __init__(self, folder: Path) -> None:
        ours, its = os.pipe()
        self.answer = os.fdopen(ours, "rb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "scorekit.sweep.ray_child", str(its)],
            stdin=subprocess.PIPE,
            pass_fds=(its,),
            cwd=folder,
        )
        os.close(its)

    def give(self, *arguments: Any) -> None:
        assert self.process.stdin is not None
        given = pickle.dumps(arguments)
        self.process.stdin.write(ray_child.LENGTH.pack(len(given)) + given)
        self.process.stdin.flush()

    def end(self) -> tuple[bytes, int]:
        assert self.process.stdin is not None
        content = self.answer.read()
        code = self.process.wait(60)
        # Not before: where it closes, the worker is gone.
        self.process.stdin.close()
        self.answer.close()
        return content, code


def test_a_job_whose_worker_is_gone_before_it_was_told_all_ends(tmp_path: Path) -> None:
    child = Child(tmp_path)
    assert child.process.stdin is not None
    child.process.stdin.write(ray_child.LENGTH.pack(1000))
    child.process.stdin.close()
    assert child.end() == (b"", EXIT_TERMINATED)


def test_a_node_without_the_drivers_folder_says_so(tmp_path: Path) -> None:
    child = Child(tmp_path)
    child.give(str(tmp_path / "elsewhere"), False, b"", b"")
    content, code = child.end()
    returned, error = pickle.loads(content)
    assert (returned, code) == (False, 0)
    assert isinstance(error, UsageError)
    assert "is not there on" in error.message


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
