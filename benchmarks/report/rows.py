"""What benchmarks found, as rows of the report that all have one form: pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.accuracy import observations
from benchmarks.accuracy.observations import LIMITS_PERCENT, MARGIN_POINTS, OURS, Cell, Line, Observation
from benchmarks.accuracy.rows import row as accuracy_row
from benchmarks.comparison import Verdict, quartiles
from benchmarks.cost.trials import GOAL as COST_GOAL
from benchmarks.cost.trials import ONE_PERCENT_GOAL

LEAST_RUNS: Final = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the report: texts as they are shown.

    Attributes:
        key: short and stable within its benchmark, for reasons.
        ratio: of ours to the peer or floor; empty where there is none.
        cpu_ratio: the same in CPU time; empty where it was not taken.
        goal: empty for a row that only explains.
        spread: of what the goal is on: its middle half.
        runs: how many there were, or why one is enough.
        met: None for a row without a goal.
        why: what was missed, where the row itself does not tell.
    """

    key: str
    what: str
    ours: str
    reference: str
    theirs: str
    ratio: str
    cpu_ratio: str
    goal: str
    spread: str
    runs: str
    met: Verdict | None
    why: str = ""


def of(name: str, document: Any) -> list[Row]:
    """The rows of what a benchmark has written.

    Raises:
        ValueError: it is not what the benchmark writes.
    """
    shape: Callable[[Any], Iterator[Row]] = _SHAPES.get(name, _comparisons)
    try:
        return list(shape(document))
    except (KeyError, TypeError, AttributeError, IndexError, statistics.StatisticsError) as error:
        raise ValueError(f"what {name} has written is not of its form: {error!r}") from error


def counted(runs: int) -> str:
    """How many runs, and whether they are too few."""
    return f"{runs}" if runs >= LEAST_RUNS else f"{runs}, fewer than {LEAST_RUNS}"


def _comparisons(document: Mapping[str, Any]) -> Iterator[Row]:
    for found in document["comparisons"]:
        unit, of_ours = found["unit"], found["goal_on"] == "ours"
        low, high = found["judged_quartiles"]
        exact = found["exact"]
        shown = "{:.3g} " + unit if of_ours else "{:.3f}"
        goal_unit = unit if of_ours else "x"
        yield Row(
            key=found["key"],
            what=found["what"].strip(),
            ours=f"{statistics.median(found['ours']):.3g} {unit}",
            reference=found["reference"],
            theirs=f"{statistics.median(found['theirs']):.3g} {unit}",
            ratio=f"{found['ratio_median']:.3g}" if of_ours else f"{found['ratio_median']:.3f}",
            cpu_ratio=f"{statistics.median(found['cpu_ratios']):.3f}" if found["cpu_ratios"] else "",
            goal="" if found["goal"] is None else f"<= {found['goal']:.4g} {goal_unit}",
            spread="" if exact else f"{shown.format(low)} to {shown.format(high)}",
            runs="exact" if exact else counted(found["runs"]),
            met=found["met"],
            why=found.get("noise", ""),
        )


def _accuracy(document: Mapping[str, Any]) -> Iterator[Row]:
    seen = [Observation(**one) for one in document["observations"]]
    # A quick run has too few windows to say who is closer.
    for line in observations.lines(seen, compare=not document["quick"]):
        yield _accuracy_row(line)


def _accuracy_row(line: Line) -> Row:
    ours = line.cells[OURS]
    others = {name: cell for name, cell in line.cells.items() if name != OURS}
    expect, limit = accuracy_row(line.row).expect, LIMITS_PERCENT[line.window_s]
    best = min((cell.mean for cell in others.values() if cell.mean is not None), default=None)
    number = expect != "refusal" and ours.mean is not None
    goal = f"<= {limit:g} %, and within {MARGIN_POINTS:g} points of the best"
    goal += ", or no number" if expect == "either" else ""
    runs = len(ours.errors) + len(ours.problems)
    fewer = [f"{name} {count}" for name, cell in others.items() if (count := _windows(cell)) != runs]
    return Row(
        key=f"{line.row}_{line.window_s:g}s",
        what=f"{line.what}, {line.window_s:g} s",
        ours=_error(ours),
        reference=", ".join(others),
        theirs=", ".join(f"{name} {_error(cell)}" for name, cell in others.items()),
        ratio=f"{ours.mean / best:.3g}" if number and ours.mean is not None and best else "",
        cpu_ratio="",
        goal=goal if expect != "refusal" else "no number, a reason",
        spread=f"worst {ours.worst:.3g} %" if number and ours.worst is not None else "",
        runs=", ".join([counted(runs), *fewer]),
        met=line.verdict,
        why="; ".join(line.faults),
    )


def _windows(cell: Cell) -> int:
    return len(cell.errors) + len(cell.problems)


def _error(cell: Cell) -> str:
    """Mean absolute error in percent; how often there was no number."""
    if cell.mean is None:
        return "no number"
    none = f" ({len(cell.problems)} without a number)" if cell.problems else ""
    return f"{cell.mean:.3g} %{none}"


_WAYS: Final = {
    "as_given": "the half-width that ten repeats give",
    "as_true": "the error that ten repeats truly have",
}


def _cost(document: list[Mapping[str, Any]]) -> Iterator[Row]:
    for one in document:
        noise = one["noise"]["what"]
        for key, target in _WAYS.items():
            work = f"{noise}: measured seconds until {target}"
            yield _cost_row(key, noise, work, one[key], "10 repeats", f"<= {COST_GOAL:g} x, and it holds")
        percent = one["to_one_percent"]
        theirs = f"{percent['their_repeats']:g} repeats, which hold in {percent['they_cover']:.0%}"
        goal = f"it holds, and <= {ONE_PERCENT_GOAL:g} x where theirs does"
        yield _cost_row("to_one_percent", noise, f"{noise}: until an interval of 1 %", percent, theirs, goal)


def _cost_row(key: str, noise: str, work: str, way: Mapping[str, Any], theirs: str, goal: str) -> Row:
    low, high = quartiles(way["ratios"])
    return Row(
        key=f"{key}: {noise}",
        what=work,
        ours=f"{way['repeats']:g} repeats, which hold in {way['covers']:.0%}",
        reference="official repeats",
        theirs=theirs,
        ratio=f"{statistics.median(way['ratios']):.2f}",
        cpu_ratio="",
        goal=goal,
        spread=f"{low:.2f} to {high:.2f}",
        runs=f"{len(way['ratios'])} simulated",
        met="yes" if way["verdict"] == "yes" else "no",
        why="the interval does not hold the exact energy" if way["verdict"] == "does not hold" else "",
    )


_SHAPES: Final[Mapping[str, Callable[[Any], Iterator[Row]]]] = {"accuracy": _accuracy, "cost": _cost}
