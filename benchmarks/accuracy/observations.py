"""What the meters said, beside the truth, and what is made of it: pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from benchmarks import text_table
from benchmarks.accuracy.rows import ROWS, Expect

OURS: Final = "scorekit"
LIMITS_PERCENT: Final[Mapping[float, float]] = {2.0: 2.0, 10.0: 0.5, 60.0: 0.2}
"""Largest error of scorekit by the window's length in s."""
MARGIN_POINTS: Final = 0.05
"""So many percentage points may scorekit's mean error be above that of the better of the others."""

Verdict = Literal["yes", "no"]


@dataclass(frozen=True, slots=True)
class Observation:
    """What one meter said of one window.

    Attributes:
        exact_wh: integral of the trace over the meter's own window; None where it never opened.
        energy_wh: its energy; None where it gave none.
        problem: what it said instead.
    """

    row: str
    window_s: float
    tool: str
    exact_wh: float | None
    energy_wh: float | None
    problem: str | None = None

    @property
    def error_percent(self) -> float | None:
        """How far its energy is from the exact one; None where it gave none."""
        if self.energy_wh is None or not self.exact_wh:
            return None
        return 100 * (self.energy_wh / self.exact_wh - 1)


@dataclass(frozen=True, slots=True)
class Cell:
    """One meter in one row and length of window.

    Attributes:
        errors: of each window with an energy, in percent.
        problems: of each window without one.
    """

    errors: tuple[float, ...]
    problems: tuple[str, ...]

    @classmethod
    def of(cls, observations: Iterable[Observation]) -> Cell:
        """The cell of the observations of one meter, row and length."""
        observed = list(observations)
        errors = tuple(error for one in observed if (error := one.error_percent) is not None)
        return cls(errors, tuple(one.problem or "no number" for one in observed if one.error_percent is None))

    @property
    def mean(self) -> float | None:
        """Mean absolute error in percent, of the windows with an energy."""
        return statistics.fmean(map(abs, self.errors)) if self.errors else None

    @property
    def worst(self) -> float | None:
        """Largest absolute error in percent."""
        return max(map(abs, self.errors)) if self.errors else None


@dataclass(frozen=True, slots=True)
class Line:
    """One row and length of window, with all meters, judged."""

    row: str
    what: str
    window_s: float
    cells: Mapping[str, Cell]
    faults: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """Whether scorekit did as it must."""
        return "no" if self.faults else "yes"


def lines(observations: Sequence[Observation], *, compare: bool = True) -> list[Line]:
    """All rows and lengths that were observed, in the order of the table.

    Args:
        observations: of all meters; the lengths are those of `LIMITS_PERCENT`.
        compare: as in `faults`.
    """
    made = []
    for row in ROWS:
        for window_s in sorted({one.window_s for one in observations if one.row == row.key}):
            here = [one for one in observations if (one.row, one.window_s) == (row.key, window_s)]
            names = dict.fromkeys(one.tool for one in here)
            cells = {name: Cell.of(one for one in here if one.tool == name) for name in names}
            found = faults(row.expect, cells, LIMITS_PERCENT[window_s], compare=compare)
            made.append(Line(row.key, row.what, window_s, cells, tuple(found)))
    return made


def faults(expect: Expect, cells: Mapping[str, Cell], limit: float, *, compare: bool = True) -> list[str]:
    """What scorekit did otherwise than it must; nothing when all is well.

    Args:
        expect: what the row asks for.
        cells: of each meter.
        limit: largest error in percent.
        compare: whether scorekit must be as close as the others; of a few windows chance decides that.
    """
    ours = cells[OURS]
    found = []
    if expect == "refusal" and ours.errors:
        found.append(f"{len(ours.errors)} of {len(ours.errors) + len(ours.problems)} windows have a number")
    if expect == "number" and ours.problems:
        found.append(f"no number in {len(ours.problems)} windows: {ours.problems[0]}")
    if expect != "refusal" and ours.worst is not None and ours.worst > limit:
        found.append(f"worst error {ours.worst:.3g} % is above {limit:g} %")
    others = [mean for name, cell in cells.items() if name != OURS and (mean := cell.mean) is not None]
    if compare and expect != "refusal" and ours.mean is not None and others and ours.mean > min(others) + MARGIN_POINTS:
        found.append(f"mean error {ours.mean:.3g} % is not as close as {min(others):.3g} %")
    return found


def table(made: Sequence[Line]) -> str:
    """The lines as plain text: mean and worst absolute error in percent of each meter."""
    names = list(dict.fromkeys(name for line in made for name in line.cells))
    head = ("row", "window", *names, "limit", "met")
    rows = []
    for line in made:
        cells = (_text(line.cells.get(name)) for name in names)
        expect = next(row.expect for row in ROWS if row.key == line.row)
        limit = "no number" if expect == "refusal" else f"<= {LIMITS_PERCENT[line.window_s]:g}"
        if expect == "either":
            limit += " or none"
        rows.append((line.what, f"{line.window_s:g} s", *cells, limit, line.verdict))
    return text_table.table(head, rows)


def _text(cell: Cell | None) -> str:
    if cell is None:
        return ""
    if cell.mean is None or cell.worst is None:
        return "no number"
    none = f", {len(cell.problems)}x none" if cell.problems else ""
    return f"{cell.mean:.3g} / {cell.worst:.3g}{none}"
