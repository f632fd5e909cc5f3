"""What a benchmark yields: runs of ours beside runs of a floor or peer, and the goal that they are held to."""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, Literal

Verdict = Literal["yes", "no", "unclear"]
"""Whether a goal is met; unclear: a median beyond it among runs on both sides, or runs that tell nothing."""


@dataclass(frozen=True, slots=True)
class Goal:
    """An upper bound.

    Attributes:
        limit: the largest median that meets the goal.
        on: whether it bounds the ratio of ours to the reference, or ours itself.
    """

    limit: float
    on: Literal["ratio", "ours"] = "ratio"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs of two things that took turns.

    Attributes:
        key: short and stable, for the JSON file.
        what: what is compared.
        reference: the floor or peer.
        unit: of `ours` and `theirs`.
        ours: one value a run.
        theirs: the reference's value of the same turn.
        goal: what the median must not exceed; None for a row that only explains.
        ratios: one a run, where they are not `ours / theirs` of each turn.
        cpu_ratios: the same in CPU time, which other programs on the machine disturb less.
        exact: counted, not timed: the same in every run, so that one is enough.
        noise: why these runs cannot judge the goal; empty where they can.
    """

    key: str
    what: str
    reference: str
    unit: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    goal: Goal | None = None
    ratios: tuple[float, ...] = ()
    cpu_ratios: tuple[float, ...] = ()
    exact: bool = False
    noise: str = ""

    def __post_init__(self) -> None:
        if not self.ratios:
            pairs = zip(self.ours, self.theirs, strict=True)
            object.__setattr__(self, "ratios", tuple(ours / theirs for ours, theirs in pairs))

    @property
    def judged(self) -> tuple[float, ...]:
        """The values that the goal bounds, and whose spread is shown."""
        return self.ours if self.goal is not None and self.goal.on == "ours" else self.ratios

    @property
    def verdict(self) -> Verdict | None:
        """None where there is no goal. Missed means that three of four runs were beyond it."""
        if self.goal is None:
            return None
        if self.noise:
            return "unclear"
        if statistics.median(self.judged) <= self.goal.limit:
            return "yes"
        return "no" if quartiles(self.judged)[0] > self.goal.limit else "unclear"

    def as_json(self) -> dict[str, Any]:
        """Every run, with the medians and quartiles that the table shows."""
        return {
            "key": self.key,
            "what": self.what,
            "reference": self.reference,
            "unit": self.unit,
            "runs": len(self.judged),
            "exact": self.exact,
            "ours": list(self.ours),
            "theirs": list(self.theirs),
            "ratios": list(self.ratios),
            "cpu_ratios": list(self.cpu_ratios),
            "ratio_median": statistics.median(self.ratios),
            "goal": self.goal.limit if self.goal else None,
            "goal_on": self.goal.on if self.goal else None,
            "judged_median": statistics.median(self.judged),
            "judged_quartiles": list(quartiles(self.judged)),
            "met": self.verdict,
            "noise": self.noise,
        }


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """The first and third quartile; of a single value, itself twice."""
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def table(comparisons: Iterable[Comparison]) -> str:
    """All comparisons as a table of plain text."""
    head = ("what", "ours", "floor or peer", "ratio", "CPU ratio", "goal", "met", "spread (middle half)", "runs")
    rows = [head, *(_cells(comparison) for comparison in comparisons)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join(map(str.__mul__, repeat("-"), widths)), *lines[1:]])


def conclude(
    comparisons: Sequence[Comparison],
    *,
    quick: bool,
    file: Path | None,
    notes: Iterable[str] = (),
    left_out: Sequence[str] = (),
    **facts: Any,
) -> int:
    """Write every run to a file, print the table, and tell which goals were missed.

    Args:
        comparisons: all of the benchmark.
        quick: whether the runs were too short to judge what is close, so that only what is clear misses its goal.
        file: of the JSON; None where none was asked for.
        notes: what is told below the table.
        left_out: what did not run, and why: told below the notes, and in the file.
        facts: what else is to be known about the run, beside the machine.

    Returns:
        The exit code: 1 where a goal was missed.
    """
    if file is not None:
        machine = {"python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count()}
        document = as_json(
            comparisons, quick=quick, load_1min=os.getloadavg()[0], left_out=left_out, **machine, **facts
        )
        file.write_text(document, encoding="utf-8")
    print("\n".join([table(comparisons), *notes, *(f"left out: {what}" for what in left_out)]))
    unmet = ("no",) if quick else ("no", "unclear")
    missed = [row.what.strip() for row in comparisons if row.verdict in unmet]
    if missed:
        print(f"goal missed: {'; '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


def as_json(comparisons: Iterable[Comparison], *, left_out: Sequence[str] = (), **facts: Any) -> str:
    """All comparisons, what was left out, and what is to be known about the run, as a JSON document."""
    rows = [comparison.as_json() for comparison in comparisons]
    return json.dumps({**facts, "left_out": list(left_out), "comparisons": rows}, indent=2) + "\n"


def _cells(row: Comparison) -> tuple[str, ...]:
    of_ours = row.goal is not None and row.goal.on == "ours"
    low, high = quartiles(row.judged)
    unit = row.unit if of_ours else "x"
    return (
        row.what,
        f"{statistics.median(row.ours):.3g} {row.unit}",
        f"{row.reference}: {statistics.median(row.theirs):.3g} {row.unit}",
        f"{statistics.median(row.ratios):.3g}" if of_ours else f"{statistics.median(row.ratios):.3f}",
        f"{statistics.median(row.cpu_ratios):.3f}" if row.cpu_ratios else "",
        f"<= {row.goal.limit:g} {unit}" if row.goal else "",
        row.verdict or "",
        f"{low:.3g} to {high:.3g}" if of_ours else f"{low:.3f} to {high:.3f}",
        str(len(row.judged)),
    )
