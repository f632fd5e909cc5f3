"""The world's map: every zone is on it, small states are seen, and what has no data has no colour."""

from __future__ import annotations

from collections import Counter

import pytest

from scorekit.impacts import find_mix
from scorekit.publish import charts
from scorekit.publish.charts import ZoneImpact, world
from scorekit.publish.charts.looks import HATCH, LIGHT
from tests.unit.publish.charts.samples import zones

SMALL = {"MLT", "SGP", "MCO", "VAT", "LIE", "AND", "SMR", "MDV", "BHR", "LUX", "TTO", "MUS", "HKG", "GIB", "NRU"}
MOST_BYTES = 350_000


def test_every_zone_that_is_a_country_is_on_the_map() -> None:
    off = {zone.code for zone in find_mix().zones} - world.codes()
    assert off == {"WOR", "EEE"}


def test_small_states_have_a_point_and_the_map_is_small() -> None:
    points = [shape["id"] for shape in world.geometry()["objects"]["points"]["geometries"]]
    assert set(points) >= SMALL
    assert max(Counter(points).values()) == 1
    assert world.GEOMETRY.stat().st_size <= MOST_BYTES


def test_shapes_lie_where_their_countries_do() -> None:
    boxes = _boxes()
    for code, longitude, latitude in (("FRA", 2, 47), ("GUF", -53, 4), ("REU", 55.5, -21.1), ("AUS", 134, -25)):
        west, south, east, north = boxes[code]
        assert west <= longitude <= east, code
        assert south <= latitude <= north, code
    # What lies overseas has an electricity of its own.
    assert boxes["FRA"][0] > -10
    assert boxes["NOR"][3] < 73


def _boxes() -> dict[str, tuple[float, float, float, float]]:
    map_ = world.geometry()
    scale, shift = map_["transform"]["scale"], map_["transform"]["translate"]
    arcs = []
    for arc in map_["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * scale[0] + shift[0], y * scale[1] + shift[1]))
        arcs.append(points)
    boxes = {}
    for shape in map_["objects"]["countries"]["geometries"]:
        rings = [arcs[arc if arc >= 0 else ~arc] for part in shape["arcs"] for ring in part for arc in ring]
        xs = [x for ring in rings for x, _ in ring]
        ys = [y for ring in rings for _, y in ring]
        if "id" in shape:
            boxes[shape["id"]] = (min(xs), min(ys), max(xs), max(ys))
    return boxes


def test_a_zone_without_data_is_hatched_and_never_coloured() -> None:
    chart = charts.world_chart(zones(), impact="global warming potential", unit="kgCO2eq")
    classes = {row["code"]: row["class"] for row in chart.datasets["rows"]}
    assert classes["AFG"] == "no data of its own"
    for layer in chart.vega_lite(LIGHT)["layer"]:
        scale = layer["encoding"]["fill"]["scale"]
        fills = dict(zip(scale["domain"], scale["range"], strict=True))
        assert fills.pop("no data of its own") == HATCH
        assert set(fills.values()) <= set(LIGHT.steps)
        assert {name for code, name in classes.items() if code != "AFG"} <= fills.keys()


def test_zones_that_are_no_country_are_in_the_table_alone() -> None:
    chart = charts.world_chart(zones(), impact="water", unit="L")
    assert {"WOR", "EEE"} <= {row["code"] for row in chart.rows}
    assert not {"WOR", "EEE"} & {row["code"] for row in chart.datasets["rows"]}


@pytest.mark.parametrize("values", [[1.0], [2.0, 2.0, 2.0], [1.0, 2.0], [1e-9, 1.0, 1e9]])
def test_few_or_equal_values_still_make_classes(values: list[float]) -> None:
    codes = sorted(world.codes())[: len(values)]
    impacts = [ZoneImpact(code, code, value) for code, value in zip(codes, values, strict=True)]
    chart = charts.world_chart(impacts, impact="water", unit="L")
    titles = chart.choices[0]
    assert {row["class"] for row in chart.datasets["rows"]} <= set(titles)
    assert len(titles) == len(set(titles))


def test_higher_values_never_have_a_lower_class() -> None:
    codes = sorted(world.codes())
    impacts = [ZoneImpact(code, code, 0.1 + place**1.7) for place, code in enumerate(codes)]
    chart = charts.world_chart(impacts, impact="water", unit="MJ")
    titles = list(chart.choices[0])
    places = {row["code"]: titles.index(row["class"]) for row in chart.datasets["rows"]}
    ordered = [places[code] for code in codes]
    assert ordered == sorted(ordered)
    assert set(ordered) == set(range(len(titles)))
