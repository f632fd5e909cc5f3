"""What `scorekit sweep --only-job` does: one job of a saved plan, for systems that start a process for each index.

Such a system (an indexed Job of Kubernetes, an array of jobs) knows nothing of a job but the code that its process ends
with. So the code tells whether another try may do.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scorekit.errors import EXIT_DONE, EXIT_FAILED, EXIT_INVALID, EXIT_LASTING, EXIT_USAGE, ScorekitError, UsageError
from scorekit.layout import layout_for
from scorekit.messages import counted, say
from scorekit.records import Plan, SweepJob
from scorekit.sweep import attempts, done, driver, engines, failures, folder_lock, plan
from scorekit.tables.sweep import summary_tables
from scorekit.verbs import sweep

if TYPE_CHECKING:
    import argparse

_ENGINE: Final = "array"
"""What is written down as the engine where the system that starts the process does not say its name."""
_BATCH: Final = ".batch.json"


def run(options: argparse.Namespace) -> int:
    """Measure one job of a plan, where it is not done already.

    Returns:
        0 when the job is done. 1: it failed, and another try may do. What another try would meet again: 2 a setting is
        wrong, 3 measured but invalid, 4 gated, not found, wrong task or out of memory.

    Raises:
        BusyError: another process works at the job; the same later may do.
        ScorekitError: the plan or the index are wrong, or the folders cannot be used.
    """
    if options.plan is None or options.launcher != engines.LOCAL or options.save is not None or options.json:
        raise UsageError(
            "--only-job measures one job of a saved plan, here: give --plan FILE, and no --launcher, --save or --json",
            mend="scorekit sweep --plan FILE --runs DIR --only-job 0",
        )
    made, for_hydra = sweep.planned(options)
    job = _job(made, options.only_job, options.plan)
    sweep.require_gpus([job])
    runs: Path = options.runs.absolute()
    folder = runs / plan.folder_of(job)
    published = done.Published.of(options.results)
    with driver.beside_others(runs, folder / folder_lock.JOB):
        if not (runs / driver.PLAN).exists():
            # For those who ask how far it is. All processes of an array write the same.
            plan.save(made, runs / driver.PLAN)
        state = done.look_at(job, runs, published, hardware=made.hardware, locked=True)
        told = f"job {options.only_job} of {counted(len(made.jobs), 'job')} ({job.task}: {plan.shown(job)})"
        if state.state == "done":
            say(f"{told} is done already")
        else:
            sweep.warn_of(runs, shared=True, jobs=1)
            say(f"{told}: attempt {1 if state.attempt is None else state.attempt.number + 1}")
            _measure(job, made, runs, for_hydra)
            state = done.look_at(job, runs, published, hardware=made.hardware, locked=True)
    print(summary_tables([state], layout_for(sys.stdout)))
    return exit_code(state)


def exit_code(state: done.JobState) -> int:
    """The exit code of a job that was tried."""
    if state.state == "done":
        return EXIT_DONE
    if state.state == "invalid":
        return EXIT_INVALID
    found = failures.failure(state)
    if found is not None and found.kind in failures.LASTING:
        return EXIT_LASTING
    wrong = state.attempt is not None and state.attempt.exit_code == EXIT_USAGE
    return EXIT_USAGE if wrong else EXIT_FAILED


def _job(made: Plan, index: int, file: Path) -> SweepJob:
    last = len(made.jobs) - 1
    if not 0 <= index <= last:
        raise UsageError(
            f"{file} has {counted(last + 1, 'job')}, from 0 to {last}, and none of index {index}",
            mend=f"let the array have as many indexes: completions: {last + 1}, or --array=0-{last}",
        )
    return made.jobs[index]


def _measure(job: SweepJob, made: Plan, runs: Path, for_hydra: list[str]) -> None:
    folder = runs / plan.folder_of(job)
    quiet = {} if sys.stderr.isatty() else {"TQDM_DISABLE": "1"}
    before = len(attempts.read(folder))
    batch = folder / _BATCH
    try:
        with driver.variables({attempts.ENGINE: _ENGINE, **quiet}):
            try:
                sweep.launch(job.task, [job], made, batch, runs, engines.LOCAL, for_hydra)
            except ScorekitError as error:
                if len(attempts.read(folder)) == before:
                    attempts.never_begun(folder, job.id, os.environ, error)
                say(f"error: {error}")
    finally:
        batch.unlink(missing_ok=True)
