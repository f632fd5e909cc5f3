"""The one process that drives a sweep: alone in its runs folder, and quiet beside its display."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from scorekit.errors import BusyError, UsageError
from scorekit.sweep import folder_lock

PLAN: Final = "plan.json"
"""The plan that was run last in a runs folder."""
LOCK: Final = ".sweep.lock"
_BATCH: Final = ".batch.json"
_SETTLE_S: Final = 1.0
"""Who looks whether a lock is held takes it for a moment; so long those wait who want it."""


@contextlib.contextmanager
def alone(runs: Path) -> Iterator[Path]:
    """Be the only sweep in a runs folder for as long as the block lasts; the lock goes with this process.

    Yields:
        A file for the jobs that are handed to a launcher next.

    Raises:
        UsageError: another sweep works there.
        BundleError: the folder cannot be made or written to.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(folder_lock.held(runs / LOCK, wait_s=_SETTLE_S))
        except folder_lock.HeldError as error:
            raise UsageError(
                f"another sweep works in {runs}" + (f" (process {error.holder})" if error.holder.isdigit() else ""),
                mend="wait for it, or choose another folder: --runs DIR",
            ) from error
        try:
            yield runs / _BATCH
        finally:
            with contextlib.suppress(OSError):
                (runs / _BATCH).unlink()


@contextlib.contextmanager
def beside_others(runs: Path, job_lock: Path) -> Iterator[None]:
    """Be the only one at a job, beside others at other jobs of the runs folder, and without a sweep that drives all.

    Args:
        runs: the runs folder.
        job_lock: of the job.

    Raises:
        BusyError: another process works at the job, or a sweep works in the folder.
        BundleError: the folder cannot be made or written to.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(folder_lock.held(runs / LOCK, shared=True, wait_s=_SETTLE_S))
            stack.enter_context(folder_lock.held(job_lock, wait_s=_SETTLE_S))
        except folder_lock.HeldError as error:
            who = f"a sweep works in {runs}" if error.path.name == LOCK else f"the job is being measured ({job_lock})"
            raise BusyError(who, mend="the same command later") from error
        yield


def since_s(runs: Path) -> float | None:
    """When the sweep that works in a runs folder began, in s since 1970; None where none does."""
    with contextlib.suppress(OSError):
        return os.stat(runs / LOCK).st_mtime if folder_lock.is_held(runs / LOCK) else None
    return None


@contextlib.contextmanager
def variables(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process that are not set yet, and take them away afterwards."""
    new = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)
