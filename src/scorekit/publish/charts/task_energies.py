"""Average energy per task: mean, median, and the range from the lowest to the highest model, on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import altair as alt

from scorekit.publish.charts import axes, lanes
from scorekit.publish.charts.chart import ROWS, Chart, Column, layered, source
from scorekit.publish.charts.looks import Look
from scorekit.publish.charts.points import ENERGY, UNIT
from scorekit.publish.charts.wrapping import shortened

_COLUMNS: Final = (
    Column("task", "Task"),
    Column("models", "Models"),
    Column("mean_wh_per_1000_queries", "Mean", UNIT),
    Column("median_wh_per_1000_queries", "Median", UNIT),
    Column("lowest_wh_per_1000_queries", "Lowest", UNIT),
    Column("highest_wh_per_1000_queries", "Highest", UNIT),
    Column("origin", "Origin"),
)


@dataclass(frozen=True, slots=True)
class TaskSpread:
    """Energies of one task's models in Wh per 1,000 queries.

    Attributes:
        task: title of the task, with its class.
        models: how many.
        mean, median, lowest, highest: of their energies; positive.
        origin: measured, modelled, mixed or unknown.
    """

    task: str
    models: int
    mean_wh_per_1000_queries: float
    median_wh_per_1000_queries: float
    lowest_wh_per_1000_queries: float
    highest_wh_per_1000_queries: float
    origin: str = "unknown"


def tasks_chart(rows: Sequence[TaskSpread], title: str = "Energy of each task") -> Chart:
    """Average energy per task, with the spread and the number of models.

    Args:
        rows: of tasks, in the order in which they are shown.
        title: of the chart.
    """
    values = [v for row in rows for v in (row.lowest_wh_per_1000_queries, row.highest_wh_per_1000_queries)]
    drawn = [
        {
            "place": place,
            "task": shortened(row.task),
            "label": f"{shortened(row.task, 60)} \u00b7 {_models(row.models)}{_origin(row.origin)}",
            "lines": [shortened(row.task, 60), f"{_models(row.models)}{_origin(row.origin)}"],
            "models": row.models,
            "mean": row.mean_wh_per_1000_queries,
            "median": row.median_wh_per_1000_queries,
            "low": row.lowest_wh_per_1000_queries,
            "high": row.highest_wh_per_1000_queries,
            "told": axes.told(row.mean_wh_per_1000_queries),
            "means": axes.told(row.mean_wh_per_1000_queries, UNIT),
            "medians": axes.told(row.median_wh_per_1000_queries, UNIT),
            "range": f"{axes.told(row.lowest_wh_per_1000_queries)} to "
            f"{axes.told(row.highest_wh_per_1000_queries, UNIT)}",
            "origin": row.origin,
            "hollow": row.origin != "measured",
        }
        for place, row in enumerate(rows)
    ]
    return Chart(
        name="tasks",
        title=title,
        subtitle="Dot and figure: mean. Tick: median. Line: from the lowest to the highest model.",
        description=_description(rows),
        columns=_COLUMNS,
        rows=tuple({column.field: getattr(row, column.field) for column in _COLUMNS} for row in rows),
        design=_design,
        datasets={ROWS: drawn},
        lane_px=lanes.STEP_PX,
        params=axes.log_params("x", values),
        empty=None if rows else "no task has a model with a figure",
    )


def _design(look: Look) -> alt.LayerChart:
    x = axes.log_x("mean", ENERGY)
    y = lanes.lane()
    told = [
        alt.Tooltip("task:N", title="Task"),
        alt.Tooltip("models:Q", title="Models"),
        alt.Tooltip("means:N", title="Mean"),
        alt.Tooltip("medians:N", title="Median"),
        alt.Tooltip("range:N", title="Range"),
        alt.Tooltip("origin:N", title="Origin"),
    ]
    base = alt.Chart(source())
    down = lanes.MARK_DOWN_PX
    spread = base.mark_rule(strokeWidth=6, opacity=0.3, strokeCap="round", color=look.accent, yOffset=down).encode(
        x=axes.log_x("low", ENERGY), x2="high:Q", y=y, tooltip=told
    )
    median = base.mark_tick(thickness=2, size=16, color=look.text, yOffset=down, orient="vertical").encode(
        x=axes.log_x("median", ENERGY), y=y, tooltip=told
    )
    ring = base.mark_point(opacity=1, size=110, strokeWidth=2, color=look.accent, yOffset=down).encode(
        x=x, y=y, tooltip=told
    )
    dot = (
        base.transform_filter("!datum.hollow")
        .mark_point(size=110, filled=True, opacity=1, color=look.accent, yOffset=down)
        .encode(x=x, y=y, tooltip=told)
    )
    return layered(
        spread, ring, dot, median, lanes.names(look, beside=lanes.FIGURE, lines="lines"), lanes.figures(look)
    )


def _models(count: int) -> str:
    return "1 model" if count == 1 else f"{count:,} models"


def _origin(origin: str) -> str:
    return "" if origin == "measured" else f" \u00b7 {'origin unknown' if origin == 'unknown' else origin}"


def _description(rows: Sequence[TaskSpread]) -> str:
    if not rows:
        return "No task has a figure."
    rising = sorted(rows, key=lambda row: row.mean_wh_per_1000_queries)
    least, most = rising[0], rising[-1]
    first = f"Mean energy of {len(rows)} tasks on a logarithmic axis. Least: {shortened(least.task)}, "
    first += axes.told(least.mean_wh_per_1000_queries, UNIT)
    if least is most:
        return f"{first}."
    return f"{first}. Most: {shortened(most.task)}, {axes.told(most.mean_wh_per_1000_queries, UNIT)}."
