"""What benchmarks leave in a folder, made up, for tests of their report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks import comparison
from benchmarks.comparison import Comparison, Goal
from benchmarks.report import running

MACHINE = {
    "cpu": "Made up", "cores": 2, "memory_gib": 8.0, "system": None, "kernel": "6.1", "python": "3.11.2",
    "versions": {"torch": "2.9", "ray": None},
}  # fmt: skip


def compared(key: str, ours: tuple[float, ...], goal: Goal | None, *, exact: bool = False) -> Comparison:
    return Comparison(key, f"  {key} work", "bare | floor", "ms", ours, (1.0,) * len(ours), goal, exact=exact)


def leave(folder: Path, name: str, found: Any, **facts: Any) -> None:
    """What a run of a benchmark leaves."""
    data, about, _ = running.files(folder, name)
    told = {
        "name": name, "quick": False, "started_utc": "2026-02-03T04:05:06+00:00", "commit": "abc123",
        "machine": MACHINE, "load_before": 0.5, "load_after": 1.25, "wall_s": 83.2, "failed": None,
    }  # fmt: skip
    about.write_text(json.dumps({**told, **facts}), encoding="utf-8")
    if found is not None:
        data.write_text(json.dumps(found), encoding="utf-8")


def document(*comparisons: Comparison) -> Any:
    return json.loads(comparison.as_json(comparisons, quick=False))


def leave_some(tmp_path: Path) -> Path:
    """Results of some benchmarks, of every kind that there is, in a folder; returns it."""
    five = (1.0, 1.1, 1.2, 1.3, 1.4)
    leave(
        tmp_path,
        "ratings",
        document(
            compared("met", five, Goal(1.2)),
            compared("missed", tuple(2 * one for one in five), Goal(1.5)),
            compared("unclear", five, Goal(1.15)),
            compared("exact", (3.0,), Goal(2.0, on="ours"), exact=True),
            compared("few", (1.0, 1.0, 1.0), None),
        ),
    )
    leave(tmp_path, "labels", None, failed="code 1: ImportError: <nothing>", machine={**MACHINE, "cores": 4})
    leave(tmp_path, "verify", {"comparisons": [{"key": "no form"}]}, commit=None)
    return tmp_path
