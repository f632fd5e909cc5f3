"""End-to-end tests: the real command over tiny models, offline, in a process of its own or in this one."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Read by the libraries at their import: no test reaches a network, and one thread keeps a small machine fair.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"

import pytest
from filelock import FileLock

from scorekit.measuring.tiny import TinyTask, tiny_paths, write_tiny
from scorekit.tasks import TASKS

SAMPLES = 16
INLINE = "launcher=inline"
"""Measures in this process: for what is not about the launcher, without the seconds that a process of its own takes to
import the libraries again."""

Tiny = Mapping[str, TinyTask]


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left behind.

    Attributes:
        rc: exit code; negative for a signal.
        stdout: text.
        stderr: text.
    """

    rc: int
    stdout: str
    stderr: str

    def told(self) -> str:
        """Both outputs, for the message of a failed assertion."""
        return f"exit code {self.rc}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """All tiny models and datasets, written once; the workers of pytest-xdist share them."""
    base = tmp_path_factory.getbasetemp()
    # A worker's base lies inside the one of the whole run.
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "tiny"
    with FileLock(f"{root}.lock"):
        write_tiny(root, samples=SAMPLES)
    return {name: tiny_paths(root, name) for name in TASKS}


@pytest.fixture
def no_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which no GPU is found, whatever this one has."""
    monkeypatch.setattr(shutil, "which", _which_without_gpu)


_which = shutil.which


def _which_without_gpu(command: str, *arguments: object, **options: object) -> str | None:
    return None if command == "nvidia-smi" else _which(command, *arguments, **options)  # type: ignore[arg-type]


def bench_arguments(tiny: Tiny, task: str = "text_classification", *more: str) -> list[str]:
    """Arguments after `bench` for a short run on the CPU; what comes later overrides what came before."""
    found = tiny[task]
    return [
        "--config-name",
        task,
        f"backend.model={found.model}",
        f"scenario.dataset_name={found.dataset}",
        "backend.device=cpu",
        "backend.torch_dtype=float32",
        "scenario.num_samples=4",
        "scenario.runs=1",
        "scenario.warmup_runs=1",
        *more,
    ]


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without settings of a developer's own that would change an output."""
    kept = {name: value for name, value in os.environ.items() if name not in ("SCOREKIT_DEBUG", "LOG_LEVEL")}
    return {**kept, **(changes or {})}


def run_cli(
    *args: str | os.PathLike[str], cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 300
) -> Result:
    """Run `python -m scorekit ARGS` in a process of its own.

    Args:
        args: verb and arguments.
        cwd: folder that it runs in.
        env: variables set besides this process's own.
        timeout: seconds after which it counts as hanging; an upper limit, not a measure.
    """
    done = subprocess.run(
        [sys.executable, "-m", "scorekit", *map(os.fspath, args)],
        cwd=cwd,
        env=environment(env),
        timeout=timeout,
        check=False,
        capture_output=True,
        text=True,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def run_inprocess(argv: Sequence[str], cwd: Path) -> Result:
    """Run `scorekit bench ARGV` in this process: the same command line, without another import of the libraries.

    The measuring process of `launcher: process` is started all the same.
    """
    from scorekit import cli

    out, err = io.StringIO(), io.StringIO()
    with _inside(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(["bench", *argv])
    return Result(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
