"""Laying out tables and notes as text: for a terminal of any width, and plain where the output is piped."""

from __future__ import annotations

import io
import math
import shutil
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import IO, Final, TypeVar

from scorekit.messages import one_line

T = TypeVar("T")

_NARROWEST: Final = 10
"""A column of names is never made narrower than this, however narrow the terminal."""
_UNLIMITED: Final = 10_000
"""Width of a table in an output that has none; a table takes only what its cells need."""
_NOTE_WIDTH: Final = 100
"""Notes are wrapped at this width where the output has none."""
_RULE_WIDTH: Final = 120
"""The line under a table's header is no longer than this where the output has no width."""
_INDENT: Final = "  "


@dataclass(frozen=True, slots=True)
class Layout:
    """How text is laid out.

    Attributes:
        width: columns of the output; None where lines may be of any length.
        unicode: whether signs outside ASCII may be used.
    """

    width: int | None = None
    unicode: bool = False

    @property
    def plus_minus(self) -> str:
        """The sign before half of an interval."""
        return "±" if self.unicode else "+-"

    def text(self, value: str) -> str:
        """A value from a file, made safe to print: control characters could steer the terminal."""
        printable = one_line(value)
        return printable if self.unicode else printable.encode("ascii", "backslashreplace").decode("ascii")

    def note(self, value: str, *, bullet: str = "") -> str:
        """A paragraph wrapped to the width, indented under its bullet."""
        return textwrap.fill(
            self.text(value),
            width=max(self.width or _NOTE_WIDTH, 20),
            initial_indent=bullet,
            subsequent_indent=" " * len(bullet),
            break_long_words=False,
            break_on_hyphens=False,
        )

    def finding(self, value: str, *below: str) -> str:
        """The text of a cell for a terminal: what was found, and below it, indented, lines such as how to mend it."""
        return "\n".join([self.text(value), *(f"{_INDENT}{self.text(line)}" for line in below)])


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        header: title with its unit; may hold line breaks.
        numeric: set flush right.
        flexible: holds names, which may be broken over lines where the table would be too wide.
        prose: holds sentences, broken between words where the table would be too wide; a line keeps its indentation.
            It takes the width that the other columns leave, so a table has one such column at most.
    """

    header: str
    numeric: bool = False
    flexible: bool = False
    prose: bool = False


def layout_for(stream: IO[str]) -> Layout:
    """The layout for an output.

    A terminal gets its width (COLUMNS in the environment sets another) and signs. A pipe or file gets plain lines of
    any length, whatever COLUMNS says: a shell exports the width of its window, and a row folded to it could no longer
    be searched for.
    """
    terminal = stream.isatty()
    width = shutil.get_terminal_size().columns if terminal else None
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
    return Layout(width=width, unicode=terminal and encoding.startswith("utf"))


def render(columns: Sequence[Column], rows: Sequence[Sequence[str]], layout: Layout) -> str:
    """A table as text, without a line break at the end.

    Args:
        columns: the columns.
        rows: one text for each column; a name that may not be printed as it is was passed through
            `Layout.text`.
        layout: width and signs.
    """
    from rich.box import Box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # A line under the header and two spaces between columns: what a person reads, and what `cut` and `awk` can take.
    rule = "─" if layout.unicode else "-"
    lines = Box("    \n    \n" + f" {rule}  \n" + "    \n" * 5, ascii=not layout.unicode)
    rows = _wrapped(columns, rows, layout)
    table = Table(box=lines, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    least = _least_widths(columns, rows)
    for column, width in zip(columns, least, strict=True):
        table.add_column(
            Text(column.header),
            justify="right" if column.numeric else "left",
            # Names are folded over lines, never cut off; figures and stars stay whole.
            overflow="fold",
            no_wrap=not (column.flexible or column.prose),
            min_width=width,
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    out = io.StringIO()
    # In a notebook rich would show the table instead of writing it.
    console = Console(
        file=out, width=layout.width or _UNLIMITED, color_system=None, legacy_windows=False, force_jupyter=False
    )
    # rich leaves out the columns that do not fit; a line that the terminal wraps is better than a lost figure.
    console.width = max(console.width, sum(least) + 2 * (len(least) - 1))
    console.print(table)
    text = [line.rstrip() for line in out.getvalue().rstrip("\n").split("\n")]
    if layout.width is None:
        # As wide as the longest sentence it would fill a window many times over, and tells nothing.
        at = max(column.header.count("\n") + 1 for column in columns)
        text[at] = text[at][:_RULE_WIDTH].rstrip()
    return "\n".join(text)


def _wrapped(columns: Sequence[Column], rows: Sequence[Sequence[str]], layout: Layout) -> Sequence[Sequence[str]]:
    """The rows with the sentences of a column of prose in lines that fit."""
    at = next((number for number, column in enumerate(columns) if column.prose), None)
    if at is None or layout.width is None:
        return rows
    others = sum(width for number, width in enumerate(_least_widths(columns, rows)) if number != at)
    width = max(_NARROWEST, layout.width - others - 2 * (len(columns) - 1))
    return [[*row[:at], _hanging(row[at], width), *row[at + 1 :]] for row in rows]


def _hanging(text: str, width: int) -> str:
    """Lines wrapped at words; what is wrapped of an indented one is indented further."""
    lines = []
    for line in text.split("\n"):
        lead = _INDENT if line.startswith(_INDENT) else ""
        lines.append(
            textwrap.fill(
                line.strip(),
                width,
                initial_indent=lead,
                subsequent_indent=lead * 2,
                break_on_hyphens=False,
            )
        )
    return "\n".join(lines)


def _least_widths(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    """Least width of each column: names and sentences may be broken, all else stays whole."""
    from rich.cells import cell_len

    widths = [
        max(1, *(cell_len(line) for cell in (column.header, *cells) for line in cell.split("\n")))
        for column, *cells in zip(columns, *rows, strict=True)
    ]
    return [
        min(width, _NARROWEST) if column.flexible or column.prose else width
        for column, width in zip(columns, widths, strict=True)
    ]


def joined(*parts: str) -> str:
    """Parts of a page, with an empty line between them; of those that are empty nothing is left."""
    return "\n\n".join(part for part in parts if part)


def each_once(
    title: str,
    pairs: Sequence[tuple[T, str]],
    names: Callable[[Sequence[T]], Iterable[str]],
    among: int,
    layout: Layout,
) -> str:
    """Each message once, under a title, with what it holds for; nothing where there is no message.

    Args:
        title: the line above.
        pairs: what a message holds for, and the message.
        names: the names of those that one message holds for.
        among: rows that there are; of one there is nothing to tell apart.
        layout: width and signs.
    """
    holders: dict[str, list[T]] = {}
    for holder, message in pairs:
        holders.setdefault(message, []).append(holder)
    lines = []
    for message, found in holders.items():
        told = f"all {among}" if len(found) == among else ", ".join(dict.fromkeys(names(found)))
        lines.append(layout.note(message if among == 1 else f"{message} [{told}]", bullet="  - "))
    return "\n".join([title, *lines]) if lines else ""


def percent(value: float) -> str:
    """Half of an interval in percent, of two significant digits and no more than two decimals, whole from ten on: it is
    not known any closer. One that is less than 0.01 is told as that, and never as none.
    """
    if value == 0:
        return "0"
    if value < 0.01:
        return "0.01"
    if value >= 9.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 0.095 else f"{value:.2f}"


def known(value: float | None) -> str:
    """Four significant digits; `unknown` for what is missing."""
    return "unknown" if value is None else significant(value)


def significant(value: float) -> str:
    """Four significant digits, without an exponent where the number stays readable."""
    if value == 0 or not math.isfinite(value):
        return str(value)
    # Of a double, 18 digits do not round to the next power of ten, as its logarithm may.
    exponent = int(f"{value:.17e}".partition("e")[2])
    if not -4 <= exponent <= 8:
        return f"{value:.3e}"
    return f"{value:,.{max(0, 3 - exponent)}f}"
