"""Rows of a chart with their words above the marks, so that names have the whole width of a phone; Altair parts."""

from __future__ import annotations

from typing import Final

import altair as alt

from scorekit.publish.charts.chart import source
from scorekit.publish.charts.looks import Look

STEP_PX: Final = 46
MARK_DOWN_PX: Final = 9
_NAME_UP_PX: Final = -11
_UPPER_LINE_UP_PX: Final = -18
"""Of the first of two lines; the second stands a line's height below."""
_LINE_PX: Final = 13
_SIGN_PX: Final = 6.6
"""How wide a sign of a figure is, on the average of letters and digits and a little more."""
_GAP_PX: Final = 12
FIGURE: Final = "told"
"""The field of the figures."""


def lane() -> alt.Y:
    """The row that a mark stands in."""
    return alt.Y("place:O", axis=None, title=None, sort=None)


def names(
    look: Look, field: str = "label", *, beside: str | None = None, lines: str | None = None, only_first: bool = False
) -> alt.Chart:
    """The words of each row, from the left edge, cut to the width.

    Args:
        look: its colours.
        field: that holds the words.
        beside: field of the figure that stands at the right edge, and so ends the room of the words.
        lines: field of the words in lines, which stand where they are too long for one; None where they have none.
        only_first: where several rows of the dataset stand in one lane, of which one is its first.
    """
    room = "width" if beside is None else f"width - {_GAP_PX} - {_SIGN_PX} * length(datum.{beside})"
    in_lines = None if lines is None else f"{_SIGN_PX} * length(datum.{field}) > {room} && length(datum.{lines}) > 1"
    marked = alt.Chart(source()).mark_text(
        align="left",
        baseline="middle",
        yOffset=_NAME_UP_PX
        if in_lines is None
        else alt.ExprRef(expr=f"{in_lines} ? {_UPPER_LINE_UP_PX} : {_NAME_UP_PX}"),
        lineHeight=_LINE_PX,
        color=look.text,
        fontSize=12.5,
        limit=alt.ExprRef(expr=room),
    )
    if in_lines is not None:
        marked = marked.transform_calculate(words=f"{in_lines} ? datum.{lines} : datum.{field}")
        field = "words"
    if only_first:
        marked = marked.transform_filter("datum.first")
    made: alt.Chart = marked.encode(x=alt.value(0), y=lane(), text=alt.Text(f"{field}:N"))
    return made


def figures(look: Look, field: str = FIGURE) -> alt.Chart:
    """The figure of each row, at the right edge beside its words."""
    made: alt.Chart = (
        alt.Chart(source())
        .mark_text(align="right", baseline="middle", yOffset=_NAME_UP_PX, color=look.text, fontWeight=700)
        .encode(x=alt.value("width"), y=lane(), text=alt.Text(f"{field}:N"))
    )
    return made
