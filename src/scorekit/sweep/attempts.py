"""How each attempt at a job goes, written down by the process that makes it, wherever an engine has put that.

An attempt has a file of its own beside the runs, so that two machines never write to the same one. It is there before
anything is measured: a process that is killed leaves it without an end, and that is how it is known.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from scorekit import atomic
from scorekit.errors import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, ScorekitError
from scorekit.measuring import journal
from scorekit.records import Attempt
from scorekit.sweep.job_process import ENGINE_JOB

ENGINE: Final = "SCOREKIT_SWEEP_ENGINE"
"""Within a job that an engine of several machines started: the engine's name."""
RESTARTS: Final = "SCOREKIT_SWEEP_RESTARTS"
"""How often the engine started the job again: of engines that set no variable of their own."""
RUN: Final = "run"
"""Name of a job's first run folder; later ones are run.2, run.3."""
_NAME: Final = "attempt-{number}.json"
_ELSEWHERE: Final = "--runs DIR"
_MOST_LETTERS: Final = 4000
_CLOCK_S: Final = 2.0
"""The start of a process as two readings tell it may differ by so much."""


def read(folder: Path) -> tuple[Attempt, ...]:
    """The attempts at a job, in order. A file that is damaged is left out: the run itself tells what counts."""
    found = []
    for number in range(1, _count(folder) + 1):
        with contextlib.suppress(OSError, ValidationError):
            found.append(Attempt.model_validate_json((folder / _NAME.format(number=number)).read_bytes()))
    return tuple(found)


def alive_here(attempt: Attempt) -> bool:
    """Whether an attempt goes on in a process of this machine; that of another machine counts as gone.

    Engines of several machines know better, and give `done.look` a function of their own.
    """
    import psutil

    if attempt.ended_utc is not None or attempt.host != socket.gethostname():
        return False
    try:
        started_s = float(psutil.Process(attempt.pid).create_time())
    except psutil.Error:
        return False
    return attempt.process_started_s is None or abs(started_s - attempt.process_started_s) < _CLOCK_S


def begin(folder: Path, job: str, environ: Mapping[str, str]) -> Attempt:
    """Write down that this process begins with a job; raises BundleError where the folder cannot be written to."""
    import psutil

    restarts = environ.get(RESTARTS) or environ.get("SLURM_RESTART_COUNT", "")
    attempt = Attempt(
        job=job,
        number=_count(folder) + 1,
        host=socket.gethostname(),
        pid=os.getpid(),
        process_started_s=float(psutil.Process().create_time()),
        restart_count=int(restarts) if restarts.isascii() and restarts.isdigit() else None,
        engine=environ.get(ENGINE),
        engine_job=_engine_job(environ),
        started_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    while True:
        path = folder / _NAME.format(number=attempt.number)
        try:
            made = atomic.create_bytes(path, _content(attempt), elsewhere=_ELSEWHERE)
        except atomic.NoLinksError:
            made = not path.exists()
            if made:
                atomic.write_bytes(path, _content(attempt), elsewhere=_ELSEWHERE)
        if made:
            return attempt
        attempt = attempt.model_copy(update={"number": attempt.number + 1})


def end(folder: Path, attempt: Attempt, duration_s: float, before: frozenset[str]) -> None:
    """Write down how an attempt went.

    Args:
        folder: the job's.
        attempt: with its exit code, and its error.
        duration_s: how long it took.
        before: the runs that were there before it.
    """
    new = sorted(runs(folder) - before, key=lambda name: (len(name), name))
    # A folder that an earlier attempt left empty but for its log is taken again.
    run = new[-1] if new else RUN if (folder / RUN).is_dir() else None
    ended = attempt.model_copy(
        update={
            "ended_utc": datetime.now(UTC).isoformat(timespec="seconds"),
            "duration_s": duration_s,
            "run": run,
            "last_lines": () if run is None or attempt.exit_code == EXIT_DONE else _last_lines(folder / run),
        }
    )
    # A full disk must not hide why the job failed.
    with contextlib.suppress(ScorekitError):
        atomic.write_bytes(folder / _NAME.format(number=attempt.number), _content(ended), elsewhere=_ELSEWHERE)


def never_begun(folder: Path, job: str, environ: Mapping[str, str], error: BaseException) -> None:
    """Write down an attempt of a job that never came to one, with what was in its way; arguments as for `begin`."""
    folder.mkdir(parents=True, exist_ok=True)
    end(folder, failed(begin(folder, job, environ), error), 0.0, runs(folder))


def failed(attempt: Attempt, error: BaseException) -> Attempt:
    """An attempt with the error that ended it."""
    message, mend = (error.message, error.mend) if isinstance(error, ScorekitError) else (str(error), None)
    code = getattr(error, "exit_code", EXIT_INTERRUPTED if isinstance(error, KeyboardInterrupt) else EXIT_FAILED)
    return attempt.model_copy(
        update={
            "exit_code": code,
            "error": type(error).__name__,
            "message": message[:_MOST_LETTERS],
            "mend": mend,
        }
    )


def _engine_job(environ: Mapping[str, str]) -> str | None:
    if environ.get(ENGINE_JOB):
        # Also where the engine itself runs within a job of Slurm's.
        return environ[ENGINE_JOB]
    array, number = environ.get("SLURM_ARRAY_JOB_ID"), environ.get("SLURM_ARRAY_TASK_ID")
    if array and number:
        # The only name that a job of an array has both before and after it began.
        return f"{array}_{number}"
    return environ.get("SLURM_JOB_ID")


def _last_lines(run: Path) -> tuple[str, ...]:
    return tuple(line[:500] for line in journal.last_lines(run))


def _content(attempt: Attempt) -> bytes:
    return attempt.model_dump_json(indent=2).encode() + b"\n"


def runs(folder: Path) -> frozenset[str]:
    """Names of the runs in a job's folder."""
    with contextlib.suppress(OSError):
        # An empty folder is Hydra's, and no run yet.
        return frozenset(path.name for path in folder.iterdir() if path.is_dir() and any(path.iterdir()))
    return frozenset()


def _count(folder: Path) -> int:
    """The highest number of an attempt."""
    numbers = [0]
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            number = name.removeprefix("attempt-").removesuffix(".json")
            if name == _NAME.format(number=number) and number.isascii() and number.isdigit():
                numbers.append(int(number))
    return max(numbers)
