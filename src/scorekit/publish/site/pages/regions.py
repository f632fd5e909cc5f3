"""Regions: what a kWh of electricity, or a model's 1,000 queries, mean in each zone.

Zones without data of their own have no figure here. The page begins with one choice, written at build; its script
makes any other from the same data. Energies of models are those of data/measured.js, which the calculator brings.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from scorekit.publish.charts import ZoneImpact, figure, world_chart, zones_chart
from scorekit.publish.charts.world import codes as map_codes
from scorekit.publish.site import amounts, figures, impacts
from scorekit.publish.site.content import Site
from scorekit.publish.site.figures import Told
from scorekit.publish.site.pages import CHART_SCRIPTS, CHART_STYLES, Build, File, Page
from scorekit.publish.site.pages.calculator import MEASURED_PATH, ordered_zones

PATH: Final = "regions.html"
FIRST_IMPACT: Final = "gwp"
FIRST_BARS: Final = ("WOR", "EEE", "BRA", "CHN", "DEU", "FRA", "GBR", "IND", "JPN", "POL", "USA", "ZAF")
BARS_ID: Final = "regions-bars"
MAP_ID: Final = "regions-map"
_TITLE: Final = "Regions"
_DESCRIPTION: Final = "Greenhouse gases, primary energy, elements and water of a kWh of electricity in each country."
_HARDWARE: Final = "none: it is the electricity's"
_UNCERTAINTY: Final = "not told by the edition"
_CAUTIONED: Final = ("pe", "adpe")
"""Impacts whose factors a zone's caution is about."""
_SHORT: Final = {"gwp": "GWP", "pe": "PE", "adpe": "ADPe", "water": "water"}


def pages(site: Site, _build: Build) -> Iterator[Page | File]:
    """The page."""
    found = impacts.read()
    if found.mix is None or found.data is None:
        yield Page(PATH, _TITLE, "regions.html", "regions", {"why_none": found, "data": None}, _DESCRIPTION)
        return
    data = found.data
    mix = found.mix
    kinds = [kind | {"short": _SHORT[kind["name"]]} for kind in data["impacts"]]
    chosen = next(kind for kind in kinds if kind["name"] == FIRST_IMPACT)
    yield Page(
        PATH,
        _TITLE,
        "regions.html",
        "regions",
        {
            "data": data,
            "mix": mix,
            "kinds": kinds,
            "shown": impacts.SHOWN,
            "chosen": chosen,
            "rows": zone_rows(mix, kinds),
            "bars": figure(
                zones_chart(zone_impacts(mix, chosen, FIRST_BARS), impact=chosen["title"], unit=chosen["unit"]),
                BARS_ID,
            ),
            "map": figure(world_chart(zone_impacts(mix, chosen), impact=chosen["title"], unit=chosen["unit"]), MAP_ID),
            "counts": counts(mix, kinds),
            "told": told(mix),
            "cautions": cautions(mix),
            "models": len(site.entries),
            "words": {
                "world": data["world"],
                "kinds": kinds,
                "mixes": [_for_script(one) for one in data["mixes"]],
                "shown": {name: {"unit": each.unit, "per_unit": each.per_unit} for name, each in impacts.SHOWN.items()},
                "origins": {k: {"sign": sign, "meaning": meaning} for k, (sign, meaning) in figures.ORIGINS.items()},
                "first_impact": FIRST_IMPACT,
                "first_bars": FIRST_BARS,
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
            "assets/measured.js",
            "assets/told.js",
            "assets/zone-charts.js",
            "assets/regions.js",
        ),
        styles=(*CHART_STYLES, "assets/calculator.css", "assets/regions.css"),
    )


def zone_rows(mix: dict[str, Any], kinds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The table's rows: factors per kWh in the units that the page shows; None without own data.

    Of the impact that the page begins with, and wherever there is a caution, each tells its source beside it.
    """
    return [
        {
            "code": zone["code"],
            "name": zone["name"],
            "cells": [{"text": factor_text(zone, kind["name"]), "told": _told_in(mix, zone, kind)} for kind in kinds],
        }
        for zone in ordered_zones(mix["zones"])
    ]


def _told_in(mix: dict[str, Any], zone: dict[str, Any], kind: dict[str, Any]) -> Told | None:
    caution = zone["caution"] if kind["name"] in _CAUTIONED else None
    return told(mix, caution) if caution or kind["name"] == FIRST_IMPACT else None


def factor_text(zone: dict[str, Any], impact: str) -> str | None:
    """A zone's factor in the unit that the page shows, without it; None without own data."""
    factor = zone[impact]
    return None if factor is None else amounts.number(factor * impacts.SHOWN[impact].per_unit)


def zone_impacts(
    mix: dict[str, Any], kind: dict[str, Any], codes: tuple[str, ...] | None = None, *, kwh: float = 1.0
) -> list[ZoneImpact]:
    """An impact of an energy in some zones, or in all, as charts take it.

    Args:
        mix: the edition.
        kind: of the impact.
        codes: of the zones; None for all.
        kwh: the energy.
    """
    name = kind["name"]
    return [
        ZoneImpact(
            code=zone["code"],
            zone=zone["name"],
            value=None if zone[name] is None else zone[name] * kwh,
            why_none=zone["why_none"].get(name),
            caution=zone["caution"] if name in _CAUTIONED else None,
        )
        for zone in mix["zones"]
        if codes is None or zone["code"] in codes
    ]


def counts(mix: dict[str, Any], kinds: list[dict[str, Any]]) -> list[str]:
    """How many zones have data of their own, by impact."""
    zones = mix["zones"]
    return [
        f"{sum(zone[kind['name']] is not None for zone in zones)} of {len(zones)} zones for {kind['short']}"
        for kind in kinds
    ]


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
