"""Up to four models side by side over tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import altair as alt

from scorekit.errors import UsageError
from scorekit.publish.charts import axes, lanes
from scorekit.publish.charts.chart import ROWS, Chart, layered, source
from scorekit.publish.charts.looks import SERIES_SHAPES, Look
from scorekit.publish.charts.points import COLUMNS, ENERGY, ModelEnergy, hollow_note, tooltip
from scorekit.publish.charts.wrapping import shortened

MOST_MODELS: Final = 4


def compare_chart(points: Sequence[ModelEnergy], title: str = "Models compared") -> Chart:
    """Models compared over the tasks that they have figures of.

    Args:
        points: figures of up to four models; tasks in the order in which they are shown.
        title: of the chart.

    Raises:
        UsageError: there are more than four models.
    """
    models = list(dict.fromkeys(point.model for point in points))
    if len(models) > MOST_MODELS:
        raise UsageError(
            f"{len(models)} models are to be compared, and a chart holds {MOST_MODELS}", mend="choose fewer models"
        )
    tasks = list(dict.fromkeys(point.task for point in points))
    ordered = sorted(points, key=lambda point: (tasks.index(point.task), models.index(point.model)))
    values = [point.energy_wh_per_1000_queries for point in ordered]
    shown = _apart([shortened(model, 48) for model in models])
    seen: set[str] = set()
    drawn = []
    for point in ordered:
        first = point.task not in seen
        seen.add(point.task)
        drawn.append(
            point.drawn()
            | {
                "place": tasks.index(point.task),
                "first": first,
                "label": _label(point.task, [one for one in ordered if one.task == point.task], models),
                "series": shown[models.index(point.model)],
            }
        )
    return Chart(
        name="compare",
        title=title,
        subtitle=f"Energy of {len(models)} models on the same tasks. Only models of one row can be compared."
        f"{hollow_note(ordered)}",
        description=f"Energy of {', '.join(shown)} on {len(tasks)} tasks, on a logarithmic axis.",
        columns=COLUMNS,
        rows=tuple(point.row() for point in ordered),
        design=_design,
        choices=(tuple(shown),),
        datasets={ROWS: drawn},
        lane_px=lanes.STEP_PX,
        params=axes.log_params("x", values),
        empty=None if ordered else "none of these models has a figure",
    )


def _design(look: Look, models: tuple[str, ...]) -> alt.LayerChart:
    x = axes.log_x("wh", ENERGY)
    count = len(models)
    legend = alt.Legend(title=None, symbolStrokeWidth=2, columns=1, symbolSize=110, labelLimit=axes.LABEL_LIMIT)
    color = alt.Color("series:N", scale=alt.Scale(domain=models, range=look.series[:count]), legend=legend)
    shape = alt.Shape("series:N", scale=alt.Scale(domain=models, range=list(SERIES_SHAPES[:count])), legend=legend)
    base = alt.Chart(source())
    return layered(
        base.mark_line(strokeWidth=1.5, color=look.line, yOffset=lanes.MARK_DOWN_PX).encode(
            x=x, y=lanes.lane(), detail="place:O"
        ),
        base.mark_point(opacity=1, strokeWidth=2, size=120, yOffset=lanes.MARK_DOWN_PX).encode(
            x=x, y=lanes.lane(), color=color, shape=shape, tooltip=tooltip()
        ),
        base.transform_filter("!datum.hollow")
        .mark_point(filled=True, opacity=0.9, size=120, yOffset=lanes.MARK_DOWN_PX)
        .encode(x=x, y=lanes.lane(), color=color, shape=shape, tooltip=tooltip()),
        lanes.names(look, only_first=True),
    )


def _label(task: str, here: Sequence[ModelEnergy], models: Sequence[str]) -> str:
    label = shortened(task, 60)
    missing = len(models) - len({point.model for point in here})
    if missing:
        return f"{label} \u00b7 {missing} without a figure"
    energies = sorted(point.energy_wh_per_1000_queries for point in here)
    return f"{label} \u00b7 {axes.told(energies[-1] / energies[0])} to 1" if len(energies) > 1 else label


def _apart(names: Sequence[str]) -> list[str]:
    """Names that were cut to the same text told apart by a number."""
    return [
        name if names.count(name) == 1 else f"{name} ({names[: place + 1].count(name)})"
        for place, name in enumerate(names)
    ]
