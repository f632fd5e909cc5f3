"""Commands that are copies of a process are as those that are started afresh."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import commands, stem
from tests.e2e.commands import environment, run_cli

UNKNOWN = ("bench", "--config-name", "text_genration", "backend.model=org/m")
PATIENCE_S = 300


@pytest.fixture
def stems(shared_folder: Path) -> Iterator[commands.Stems]:
    found = commands.Stems(shared_folder)
    yield found
    found.let_go()


def test_a_copy_tells_the_same_and_ends_with_the_same_code(tmp_path: Path) -> None:
    afresh, copied = tmp_path / "afresh", tmp_path / "copied"
    for folder in (afresh, copied):
        folder.mkdir()
    assert run_cli(*UNKNOWN, cwd=copied) == run_cli(*UNKNOWN, cwd=afresh, fresh=True)
    shown = run_cli("bench", "--config-name", "text_generation", "backend.model=org/m", "--cfg", "job", cwd=copied)
    assert shown.rc == 0, shown.told()
    assert "model: org/m" in shown.stdout


def test_a_copy_is_a_process_with_a_group_and_folder_of_its_own(tmp_path: Path, stems: commands.Stems) -> None:
    # A list of models in a pipe that nobody writes into: it waits for that.
    pipe = tmp_path / "list.csv"
    os.mkfifo(pipe)
    process = stems.start(["sweep", pipe.name, "--plan-only"], tmp_path, environment(), None)
    try:
        assert process.poll() is None
        assert os.getpgid(process.pid) == process.pid
        assert Path("/proc", str(process.pid), "cwd").readlink() == tmp_path
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(PATIENCE_S) == -signal.SIGTERM
        assert process.communicate() == ("", "")
    finally:
        process.kill()


def test_what_a_library_may_read_at_its_import_asks_for_a_fresh_process(stems: commands.Stems) -> None:
    assert stems.serves(environment())
    assert stems.serves(environment({"SCOREKIT_LOCKS": "elsewhere", "PATH": "/bin", "LD_LIBRARY_PATH": "/fake"}))
    # This process has imported what sets these, or has not yet; a stem has.
    assert stems.serves(environment(dict.fromkeys(commands.SET_BY_IMPORTS, "so")))
    for name in ("HF_HOME", "HF_HUB_OFFLINE", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "LD_PRELOAD", "PYTHONPATH"):
        assert not stems.serves(environment({name: "another"})), name


def test_a_stem_may_listen_in_a_folder_with_a_long_path(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 120) / "stem"
    assert commands._connect(path) is None
    path.parent.mkdir()
    assert commands._connect(path) is None
    with stem.listening(str(path)) as listener:
        found = commands._connect(path)
        assert found is not None
        with found, listener.accept()[0] as accepted:
            accepted.send(stem.READY)
            assert found.recv(len(stem.READY)) == stem.READY
    assert path.is_socket()
    assert commands._connect(path) is None


def test_a_stem_that_breaks_at_its_imports_is_told_at_once(tmp_path: Path, stems: commands.Stems) -> None:
    (tmp_path / "altair.py").write_text("raise ImportError('broken here')\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="broken here"):
        stems.start(["tasks"], tmp_path, environment({"PYTHONPATH": str(tmp_path)}), None)
