"""What `scorekit tasks` does: lists the tasks of the protocol, and those that plugins bring."""

from __future__ import annotations

import dataclasses

from scorekit import tasks as registry
from scorekit.errors import EXIT_DONE
from scorekit.tables.tasks import task_table
from scorekit.verbs import output


def tasks(*, as_json: bool) -> int:
    """List the tasks of the protocol, and those that plugins bring."""
    extra = [task for task in registry.REGISTRY.plugins() if isinstance(task, registry.ExtraTask)]
    rows = [{**dataclasses.asdict(task), "counted_phases": task.counted_phases} for task in registry.TASKS.values()]
    output.show([*rows, *map(_extra_row, extra)], lambda layout: task_table(layout, extra), as_json=as_json)
    return EXIT_DONE


def _extra_row(task: registry.ExtraTask) -> dict[str, object]:
    told = {field.name: getattr(task, field.name) for field in dataclasses.fields(task) if field.name != "encode"}
    return {**told, "cohort": task.name, "counted_phases": ("preprocess", task.kind)}
