"""The energy of one model over editions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import altair as alt

from scorekit.publish.charts import axes
from scorekit.publish.charts.chart import ROWS, Chart, Column, layered, source
from scorekit.publish.charts.looks import SERIES_SHAPES, Look
from scorekit.publish.charts.points import ENERGY, UNIT
from scorekit.publish.charts.wrapping import shortened

_COLUMNS: Final = (
    Column("edition", "Edition"),
    Column("date", "Date"),
    Column("task", "Task"),
    Column("energy_wh_per_1000_queries", "Energy", UNIT),
    Column("stars", "Stars"),
    Column("hardware", "Hardware"),
)
_HEIGHT_PX: Final = 300


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """One model's figure in one edition.

    Attributes:
        edition: name of the edition.
        date: of its publication, ISO 8601; of two editions the later one stands to the right.
        task: title of the task, with its class.
        energy_wh_per_1000_queries: positive.
        stars: 1 to 5; None where it has none.
        hardware: None where not known.
    """

    edition: str
    date: str
    task: str
    energy_wh_per_1000_queries: float
    stars: int | None = None
    hardware: str | None = None


def history_chart(points: Sequence[HistoryPoint], model: str = "", title: str | None = None) -> Chart:
    """A model's energy over editions, a line for each task.

    Args:
        points: figures of one model, in any order; of more than seven tasks the first seven are drawn.
        model: its name, for the title.
        title: of the chart.
    """
    ordered = sorted(points, key=lambda point: (point.date, point.edition, point.task))
    tasks = list(dict.fromkeys(point.task for point in ordered))
    shown = tasks[: len(SERIES_SHAPES)]
    editions = tuple(dict.fromkeys(point.edition for point in ordered))
    drawn = [
        {
            "edition": shortened(point.edition, 60),
            "task": shortened(point.task),
            "wh": point.energy_wh_per_1000_queries,
            "energy": axes.told(point.energy_wh_per_1000_queries, UNIT),
            "star": "no star" if point.stars is None else f"{point.stars} stars" if point.stars > 1 else "1 star",
            "hardware": shortened(point.hardware or "unknown"),
        }
        for point in ordered
        if point.task in shown
    ]
    hidden = len(tasks) - len(shown)
    more = f" {hidden} more tasks are in the table." if hidden else ""
    name = shortened(model, 80) if model else "the model"
    return Chart(
        name="history",
        title=title or f"Editions: {name}",
        subtitle=f"Each sign is a figure in one edition, with its stars.{more}",
        description=f"Energy of {name} in {len(editions)} editions, on a logarithmic axis.",
        columns=_COLUMNS,
        rows=tuple({column.field: getattr(point, column.field) for column in _COLUMNS} for point in ordered),
        design=_design,
        choices=(
            tuple(shortened(edition, 60) for edition in editions),
            tuple(shortened(task) for task in shown),
        ),
        datasets={ROWS: drawn},
        params=axes.log_params("y", [point.energy_wh_per_1000_queries for point in ordered if point.task in shown]),
        height_px=_HEIGHT_PX,
        empty=None if drawn else "no edition has a figure of this model",
    )


def _design(look: Look, editions: tuple[str, ...], tasks: tuple[str, ...]) -> alt.LayerChart:
    x = alt.X(
        "edition:N",
        title="Edition",
        sort=list(editions),
        scale=alt.Scale(type="point", padding=0.5, domain=list(editions)),
        axis=alt.Axis(labelAngle=0, labelLimit=130, grid=True),
    )
    y = axes.log_y("wh", ENERGY)
    count = len(tasks)
    legend = alt.Legend(
        title=None, symbolStrokeWidth=2, orient="bottom", columns=axes.COLUMNS, labelLimit=axes.LABEL_LIMIT
    )
    color = alt.Color("task:N", scale=alt.Scale(domain=tasks, range=look.series[:count]), legend=legend)
    shape = alt.Shape("task:N", scale=alt.Scale(domain=tasks, range=list(SERIES_SHAPES[:count])), legend=legend)
    told = [
        alt.Tooltip("task:N", title="Task"),
        alt.Tooltip("edition:N", title="Edition"),
        alt.Tooltip("energy:N", title="Energy"),
        alt.Tooltip("star:N", title="Stars"),
        alt.Tooltip("hardware:N", title="Hardware"),
    ]
    base = alt.Chart(source())
    return layered(
        base.mark_line(strokeWidth=2).encode(x=x, y=y, color=color),
        base.mark_point(size=90, filled=True, opacity=1).encode(x=x, y=y, color=color, shape=shape, tooltip=told),
        base.mark_text(align="center", dy=-13, color=look.soft).encode(x=x, y=y, text="star:N"),
    )
