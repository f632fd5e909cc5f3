"""Measuring a job: `scorekit bench` in processes of its own, and what its end means for the job.

The worker's token is not in their environment: a model's own code may run there.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scorekit import bundle, logs
from scorekit.errors import EXIT_DONE, EXIT_INTERRUPTED, EXIT_INVALID, EXIT_TERMINATED, ScorekitError
from scorekit.logs.runs import find_runs
from scorekit.measuring.configs import hydra_value
from scorekit.messages import say
from scorekit.portal import phases
from scorekit.portal.assignments import Assignment
from scorekit.portal.leash import SIGNALLED
from scorekit.portal.settings import TOKEN
from scorekit.portal.stopping import Stop

LOG: Final = "worker.log"
PATIENCE_S: Final = 60
"""How long a measurement that is to end may take to stop its processes."""
_MOST_TOLD: Final = 2000
_MOST_LOG_BYTES: Final = 64 * 1024
_LAUNCHER: Final = "hydra/launcher="
_OF_THE_JOB: Final = frozenset(
    {"samples_complete", "model_as_declared", "gpu_count", "dataset_identified", "outputs_counted", "window_length"}
)
"""Checks that fail for what the job asks, and fail again; the others are of the machine and the hour."""
_PASSING: Final = frozenset({"HardwareError", "BundleError"})
"""Errors of the machine, not of the job: another worker, or this one mended, may do better."""
_PASSING_WORDS: Final = (
    "cannot be reached",
    "HF_HUB_OFFLINE is set",
    "was killed by",
    "fell silent",
    "did not start within",
    "was interrupted",
)
_SETTING: Final = re.compile(r"\badd (?=backend\.\w+=)")
"""In what `scorekit bench` proposes; a worker passes it a setting by an option."""
_ERROR: Final = re.compile(r"^scorekit\.[a-z_.]+\.([A-Za-z]+Error): (.*)")


class MeasuringFailedError(ScorekitError):
    """There is no run to hand in.

    Args:
        message: why.
        again: whether another attempt may do better.
    """

    def __init__(self, message: str, *, again: bool) -> None:
        super().__init__(message)
        self.again = again

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (self.message, self.again))


def _rebuild(message: str, again: bool) -> MeasuringFailedError:
    return MeasuringFailedError(message, again=again)


@dataclass(frozen=True, slots=True)
class Bench:
    """How a worker measures: with what of its own it adds to the protocol's settings.

    Attributes:
        device: cuda or cpu; None for the protocol's.
        overrides: of Hydra, e.g. hydra/launcher=submitit_slurm; they stand last.
        lock: that the measuring processes hold until the last of them has ended; None for none.
        program: that measures.
    """

    device: str | None = None
    overrides: tuple[str, ...] = ()
    lock: int | None = None
    program: tuple[str, ...] = (sys.executable, "-m", "scorekit", "bench")

    @property
    def how(self) -> tuple[str, ...]:
        """The settings, by which a run of an earlier start is known to be of the same ones."""
        return (*(() if self.device is None else (f"backend.device={self.device}",)), *self.overrides)

    def __call__(self, job: Assignment, folder: Path, stop: Stop) -> Path:
        """Measure a job.

        Args:
            job: what to measure.
            folder: where, empty.
            stop: ends it.

        Returns:
            The run folder: whole, valid and scored.

        Raises:
            MeasuringFailedError: there is none.
        """
        say(f"job {job.id}: measuring begins; all that it says goes to {folder / LOG}")
        with phases.passed_on(folder / LOG, lambda told: say(f"job {job.id}: {told}")):
            code = self._run([*self.program, *arguments(job, folder, self)], folder, stop)
        found = [run for run in find_runs(folder) if bundle.is_complete(run)]
        if code != EXIT_DONE:
            raise failure(code, _last(folder / LOG), found)
        scored = [run for run in found if (run / bundle.SCORE).is_file()]
        if len(scored) != 1:
            raise MeasuringFailedError(f"{len(scored)} runs were scored, expected one", again=False)
        return scored[0]

    def _run(self, command: Sequence[str], folder: Path, stop: Stop) -> int:
        leash = [sys.executable, "-m", "scorekit.portal.leash", str(PATIENCE_S)]
        # With it every error tells its kind, which its message may not.
        environment = {**os.environ, "SCOREKIT_DEBUG": "1"}
        environment.pop(TOKEN, None)
        with (folder / LOG).open("wb") as log:
            process = subprocess.Popen(
                [*leash, *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment,
                pass_fds=() if self.lock is None else (self.lock,),
                start_new_session=True,
            )
        assert process.stdin is not None
        try:
            with stop.telling(process.stdin.close):
                return process.wait()
        finally:
            process.stdin.close()
            process.wait()
            # Whatever of it is left, e.g. because the leash itself was killed.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)


def arguments(job: Assignment, folder: Path, bench: Bench) -> list[str]:
    """The arguments of `scorekit bench` for a job: the task's own config, the model, and what the worker adds."""
    given = ["--config-name", job.task, f"backend.model={hydra_value(job.model)}"]
    if job.revision is not None:
        given += [
            f"++backend.{part}.revision={hydra_value(job.revision)}" for part in ("model_kwargs", "processor_kwargs")
        ]
    place = hydra_value(folder / "run")
    if any(override.startswith(_LAUNCHER) for override in bench.overrides):
        # Launchers of Hydra work in its multirun mode only.
        given += ["-m", f"hydra.sweep.dir={place}", "hydra.sweep.subdir='0'"]
    else:
        given.append(f"hydra.run.dir={place}")
    return [*given, *bench.how]


def failure(code: int, log: str, runs: Sequence[Path]) -> MeasuringFailedError:
    """What a measurement that ended without a score means.

    Args:
        code: exit code of `scorekit bench`, or 128 and the number of a signal.
        log: its last lines.
        runs: the runs that it left.
    """
    if code < 0 or code in (EXIT_INTERRUPTED, EXIT_TERMINATED) or code > SIGNALLED:
        return MeasuringFailedError(
            f"the measurement was ended by signal {code if code < 0 else code - SIGNALLED}", again=True
        )
    if code == EXIT_INVALID:
        failed = _failed_checks(runs)
        told = f"measured, but not valid: {', '.join(failed) or 'a rule of the protocol is broken'}"
        return MeasuringFailedError(told, again=bool(failed) and not _OF_THE_JOB.intersection(failed))
    kind, message = _error_in(log)
    passing = kind in _PASSING or any(words in message for words in _PASSING_WORDS)
    return MeasuringFailedError(message or f"the measurement ended with code {code}", again=passing)


def _error_in(log: str) -> tuple[str, str]:
    """Kind and message of the last error in a log; both empty where there is none."""
    kind, kept = "", ""
    for line in log.splitlines():
        if found := _ERROR.match(line):
            kind = found[1]
        if line.startswith("error: "):
            kept = line.removeprefix("error: ")
        elif kept and line.startswith("  "):
            kept += f"; {line.strip()}"
    return kind, _SETTING.sub("add --hydra ", kept)[:_MOST_TOLD]


def _failed_checks(runs: Sequence[Path]) -> list[str]:
    failed: dict[str, None] = {}
    for run in runs:
        with contextlib.suppress(ScorekitError):
            failed |= dict.fromkeys(check.name for check in logs.read_validity(run).failures)
    return list(failed)


def _last(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _MOST_LOG_BYTES))
        return file.read().decode("utf-8", "replace")


__all__ = ["Bench", "MeasuringFailedError", "arguments", "failure"]
