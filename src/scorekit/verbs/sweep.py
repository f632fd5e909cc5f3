"""What `scorekit sweep` does, behind the command line: plans, hands batches to Hydra, and tells what became of them."""

from __future__ import annotations

import contextlib
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scorekit.errors import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_INVALID,
    BundleError,
    HardwareError,
    ScorekitError,
    UsageError,
)
from scorekit.layout import layout_for
from scorekit.measuring import file_system as probes
from scorekit.measuring.configs import hydra_value
from scorekit.messages import counted, say
from scorekit.records import Plan, Score, SweepJob
from scorekit.sweep import attempts, done, driver, engines, estimates, lists, plan, progress
from scorekit.tables.sweep import plan_table, summary_tables
from scorekit.validity import file_system

if TYPE_CHECKING:
    import argparse

_QUIET: Final = {"TQDM_DISABLE": "1", "LOG_LEVEL": "WARNING"}
"""The display tells how far a sweep is; bars and steps of single runs would tear it, and are in the runs' logs."""


def run(options: argparse.Namespace) -> int:
    """Plan a sweep, and measure what is not measured yet.

    Returns:
        0 when all jobs are done, 1 when one failed, 3 when all that is not done was measured but is invalid.

    Raises:
        ScorekitError: the list, plan or settings are wrong, or the folders cannot be used.
    """
    made, for_hydra = planned(options)
    if options.save is not None:
        plan.save(made, options.save)
        say(f"the plan is in {options.save}")
    if options.plan_only:
        text = made.model_dump_json(indent=2) if options.json else plan_table(made, layout_for(sys.stdout))
        print(text)
        return EXIT_DONE
    for note in made.notes:
        say(f"note: {note}")
    require_gpus(made.jobs)
    engine = engines.of(options.launcher, options.runs.absolute())
    engine.check()
    return _measure(made, options, engine, for_hydra)


def exit_code(states: Sequence[done.JobState]) -> int:
    """The exit code of a sweep with these jobs."""
    found = {state.state for state in states} - {"done"}
    return EXIT_DONE if not found else EXIT_INVALID if found == {"invalid"} else EXIT_FAILED


def planned(options: argparse.Namespace) -> tuple[Plan, list[str]]:
    """The plan that is asked for, and settings that are of Hydra and no part of it.

    Raises:
        ScorekitError: the list, plan or settings are wrong.
    """
    for_hydra = [word for word in options.hydra if word.lstrip("+~").startswith(("hydra.", "hydra/"))]
    settings = tuple(word for word in options.hydra if word not in for_hydra)
    made = _planned(options, settings)
    return made.model_copy(update={"hardware": options.hardware or made.hardware}), for_hydra


def _planned(options: argparse.Namespace, settings: tuple[str, ...]) -> Plan:
    if options.plan is not None:
        if options.models or settings or options.task or options.classes:
            raise UsageError(
                "--plan takes the jobs as they were planned; models, --task, --class and settings would change them",
                mend="plan again, or give --plan alone (settings of the launcher, hydra.launcher.*, are no part of it)",
            )
        return plan.load(options.plan)
    if not options.models:
        raise UsageError("no model is named", mend="scorekit sweep ORG/NAME ... --task TASK, or a list, or --plan FILE")
    listed = lists.read(options.models, options.task)
    terms = plan.Terms(settings, _class_c_gpus(options), tuple(dict.fromkeys(options.classes)))
    return plan.build(listed.entries, terms, estimates.earlier_results(options.results), listed.notes)


def _class_c_gpus(options: argparse.Namespace) -> int | None:
    told: int | None = options.class_c_gpus
    return told if told is not None or options.launcher != engines.LOCAL else len(_gpus_here()) or None


def _gpus_here() -> list[str]:
    """Names of this machine's GPUs; none where NVML cannot be asked."""
    from scorekit.measuring import driver as nvml

    with contextlib.suppress(HardwareError, ModuleNotFoundError), nvml.session() as pynvml:
        return [gpu.name or "" for gpu in nvml.listing(pynvml)]
    return []


def require_gpus(jobs: Sequence[SweepJob]) -> None:
    """Refuse jobs of which nobody has told how many GPUs they are to use.

    Raises:
        UsageError: there is such a job.
    """
    untold = [job for job in jobs if job.gpus is None]
    if untold:
        raise UsageError(
            f"{counted(len(untold), 'job is', 'jobs are')} of class C, and how many GPUs to use is not told: "
            f"{untold[0].model}",
            mend="--class-c-gpus 4; or take the others: --class A --class B",
        )


def _hardware(options: argparse.Namespace, made: Plan) -> str | None:
    """What results must be measured on; None for anything."""
    told = made.hardware
    if told or options.launcher != engines.LOCAL or all(job.gpus == 0 for job in made.jobs):
        return told
    kinds = set(_gpus_here())
    # Of several kinds the settings choose; which it was is in the result.
    return (kinds.pop() or None) if len(kinds) == 1 else None


def _measure(made: Plan, options: argparse.Namespace, engine: engines.Engine, for_hydra: Sequence[str]) -> int:
    runs: Path = options.runs.absolute()
    hardware = _hardware(options, made)
    made = made.model_copy(update={"hardware": hardware})
    published = done.Published.of(options.results)

    def look(job: SweepJob) -> done.JobState:
        return done.look_at(job, runs, published, hardware=hardware, alive=engine.alive)

    with driver.alone(runs) as batch:
        warn_of(runs, shared=options.launcher != engines.LOCAL, jobs=len(made.jobs))
        plan.save(made, runs / driver.PLAN)
        states = [look(job) for job in made.jobs]
        # What still works was left by a driver that died; an engine's jobs go on without one.
        queued = engine.queued()
        left = [state for state in states if state.state != "done"]
        to_do = [state.job for state in left if state.state != "running" and state.job.id not in queued]
        elsewhere = f", {len(left) - len(to_do):,} still at work" if len(left) > len(to_do) else ""
        done_already = counted(len(states) - len(left), "is", "are")
        say(f"{counted(len(states), 'job')}: {done_already} done{elsewhere}, {len(to_do):,} to do")
        try:
            with driver.variables(_QUIET), progress.Board(states, look, sys.stderr):
                for task, jobs in plan.batches(to_do, by_priority=options.launcher == engines.LOCAL):
                    launch(task, jobs, made, batch, runs, options.launcher, [*engine.settings, *for_hydra])
                engine.wait()
        except KeyboardInterrupt:
            say(f"ended early; the same command goes on, or: scorekit sweep --plan {runs / driver.PLAN} --runs {runs}")
            raise
        states = [look(job) for job in made.jobs] if left else states
    print(summary_tables(states, layout_for(sys.stdout)))
    _close(states, runs)
    return exit_code(states)


def warn_of(runs: Path, *, shared: bool, jobs: int) -> None:
    """Tell what the file system of a runs folder does not do.

    Args:
        runs: the folder.
        shared: whether several machines write to it.
        jobs: how many are to be measured.

    Raises:
        BundleError: nothing can be measured there.
    """
    for obstacle in file_system.obstacles(probes.probe(runs), shared=shared, jobs=jobs):
        if obstacle.effect == "impossible":
            raise BundleError(obstacle.message, mend=obstacle.mend)
        say(f"warning: {obstacle.message}. Mend: {obstacle.mend}")


def launch(
    task: str,
    jobs: Sequence[SweepJob],
    made: Plan,
    batch: Path,
    runs: Path,
    launcher: str,
    for_hydra: Sequence[str],
) -> None:
    """Hand jobs of one config to the launcher: `scorekit bench -m` with a plan of these jobs.

    Args:
        task: the config.
        jobs: of it.
        made: the plan that they are of.
        batch: a file for the plan of these jobs.
        runs: the runs folder.
        launcher: its name in Hydra.
        for_hydra: further words of the command line.

    Raises:
        ScorekitError: the settings are wrong, and no job was begun.
    """
    from scorekit import bench

    plan.save(made.model_copy(update={"jobs": tuple(jobs), "notes": ()}), batch)
    before = {job.id: _tries(job, runs) for job in jobs}
    start_folder = Path.cwd()
    words = [
        *("--config-name", task, "-m", "hydra/sweeper=plan", f"hydra.sweeper.plan={hydra_value(batch)}"),
        *(f"hydra/launcher={launcher}", f"hydra.sweep.dir={hydra_value(runs)}", *for_hydra),
    ]
    try:
        bench.run(words, _keep_quiet, _keep_silent)
    except ScorekitError:
        # With a job begun it was the job's own failure, which is in its folder; else the settings are wrong for all.
        if all(_tries(job, runs) == before[job.id] for job in jobs):
            raise
    finally:
        os.chdir(start_folder)


def _tries(job: SweepJob, runs: Path) -> int:
    return len(attempts.read(runs / plan.folder_of(job)))


def _keep_quiet(_folder: Path, _score: Score) -> None:
    """The summary tells the scores."""


def _keep_silent(_error: ScorekitError) -> None:
    """The display and the summary tell the failures."""


def _close(states: Sequence[done.JobState], runs: Path) -> None:
    counts = Counter(state.state for state in states)
    now = progress.summary(states)
    say(
        f"{counts['done']:,} of {counted(len(states), 'job is', 'jobs are')} done"
        + (f"; their runs took {now.energy_wh:.4g} Wh" if now.energy_wh else "")
    )
    more = [state for state in states if state.accepted is not None and state.accepted.others]
    for state in more:
        assert state.accepted is not None
        say(f"note: {state.job.model} was measured more than once; the first run counts: {state.accepted.run}")
    if counts["done"]:
        say(f"Try next: scorekit rate {runs}, or keep the results: scorekit results add {runs}")
