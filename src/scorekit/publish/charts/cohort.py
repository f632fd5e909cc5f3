"""The models of one cohort: each a point by its energy, over the bands of the stars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import altair as alt

from scorekit.publish.charts import axes
from scorekit.publish.charts.chart import ROWS, Chart, layered, source
from scorekit.publish.charts.looks import STAR_SHAPES, Look
from scorekit.publish.charts.points import COLUMNS, ENERGY, UNIT, ModelEnergy, by_energy, hollow_note, tooltip

_BANDS: Final = "bands"
_STARS: Final = ("1", "2", "3", "4", "5")
_NAMED_ALL: Final = 40
"""A cohort of more models names a few of the first and of the last ones only, not those side by side."""
_NAMED_ENDS: Final = frozenset({0, 2, 4})
_LANE_PX: Final = 17
_CLOSE_LANE_PX: Final = 9
_LEAST_PX: Final = 90
_MOST_PX: Final = 680


def cohort_chart(
    points: Sequence[ModelEnergy], bounds: Sequence[float] = (), title: str = "Energy of each model"
) -> Chart:
    """Every model of a cohort as a point, with the bands of the stars.

    Args:
        points: models of one cohort.
        bounds: the four bounds between five stars and one, in Wh per 1,000 queries; empty where there are none.
        title: of the chart.
    """
    ordered = by_energy(points)
    values = [point.energy_wh_per_1000_queries for point in ordered]
    # Where the axis shows more than the cohort, the outer bands show how far they go.
    ranged = [*values, *(list(bounds) if ordered else [])]
    count = len(ordered)
    named_all = count <= _NAMED_ALL
    drawn = [
        point.drawn()
        | {
            "place": place,
            "end": axes.is_right(point.energy_wh_per_1000_queries, ranged),
            "named": named_all or point.chosen or min(place, count - 1 - place) in _NAMED_ENDS,
        }
        for place, point in enumerate(ordered)
    ]
    tall = count * (_LANE_PX if named_all else _CLOSE_LANE_PX)
    return Chart(
        name="cohort",
        title=title,
        subtitle=_subtitle(ordered, bounds),
        description=_description(ordered, title),
        columns=COLUMNS,
        rows=tuple(point.row() for point in ordered),
        design=_design,
        choices=(bool(bounds), any(point.stars is not None for point in ordered)),
        datasets={ROWS: drawn, _BANDS: _bands(bounds, *axes.log_range(ranged))},
        params=axes.log_params("x", ranged),
        height_px=max(_LEAST_PX, min(_MOST_PX, tall)),
        empty=None if ordered else "no model of this cohort has a figure",
    )


def _design(look: Look, banded: bool, starred: bool) -> alt.LayerChart:
    x = axes.log_x("wh", ENERGY)
    y = alt.Y("place:Q", axis=None, scale=alt.Scale(reverse=True, nice=False, zero=False, padding=12))
    base = alt.Chart(source())
    scale = alt.Scale(domain=[*_STARS, "no star"], range=[*look.stars, look.soft])
    shapes = alt.Scale(domain=[*_STARS, "no star"], range=[*STAR_SHAPES, "stroke"])
    legend = alt.Legend(title="Stars", values=[*reversed(_STARS)], symbolStrokeWidth=2) if starred else None
    color = alt.Color("star:N", scale=scale, legend=legend)
    shape = alt.Shape("star:N", scale=shapes, legend=legend)
    layers: list[alt.Chart] = []
    if banded:
        layers.append(
            alt.Chart(source(_BANDS))
            .mark_rect(opacity=0.16)
            .encode(x=axes.log_x("from", ENERGY), x2="to:Q", color=color)
        )
    layers += [
        base.transform_filter("datum.chosen")
        .mark_point(opacity=1, size=340, strokeWidth=2, color=look.text)
        .encode(x=x, y=y),
        base.mark_point(opacity=1, size=70, strokeWidth=2).encode(
            x=x, y=y, color=color, shape=shape, tooltip=tooltip()
        ),
        base.transform_filter("!datum.hollow")
        .mark_point(size=70, filled=True, opacity=1)
        .encode(x=x, y=y, color=color, shape=shape, tooltip=tooltip()),
        base.transform_filter("datum.named")
        .mark_text(
            align=alt.ExprRef(expr="datum.end ? 'right' : 'left'"),
            baseline="middle",
            dx=alt.ExprRef(expr="datum.end ? -10 : 10"),
            limit=alt.ExprRef(expr="datum.end ? scale('x', datum.wh) - 12 : width - scale('x', datum.wh) - 12"),
            color=look.text,
            fontSize=11.5,
        )
        .encode(x=x, y=y, text="model:N", tooltip=tooltip()),
    ]
    return layered(*layers)


def _bands(bounds: Sequence[float], low: float, high: float) -> list[dict[str, object]]:
    if not bounds:
        return []
    edges = [low, *bounds, high]
    return [
        {"star": star, "from": left, "to": right}
        for star, left, right in zip(reversed(_STARS), edges, edges[1:], strict=False)
        if right > left
    ]


def _subtitle(points: Sequence[ModelEnergy], bounds: Sequence[float]) -> str:
    words = "Each sign is a model, the most efficient at the top."
    if bounds:
        listed = ", ".join(axes.told(bound) for bound in bounds[:-1])
        words += f" Bands: the stars, which part at {listed} and {axes.told(bounds[-1], 'Wh')}."
    return words + hollow_note(points)


def _description(points: Sequence[ModelEnergy], title: str) -> str:
    if not points:
        return f"{title}: no model has a figure."
    least, most = points[0], points[-1]
    words = f"{title}: {len(points)} models by energy on a logarithmic axis, from "
    words += f"{least.drawn()['model']} with {axes.told(least.energy_wh_per_1000_queries, UNIT)}"
    return f"{words} to {most.drawn()['model']} with {axes.told(most.energy_wh_per_1000_queries, UNIT)}."
