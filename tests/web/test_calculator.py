"""The calculator in a real browser: its arithmetic against every vector, its words against those written at build."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from scorekit import impacts
from scorekit.impacts import Range
from scorekit.publish.site import amounts, calculation_view, measured_energies
from scorekit.publish.site.pages import calculator
from tests.golden.impact import make
from tests.web.conftest import WIDTHS_PX
from tests.web.impact_site import HOSTILE, impact_site

VECTORS: dict[str, Any] = json.loads(make.PATH.read_text(encoding="utf-8"))
REL = VECTORS["relative_difference"]
PATH = "calculator.html"
_FIND = """
function named(list, name) { return list.filter(function (each) { return each.name === name; })[0]; }
function zoneOf(mix, code) { return mix.zones.filter(function (each) { return each.code === code; })[0]; }
var page = scorekit.data.impact;
"""
_CALCULATE = (
    "vector => {"
    + _FIND
    + """
    var method = named(page.methods, vector.method);
    var mix = named(page.mixes, vector.mix);
    var model = method.models.filter(each => each.provider === vector.provider && each.name === vector.model)[0];
    var found = scorekit.impact.calculate(page, method, model, vector.tokens, zoneOf(mix, vector.zone), mix);
    var words = scorekit.read('calculator-words');
    var view = scorekit.calculationView.modelled(page, words, found, method, model, vector.count || 1, 'what');
    return {found: found, view: view};
    }"""
)
_FOOTPRINT = (
    "vector => {"
    + _FIND
    + """
    var mix = named(page.mixes, vector.mix);
    var terms = [{name: 'given', energy_wh: {low: vector.energy_wh, high: vector.energy_wh}, origin: 'given'}];
    return scorekit.impact.footprint(page, terms, zoneOf(mix, vector.zone), mix,
      {pue: null, site_water_l_per_kwh: null, energy_digits: null});
    }"""
)
_MEASURED = (
    "asked => {"
    + _FIND
    + """
    var mix = named(page.mixes, asked.mix);
    var row = scorekit.measured.rows().filter(each => each.id === asked.id)[0];
    var found = scorekit.impact.measured(page, row, asked.tokens, zoneOf(mix, asked.zone), mix, asked.pue);
    var words = scorekit.read('calculator-words');
    return scorekit.calculationView.measured(page, words, found, row, asked.count, 'what', asked.tokens !== null);
    }"""
)
Visiting = Callable[..., Any]


@pytest.fixture(scope="session")
def folder(built_site: Callable[..., Path]) -> Path:
    """A site with measured energies of each kind."""
    return built_site(impact_site(), "impacts")


def _ready(seen: Any, fragment: str = "") -> Page:
    page: Page = seen.open(PATH, fragment)
    page.wait_for_selector("#calculator:not([hidden])")
    return page


def _pair(value: dict[str, float] | None) -> list[float] | None:
    return None if value is None else [value["low"], value["high"]]


def _same(found: list[float] | None, expected: list[float] | None) -> bool:
    if found is None or expected is None:
        return found is expected is None
    return found == pytest.approx(expected, rel=REL)


# Arithmetic


def test_the_page_comes_to_every_vector(folder: Path, visit: Visiting) -> None:
    with visit(folder) as seen:
        page = _ready(seen)
        assert len(VECTORS["calculations"]) >= 60
        for vector in VECTORS["calculations"]:
            found = page.evaluate(_CALCULATE, vector)["found"]
            place = f"{vector['method']} {vector['model']} {vector['tokens']} {vector['zone']}"
            assert found["origin"] == vector["origin"], place
            here = found["footprint"]
            assert {term["name"] for term in here["terms"]} == set(vector["terms_wh"])
            for term in here["terms"]:
                assert _same(_pair(term["energy_wh"]), vector["terms_wh"][term["name"]]), place
            assert _same(_pair(here["energy_wh"]), vector["energy_wh"]), place
            assert {figure["name"] for figure in here["figures"]} == set(vector["impacts"])
            for figure in here["figures"]:
                assert _same(_pair(figure["value"]), vector["impacts"][figure["name"]]), place
            assert {each["name"] for each in found["making"]} == set(vector["making"])
            for each in found["making"]:
                assert _same(_pair(each["value"]), vector["making"][each["name"]]), place
        assert len(VECTORS["footprints"]) >= 9
        for vector in VECTORS["footprints"]:
            for figure in page.evaluate(_FOOTPRINT, vector)["figures"]:
                assert _same(_pair(figure["value"]), vector["impacts"][figure["name"]])
                assert _same(_pair(figure["with_world_factor"]), vector["with_world_factor"][figure["name"]])


def test_the_page_says_what_the_build_says(folder: Path, visit: Visiting) -> None:
    with visit(folder) as seen:
        page = _ready(seen)
        for number, vector in enumerate(VECTORS["calculations"]):
            count = 1 if number % 2 else 30
            method = impacts.find_method(vector["method"])
            model = impacts.find_model(method.models, f"{vector['provider']}/{vector['model']}", method.name)
            expected = calculator.modelled_view(method, model, vector["tokens"], "what", vector["zone"], count)
            if vector["mix"] == method.mix:
                assert page.evaluate(_CALCULATE, {**vector, "count": count})["view"] == expected


def test_measured_energies_are_those_of_the_command(folder: Path, visit: Visiting) -> None:
    mix = impacts.find_mix()
    with visit(folder) as seen:
        page = _ready(seen, "method=measured")
        page.wait_for_function("() => scorekit.measured.rows()")
        for entry in impact_site().entries:
            for code, tokens, pue in (("FRA", None, None), ("EEE", 400, 1.2), ("ZMB", 5000, None)):
                if tokens is not None and (entry.result is None or entry.result.output_tokens is None):
                    tokens = None
                zone = impacts.find_zone(mix, code)
                found = measured_energies.calculation(entry, zone, mix, tokens=tokens, pue=pue)
                expected = calculation_view.view(
                    found,
                    method_title=calculator.words()["measured_title"],
                    hardware=entry.hardware,
                    what="what",
                    count=7,
                    edition=measured_energies.edition_of(entry),
                )
                expected["model"] = page.evaluate(
                    "id => scorekit.measured.rows().filter(each => each.id === id)[0].model", entry.id
                )
                asked = {"id": entry.id, "mix": mix.name, "zone": code, "tokens": tokens, "pue": pue, "count": 7}
                assert page.evaluate(_MEASURED, asked) == expected


def test_numbers_are_written_alike(folder: Path, visit: Visiting) -> None:
    draw = random.Random(7)
    values = [draw.uniform(1, 10) * 10 ** draw.randint(-12, 14) for _ in range(2000)]
    # Exact halves, whose last digit must be even, and values that round up to the next power of ten.
    values += [n + 0.5 for n in range(1000, 1100)] + [n / 8 for n in range(1, 400)] + [float(n) for n in range(1, 300)]
    values += [99995.0, 999.95, 9.9995, 0.00099995, 1e9, 123456785.0, 1.0005e9, 2.5e-5, 1e22]
    with visit(folder) as seen:
        page = _ready(seen)
        for digits in (2, 3, 4):
            found = page.evaluate(
                "([values, digits]) => values.map(value => scorekit.amounts.number(value, digits))", [values, digits]
            )
            assert found == [amounts.number(value, digits) for value in values]
        found = page.evaluate("values => values.map(value => scorekit.amounts.rounded(value, 3))", values)
        assert found == [float(f"{value:.2e}") for value in values]
        found = page.evaluate(
            "values => values.map(low => scorekit.amounts.duration({low: low, high: 2 * low}))", values
        )
        assert found == [amounts.duration(Range(low=value, high=2 * value)) for value in values]
        assert all(math.isfinite(value) for value in values)


# The page


def test_what_stands_at_build_is_what_the_script_shows(folder: Path, visit: Visiting) -> None:
    with visit(folder, scripts=False) as seen:
        page = seen.open(PATH)
        assert not page.locator("#calculator").is_visible()
        assert "scorekit calculate --model gpt-4o" in page.locator("noscript").inner_text()
        at_build = page.locator("#result").inner_text()
    with visit(folder) as seen:
        page = _ready(seen)
        assert page.locator("#result").inner_text() == at_build
        # Drawn by the script, not only left as it was.
        assert page.locator("#result-energy .figure-tip").get_attribute("id").startswith("told-")
        assert "estimated" in at_build
        tip = page.locator("#result-energy .figure-tip").text_content()
        assert tip is not None
        assert "Source ecologits" in tip


def test_the_study_has_its_six_zones_and_its_figures(folder: Path, visit: Visiting) -> None:
    with visit(folder) as seen:
        page = _ready(seen)
        page.get_by_role("radio", name="French study").check()
        assert page.locator("#zone option").evaluate_all("all => all.map(one => one.value)") == [
            "WOR", "EEE", "FRA", "ZAF", "ZMB", "ZWE",
        ]  # fmt: skip
        # The United States are not among them, which is said.
        assert "the zone USA" in page.locator("#result-hint").inner_text()
        page.locator("#zone").select_option("FRA")
        assert "35.0" in page.locator("#result-energy").inner_text()
        told = page.locator("#result-impacts").inner_text()
        for figure in ("2.803", "0.3260", "1.700"):
            assert figure in told
        assert "no own data" in told
        assert "method=ecologits-0.8" in page.url
        assert "zone=FRA" in page.url


def test_a_link_brings_its_case_back(folder: Path, visit: Visiting) -> None:
    with visit(folder) as seen:
        page = _ready(seen)
        page.locator("#model-filter").fill("claude")
        assert page.locator("#model-count").inner_text().endswith(" models")
        names = page.locator("#model option").all_inner_texts()
        # The one that is chosen stays.
        assert "gpt-4o" in names
        assert all("claude" in name for name in names if name != "gpt-4o")
        page.locator("#model").select_option(index=1)
        page.locator("#text").select_option("own")
        page.locator("#tokens").fill("1234")
        page.locator("#count").fill("20")
        page.locator("#zone").select_option("ZAF")
        assert "20 × an answer (1,234 output tokens)" in page.locator("#result-of").inner_text()  # noqa: RUF001
        shown, fragment = page.locator("#result").inner_text(), page.url.partition("#")[2]
        page = _ready(seen, fragment)
        page.reload()
        page.wait_for_selector("#calculator:not([hidden])")
        assert page.locator("#result").inner_text() == shown
        assert page.locator("#tokens").input_value() == "1234"


def test_a_link_that_names_what_is_not_there_is_answered(folder: Path, visit: Visiting) -> None:
    with visit(folder) as seen:
        page = _ready(seen, "method=ecologits-0.1&model=x/%3Cimg%20src%3Dx%3E&zone=XXX&text=novel&count=2")
        hint = page.locator("#result-hint").inner_text()
        for lost in ("ecologits-0.1", "<img src=x>", "XXX", "novel"):
            assert lost in hint
        assert "2 × a small conversation" in page.locator("#result-of").inner_text()  # noqa: RUF001 - as written


def test_measured_energy_says_what_it_is(folder: Path, visit: Visiting) -> None:
    with visit(folder) as seen:
        page = _ready(seen)
        assert page.evaluate("scorekit.measured.rows() === null")
        page.get_by_role("radio", name="Measured on this site").check()
        page.wait_for_function("() => scorekit.measured.rows() && !document.getElementById('pue-field').hidden")
        page.locator("#model").select_option(label="example/mixed-1b")
        assert page.locator("#text option:disabled").count() == 0
        told = page.locator("#result").inner_text()
        assert "mixed" in told
        assert "CPU" in told
        assert "the data centre's overhead is not counted" in told
        page.locator("#pue").fill("1.5")
        assert "× 1.5" in page.locator("#result-pue").inner_text()  # noqa: RUF001 - as written
        page.locator("#model").select_option(label="example/published-8b")
        # A published figure tells nothing of tokens.
        assert page.locator("#text").input_value() == "query"
        assert page.locator("#text option:disabled").count() == 7
        assert "0.006750" in page.locator("#result-energy").inner_text()
        assert page.locator("#count-label").inner_text() == "How many queries"


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("count", "0", "from 1 to"),
        ("count", "1.5", "whole number"),
        ("count", "", "whole number"),
        ("pue", "0.5", "PUE"),
    ],
)
def test_a_number_that_cannot_be_is_refused(
    field: str, value: str, expected: str, folder: Path, visit: Visiting
) -> None:
    with visit(folder) as seen:
        page = _ready(seen, "method=measured")
        page.wait_for_function("() => scorekit.measured.rows() && !document.getElementById('pue-field').hidden")
        shown = page.locator("#result-energy").inner_text()
        page.locator(f"#{field}").fill(value)
        fault = page.locator("#calculator-fault")
        assert expected in fault.inner_text()
        assert fault.get_attribute("role") == "alert"
        assert page.locator("#result-energy").inner_text() == shown
        page.locator(f"#{field}").fill("2")
        assert not fault.is_visible()


def test_hostile_names_are_shown_and_not_run(folder: Path, visit: Visiting) -> None:
    with visit(folder, width_px=360) as seen:
        seen.page.on("dialog", lambda dialog: seen.complaints.append(f"dialog: {dialog.message}"))
        page = _ready(seen, "method=measured")
        page.wait_for_function("() => scorekit.measured.rows() && !document.getElementById('pue-field').hidden")
        row = page.evaluate("scorekit.measured.rows().filter(each => each.model.indexOf('onerror') >= 0)[0].id")
        page.locator("#model").select_option(row)
        assert HOSTILE[:20] in page.locator("#result-of bdi").inner_text()
        assert page.locator("main img").count() == 0
        assert seen.overflow_px() <= 0


def test_the_keyboard_alone_is_enough(folder: Path, visit: Visiting) -> None:
    with visit(folder) as seen:
        page = _ready(seen)
        page.locator("input[name=method]:checked").focus()
        page.keyboard.press("ArrowDown")
        assert "35.0" in page.locator("#result-energy").inner_text()
        order = []
        for _ in range(6):
            page.keyboard.press("Tab")
            order.append(page.evaluate("document.activeElement.id"))
        assert order == ["model-filter", "model", "text", "count", "zone", "copy-link"]
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.getElementById('copied').textContent !== ''")
        assert "ink" in page.locator("#copied").inner_text()
        assert "method=ecologits-0.8" in page.url
        live = page.locator("#result-live")
        assert live.get_attribute("aria-live") == "polite"
        assert "35.0" in live.inner_text()


@pytest.mark.parametrize(
    ("scheme", "fragment"), [("light", "method=ecologits-0.8&count=x"), ("dark", "method=measured")]
)
def test_the_calculator_keeps_to_wcag(
    scheme: str, fragment: str, folder: Path, visit: Visiting, axe: Callable[[Page], list[str]]
) -> None:
    with visit(folder, scheme=scheme) as seen:
        page = _ready(seen, fragment)
        page.wait_for_function("() => !document.getElementById('result-hint').textContent.startsWith('Loading')")
        assert axe(page) == []


@pytest.mark.parametrize("width", WIDTHS_PX)
def test_nothing_is_wider_than_the_window(width: str, folder: Path, visit: Visiting) -> None:
    with visit(folder, width_px=WIDTHS_PX[width]) as seen:
        page = _ready(seen)
        assert seen.overflow_px() <= 0
        page.locator("#result-impacts .figure-value").first.focus()
        box = page.locator("#result-impacts .figure-tip").first.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= WIDTHS_PX[width]
