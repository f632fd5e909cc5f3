"""Calculator: what an answer of a model takes, and what that means in a country, by a named edition of a method.

The page works everything out itself, from data/impact.js and data/measured.js. The case that it begins with is also
written at build, by scorekit.impacts, for readers without JavaScript; both are the same in every letter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from scorekit import impacts
from scorekit.impacts.formula import work_between
from scorekit.publish.site import amounts, calculation_view, figures, impact_data, measured_energies
from scorekit.publish.site.content import Site
from scorekit.publish.site.pages import Build, File, Page, script_data

PATH: Final = "calculator.html"
MEASURED_PATH: Final = "data/measured.js"
_TITLE: Final = "Calculator"
_DESCRIPTION: Final = "Energy, greenhouse gases, primary energy, elements and water of an answer of a model."
_BECAUSE: Final = {
    "modelled": "a formula from the model's published size",
    "estimated": "a formula from a guess of the model's size, which its maker has not published",
}
_MEASURED_TITLE: Final = "measured on this site"
_ZONES_FIRST: Final = (impacts.WORLD, "EEE")
_WANTED_MODELS: Final = ("openai/gpt-4o",)
_WANTED_ZONES: Final = ("USA", impacts.WORLD)
_WANTED_TEXT: Final = "small_conversation"


class Case(NamedTuple):
    """What the page begins with: names of a method, model, text and zone."""

    method: str
    model: str
    text: str
    zone: str


def pages(site: Site, _build: Build) -> Iterator[Page | File]:
    """The page with its data."""
    found = impact_data.read()
    if found.mix is None or found.data is None:
        yield Page(PATH, _TITLE, "calculator.html", "calculator", {"why_none": found, "data": None}, _DESCRIPTION)
        return
    data = found.data
    case = first_case(data)
    measured = measured_energies.rows(site.entries)
    yield found.file()
    yield script_data("measured", measured, MEASURED_PATH)
    yield Page(
        PATH,
        _TITLE,
        "calculator.html",
        "calculator",
        {
            "data": data,
            "case": case,
            "view": {**case_view(case), "others": others(case)},
            "models": _by_provider(data["methods"][0]["models"]),
            "zones": ordered_zones(found.mix["zones"]),
            "measured": len(measured["rows"]),
            "words": {
                **words(),
                "case": case._asdict(),
                "measured_path": MEASURED_PATH,
                "measured": len(measured["rows"]),
            },
        },
        _DESCRIPTION,
        scripts=(
            impact_data.DATA_PATH,
            "assets/amounts.js",
            "assets/elements.js",
            "assets/impact.js",
            "assets/calculation-view.js",
            "assets/measured.js",
            "assets/told.js",
            "assets/calculator.js",
        ),
        styles=("assets/calculator.css",),
    )


def first_case(data: dict[str, Any]) -> Case:
    """The case that the page begins with, of what there is."""
    method = data["methods"][0]
    mix = next(mix for mix in data["mixes"] if mix["name"] == method["mix"])
    models = [f"{model['provider']}/{model['name']}" for model in method["models"]]
    zones = [zone["code"] for zone in mix["zones"]]
    texts = [text["name"] for text in data["texts"]]
    return Case(
        method["name"], _first(_WANTED_MODELS, models), _first((_WANTED_TEXT,), texts), _first(_WANTED_ZONES, zones)
    )


def case_view(case: Case, count: int = 1) -> calculation_view.View:
    """A case as the page shows it, worked out by scorekit.impacts."""
    method = impacts.find_method(case.method)
    model = impacts.find_model(method.models, case.model, method.name)
    text = impacts.find_text(case.text)
    return modelled_view(method, model, text.tokens, f"{text.title} ({told_tokens(text.tokens)})", case.zone, count)


def others(case: Case) -> list[dict[str, str]]:
    """What the other methods make of the same answer, each by its title."""
    found = []
    for name in impacts.method_names():
        if name in (case.method, impacts.MEASURED):
            continue
        method = impacts.find_method(name)
        provider, _, model_name = case.model.partition("/")
        model = next((each for each in method.models if (each.provider, each.name) == (provider, model_name)), None)
        if model is None:
            continue
        mix = impacts.find_mix(method.mix)
        energy = impacts.calculate(model, method, impacts.find_text(case.text).tokens, mix.zones[0], mix).footprint
        told = amounts.amount(energy.energy_wh, "Wh", method.energy_digits or amounts.DIGITS)
        found.append({"title": method.title, "text": told})
    return found


def modelled_view(
    method: impacts.Method, model: impacts.SizedModel, tokens: int, what: str, zone: str, count: int = 1
) -> calculation_view.View:
    """An answer of a model as the page shows it."""
    mix = impacts.find_mix(method.mix)
    low, high = work_between(
        method.coefficients,
        active_billion=model.active_billion,
        total_billion=model.total_billion,
        tokens=tokens,
        speed=model.speed,
    )
    gpus = amounts.plain_range(impacts.Range(low=low.gpu_count, high=high.gpu_count))
    return calculation_view.view(
        impacts.calculate(model, method, tokens, impacts.find_zone(mix, zone), mix),
        method_title=method.title,
        hardware=f"{gpus} GPU(s) of {amounts.plain(method.coefficients.gpu_memory_gb)} GB, as the method takes it",
        count=count,
        what=what,
    )


def told_tokens(tokens: int) -> str:
    """A length in words."""
    return f"{tokens:,} output token" + ("" if tokens == 1 else "s")


def words() -> dict[str, Any]:
    """What the page's scripts need of the words that are written here."""
    return {
        "terms": calculation_view.TERMS,
        "because": _BECAUSE,
        "measured_title": _MEASURED_TITLE,
        "no_uncertainty": calculation_view.NO_UNCERTAINTY,
        "uncertainty_modelled": calculation_view.BECAUSE_MODELLED,
        "uncertainty_measured": calculation_view.BECAUSE_MEASURED,
        "lamp_w": calculation_view.LAMP_W,
        "yardsticks": calculation_view.YARDSTICKS,
        "origins": {name: {"sign": sign, "meaning": meaning} for name, (sign, meaning) in figures.ORIGINS.items()},
        "zones_first": _ZONES_FIRST,
        "wanted_models": _WANTED_MODELS,
        "wanted_zones": _WANTED_ZONES,
    }


def ordered_zones(zones: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The world and the European Economic Area first, then countries by name."""
    first = [zone for code in _ZONES_FIRST for zone in zones if zone["code"] == code]
    return first + sorted((zone for zone in zones if zone not in first), key=lambda zone: zone["name"])


def _by_provider(models: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for model in models:
        found.setdefault(model["provider"], []).append(model)
    return found


def _first(wanted: tuple[str, ...], there: list[str]) -> str:
    return next((name for name in wanted if name in there), there[0])
