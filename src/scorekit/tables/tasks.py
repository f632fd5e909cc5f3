"""The table of tasks: those of the protocol, and those that plugins bring."""

from __future__ import annotations

from collections.abc import Sequence

from scorekit import tasks
from scorekit.layout import Column, Layout, render


def task_table(layout: Layout, extra: Sequence[tasks.ExtraTask] = ()) -> str:
    """Every task with what the protocol asks of it, and after them the tasks that plugins bring."""
    columns = (
        Column("task\n(config name)"), Column("leader-\nboard\nname", flexible=True),
        Column("dataset", flexible=True), Column("answers\nby"), Column("dtype"),
        Column("new\ntokens", numeric=True),
    )  # fmt: skip
    rows = [
        (
            task.name,
            task.cohort,
            task.dataset.rpartition("/")[2],
            task.kind,
            task.dtype,
            "" if task.new_tokens is None else str(task.new_tokens),
        )
        for task in tasks.TASKS.values()
    ]
    owners = ", ".join(dict.fromkeys(task.dataset.partition("/")[0] for task in tasks.TASKS.values()))
    note = (
        f"Datasets are those of {owners} on the Hub. The protocol: {tasks.OFFICIAL_SAMPLES:,} queries, "
        f"batch size {tasks.OFFICIAL_BATCH_SIZE}, {tasks.OFFICIAL_RUNS} repeats, one {tasks.OFFICIAL_GPU}; "
        "the energy of preprocessing and of answering counts, that of loading does not."
    )
    parts = [render(columns, rows, layout), layout.note(note)]
    return "\n\n".join([*parts, *_extra_tasks(extra, layout)])


def _extra_tasks(extra: Sequence[tasks.ExtraTask], layout: Layout) -> list[str]:
    if not extra:
        return []
    columns = (
        Column("task of a plugin\n(config name)"), Column("plugin", flexible=True), Column("dataset", flexible=True),
        Column("answers\nby"), Column("dtype"), Column("new\ntokens", numeric=True),
    )  # fmt: skip
    rows = [
        (
            task.name,
            layout.text(task.brought_by or ""),
            layout.text(task.dataset),
            task.kind,
            task.dtype,
            "" if task.new_tokens is None else str(task.new_tokens),
        )
        for task in extra
    ]
    note = "None of these is a task of the protocol: their scores are never official, and each is rated by itself."
    return [render(columns, rows, layout), layout.note(note)]
