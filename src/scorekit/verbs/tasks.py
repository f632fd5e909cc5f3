"""What `scorekit tasks` does: lists the tasks of the protocol, and those that plugins bring."""

from __future__ import annotations

import dataclasses
import json
import sys

from scorekit import tasks as registry
from scorekit.errors import EXIT_DONE
from scorekit.layout import layout_for
from scorekit.tables.tasks import task_table


def tasks(*, as_json: bool) -> int:
    """List the tasks of the protocol, and those that plugins bring."""
    extra = [task for task in registry.REGISTRY.plugins() if isinstance(task, registry.ExtraTask)]
    if as_json:
        rows = [{**dataclasses.asdict(task), "counted_phases": task.counted_phases} for task in registry.TASKS.values()]
        print(json.dumps([*rows, *map(_extra_row, extra)], indent=2))
    else:
        print(task_table(layout_for(sys.stdout), extra))
    return EXIT_DONE


def _extra_row(task: registry.ExtraTask) -> dict[str, object]:
    told = {field.name: getattr(task, field.name) for field in dataclasses.fields(task) if field.name != "encode"}
    return {**told, "cohort": task.name, "counted_phases": ("preprocess", task.kind)}
