"""Which results, and in which order."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from scorekit import tasks
from scorekit.errors import UsageError, nearest
from scorekit.store.columns import SCHEMA, SHOWN


@dataclass(frozen=True, slots=True)
class Selection:
    """Which results are wanted; None for all.

    Attributes:
        task: a config name, or a leaderboard name, which means all tasks of that cohort.
        model: a part of the model's name, in upper or lower case.
        model_class: A, B or C.
        hardware: a part of the hardware's name, in upper or lower case.
        sort: a column of the table; None for task, class and energy.
        descending: largest first.
        limit: so many rows at most; None for all.
    """

    task: str | None = None
    model: str | None = None
    model_class: str | None = None
    hardware: str | None = None
    sort: str | None = None
    descending: bool = False
    limit: int | None = None


def select(table: Any, wanted: Selection) -> tuple[Any, int]:
    """The rows that are wanted, and how many there are without the limit.

    Raises:
        UsageError: there is no such task or column.
    """
    masks = []
    if wanted.task is not None:
        masks.append(_of_task(table, wanted.task))
    if wanted.model is not None:
        masks.append(pc.match_substring(table["model"], wanted.model, ignore_case=True))
    if wanted.model_class is not None:
        masks.append(pc.equal(table["model_class"], wanted.model_class))
    if wanted.hardware is not None:
        masks.append(pc.match_substring(table["hardware"], wanted.hardware, ignore_case=True))
    if masks:
        table = table.filter(pc.fill_null(functools.reduce(pc.and_kleene, masks), False))
    table = table.take(_order(table, wanted))
    return table.slice(0, wanted.limit), table.num_rows


def _of_task(table: Any, name: str) -> Any:
    # One name may be both: of the task of that config, and of the cohort that holds T5's variant of it too.
    in_cohort = pc.equal(table["cohort"], name)
    try:
        config_name = tasks.config_name(name)
    except UsageError:
        # A plugin's task is known by its results where its plugin is not there.
        if not pc.any(in_cohort).as_py():
            raise
        config_name = name
    return pc.or_kleene(pc.equal(table["task"], config_name), in_cohort)


def _order(table: Any, wanted: Selection) -> Any:
    direction = "descending" if wanted.descending else "ascending"
    keys = ["cohort", "model_class", "wh_per_1000_queries"]
    if wanted.sort is not None:
        if wanted.sort not in SHOWN or pa.types.is_list(SCHEMA.field(wanted.sort).type):
            valid = [name for name in SHOWN if not pa.types.is_list(SCHEMA.field(name).type)]
            close = nearest(wanted.sort, valid)
            raise UsageError(
                f"results cannot be sorted by '{wanted.sort}'; valid: {', '.join(valid)}",
                mend=f"did you mean --sort {close}?" if close else "choose one of the names above",
            )
        keys = [wanted.sort]
    # Null comes last either way, as is the default; the path makes the order of equals the same each time.
    order = [*((key, direction) for key in keys), ("path", "ascending")]
    return pc.sort_indices(table, sort_keys=order)
