"""Regions: what a kWh of electricity, or a model's 1,000 queries, mean in each zone.

Zones without data of their own have no figure here. The page begins with one choice, written at build; its script
makes any other from the same data. Energies of models are those of data/measured.js, which the calculator brings.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from scorekit import impacts
from scorekit.publish.charts import figure, world_chart, zones_chart
from scorekit.publish.charts.subjects import zone_impacts
from scorekit.publish.charts.world import codes as map_codes
from scorekit.publish.charts.zone_impacts import CAUTIONED, FIRST_ZONES
from scorekit.publish.site import amounts, figures, impact_data
from scorekit.publish.site.content import Site
from scorekit.publish.site.figures import Told
from scorekit.publish.site.pages import CHART_SCRIPTS, CHART_STYLES, Build, File, Page
from scorekit.publish.site.pages.calculator import MEASURED_PATH, ordered_zones

PATH: Final = "regions.html"
FIRST_IMPACT: Final = impacts.KINDS[0]
BARS_ID: Final = "regions-bars"
MAP_ID: Final = "regions-map"
_TITLE: Final = "Regions"
_DESCRIPTION: Final = "Greenhouse gases, primary energy, elements and water of a kWh of electricity in each country."
_HARDWARE: Final = "none: it is the electricity's"
_UNCERTAINTY: Final = "not told by the edition"
_SHORT: Final = {"gwp": "GWP", "pe": "PE", "adpe": "ADPe", "water": "water"}


def pages(site: Site, _build: Build) -> Iterator[Page | File]:
    """The page."""
    found = impact_data.read()
    if found.mix is None or found.data is None:
        yield Page(PATH, _TITLE, "regions.html", "regions", {"why_none": found, "data": None}, _DESCRIPTION)
        return
    data = found.data
    mix = found.mix
    kinds = [kind | {"short": _SHORT[kind["name"]]} for kind in data["impacts"]]
    installed = impacts.find_mix(mix["name"])
    drawn = {"impact": FIRST_IMPACT.title, "unit": FIRST_IMPACT.unit}
    yield Page(
        PATH,
        _TITLE,
        "regions.html",
        "regions",
        {
            "data": data,
            "mix": mix,
            "kinds": kinds,
            "shown": impact_data.SHOWN,
            "chosen": FIRST_IMPACT,
            "rows": zone_rows(mix, kinds),
            "bars": figure(zones_chart(zone_impacts(installed, FIRST_IMPACT, FIRST_ZONES), **drawn), BARS_ID),
            "map": figure(world_chart(zone_impacts(installed, FIRST_IMPACT), **drawn), MAP_ID),
            "counts": counts(mix, kinds),
            "off_map": off_map(mix),
            "cautions": cautions(mix),
            "models": len(site.entries),
            "words": {
                "world": data["world"],
                "kinds": kinds,
                "mixes": [_for_script(one) for one in data["mixes"]],
                "shown": {
                    name: {"unit": one.unit, "per_unit": one.per_unit} for name, one in impact_data.SHOWN.items()
                },
                "origins": {k: {"sign": sign, "meaning": meaning} for k, (sign, meaning) in figures.ORIGINS.items()},
                "first_impact": FIRST_IMPACT.name,
                "first_bars": FIRST_ZONES,
                "cautioned": CAUTIONED,
                "bars_id": BARS_ID,
                "map_id": MAP_ID,
                "map_zones": len(map_codes()),
                "off_map": sorted({zone["code"] for one in data["mixes"] for zone in one["zones"]} - map_codes()),
                "hardware": _HARDWARE,
                "uncertainty": _UNCERTAINTY,
                "measured_path": MEASURED_PATH,
                "models": len(site.entries),
            },
        },
        _DESCRIPTION,
        scripts=(
            *CHART_SCRIPTS,
            "assets/amounts.js",
            "assets/elements.js",
            "assets/measured.js",
            "assets/told.js",
            "assets/zone-charts.js",
            "assets/regions.js",
        ),
        styles=(*CHART_STYLES, "assets/calculator.css", "assets/regions.css"),
    )


def zone_rows(mix: dict[str, Any], kinds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The table's rows: factors per kWh in the page's units, each with its source; None without own data."""
    return [
        {
            "code": zone["code"],
            "name": zone["name"],
            "cells": [
                {
                    "text": factor_text(zone, kind["name"]),
                    "told": told(mix, zone["caution"] if kind["name"] in CAUTIONED else None),
                }
                for kind in kinds
            ],
        }
        for zone in ordered_zones(mix["zones"])
    ]


def factor_text(zone: dict[str, Any], impact: str) -> str | None:
    """A zone's factor in the unit that the page shows, without it; None without own data."""
    factor = zone[impact]
    return None if factor is None else amounts.number(factor * impact_data.SHOWN[impact].per_unit)


def counts(mix: dict[str, Any], kinds: list[dict[str, Any]]) -> list[str]:
    """How many zones have data of their own, by impact."""
    zones = mix["zones"]
    return [
        f"{sum(zone[kind['name']] is not None for zone in zones)} of {len(zones)} zones for {kind['short']}"
        for kind in kinds
    ]


def off_map(mix: dict[str, Any]) -> str:
    """Which zones the map does not show, in a sentence; empty where it shows all."""
    names = [zone["name"] for zone in ordered_zones(mix["zones"]) if zone["code"] not in map_codes()]
    if not names:
        return ""
    stand = "1 zone is no country and stands" if len(names) == 1 else f"{len(names)} zones are no countries and stand"
    return f"{stand} in this table only, not on the map: {', '.join(names)}."


def told(mix: dict[str, Any], caution: str | None = None) -> Told:
    """What is told of a factor."""
    return Told(
        source=mix["source"],
        edition=mix["name"],
        hardware=_HARDWARE,
        uncertainty=_UNCERTAINTY,
        origin="modelled",
        notes=() if caution is None else (f"caution: {caution}",),
    )


def cautions(mix: dict[str, Any]) -> list[str]:
    """What should be known before an edition's figures are used."""
    return [f"{zone['name']}: {zone['caution']}" for zone in mix["zones"] if zone["caution"]]


def _for_script(mix: dict[str, Any]) -> dict[str, Any]:
    return mix | {"zones": ordered_zones(mix["zones"])}
