"""What a sweep asks of Ray: which of its jobs are with the cluster. They end with their driver, so none outlives it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from scorekit.records import Attempt
from scorekit.sweep import attempts, ray_cluster
from scorekit.sweep.engines import Engine

NAME: Final = "ray"

_AT_WORK: dict[str, int] = {}
"""Ids of the jobs that this process has handed to the cluster, with how many attempts there were before."""


class RayEngine(Engine):
    """The Ray cluster that this process has joined or started."""

    def check(self) -> None:
        """Raises MissingExtraError where Ray is not installed."""
        ray_cluster.require()

    def alive(self, attempt: Attempt) -> bool:
        """Whether an attempt was made since its job was handed over, and the job has not ended for good.

        An attempt of an earlier driver has ended with it, or does so now: should it still hold a GPU, the next waits.
        """
        before = _AT_WORK.get(attempt.job)
        return attempt.ended_utc is None and before is not None and attempt.number > before


def begins(folder: Path, job: str) -> None:
    """A job is handed over.

    Args:
        folder: the job's, with its runs and attempts.
        job: its id.
    """
    _AT_WORK[job] = _newest(folder)


def ends(folder: Path, job: str, error: BaseException | None) -> None:
    """A job has ended for good. Where it never came to an attempt, one is written down here, with the error."""
    before = _AT_WORK.pop(job, None)
    if error is None or before is None or _newest(folder) > before:
        return
    attempts.never_begun(folder, job, {attempts.ENGINE: NAME}, error)


def _newest(folder: Path) -> int:
    return max((attempt.number for attempt in attempts.read(folder)), default=0)
