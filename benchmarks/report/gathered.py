"""From the files that benchmarks left in a folder to what the report tells."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.report import rows, running
from benchmarks.report.programs import PROGRAMS

_TOLD = ("name", "quick", "started_utc", "commit", "load_before", "load_after", "wall_s", "failed")


def gather(folder: Path) -> dict[str, Any]:
    """What was found of every benchmark that has run, each with its own date, commit and machine.

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
            not_run.append(program.name)
            continue
        run = json.loads(about.read_text(encoding="utf-8"))
        if run["machine"] not in machines:
            machines.append(run["machine"])
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
                "machine": machines.index(run["machine"]) + 1,
                "left_out": left_out,
                "rows": [asdict(row) for row in made],
            }
        )
    return {"machines": machines, "benchmarks": benchmarks, "not_run": not_run}
