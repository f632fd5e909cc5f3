#!/usr/bin/env python3
"""Make publish/charts/geometry/world.json from the npm package world-atlas (Natural Earth 4.1.0, public domain).

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python scripts/make_world_map.py package/countries-50m.json

Areas overseas with an electricity of their own become zones; Antarctica is left out. Borders are simplified
(Visvalingam: the point whose triangle is smallest goes first) and written on a coarser grid. Codes become ISO 3166-1
alpha-3. What is too small to be seen gets a point.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pycountry

TARGET = Path(__file__).parents[1] / "src" / "scorekit" / "publish" / "charts" / "geometry" / "world.json"
GRID_DEGREES = 0.02
SMALLEST_TRIANGLE = 0.004
"""In square degrees at the equator; 1 is 12,300 km2."""
SMALLEST_POLYGON = 0.002
"""Smaller ones may lose their direction on the grid, and would then be drawn as all the world but themselves."""
POINT_BELOW = 0.9
"""Land of less area, about that of Jamaica, is a dot on a phone and gets a point."""
LEFT_OUT = {"ATA"}
# Natural Earth counts these to the state; west, south, east, north in degrees.
OVERSEAS = {
    "FRA": {
        "GUF": (-55, 2, -51, 6),
        "GLP": (-62, 15.8, -61, 16.6),
        "MTQ": (-61.3, 14.3, -60.7, 15),
        "REU": (55, -21.5, 56, -20.8),
        "MYT": (45, -13.1, 45.4, -12.6),
    },
    "NLD": {"BES": (-69, 11.9, -62.9, 17.7)},
    "NOR": {"SJM": (-10, 70.5, 35, 81)},
    "NZL": {"TKL": (-173, -10, -171, -8)},
}
NOT_SVALBARD_SOUTH_OF = 73.5
BEYOND_THE_MAP = {"GIB": (-5.35, 36.14)}
"""Not in Natural Earth at this scale: longitude and latitude."""

Point = tuple[float, float]


def main() -> None:
    """Read the atlas, write the map."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("atlas", type=Path, help="countries-50m.json of world-atlas")
    atlas = json.loads(parser.parse_args().atlas.read_text())
    arcs = [list(_points(arc, atlas["transform"])) for arc in atlas["arcs"]]
    countries: dict[tuple[str | None, str], list[Any]] = {}
    for shape in atlas["objects"]["countries"]["geometries"]:
        polygons = [shape["arcs"]] if shape["type"] == "Polygon" else shape.get("arcs", [])
        for polygon in polygons:
            key = _named(shape, _ring(polygon[0], arcs))
            if key[0] not in LEFT_OUT:
                countries.setdefault(key, []).append(polygon)
    simple = [_on_grid(_simplified(arc)) for arc in arcs]
    geometries, points = [], []
    used: dict[int, int] = {}
    for (code, name), polygons in sorted(countries.items(), key=lambda item: (item[0][0] or "ZZZ", item[0][1])):
        about = {"properties": {"name": name}} | ({"id": code} if code else {})
        sizes = [abs(_area(_ring(polygon[0], arcs))) for polygon in polygons]
        kept = [polygon for polygon in polygons if _survives(polygon, arcs, simple)]
        if kept:
            rings = [[[_renumbered(arc, used) for arc in ring] for ring in _rings(p, arcs, simple)] for p in kept]
            geometries.append({"type": "MultiPolygon", "arcs": rings} | about)
        if code and sum(sizes) < POINT_BELOW:
            largest = polygons[sizes.index(max(sizes))]
            points.append([code, name, *_middle(_ring(largest[0], arcs))])
    points += [[code, pycountry.countries.get(alpha_3=code).name, *place] for code, place in BEYOND_THE_MAP.items()]
    # Vega reads points out of the same file as one more collection.
    marks = [
        {"type": "Point", "id": code, "properties": {"name": name}, "coordinates": _grid((x, y))}
        for code, name, x, y in sorted(points)
    ]
    world = {
        "type": "Topology",
        "transform": {"scale": [GRID_DEGREES, GRID_DEGREES], "translate": [-180, -90]},
        "objects": {
            "countries": {"type": "GeometryCollection", "geometries": geometries},
            "points": {"type": "GeometryCollection", "geometries": marks},
        },
        "arcs": [_deltas(simple[old]) for old in used],
    }
    text = json.dumps(world, separators=(",", ":"), ensure_ascii=False) + "\n"
    TARGET.write_text(text, encoding="utf-8")
    print(f"{TARGET}: {len(text.encode()):,} bytes, {len(geometries)} shapes, {len(marks)} points")


def _points(arc: list[list[int]], transform: dict[str, list[float]]) -> Iterator[Point]:
    x = y = 0
    for dx, dy in arc:
        x, y = x + dx, y + dy
        yield (
            x * transform["scale"][0] + transform["translate"][0],
            y * transform["scale"][1] + transform["translate"][1],
        )


def _named(shape: dict[str, Any], ring: list[Point]) -> tuple[str | None, str]:
    country = pycountry.countries.get(numeric=shape.get("id") or "")
    if country is None:
        return None, shape["properties"]["name"]
    x, y = _middle(ring)
    for code, (west, south, east, north) in OVERSEAS.get(country.alpha_3, {}).items():
        if west <= x <= east and south <= y <= north and not (code == "SJM" and x > 0 and y < NOT_SVALBARD_SOUTH_OF):
            return code, pycountry.countries.get(alpha_3=code).name
    return country.alpha_3, getattr(country, "common_name", country.name)


def _ring(ring: list[int], arcs: list[list[Point]]) -> list[Point]:
    found: list[Point] = []
    for number in ring:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        found += arc if not found else arc[1:]
    return found


def _area(ring: list[Point]) -> float:
    """In square degrees at the equator, with the sign of the direction."""
    total = 0.0
    for (x1, y1), (x2, y2) in itertools.pairwise(ring):
        total += (x1 * y2 - x2 * y1) / 2
    middle = sum(y for _, y in ring) / len(ring)
    return total * math.cos(math.radians(middle))


def _middle(ring: list[Point]) -> Point:
    west, east = min(x for x, _ in ring), max(x for x, _ in ring)
    south, north = min(y for _, y in ring), max(y for _, y in ring)
    return (west + east) / 2, (south + north) / 2


def _simplified(arc: list[Point]) -> list[Point]:
    closed = arc[0] == arc[-1]
    least = 7 if closed else 2
    before = [number - 1 for number in range(len(arc))]
    after = [number + 1 for number in range(len(arc))]
    left = set(range(len(arc)))

    def triangle(number: int) -> float:
        (ax, ay), (bx, by), (cx, cy) = arc[before[number]], arc[number], arc[after[number]]
        return abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2 * math.cos(math.radians(by))

    sizes = {number: triangle(number) for number in range(1, len(arc) - 1)}
    heap = [(size, number) for number, size in sizes.items()]
    heapq.heapify(heap)
    while heap and len(left) > least:
        size, number = heapq.heappop(heap)
        if size >= SMALLEST_TRIANGLE:
            break
        if number not in left or size != sizes[number]:
            continue
        left.discard(number)
        after[before[number]], before[after[number]] = after[number], before[number]
        for neighbour in (before[number], after[number]):
            if neighbour in sizes:
                # Never smaller than what is gone already, so that a point does not go before one that it followed.
                sizes[neighbour] = max(size, triangle(neighbour))
                heapq.heappush(heap, (sizes[neighbour], neighbour))
    return [arc[number] for number in sorted(left)]


def _grid(point: Point) -> list[int]:
    return [round((point[0] + 180) / GRID_DEGREES), round((point[1] + 90) / GRID_DEGREES)]


def _on_grid(arc: list[Point]) -> list[Point]:
    found: list[Point] = []
    for point in arc:
        x, y = _grid(point)
        snapped = (x * GRID_DEGREES - 180, y * GRID_DEGREES - 90)
        if not found or snapped != found[-1]:
            found.append(snapped)
    return found if len(found) > 1 else found * 2


def _survives(polygon: list[list[int]], arcs: list[list[Point]], simple: list[list[Point]]) -> bool:
    before, after = _area(_ring(polygon[0], arcs)), _area(_ring(polygon[0], simple))
    return before * after > 0 and abs(after) >= SMALLEST_POLYGON


def _rings(polygon: list[list[int]], arcs: list[list[Point]], simple: list[list[Point]]) -> list[list[int]]:
    return [polygon[0], *(ring for ring in polygon[1:] if _survives([ring], arcs, simple))]


def _renumbered(arc: int, used: dict[int, int]) -> int:
    number = used.setdefault(arc if arc >= 0 else ~arc, len(used))
    return number if arc >= 0 else ~number


def _deltas(arc: list[Point]) -> list[list[int]]:
    found, (x, y) = [], (0, 0)
    for point in arc:
        px, py = _grid(point)
        found.append([px - x, py - y])
        x, y = px, py
    return found


if __name__ == "__main__":
    main()
