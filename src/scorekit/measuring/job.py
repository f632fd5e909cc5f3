"""One job: from a composed Hydra config to a bundle of raw files."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from scorekit import atomic, bundle
from scorekit.errors import ScorekitError, TerminatedError, UsageError
from scorekit.measuring import bridge, data, gpu_lock, journal, preflight
from scorekit.measuring.settings import EnergyStarSettings

bridge.apply()

from optimum_benchmark import Benchmark, BenchmarkConfig  # noqa: E402

LOGGER = logging.getLogger("scorekit")


def run(config: DictConfig, output_folder: Path, start_folder: Path) -> Path:
    """Measure what the config says.

    Args:
        config: composed by Hydra, with backend, scenario and launcher.
        output_folder: Hydra's folder for the job; it, or one beside it if it is taken, becomes the run folder. It is
            not the current folder where a config leaves hydra.job.chdir out.
        start_folder: the folder that relative paths in the config are meant from.

    Returns:
        The run folder, with the raw files and their manifest.

    Raises:
        ScorekitError: what went wrong. Before the first measured window nothing is left behind but the log; after
            it, what there is stays, marked incomplete.
    """
    preflight.prepare(config, start_folder)
    benchmark_config = _instantiate(config)
    if isinstance(benchmark_config.scenario, EnergyStarSettings):
        # Refused here, before a process is started; a server's scenario has one column.
        data.columns_of(str(benchmark_config.backend.task), benchmark_config.scenario)
    _refuse_foreign_files(output_folder)
    folder = bundle.claim(output_folder)
    before = {path.name for path in folder.iterdir()} - {bundle.INCOMPLETE}
    with _inside(folder):
        journal.start(folder)
        try:
            _save(benchmark_config, folder / bundle.CONFIG)
            with gpu_lock.held(gpu_lock.names(config, os.environ), _gpu_wait_s(config), _called(config)):
                report = Benchmark.launch(benchmark_config)
            _save(report, folder / bundle.REPORT)
            _save(Benchmark(config=benchmark_config, report=report), folder / bundle.BENCHMARK)
            bundle.seal(folder)
        except BaseException as error:
            _give_up(folder, error, before)
            raise
    return folder


def _gpu_wait_s(config: DictConfig) -> float:
    """How long to wait for GPUs in use; launchers that are not ours have no such setting."""
    return float(config.launcher.get("gpu_wait_s", gpu_lock.WAIT_S))


def _called(config: DictConfig) -> str:
    return f"{Path(str(config.backend.model)).name} on {config.get('name')}"


def _refuse_foreign_files(folder: Path) -> None:
    """Refuse somebody's working folder: all that lies in a run folder is sealed as measured.

    Raises:
        UsageError: names a file that no run has written.
    """
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    if {bundle.MANIFEST, bundle.CONFIG, bundle.REPORT, bundle.WINDOWS} & set(names):
        return  # A run has been here; this one gets a folder beside it.
    foreign = [name for name in names if name != bundle.INCOMPLETE and not name.endswith(".log")]
    if foreign:
        raise UsageError(
            f"{folder} cannot be the run folder: it holds other files ({foreign[0]})",
            mend="choose an empty folder with hydra.run.dir=FOLDER",
        )


def _instantiate(config: DictConfig) -> BenchmarkConfig:
    try:
        resolved = OmegaConf.to_object(config)
    except ScorekitError:
        raise
    except (ValueError, RuntimeError, OmegaConfBaseException) as error:
        cause = error.__cause__ if isinstance(error.__cause__, ScorekitError) else None
        if cause is not None:
            raise cause from error
        raise UsageError(f"the config is refused: {error}", mend="change the setting that it names") from error
    if not isinstance(resolved, BenchmarkConfig):
        raise UsageError(
            "the config is no benchmark",
            mend="begin its defaults list with `benchmark`, as the built-in ones do",
        )
    return resolved


def _save(content: Any, path: Path) -> None:
    """Save in optimum-benchmark's own JSON, but in one step."""
    import json

    atomic.write_text(path, json.dumps(content.to_dict(), indent=4, default=str) + "\n")


def _give_up(folder: Path, error: BaseException, before: Collection[str]) -> None:
    """Leave the folder as a run that did not end well leaves it; what was there `before` is never touched."""
    ended = isinstance(error, (KeyboardInterrupt, TerminatedError))
    why = "it was interrupted" if ended else next(iter(str(error).splitlines()), type(error).__name__)
    for path in folder.glob(f"{bundle.SCRATCH_PREFIX}*"):
        # A process that was killed could not remove its own.
        shutil.rmtree(path, ignore_errors=True)
    measured = folder / bundle.WINDOWS
    if _has_measurement(measured):
        bundle.mark_incomplete(folder, why)
        LOGGER.warning("what was measured before is kept in %s, marked %s", folder, bundle.INCOMPLETE)
        return
    if ended or not isinstance(error, ScorekitError):
        bundle.mark_incomplete(folder, why)
        return
    # Nothing was measured: bad input leaves no half-made bundle behind.
    for path in folder.iterdir():
        if path.is_file() and path.name != bundle.LOG and path.name not in before:
            with contextlib.suppress(OSError):
                path.unlink()


def _has_measurement(windows: Path) -> bool:
    """Whether any window beyond loading and preprocessing was measured."""
    with contextlib.suppress(OSError):
        text = windows.read_text(encoding="utf-8")
        return any(f'"phase":"{phase}"' in text for phase in ("prefill", "generate", "forward", "call", "serve"))
    return False


@contextlib.contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
