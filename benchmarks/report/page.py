"""REPORT.md as text, of what benchmarks found and of the reasons that are given for missed goals: pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

Reasons = Mapping[str, Mapping[str, str]]
"""By benchmark, then by a row's key or a pattern of keys (`*`); the first that fits."""
NOT_EXPLAINED: Final = "not explained"
_FACTS: Final = (("cpu", "CPU"), ("cores", "cores"), ("memory_gib", "GiB of memory"), ("system", "system"),
                 ("kernel", "kernel"), ("python", "Python"))  # fmt: skip
_HEAD: Final = """# Benchmarks: the report

Written by `make bench` out of [report.json](report.json) and [reasons.yaml](reasons.yaml), never by hand. What each
benchmark does, and how its rows are to be read, is told in [README.md](README.md).
"""
_QUICK: Final = "**This is a quick run**: too short to judge what is close to its goal, and not to be cited.\n"
_READ: Final = """Ours and the peer or floor take turns on the same machine. `ratio` is the median of the runs'
ratios, ours to theirs; `CPU` the same in CPU time; `spread` the middle half of what the goal is on. `yes`: the median
meets the goal. `no`: three of four runs are beyond it. `unclear`: the median is beyond it and runs lie on both sides,
or they scatter too much to tell. Rows without a goal explain others. `exact`: counted, not timed.
"""


def render(report: Mapping[str, Any], reasons: Reasons) -> str:
    """The whole page."""
    benchmarks: Sequence[Mapping[str, Any]] = report["benchmarks"]
    parts = [_HEAD]
    if any(one["quick"] for one in benchmarks):
        parts.append(_QUICK)
    parts += [
        _counted(benchmarks),
        "## Goals that are missed\n",
        _judged(benchmarks, "no", reasons),
        "## Goals that are unclear\n",
        _judged(benchmarks, "unclear", reasons),
        "## What failed, was left out or not run\n",
        _failed(report, reasons),
        "## Machines\n",
        *(_machine(number, machine) for number, machine in enumerate(report["machines"], 1)),
        "## Runs\n",
        _table(
            ("benchmark", "begun (UTC)", "commit", "machine", "load before and after", "took"), map(_run, benchmarks)
        ),
        "## Rows\n",
        _READ,
    ]
    for one in benchmarks:
        if one["rows"]:
            parts += [f"### {one['name']}: {one['what']}\n", _rows(one["rows"])]
    return "\n".join(parts)


def reason(reasons: Reasons, benchmark: str, key: str) -> str:
    """Why a row misses its goal."""
    for pattern, text in reasons.get(benchmark, {}).items():
        if fnmatchcase(key, pattern):
            return text
    return NOT_EXPLAINED


def goals(benchmarks: Iterable[Mapping[str, Any]], met: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Rows of all benchmarks whose goal is met, missed or unclear, each with its benchmark."""
    for one in benchmarks:
        for row in one["rows"]:
            if row["met"] == met:
                yield one["name"], row


def _counted(benchmarks: Sequence[Mapping[str, Any]]) -> str:
    yes, no, unclear = (sum(1 for _ in goals(benchmarks, met)) for met in ("yes", "no", "unclear"))
    failed = sum(one["failed"] is not None for one in benchmarks)
    return f"Goals met: {yes}; missed: {no}; unclear: {unclear}. Benchmarks that failed: {failed}.\n"


def _judged(benchmarks: Sequence[Mapping[str, Any]], met: str, reasons: Reasons) -> str:
    rows = [
        (
            name,
            row["what"],
            f"{row['ours']}, {_beside(row)}",
            row["goal"],
            "; ".join(part for part in (row["why"], reason(reasons, name, row["key"])) if part),
        )
        for name, row in goals(benchmarks, met)
    ]
    return _table(("benchmark", "work", "found", "goal", "reason"), rows) if rows else "None.\n"


def _beside(row: Mapping[str, Any]) -> str:
    ratio = f"ratio {row['ratio']} to {row['reference']}" if row["ratio"] else f"beside {row['reference']}"
    return f"{ratio} ({row['spread']})" if row["spread"] else ratio


def _failed(report: Mapping[str, Any], reasons: Reasons) -> str:
    lines = [
        f"- {one['name']}: failed, {_cell(one['failed'])} ({reason(reasons, one['name'], 'failed')})"
        for one in report["benchmarks"]
        if one["failed"] is not None
    ]
    lines += [f"- {one['name']}: without {_cell(what)}" for one in report["benchmarks"] for what in one["left_out"]]
    lines += [f"- {name}: not run" for name in report["not_run"]]
    return "\n".join(lines) + "\n" if lines else "None.\n"


def _machine(number: int, machine: Mapping[str, Any]) -> str:
    facts = [f"{name}: {machine[key]}" for key, name in _FACTS if machine.get(key) is not None]
    versions = [f"{name} {version}" for name, version in machine["versions"].items() if version is not None]
    return f"{number}. {'; '.join(facts)}. Versions: {', '.join(versions)}.\n"


def _run(one: Mapping[str, Any]) -> tuple[str, ...]:
    minutes, seconds = divmod(round(one["wall_s"]), 60)
    load = f"{one['load_before']:g}, {one['load_after']:g}"
    name = f"{one['name']} (quick)" if one["quick"] else one["name"]
    return (
        name,
        one["started_utc"][:16].replace("T", " "),
        one["commit"] or "unknown",
        str(one["machine"]),
        load,
        (f"{minutes} min {seconds:02} s"),
    )


def _rows(rows: Iterable[Mapping[str, Any]]) -> str:
    head = ("work", "ours", "peer or floor", "theirs", "ratio", "CPU", "goal", "met", "spread", "runs")
    keys = ("what", "ours", "reference", "theirs", "ratio", "cpu_ratio", "goal", "met", "spread", "runs")
    return _table(head, ([row[key] or "" for key in keys] for row in rows))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Text that neither ends its cell nor is taken for a tag."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
