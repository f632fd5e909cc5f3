"""One impact in several zones, as bars from zero; a zone without data of its own has no bar, and says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import altair as alt

from scorekit.publish.charts import axes, lanes, zone_impacts
from scorekit.publish.charts.chart import ROWS, Chart, layered, source
from scorekit.publish.charts.looks import Look
from scorekit.publish.charts.wrapping import shortened
from scorekit.publish.charts.zone_impacts import ZoneImpact

_STEP_PX: Final = 40


def zones_chart(impacts: Sequence[ZoneImpact], *, impact: str, unit: str, of: str = "1 kWh of electricity") -> Chart:
    """One impact in zones, in rising order; those without data of their own come last.

    Args:
        impacts: of zones.
        impact: title of the impact, e.g. `global warming potential`.
        unit: of the values, as `scorekit.impacts` names it.
        of: what it is the impact of, e.g. `1 kWh of electricity` or `1,000 queries of MODEL`.
    """
    ordered = sorted(impacts, key=lambda one: (one.value is None, one.value or 0.0, one.zone))
    values = [one.value for one in ordered if one.value is not None]
    scaled = zone_impacts.scaled_unit(unit, values)
    title = f"{impact[:1].upper()}{impact[1:]}: {shortened(of, 90)}"
    drawn = [
        {
            "place": place,
            "label": f"{shortened(one.zone, 60)} ({shortened(one.code, 8)})",
            "zone": shortened(one.zone),
            "value": (one.value or 0.0) * scaled.factor,
            "told": zone_impacts.NO_DATA if one.value is None else axes.told(one.value * scaled.factor, scaled.unit),
            "note": shortened(zone_impacts.note(one) or "none", 240),
            "sign": "caution" if one.value is not None and one.caution else "",
        }
        for place, one in enumerate(ordered)
    ]
    for row in drawn:
        if row["sign"]:
            row["label"] = f"{row['label']} \u00b7 see note"
    without = len(ordered) - len(values)
    return Chart(
        name="zones",
        title=title,
        subtitle=f"By electricity mix, from zero.{f' {without} without data of their own.' if without else ''}",
        description=_description(ordered, values, title, scaled),
        columns=zone_impacts.columns(f"{impact[:1].upper()}{impact[1:]}", unit),
        rows=zone_impacts.rows(ordered),
        design=_design,
        choices=(f"{impact[:1].upper()}{impact[1:]} ({scaled.unit})",),
        datasets={ROWS: drawn},
        lane_px=_STEP_PX,
        empty=None if values else "no zone has data of its own" if impacts else "there are no zones",
    )


def _design(look: Look, title: str) -> alt.LayerChart:
    x = alt.X(
        "value:Q",
        title=title,
        axis=alt.Axis(tickCount=5, labelExpr=axes.LABEL, grid=True),
        scale=alt.Scale(zero=True, nice=True),
    )
    told = [
        alt.Tooltip("zone:N", title="Zone"),
        alt.Tooltip("told:N", title="Impact"),
        alt.Tooltip("note:N", title="Note"),
    ]
    return layered(
        alt.Chart(source())
        .mark_bar(size=14, yOffset=lanes.MARK_DOWN_PX, color=look.series1)
        .encode(x=x, y=lanes.lane(), tooltip=told),
        lanes.names(look, beside=lanes.FIGURE),
        lanes.figures(look),
    )


def _description(
    ordered: Sequence[ZoneImpact], values: Sequence[float], title: str, scaled: zone_impacts.Scaled
) -> str:
    if not values:
        return f"{title}: no zone has data of its own."
    least, most = ordered[0], ordered[len(values) - 1]
    words = f"{title} in {len(values)} zones, from {axes.told(values[0] * scaled.factor, scaled.unit)}"
    words += f" in {shortened(least.zone)} to {axes.told(values[-1] * scaled.factor, scaled.unit)}"
    return f"{words} in {shortened(most.zone)}."
