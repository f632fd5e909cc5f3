"""What `scorekit sweep --state` does: tells how far a plan is, from any machine that sees its runs folder."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from scorekit.errors import InputError
from scorekit.layout import layout_for
from scorekit.messages import counted
from scorekit.records import Attempt, JobTold, SweepState
from scorekit.sweep import done, driver, engines, failures, progress
from scorekit.tables.sweep import state_table, summary_tables
from scorekit.verbs import sweep

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Tell what has become of each job of a plan; nothing is measured, and nobody waits for it.

    Returns:
        As of a sweep: 0 when all jobs are done, 3 when all that is not done was measured but is invalid, else 1.

    Raises:
        ScorekitError: there is no plan, or it or the list is wrong.
    """
    runs: Path = options.runs.absolute()
    if options.plan is None and not options.models:
        options.plan = runs / driver.PLAN
        if not options.plan.exists():
            raise InputError(
                f"no sweep has begun in {options.runs}: there is no {driver.PLAN}",
                mend="name its folder, --runs DIR; or the plan, --plan FILE",
            )
    made, _ = sweep.planned(options)
    published = done.Published.of(options.results)
    states = list(done.look(made.jobs, runs, published, hardware=made.hardware, alive=_alive(runs)))
    print(_told(states, runs).model_dump_json(indent=2) if options.json else _text(states))
    return sweep.exit_code(states)


def _alive(runs: Path) -> Callable[[Attempt], bool]:
    """Whether an attempt goes on: as its engine knows, or because the sweep that drives it works since before it."""
    since_s = driver.since_s(runs)
    engine = cache(lambda name: engines.of(name, runs))

    def alive(attempt: Attempt) -> bool:
        if attempt.ended_utc is None and since_s is not None:
            # Whole seconds; and a machine's clock may be a little off.
            begun_s = datetime.fromisoformat(attempt.started_utc).timestamp()
            if begun_s > since_s - 2:
                return True
        return bool(engine(attempt.engine or engines.LOCAL).alive(attempt))

    return alive


def _text(states: Sequence[done.JobState]) -> str:
    layout = layout_for(sys.stdout)
    tried = [state for state in states if state.state != "missing"]
    now = progress.summary(states)
    parts = [summary_tables(tried, layout)] if tried else []
    parts.append(state_table(now, layout))
    kinds = Counter(found.kind for state in states if (found := failures.failure(state)) is not None)
    if kinds:
        told = ", ".join(f"{number:,} {kind}" for kind, number in kinds.most_common())
        parts.append(layout.note(f"not done, of {counted(kinds.total(), 'job')} that ended: {told}"))
    if now.energy_wh:
        parts.append(f"energy of the results so far: {now.energy_wh:.4g} Wh")
    return "\n\n".join(parts)


def _told(states: Sequence[done.JobState], runs: Path) -> SweepState:
    return SweepState(runs=str(runs), jobs=tuple(_job(index, state) for index, state in enumerate(states)))


def _job(index: int, state: done.JobState) -> JobTold:
    found, accepted = failures.failure(state), state.accepted
    score = None if accepted is None else accepted.score
    return JobTold(
        index=index,
        id=state.job.id,
        model=state.job.model,
        revision=state.job.revision,
        task=state.job.task,
        state=state.state,
        why=None if found is None else found.kind,
        message=None if found is None else found.message,
        mend=None if found is None else found.mend,
        attempts=0 if state.attempt is None else state.attempt.number,
        run=None if accepted is None or accepted.run is None else str(accepted.run),
        wh_per_1000_queries=None if score is None else score.wh_per_1000_queries,
    )
