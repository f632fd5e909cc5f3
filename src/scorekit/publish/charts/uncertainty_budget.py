"""The uncertainty of a score, each source apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import altair as alt

from scorekit.publish.charts import axes, lanes
from scorekit.publish.charts.chart import ROWS, Chart, Column, layered, source
from scorekit.publish.charts.looks import Look
from scorekit.publish.charts.wrapping import shortened, wrapped

_COLUMNS: Final = (
    Column("name", "Source of uncertainty"),
    Column("kind", "Kind"),
    Column("half_width_95_percent", "Half-width, 95 %", "% of the score"),
    Column("source", "Where it comes from"),
)
_LINE_EM: Final = 16.0
"""A line of a name beside its figure on a phone."""
_KINDS: Final = ("from repeats (A)", "from knowledge (B)", "together")


@dataclass(frozen=True, slots=True)
class BudgetTerm:
    """One source of uncertainty, or several together.

    Attributes:
        name: what it is.
        kind: A from statistics over repeats, B from knowledge, together for a sum of terms.
        half_width_95_percent: relative to the score; None where it cannot be told.
        source: where the figure comes from.
    """

    name: str
    kind: str
    half_width_95_percent: float | None
    source: str = ""


def budget_chart(terms: Sequence[BudgetTerm], title: str = "Uncertainty of the score") -> Chart:
    """The uncertainty budget of a score.

    Args:
        terms: each source, and what they make together.
        title: of the chart.
    """
    largest = max((term.half_width_95_percent or 0.0 for term in terms), default=0.0)
    drawn = [
        {
            "place": place,
            "label": shortened(term.name, 90),
            "lines": wrapped(shortened(term.name, 90), "medium", _LINE_EM, most_lines=2),
            "name": shortened(term.name),
            "kind": {"A": _KINDS[0], "B": _KINDS[1]}.get(term.kind, _KINDS[2]),
            "percent": term.half_width_95_percent or 0.0,
            "told": "cannot be told"
            if term.half_width_95_percent is None
            else f"\u00b1 {axes.told(term.half_width_95_percent)} %",
            "source": shortened(term.source, 240) if term.source else "not told",
            "end": largest > 0 and (term.half_width_95_percent or 0.0) > 0.7 * largest,
        }
        for place, term in enumerate(terms)
    ]
    known = [term for term in terms if term.half_width_95_percent is not None]
    most = max(known, key=lambda term: term.half_width_95_percent or 0.0, default=None)
    return Chart(
        name="uncertainty",
        title=title,
        subtitle="What each source adds to either side of the score, at 95 % confidence.",
        description="No source of uncertainty is known."
        if most is None
        else f"{len(terms)} sources of uncertainty; the largest is {shortened(most.name)}, \u00b1 "
        f"{axes.told(most.half_width_95_percent)} %.",
        columns=_COLUMNS,
        rows=tuple({column.field: getattr(term, column.field) for column in _COLUMNS} for term in terms),
        design=_design,
        choices=(largest > 0,),
        datasets={ROWS: drawn},
        lane_px=lanes.STEP_PX,
        empty=None if known else "no source of the score's uncertainty is known",
    )


def _design(look: Look, some: bool) -> alt.LayerChart:
    x = alt.X(
        "percent:Q",
        title="Half-width of the 95 % interval (% of the score)",
        axis=alt.Axis(tickCount=5, labelExpr=axes.LABEL, grid=True),
        scale=alt.Scale(zero=True, nice=True) if some else alt.Scale(domain=[0, 1]),
    )
    color = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=list(_KINDS), range=[look.series1, look.series2, look.series7]),
        legend=alt.Legend(title=None, symbolType="square", columns=axes.COLUMNS),
    )
    told = [
        alt.Tooltip("name:N", title="Source of uncertainty"),
        alt.Tooltip("kind:N", title="Kind"),
        alt.Tooltip("told:N", title="Half-width, 95 %"),
        alt.Tooltip("source:N", title="Where it comes from"),
    ]
    return layered(
        alt.Chart(source())
        .mark_bar(size=16, yOffset=lanes.MARK_DOWN_PX)
        .encode(x=x, y=lanes.lane(), color=color, tooltip=told),
        lanes.names(look, beside=lanes.FIGURE, lines="lines"),
        lanes.figures(look),
    )
