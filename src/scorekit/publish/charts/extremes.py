"""The most and the least efficient models of a cohort."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import altair as alt

from scorekit.publish.charts import axes, lanes
from scorekit.publish.charts.chart import ROWS, Chart, Column, layered, source
from scorekit.publish.charts.looks import Look
from scorekit.publish.charts.points import COLUMNS, ENERGY, UNIT, ModelEnergy, by_energy, hollow_note, tooltip

_MOST: Final = "most efficient"
_LEAST: Final = "least efficient"
_COLUMNS: Final = (Column("group", "Group"), *COLUMNS)
_STEP_PX: Final = 42


def ends(count: int, each: int) -> tuple[int, int]:
    """How many of so many models stand at either end, none at both: the most efficient, and the least.

    Args:
        count: of models.
        each: at either end, where there are so many.
    """
    most = min(each, (count + 1) // 2)
    return most, min(each, count - most)


def extremes_chart(
    points: Sequence[ModelEnergy], title: str = "Most and least efficient models", each: int = 5
) -> Chart:
    """The most and the least efficient models; none stands in both groups.

    Args:
        points: models of one cohort.
        title: of the chart.
        each: models of each group, where there are so many.
    """
    ordered = by_energy(points)
    first, last = ends(len(ordered), each)
    chosen = [(_MOST, point) for point in ordered[:first]]
    chosen += [(_LEAST, point) for point in (ordered[-last:] if last else [])]
    values = [point.energy_wh_per_1000_queries for _, point in chosen]
    drawn = [
        point.drawn()
        | {
            "place": place,
            "group": group,
            "label": point.drawn()["model"],
            "told": axes.told(point.energy_wh_per_1000_queries, "Wh"),
            "left": axes.log_range(values)[0],
        }
        for place, (group, point) in enumerate(chosen)
    ]
    return Chart(
        name="extremes",
        title=title,
        subtitle=f"{_words(first, last, len(ordered))}{hollow_note([point for _, point in chosen])}",
        description=_description(chosen),
        columns=_COLUMNS,
        rows=tuple({"group": group} | point.row() for group, point in chosen),
        design=_design,
        datasets={ROWS: drawn},
        lane_px=_STEP_PX,
        params=axes.log_params("x", values),
        empty=None if chosen else "no model of this cohort has a figure",
    )


def _words(first: int, last: int, count: int) -> str:
    """Which models are shown, of so many."""
    if count < 2:
        return "The only model." if count else "No model."
    if count == 2:
        return "Both models, the more efficient one first."
    between = count - first - last
    if not between:
        return f"All {count} models, from the most to the least efficient."
    are = "The model between them is" if between == 1 else f"The {between:,} models between them are"
    each = "The most and the least" if first == 1 else f"The {first} most and the {last} least"
    return f"{each} efficient of {count:,} models. {are} left out."


def _design(look: Look) -> alt.LayerChart:
    x = axes.log_x("wh", ENERGY)
    base = alt.Chart(source())
    legend = alt.Legend(title=None, symbolStrokeWidth=2)
    group = [_MOST, _LEAST]
    color = alt.Color("group:N", scale=alt.Scale(domain=group, range=[look.star5, look.star1]), legend=legend)
    shape = alt.Shape("group:N", scale=alt.Scale(domain=group, range=["circle", "diamond"]), legend=legend)
    told = tooltip(alt.Tooltip("group:N", title="Group"))
    return layered(
        base.mark_rule(strokeWidth=1.5, strokeDash=[2, 3], color=look.line, yOffset=lanes.MARK_DOWN_PX).encode(
            x=axes.log_x("left", ENERGY), x2="wh:Q", y=lanes.lane()
        ),
        base.mark_point(opacity=1, strokeWidth=2, size=110, yOffset=lanes.MARK_DOWN_PX).encode(
            x=x, y=lanes.lane(), color=color, shape=shape, tooltip=told
        ),
        base.transform_filter("!datum.hollow")
        .mark_point(filled=True, opacity=1, size=110, yOffset=lanes.MARK_DOWN_PX)
        .encode(x=x, y=lanes.lane(), color=color, shape=shape, tooltip=told),
        lanes.names(look, beside=lanes.FIGURE),
        lanes.figures(look),
    )


def _description(chosen: Sequence[tuple[str, ModelEnergy]]) -> str:
    if not chosen:
        return "No model has a figure."
    words = [
        f"{point.drawn()['model']} ({group}): {axes.told(point.energy_wh_per_1000_queries, UNIT)}"
        for group, point in (chosen[0], chosen[-1])[: len(chosen)]
    ]
    return f"{len(chosen)} models by energy on a logarithmic axis. {'; '.join(words)}."
