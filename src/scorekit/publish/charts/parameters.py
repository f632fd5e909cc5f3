"""Energy against the number of parameters, both on logarithmic axes, of the models whose size is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import altair as alt

from scorekit.publish.charts import axes
from scorekit.publish.charts.chart import ROWS, Chart, Column, layered, source
from scorekit.publish.charts.looks import SERIES_SHAPES, Look
from scorekit.publish.charts.points import COLUMNS, ENERGY, ModelEnergy, by_energy, hollow_note, tooltip

_COLUMNS: Final = (COLUMNS[0], Column("parameters", "Parameters"), *COLUMNS[1:])
_PER_BILLION: Final = 1e9
_HEIGHT_PX: Final = 380
_OTHER: Final = "other tasks"


def parameters_chart(points: Sequence[ModelEnergy], title: str = "Energy and size of the models") -> Chart:
    """Energy against parameters; models whose size is not known are counted and left out.

    Args:
        points: models, of one task or of several.
        title: of the chart.
    """
    known = [point for point in by_energy(points) if point.parameters is not None and point.parameters > 0]
    sizes = [point.parameters / _PER_BILLION for point in known if point.parameters is not None]
    tasks = list(dict.fromkeys(point.task for point in known))
    told = tasks if len(tasks) <= len(SERIES_SHAPES) else tasks[: len(SERIES_SHAPES) - 1]
    drawn = [
        point.drawn()
        | {
            "billion": size,
            "size": axes.told(size, "billion"),
            "series": point.drawn()["task"] if point.task in told else _OTHER,
        }
        for point, size in zip(known, sizes, strict=True)
    ]
    unknown = len(points) - len(known)
    left_out = f" {unknown:,} without a known size are left out." if unknown else ""
    series = tuple(dict.fromkeys(str(row["series"]) for row in drawn))
    return Chart(
        name="parameters",
        title=title,
        subtitle=f"{len(known):,} models by size and energy.{left_out}{hollow_note(known)}",
        description=f"{len(known)} models by number of parameters and energy, both axes logarithmic."
        + (f" {unknown} models without a known size are left out." if unknown else ""),
        columns=_COLUMNS,
        rows=tuple(point.row() | {"parameters": point.parameters} for point in known),
        design=_design,
        choices=(series,),
        datasets={ROWS: drawn},
        params=axes.log_params("x", sizes) | axes.log_params("y", [row["wh"] for row in drawn]),
        height_px=_HEIGHT_PX,
        empty=None if known else "of no model both the size and the energy are known",
    )


def _design(look: Look, series: tuple[str, ...]) -> alt.LayerChart:
    x = axes.log_x("billion", "Parameters (billion, logarithmic)")
    y = axes.log_y("wh", ENERGY)
    legend = (
        None
        if len(series) < 2
        else alt.Legend(
            title=None, symbolStrokeWidth=2, columns=axes.COLUMNS, labelLimit=axes.LABEL_LIMIT, orient="bottom"
        )
    )
    count = len(series)
    color = alt.Color("series:N", scale=alt.Scale(domain=series, range=look.series[:count]), legend=legend)
    shape = alt.Shape("series:N", scale=alt.Scale(domain=series, range=list(SERIES_SHAPES[:count])), legend=legend)
    told = tooltip(alt.Tooltip("size:N", title="Parameters"))
    base = alt.Chart(source())
    return layered(
        base.transform_filter("datum.chosen").mark_point(size=340, strokeWidth=2, color=look.text).encode(x=x, y=y),
        base.mark_point(size=70, strokeWidth=1.5).encode(x=x, y=y, color=color, shape=shape, tooltip=told),
        base.transform_filter("!datum.hollow")
        .mark_point(size=70, filled=True, opacity=0.75)
        .encode(x=x, y=y, color=color, shape=shape, tooltip=told),
    )
