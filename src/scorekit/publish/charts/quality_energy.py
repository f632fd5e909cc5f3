"""Energy against the quality of answers: each model a point with both of its intervals, and the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import altair as alt

from scorekit.publish.charts import axes
from scorekit.publish.charts.chart import ROWS, Chart, Column, layered, source
from scorekit.publish.charts.looks import Look
from scorekit.publish.charts.points import ENERGY, UNIT
from scorekit.publish.charts.wrapping import shortened

_FRONT: Final = "front"
_COLUMNS: Final = (
    Column("model", "Model"),
    Column("results", "Results that the energy is the mean of"),
    Column("energy_wh_per_1000_queries", "Energy", UNIT),
    Column("energy_half_width_95_percent", "Uncertainty of the energy, 95 %", "%"),
    Column("quality", "Quality"),
    Column("quality_stderr", "Standard error of the quality"),
    Column("quality_low_95", "Lower end of the quality at 95 %"),
    Column("quality_high_95", "Upper end of the quality at 95 %"),
    Column("on_front", "On the Pareto front"),
    Column("certain", "Whatever the values within their intervals"),
    Column("questions", "Questions"),
    Column("benchmark", "Metric"),
    Column("origin", "Origin of the energy"),
    Column("hardware", "Hardware"),
    Column("evaluated_utc", "Evaluated"),
    Column("source_url", "Address of the source"),
    Column("source_sha256", "sha256 of the source"),
)
_ON, _OFF = "on the Pareto front", "not on it"
_HEIGHT_PX: Final = 400
_MOST_NAMED: Final = 12
"""A front of more models names none of them in the picture: the names would lie on each other."""


@dataclass(frozen=True, slots=True)
class ModelQuality:
    """One model with both of its figures.

    Attributes:
        model: its name, as given.
        results: of which the energy is the mean.
        energy_wh_per_1000_queries: positive.
        energy_half_width_95_percent: of its interval beside energies of other boards, relative to it; None where not
            known.
        quality: in the harness's scale.
        quality_stderr: standard error; None where not known.
        quality_interval_95: its 95 % interval in the same scale; None where not known.
        on_front: whether it is on the front by its values.
        certain: whether it is there, or not there, for all values within the intervals; None where that is not known.
        questions: that were asked; None where not known.
        benchmark: task, metric, filter and shots.
        origin: of the energy.
        hardware: None where not known.
        evaluated_utc: None where not known.
        source_url: where others find the file that the quality was read from; None where it is not published.
        source_sha256: of that file; of several files one after the other, as their addresses.
    """

    model: str
    results: int
    energy_wh_per_1000_queries: float
    energy_half_width_95_percent: float | None
    quality: float
    quality_stderr: float | None
    quality_interval_95: tuple[float, float] | None
    on_front: bool
    certain: bool | None
    questions: int | None
    benchmark: str
    origin: str
    hardware: str | None
    evaluated_utc: str | None
    source_url: str | None
    source_sha256: str

    @property
    def quality_low_95(self) -> float | None:
        """Lower end of the quality's interval."""
        return None if self.quality_interval_95 is None else self.quality_interval_95[0]

    @property
    def quality_high_95(self) -> float | None:
        """Upper end of it."""
        return None if self.quality_interval_95 is None else self.quality_interval_95[1]

    def row(self) -> dict[str, Any]:
        """Its row of a table, names as given."""
        return {column.field: getattr(self, column.field) for column in _COLUMNS}

    def drawn(self) -> dict[str, Any]:
        """What is drawn of it; the ends of an interval stand at the value where it is not known."""
        half = (self.energy_half_width_95_percent or 0) / 100
        mean = "" if self.results == 1 else f", mean of {self.results:,} results"
        low, high = self.quality_interval_95 or (self.quality, self.quality)
        sure = "" if self.energy_half_width_95_percent is None else f" ± {axes.told(100 * half)} %"
        about = "" if self.quality_interval_95 is None else f" ({axes.told(low)} to {axes.told(high)} at 95 %)"
        wh = self.energy_wh_per_1000_queries
        return {
            "model": shortened(self.model),
            "wh": wh,
            # An interval of all of the energy and more has no lower end on a logarithmic axis.
            "whLow": wh * max(1 - half, 0.01),
            "whHigh": wh * (1 + half),
            "quality": self.quality,
            "low": low,
            "high": high,
            "energy": f"{axes.told(wh, UNIT)}{sure}{mean}",
            "value": f"{axes.told(self.quality)}{about}",
            "standing": _ON if self.on_front else _OFF,
            "hollow": self.origin != "measured",
            "hardware": shortened(self.hardware or "unknown"),
            "source": "file not published" if self.source_url is None else "file published",
        }


def quality_chart(
    points: Sequence[ModelQuality], *, higher_is_better: bool = True, title: str = "Energy and quality"
) -> Chart:
    """Models by energy and quality, with the staircase of the Pareto front.

    Args:
        points: models of one metric, measured alike.
        higher_is_better: of the metric.
        title: of the chart.
    """
    ordered = sorted(points, key=lambda point: (point.energy_wh_per_1000_queries, point.quality, point.model))
    on_front = [point for point in ordered if point.on_front]
    drawn = [point.drawn() for point in ordered]
    steps = [row for row, point in zip(drawn, ordered, strict=True) if point.on_front]
    ends = [value for row in drawn for value in (row["whLow"], row["whHigh"])]
    for row in drawn:
        row["named"] = len(on_front) <= _MOST_NAMED and row["standing"] == _ON
        row["end"] = axes.is_right(row["wh"], ends)
    better = "more is better" if higher_is_better else "less is better"
    return Chart(
        name="quality",
        title=title,
        subtitle=f"Each sign is a model; {better}. The line is the Pareto front by the values: no other is "
        "better than a model on it in one of both and not worse in the other. Bars are 95 % intervals, where they are "
        f"known.{_hollow(ordered)}",
        description=f"{len(ordered)} models by energy on a logarithmic axis and by quality, {better}; {len(on_front)} "
        "of them are on the Pareto front.",
        columns=_COLUMNS,
        rows=tuple(point.row() for point in ordered),
        design=_design,
        choices=(better,),
        datasets={ROWS: drawn, _FRONT: [{"wh": row["wh"], "quality": row["quality"]} for row in steps]},
        params=axes.log_params("x", ends),
        height_px=_HEIGHT_PX,
        empty=None if ordered else "no model that is measured alike has a quality with a source",
    )


def _hollow(points: Sequence[ModelQuality]) -> str:
    return " Hollow signs are not measured." if any(point.origin != "measured" for point in points) else ""


def _design(look: Look, better: str) -> alt.LayerChart:
    x = axes.log_x("wh", ENERGY)
    title = f"Quality ({better})"
    scale = alt.Scale(zero=False, nice=True)
    y = alt.Y("quality:Q", title=title, scale=scale)
    legend = alt.Legend(
        title=None, symbolStrokeWidth=2, columns=axes.COLUMNS, labelLimit=axes.LABEL_LIMIT, orient="bottom"
    )
    kinds = [_ON, _OFF]
    color = alt.Color("standing:N", scale=alt.Scale(domain=kinds, range=[look.accent, look.soft]), legend=legend)
    shape = alt.Shape("standing:N", scale=alt.Scale(domain=kinds, range=["circle", "triangle-down"]), legend=legend)
    tips = [
        alt.Tooltip("model:N", title="Model"),
        alt.Tooltip("value:N", title="Quality"),
        alt.Tooltip("energy:N", title="Energy"),
        alt.Tooltip("standing:N", title="Standing"),
        alt.Tooltip("hardware:N", title="Hardware"),
        alt.Tooltip("source:N", title="Source"),
    ]
    base = alt.Chart(source())
    bars = base.mark_rule(color=look.line, strokeWidth=1.2, opacity=0.9)
    return layered(
        alt.Chart(source(_FRONT))
        .mark_line(interpolate="step-after", color=look.accent, strokeWidth=2, opacity=0.8)
        .encode(x=x, y=y),
        bars.encode(x=axes.log_x("whLow", ENERGY), x2="whHigh:Q", y=y),
        bars.encode(x=x, y=alt.Y("low:Q", title=title, scale=scale), y2="high:Q"),
        base.mark_point(size=80, strokeWidth=2, opacity=1).encode(x=x, y=y, color=color, shape=shape, tooltip=tips),
        base.transform_filter("!datum.hollow")
        .mark_point(size=80, filled=True, opacity=1)
        .encode(x=x, y=y, color=color, shape=shape, tooltip=tips),
        base.transform_filter("datum.named")
        .mark_text(
            align=alt.ExprRef(expr="datum.end ? 'right' : 'left'"),
            baseline="bottom",
            dx=alt.ExprRef(expr="datum.end ? -8 : 8"),
            dy=-6,
            limit=alt.ExprRef(expr="datum.end ? scale('x', datum.wh) - 12 : width - scale('x', datum.wh) - 12"),
            color=look.text,
            fontSize=11.5,
        )
        .encode(x=x, y=y, text="model:N", tooltip=tips),
    )
