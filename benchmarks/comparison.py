"""What a benchmark yields: runs of ours beside runs of a floor or peer, and the goal that they are held to."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks import text_table
from benchmarks.timing import Took

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

    @classmethod
    def of_turns(
        cls,
        key: str,
        what: str,
        reference: str,
        unit: str,
        ours: Sequence[Took],
        theirs: Sequence[Took],
        goal: Goal | None = None,
        scale: float = 1e3,
    ) -> Comparison:
        """Of wall times, with the ratios of CPU times.

        Args:
            key: as in the class, like those that are not told here.
            what: is compared.
            reference: the floor or peer.
            unit: of the times that are shown.
            ours: what ours took in each turn.
            theirs: what the reference took in it.
            goal: what the median must not exceed.
            scale: how many of the unit are a second.
        """
        return cls(
            key=key,
            what=what,
            reference=reference,
            unit=unit,
            ours=tuple(own.wall_s * scale for own in ours),
            theirs=tuple(other.wall_s * scale for other in theirs),
            goal=goal,
            cpu_ratios=tuple(own.cpu_s / other.cpu_s for own, other in zip(ours, theirs, strict=True)),
        )

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
    return text_table.table(head, map(_cells, comparisons))


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
