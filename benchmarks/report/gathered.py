"""From the files that benchmarks left in a folder to what the report tells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.report import rows, running
from benchmarks.report.programs import PROGRAMS

_TOLD = ("name", "quick", "started_utc", "commit", "load_before", "load_after", "wall_s", "failed")


def gather(folder: Path, earlier: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What was found of every benchmark that has run, each with its own date, commit and machine.

    Args:
        folder: where benchmarks left their files.
        earlier: the content of an earlier report.json, for those that have left none there.

    Returns:
        The content of report.json: `benchmarks` with their rows and what each has `left_out`, the `machines` that
        they name by number, and the names of those that were `not_run`.
    """
    machines: list[Any] = []
    benchmarks = []
    not_run = []
    for program in PROGRAMS:
        found, about, _ = running.files(folder, program.name)
        if not about.exists():
            if (before := _earlier(earlier, program.name)) is None:
                not_run.append(program.name)
            else:
                entry, machine = before
                benchmarks.append({**entry, "machine": _number(machine, machines)})
            continue
        run = json.loads(about.read_text(encoding="utf-8"))
        made: list[rows.Row] = []
        versions = run["machine"]["versions"]
        left_out = [f"{name}, which could not be fetched" for name in program.peers if versions.get(name) is None]
        if run["failed"] is None:
            try:
                document = json.loads(found.read_text(encoding="utf-8"))
                made = rows.of(program.name, document)
                left_out += document.get("left_out", ()) if isinstance(document, dict) else ()
            except (OSError, ValueError) as error:
                run["failed"] = f"{type(error).__name__}: {error}"
        benchmarks.append(
            {
                **{key: run[key] for key in _TOLD},
                "what": program.what,
                "machine": _number(run["machine"], machines),
                "left_out": left_out,
                "rows": [asdict(row) for row in made],
            }
        )
    return {"machines": machines, "benchmarks": benchmarks, "not_run": not_run}


def _earlier(report: Mapping[str, Any] | None, name: str) -> tuple[dict[str, Any], Any] | None:
    """A benchmark as an earlier report has it, and its machine."""
    if report is None:
        return None
    for entry in report["benchmarks"]:
        if entry["name"] == name:
            return entry, report["machines"][entry["machine"] - 1]
    return None


def _number(machine: Any, machines: list[Any]) -> int:
    """A machine's number in the list of the report, which begins at 1; a new one is added."""
    if machine not in machines:
        machines.append(machine)
    return machines.index(machine) + 1
