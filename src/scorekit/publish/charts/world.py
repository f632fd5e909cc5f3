"""One impact on a map of the world: zones with data of their own in steps of colour, all others hatched.

The map is Natural Earth's at 1:50 million, which is in the public domain (docs/charts.md); borders are those that it
draws, and no statement of ours. What is too small to be seen has a dot of its own.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import altair as alt

from scorekit.publish.charts import axes, zone_impacts
from scorekit.publish.charts.chart import ROWS, Chart, layered
from scorekit.publish.charts.looks import HATCH, Look
from scorekit.publish.charts.wrapping import shortened
from scorekit.publish.charts.zone_impacts import NO_DATA, ZoneImpact

WORLD: Final = "world"
"""Name of the map among a chart's datasets, and among the data that the site ships."""
GEOMETRY: Final = Path(__file__).parent / "geometry" / "world.json"
POINTS: Final = "worldPoints"
"""The same again: a dataset of Vega-Lite has one form, and the map's file holds two collections."""
_ASPECT: Final = 0.46
_CLASSES: Final = 6
_DOT: Final = "max(1.8, min(3, width / 320))"
_TAKEN_OVER: Final = ("class", "zone", "told", "note")


def world_chart(impacts: Sequence[ZoneImpact], *, impact: str, unit: str, of: str = "1 kWh of electricity") -> Chart:
    """One impact on a map of the world; arguments as for `zones_chart`.

    Args:
        impacts: of zones, by ISO 3166-1 alpha-3 codes; those that are no country are in the table only.
        impact: title of the impact, e.g. `global warming potential`.
        unit: of the values, as `scorekit.impacts` names it.
        of: what it is the impact of, e.g. `1 kWh of electricity` or `1,000 queries of MODEL`.
    """
    ordered = sorted(impacts, key=lambda one: (one.zone, one.code))
    known = [one.value for one in ordered if one.value is not None and one.code in codes()]
    scaled = zone_impacts.scaled_unit(unit, known)
    edges = _edges([value * scaled.factor for value in known])
    titles = _titles(edges)
    title = f"{impact[:1].upper()}{impact[1:]}: {shortened(of, 90)}"
    drawn = [
        {
            "code": one.code,
            "class": NO_DATA if one.value is None else titles[_place(one.value * scaled.factor, edges)],
            "zone": shortened(one.zone),
            "told": NO_DATA if one.value is None else axes.told(one.value * scaled.factor, scaled.unit),
            "note": shortened(zone_impacts.note(one) or "none", 240),
        }
        for one in ordered
        if one.code in codes()
    ]
    return Chart(
        name="world",
        title=title,
        subtitle=f"By electricity mix. {_counted(len(known))}",
        description=_description(ordered, title, scaled),
        columns=zone_impacts.columns(f"{impact[:1].upper()}{impact[1:]}", unit),
        rows=zone_impacts.rows(ordered),
        design=_design,
        choices=(tuple(titles), scaled.unit),
        datasets={ROWS: drawn},
        aspect=_ASPECT,
        needs=(WORLD,),
        empty=None if known else "no zone of the map has data of its own" if impacts else "there are no zones",
    )


@cache
def geometry() -> Mapping[str, Any]:
    """The world as TopoJSON: `countries` by alpha-3 code, and `points` of those that are too small to be seen."""
    world: Mapping[str, Any] = json.loads(GEOMETRY.read_bytes())
    return world


@cache
def codes() -> frozenset[str]:
    """Codes of all that the map shows."""
    shown = geometry()["objects"]
    shapes = [*shown["countries"]["geometries"], *shown["points"]["geometries"]]
    return frozenset(shape["id"] for shape in shapes if "id" in shape)


def _design(look: Look, titles: tuple[str, ...], unit: str) -> alt.LayerChart:
    fills = [look.steps[place] for place in _spread(len(titles))]
    legend = alt.Legend(
        title=unit,
        orient="bottom",
        direction="horizontal",
        symbolType="square",
        symbolSize=170,
        symbolStrokeWidth=1,
        symbolStrokeColor=look.outline,
        columns=axes.COLUMNS,
    )
    fill = alt.Fill("class:N", scale=alt.Scale(domain=[*titles, NO_DATA], range=[*fills, HATCH]), legend=legend)
    told = [
        alt.Tooltip("zone:N", title="Zone"),
        alt.Tooltip("told:N", title="Impact"),
        alt.Tooltip("note:N", title="Note"),
    ]
    layers = [
        alt.Chart(alt.NamedData(name=name, format=alt.TopoDataFormat(feature=feature, type="topojson")))
        .transform_lookup(
            lookup="id",
            from_=alt.LookupData(data=alt.NamedData(name=ROWS), key="code", fields=list(_TAKEN_OVER)),
        )
        .transform_calculate(**{"class": f"datum.class || '{NO_DATA}'"})
        .transform_calculate(
            zone="datum.zone || datum.properties.name", told=f"datum.told || '{NO_DATA}'", note="datum.note || 'none'"
        )
        .mark_geoshape(stroke=look.outline, strokeWidth=width)
        .encode(fill=fill, tooltip=told)
        for name, feature, width in ((WORLD, "countries", 0.4), (POINTS, "points", 0.8))
    ]
    return layered(*layers).project(type="equalEarth", pointRadius=alt.ExprRef(expr=_DOT))


def _edges(values: Sequence[float]) -> list[float]:
    """Bounds between classes of about as many zones each, rounded so that they can be read."""
    rising = sorted(values)
    found = [float(f"{rising[len(rising) * part // _CLASSES]:.2g}") for part in range(1, _CLASSES)] if rising else []
    return [edge for edge in sorted(set(found)) if rising[0] < edge <= rising[-1]]


def _place(value: float, edges: Sequence[float]) -> int:
    return sum(value >= edge for edge in edges)


def _titles(edges: Sequence[float]) -> list[str]:
    if not edges:
        return ["all alike"]
    texts = [f"{edge:,.10g}" for edge in edges]
    between = [f"{low} to {high}" for low, high in itertools.pairwise(texts)]
    return [f"below {texts[0]}", *between, f"{texts[-1]} and more"]


def _spread(count: int) -> list[int]:
    """Places of that many steps among all, from the first to the last."""
    if count == 1:
        return [_CLASSES // 2]
    return [round(number * (_CLASSES - 1) / (count - 1)) for number in range(count)]


def _counted(known: int) -> str:
    """How many of what the map shows have data of their own, and how many are hatched."""
    shown = len(codes())
    return (
        f"{known} of {shown} countries and territories have data of their own; the other {shown - known} are hatched."
    )


def _description(ordered: Sequence[ZoneImpact], title: str, scaled: zone_impacts.Scaled) -> str:
    known = sorted((one.value, one.zone) for one in ordered if one.value is not None and one.code in codes())
    if not known:
        return f"Map of the world: {title}. No zone has data of its own."
    words = f"Map of the world: {title}, from {axes.told(known[0][0] * scaled.factor, scaled.unit)} in {known[0][1]}"
    words += f" to {axes.told(known[-1][0] * scaled.factor, scaled.unit)} in {known[-1][1]}."
    return f"{words} {_counted(len(known))}"
