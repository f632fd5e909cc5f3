"""The work of one job of a sweep, in whatever process an engine has put it: done once, and written down."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from scorekit.errors import EXIT_DONE
from scorekit.measuring.gpu_lock import SWEEP_JOB
from scorekit.sweep import attempts, done, plan


def recorded(work: Callable[[], int], output_folder: Path, environ: Mapping[str, str] | None = None) -> int:
    """Do the work of a job, and write down how it went where the job is one of a sweep.

    Args:
        work: measures, and returns an exit code.
        output_folder: Hydra's folder for the job; attempts are told in the one above it.
        environ: the process's variables.

    Returns:
        What `work` returns. EXIT_DONE without any work where a run of the job has been accepted meanwhile: a job that
        was preempted after its end is started again by its engine.

    Raises:
        BaseException: what `work` raises, written down first.
    """
    variables = os.environ if environ is None else environ
    job = variables.get(SWEEP_JOB)
    if job is None:
        return work()
    folder = output_folder.parent
    if done.accepted(folder, hardware=variables.get(plan.HARDWARE)) is not None:
        return EXIT_DONE
    attempt = attempts.begin(folder, job, variables)
    before, begun = attempts.runs(folder), time.monotonic()
    try:
        code = work()
    except BaseException as error:
        attempts.end(folder, attempts.failed(attempt, error), time.monotonic() - begun, before)
        raise
    attempts.end(folder, attempt.model_copy(update={"exit_code": code}), time.monotonic() - begun, before)
    return code
