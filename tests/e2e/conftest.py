"""End-to-end tests: the real command over tiny models, offline, in a process of its own or in this one."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

# Read by the libraries at their import: no test reaches a network, and one thread keeps a small machine fair.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"

import pytest
from filelock import FileLock

from scorekit.measuring.tiny import TinyTask, tiny_paths, write_tiny
from scorekit.tasks import TASKS
from tests.e2e.commands import Result as Result
from tests.e2e.commands import environment as environment
from tests.e2e.commands import run_cli as run_cli

SAMPLES = 16
INLINE = "launcher=inline"
"""Measures in this process: for what is not about the launcher, without the seconds that a process of its own takes to
import the libraries again."""
FORK = "launcher.start_method=fork"
"""Measures in a process that has the libraries from the command's own, as in sweeps on Slurm and Ray and in the demo.
For `run_cli`: this process has computed, and what has computed cannot be copied."""

Tiny = Mapping[str, TinyTask]


@pytest.fixture(scope="session")
def tiny(shared_folder: Path) -> Tiny:
    """All tiny models and datasets, written once; the workers of pytest-xdist share them."""
    root = shared_folder / "tiny"
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
