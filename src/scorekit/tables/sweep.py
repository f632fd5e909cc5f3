"""A plan, and what became of it, as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from scorekit.layout import Column, Layout, render, significant
from scorekit.messages import counted
from scorekit.records import Plan
from scorekit.sweep import plan as plans
from scorekit.sweep.done import JobState
from scorekit.sweep.failures import Failure, failure
from scorekit.sweep.progress import STATES, Summary

_MOST_ROWS: Final = 200
"""Of a longer plan the rest is in the file."""
_MOST_NOTES: Final = 20
_GB: Final = 1e9
_NEVER_BEGUN: Final = Failure("unknown", "it was not begun", "run the sweep again")


def plan_table(plan: Plan, layout: Layout) -> str:
    """A plan: its first jobs, what all of them will take as far as earlier results tell, and its notes."""
    columns = (
        Column("index", numeric=True), Column("job"), Column("priority", numeric=True), Column("task", flexible=True),
        Column("model", flexible=True), Column("class"), Column("reasoning"), Column("GPUs", numeric=True),
        Column("GPU hours", numeric=True), Column("as of", flexible=True), Column("weights,\nGB", numeric=True),
    )  # fmt: skip
    rows = [
        (
            str(index),
            job.id[:8],
            str(job.priority),
            job.task,
            layout.text(plans.shown(job)),
            job.model_class or "",
            job.reasoning or "",
            "?" if job.gpus is None else str(job.gpus),
            _hours(job.estimate.device_hours),
            layout.text(_source(job.estimate.device_hours_from, job.estimate.model)),
            "?" if job.estimate.weights_bytes is None else significant(job.estimate.weights_bytes / _GB),
        )
        for index, job in enumerate(plan.jobs[:_MOST_ROWS])
    ]
    return "\n".join([render(columns, rows, layout), "", *_totals(plan, layout)])


def state_table(summary: Summary, layout: Layout) -> str:
    """How many jobs of a plan are in each state."""
    names = {"missing": "never tried"}
    columns = [Column("jobs", numeric=True), *(Column(names.get(state, state), numeric=True) for state in STATES)]
    row = [f"{summary.jobs:,}", *(f"{summary.by_state[state]:,}" for state in STATES)]
    return render(columns, [row], layout)


def summary_tables(states: Sequence[JobState], layout: Layout) -> str:
    """What became of a sweep: the scores, and beside them what failed with how to mend it."""
    done = [state for state in states if state.accepted is not None]
    parts = []
    if done:
        parts.append(_scores(done, layout))
    others = [state for state in states if state.accepted is None]
    if others:
        parts.append(_failures(others, layout))
    return "\n\n".join(parts)


def _scores(states: Sequence[JobState], layout: Layout) -> str:
    columns = (
        Column("task", flexible=True), Column("model", flexible=True), Column("reasoning"),
        Column("Wh per\n1,000\nqueries", numeric=True), Column("+- %\n(95 %)", numeric=True),
        Column("compar-\nable"), Column("run", flexible=True),
    )  # fmt: skip
    rows = []
    for state in sorted(states, key=lambda each: (each.job.task, _energy(each))):
        assert state.accepted is not None
        score, run = state.accepted.score, state.accepted.run
        spread = None if score is None or score.uncertainty is None else score.uncertainty.half_width_95_percent
        rows.append(
            (
                state.job.task,
                layout.text(plans.shown(state.job)),
                state.job.reasoning or "",
                "" if score is None else significant(score.wh_per_1000_queries),
                "" if spread is None else significant(spread),
                "yes" if score is None or score.comparable else "no",
                "in the results folder" if run is None else layout.text(str(run)),
            )
        )
    return render(columns, rows, layout)


def _failures(states: Sequence[JobState], layout: Layout) -> str:
    columns = (
        Column("task", flexible=True), Column("model", flexible=True), Column("state"), Column("why"),
        Column("what happened, and how to mend it", prose=True),
    )  # fmt: skip
    rows = []
    for state in states:
        found = failure(state) or (None if state.state == "running" else _NEVER_BEGUN)
        told = "it goes on" if found is None else layout.finding(found.message, f"mend: {found.mend}")
        rows.append(
            (
                state.job.task,
                layout.text(plans.shown(state.job)),
                state.state,
                "" if found is None else found.kind,
                told,
            )
        )
    return render(columns, rows, layout)


def _totals(plan: Plan, layout: Layout) -> list[str]:
    hours = [job.estimate.device_hours for job in plan.jobs if job.estimate.device_hours is not None]
    weights = {(job.model, job.revision): job.estimate.weights_bytes for job in plan.jobs}
    known = [size for size in weights.values() if size is not None]
    lines = [f"{counted(len(plan.jobs), 'job')}, {counted(len(weights), 'model')}"]
    if len(plan.jobs) > _MOST_ROWS:
        more = len(plan.jobs) - _MOST_ROWS
        lines.append(f"{counted(more, 'more job is', 'more jobs are')} not shown; --save FILE writes all of them")
    lines.append(
        f"hours of the counted phases: {significant(sum(hours)) if hours else 'unknown'}, "
        f"of {counted(len(hours), 'job')} that earlier results tell of; of {len(plan.jobs) - len(hours):,} unknown"
    )
    lines.append(
        f"disk for weights: {significant(sum(known) / _GB) + ' GB' if known else 'unknown'}, "
        f"of {counted(len(known), 'model')} with known parameters; of {len(weights) - len(known):,} unknown"
    )
    lines += [layout.note(note, bullet="note: ") for note in plan.notes[:_MOST_NOTES]]
    if len(plan.notes) > _MOST_NOTES:
        more = len(plan.notes) - _MOST_NOTES
        lines.append(f"{counted(more, 'more note is', 'more notes are')} in the plan's file")
    return lines


def _hours(hours: float | None) -> str:
    return "?" if hours is None else significant(hours)


def _source(told: str | None, model: str | None) -> str:
    if told is None:
        return ""
    return told if told == "same model" else f"{model}, {told}"


def _energy(state: JobState) -> float:
    score = state.accepted.score if state.accepted is not None else None
    return float("inf") if score is None else score.wh_per_1000_queries
