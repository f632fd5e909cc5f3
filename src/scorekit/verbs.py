"""What the light commands do: check and tasks. Imported when one of them runs, never for --help."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from scorekit import bundle, logs, tables_checks, tables_tasks
from scorekit import tasks as registry
from scorekit.errors import EXIT_DONE, EXIT_INVALID, ScorekitError
from scorekit.layout import Layout, layout_for
from scorekit.messages import say
from scorekit.records import Record, Validity


def check(paths: Sequence[Path], *, as_json: bool) -> int:
    """Make every check of the runs given, or found below a folder; print and write them.

    Returns:
        0, the exit code of the first run that could not be read, or 3 when a check failed.
    """
    validities: list[Validity] = []
    code = EXIT_DONE
    for run in _once(run for path in paths for run in _runs(path)):
        try:
            validity = logs.read_validity(run)
            logs.write_validity(run, validity)
        except ScorekitError as error:
            say(f"error: {error}")
            code = code or error.exit_code
            continue
        validities.append(validity)
        say(f"wrote {run / bundle.VALIDITY}")
    if as_json:
        _print_json(validities)
    elif validities:
        _print(lambda layout: tables_checks.check_tables(validities, layout))
    return code or (EXIT_DONE if all(validity.valid for validity in validities) else EXIT_INVALID)


def tasks(*, as_json: bool) -> int:
    """List the tasks of the protocol, and those that plugins bring."""
    extra = [task for task in registry.REGISTRY.plugins() if isinstance(task, registry.ExtraTask)]
    if as_json:
        rows = [{**dataclasses.asdict(task), "counted_phases": task.counted_phases} for task in registry.TASKS.values()]
        print(json.dumps([*rows, *map(_extra_row, extra)], indent=2))
    else:
        _print(lambda layout: tables_tasks.task_table(layout, extra))
    return EXIT_DONE


def _extra_row(task: registry.ExtraTask) -> dict[str, object]:
    told = {field.name: getattr(task, field.name) for field in dataclasses.fields(task) if field.name != "encode"}
    return {**told, "cohort": task.name, "counted_phases": ("preprocess", task.kind)}


def _runs(path: Path) -> list[Path]:
    # Where nothing is found, the path stands for itself, so that reading it says what was expected.
    return logs.find_runs(path) or [path]


def _once(paths: Iterator[Path]) -> list[Path]:
    """Each path once, by whatever way it was named."""
    return list({path.resolve(): path for path in paths}.values())


def _print(table: Callable[[Layout], str]) -> None:
    print(table(layout_for(sys.stdout)))


def _print_json(records: Sequence[Record]) -> None:
    print(json.dumps([record.model_dump(mode="json") for record in records], indent=2))
