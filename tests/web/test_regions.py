"""Regions in a real browser: charts as the build would make them, a table that sorts and filters, and its links."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from scorekit import impacts
from scorekit.publish.charts import world_chart, zones_chart
from scorekit.publish.charts.figure import payload
from scorekit.publish.charts.subjects import zone_impacts
from scorekit.publish.charts.zone_impacts import FIRST_ZONES
from scorekit.publish.site import impact_data, measured_energies
from tests.web.conftest import WIDTHS_PX
from tests.web.impact_site import HOSTILE, impact_site

PATH = "regions.html"
DRAWN = "figure#regions-{0}[data-drawn]"
_CHART = """([name, choice]) => scorekit.zoneCharts[name](
    scorekit.charts.get(document.getElementById("regions-" + name)), choice)"""
Visiting = Callable[..., Any]


@pytest.fixture(scope="session")
def folder(built_site: Callable[..., Path]) -> Path:
    """A site with measured energies of each kind."""
    return built_site(impact_site(), "impacts")


def _ready(seen: Any, fragment: str = "", *, draws: bool = False) -> Page:
    """The page when its script has run; charts are drawn only where a test looks at them, for Vega takes its time."""
    if not draws:
        seen.page.add_init_script("window.IntersectionObserver = class { observe() {} unobserve() {} };")
    page: Page = seen.open(PATH, fragment)
    page.wait_for_selector("#regions:not([hidden])")
    if "unit=model" in fragment:
        page.wait_for_selector("#regions-energy:not([hidden])")
    return page


def _payload(page: Page, name: str) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(
        "name => scorekit.charts.get(document.getElementById('regions-' + name))", name
    )
    return found


def _column(page: Page, number: int) -> list[str]:
    texts: list[str] = page.locator("#zones tbody tr").evaluate_all(
        "(rows, number) => rows.map(row => (row.children[number].querySelector('.figure-value') || "
        "row.children[number]).lastChild.textContent)",
        number,
    )
    return texts


# Charts


def test_the_pages_charts_are_those_of_the_build(folder: Path, visit: Visiting) -> None:
    data = impact_data.read().data
    assert data is not None
    entry = next(each for each in impact_site().entries if each.model == "example/published-8b")
    energies = ((1000.0, "1 kWh of electricity"), (entry.wh_per_1000_queries, "1,000 queries of x"))
    with visit(folder) as seen:
        page = _ready(seen)
        words = page.evaluate("scorekit.read('regions-words')")
        compared = 0
        for mix, kind, (energy_wh, of) in itertools.product(data["mixes"], impacts.KINDS, energies):
            if all(zone[kind.name] is None for zone in mix["zones"]):
                continue
            told = {"impact": kind.title, "unit": kind.unit, "of": of}
            for name, codes, chart in (("bars", FIRST_ZONES, zones_chart), ("map", None, world_chart)):
                chosen = zone_impacts(impacts.find_mix(mix["name"]), kind, codes, energy_wh=energy_wh)
                choice = {
                    "impacts": [
                        {"code": z.code, "zone": z.zone, "value": z.value, "why": z.why_none, "caution": z.caution}
                        for z in chosen
                    ],
                    "title": kind.title, "unit": kind.unit, "of": of,
                    "offMap": words["off_map"], "mapZones": words["map_zones"],
                }  # fmt: skip
                assert page.evaluate(_CHART, [name, choice]) == payload(chart(chosen, **told))
                compared += 1
        assert compared >= 36


def test_a_choice_reaches_the_charts(folder: Path, visit: Visiting) -> None:
    entry = next(each for each in impact_site().entries if each.model == "example/published-8b")
    mix = impacts.find_mix()
    kind = next(one for one in impacts.KINDS if one.name == "pe")
    with visit(folder) as seen:
        page = _ready(seen, f"impact=pe&unit=model&model={entry.id}&zones=FRA,ZAF")
        told = {"impact": kind.title, "unit": kind.unit, "of": measured_energies.queries_of(entry.model)}
        some = zone_impacts(mix, kind, ("FRA", "ZAF"), energy_wh=entry.wh_per_1000_queries)
        every = zone_impacts(mix, kind, energy_wh=entry.wh_per_1000_queries)
        assert _payload(page, "bars") == payload(zones_chart(some, **told))
        assert _payload(page, "map") == payload(world_chart(every, **told))
        assert page.locator("#regions-map .chart-title").inner_text() == _payload(page, "map")["title"]
        assert page.locator("#regions-bars .chart-table tbody tr").count() == 2
        assert "example/published-8b" in page.locator("#regions-bars .chart-tools button").first.get_attribute(
            "aria-label"
        )


def test_zones_without_own_data_are_hatched_and_never_coloured(folder: Path, visit: Visiting) -> None:
    with visit(folder) as seen:
        page = _ready(seen, "impact=water", draws=True)
        page.locator("#regions-map").scroll_into_view_if_needed()
        page.wait_for_selector(DRAWN.format("map"))
        fills = page.locator("#regions-map svg path[fill]").evaluate_all(
            "paths => paths.map(path => path.getAttribute('fill'))"
        )
        hatched = sum(fill == "url(#scorekit-hatch)" for fill in fills)
        without = int(_payload(page, "map")["subtitle"].split("the other ")[1].split(" ")[0])
        # One more in the legend; countries too small to be seen have a dot of their own beside their shape.
        assert hatched > without > 150
        assert page.locator(".chart-patterns pattern#scorekit-hatch").count() == 1


def test_ticks_choose_the_bars(folder: Path, visit: Visiting) -> None:
    with visit(folder) as seen:
        page = _ready(seen, "zones=FRA")
        assert [row["zone"] for row in _payload(page, "bars")["spec"]["datasets"]["rows"]] == ["France"]
        page.locator("#find").fill("zambia")
        page.get_by_role("checkbox", name="Bar of Zambia").check()
        assert [row["zone"] for row in _payload(page, "bars")["spec"]["datasets"]["rows"]] == ["France", "Zambia"]
        assert "zones=FRA%2CZMB" in page.url
        page.get_by_role("checkbox", name="Bar of Zambia").uncheck()
        page.locator("#find").fill("FRA")
        page.get_by_role("checkbox", name="Bar of France", exact=True).uncheck()
        assert "No zone is ticked" in page.locator("#regions-none").inner_text()
        assert not page.locator("#regions-bars").is_visible()
        assert "zones=none" in page.url


def test_an_edition_without_an_impact_draws_nothing_and_says_so(folder: Path, visit: Visiting) -> None:
    with visit(folder) as seen:
        page = _ready(seen, "mix=ai-energy-score")
        assert "has no factor of global warming potential" in page.locator("#regions-none").inner_text()
        assert not page.locator("#regions-map").is_visible()
        page.get_by_role("radio", name="Primary energy").check()
        assert page.locator("#regions-map").is_visible()
        assert page.locator("#zones tbody tr").count() == 5
        assert "2025" in page.locator("#regions-version").inner_text()


# The table


def test_what_stands_at_build_is_what_the_script_shows(folder: Path, visit: Visiting) -> None:
    with visit(folder, scripts=False) as seen:
        page = seen.open(PATH)
        assert not page.locator("#regions").is_visible()
        heads = page.locator("#zones thead th:not(.tick)").all_inner_texts()
        at_build = [_column(page, number) for number in range(5)]
        tips = page.locator("#zones .figure-tip").first.text_content()
    with visit(folder) as seen:
        page = _ready(seen)
        assert [_column(page, number + 1) for number in range(5)] == at_build
        assert [text.split("\n")[0] for text in page.locator("#zones thead th:not(.tick)").all_inner_texts()] == [
            text.split("\n")[0] for text in heads
        ]
        assert page.locator("#zones .figure-tip").first.text_content() == tips
        assert len(at_build[0]) == len((impact_data.read().mix or {})["zones"])


def test_columns_sort_with_what_is_not_known_last(folder: Path, visit: Visiting) -> None:
    with visit(folder) as seen:
        page = _ready(seen)
        head = page.locator("#zones th[data-sort=water]")
        for direction in ("descending", "ascending"):
            head.get_by_role("button").click()
            assert head.get_attribute("aria-sort") == direction
            texts = _column(page, 5)
            known = [float(text.replace(",", "")) for text in texts if text != "none"]
            assert known == sorted(known, reverse=direction == "descending")
            assert set(texts[len(known) :]) == {"none"}
            assert len(known) > 40
        name = page.locator("#zones th[data-sort=name]")
        name.get_by_role("button").press("Enter")
        assert name.get_attribute("aria-sort") == "ascending"
        assert head.get_attribute("aria-sort") == "none"
        names = page.locator("#zones tbody th bdi").all_inner_texts()
        assert names == sorted(names)


def test_rows_are_found_and_counted(folder: Path, visit: Visiting) -> None:
    with visit(folder) as seen:
        page = _ready(seen)
        count = page.locator("#zones-count")
        assert count.get_attribute("role") == "status"
        page.locator("#find").fill("united")
        assert count.inner_text().startswith(f"{page.locator('#zones tbody tr').count()} of ")
        page.locator("#find").fill("")
        page.get_by_role("radio", name="Water consumption").check()
        page.locator("#own").check()
        assert "none" not in _column(page, 5)
        page.locator("#find").fill("no such zone")
        assert count.inner_text().startswith("0 of ")


def test_a_link_brings_all_of_it_back(folder: Path, visit: Visiting) -> None:
    with visit(folder) as seen:
        page = _ready(seen)
        page.get_by_role("radio", name="Primary energy").check()
        page.locator("#unit").select_option("model")
        page.wait_for_selector("#regions-energy:not([hidden])")
        page.locator("#model").select_option(label="example/published-8b")
        page.locator("#zones th[data-sort=pe] button").click()
        page.locator("#find").fill("an")
        energy = page.locator("#regions-energy").inner_text()
        assert "4.500" in energy
        shown, fragment = _column(page, 3), page.url.partition("#")[2]
    with visit(folder) as seen:
        page = _ready(seen, fragment)
        assert page.locator("#regions-energy").inner_text() == energy
        assert _column(page, 3) == shown
        assert page.locator("#zones th[data-sort=pe]").get_attribute("aria-sort") == "descending"
        tip = page.locator("#zones tbody .figure-tip").first.text_content()
        assert tip is not None
        assert "Hardware NVIDIA H100" in tip
        assert "a measured energy times a modelled factor" in tip


def test_a_model_scales_the_table(folder: Path, visit: Visiting) -> None:
    entry = next(each for each in impact_site().entries if each.model == "example/published-8b")
    mix = impact_data.read().mix
    assert mix is not None
    france = next(zone for zone in mix["zones"] if zone["code"] == "FRA")
    with visit(folder) as seen:
        page = _ready(seen, f"unit=model&model={entry.id}&find=FRA")
        texts = [_column(page, number)[0] for number in range(2, 6)]
        expected = [france["gwp"] * 1000, france["pe"], france["adpe"] * 1e9, france["water"]]
        for text, factor in zip(texts, expected, strict=True):
            assert float(text) == pytest.approx(factor * 0.0045, rel=5e-4)


def test_what_is_not_there_is_said(folder: Path, visit: Visiting) -> None:
    with visit(folder) as seen:
        page = _ready(seen, "impact=noise&mix=ecologits-0.1&unit=model&model=gone")
        hint = page.locator("#regions-hint").inner_text()
        for lost in ("noise", "ecologits-0.1", "the model"):
            assert lost in hint


def test_the_table_can_be_taken_away(folder: Path, visit: Visiting) -> None:
    with visit(folder) as seen:
        page = _ready(seen, "find=france")
        with page.expect_download() as taken:
            page.locator("#zones-csv").click()
        rows = list(csv.DictReader(io.StringIO(Path(taken.value.path()).read_text(encoding="utf-8"))))
        mix = impact_data.read().mix
        assert mix is not None
        france = next(zone for zone in mix["zones"] if zone["code"] == "FRA")
        (row,) = [row for row in rows if row["code"] == "FRA"]
        assert float(row["gwp_kgco2eq"]) == france["gwp"]
        assert row["mix"] == mix["name"]


# For everybody


def test_hostile_names_are_shown_and_not_run(folder: Path, visit: Visiting) -> None:
    entry = next(each for each in impact_site().entries if each.model == HOSTILE)
    with visit(folder, width_px=360) as seen:
        seen.page.on("dialog", lambda dialog: seen.complaints.append(f"dialog: {dialog.message}"))
        page = _ready(seen, f"unit=model&model={entry.id}")
        assert HOSTILE[:20] in page.locator("#regions-energy").inner_text()
        assert page.locator("main img").count() == 0
        assert seen.overflow_px() <= 0


@pytest.mark.parametrize(
    ("scheme", "fragment"), [("light", "find=united"), ("dark", "impact=pe&unit=model&find=world")]
)
def test_regions_keep_to_wcag(
    scheme: str, fragment: str, folder: Path, visit: Visiting, axe: Callable[[Page], list[str]]
) -> None:
    with visit(folder, scheme=scheme) as seen:
        page = _ready(seen, fragment, draws=True)
        page.wait_for_selector(DRAWN.format("bars"))
        assert axe(page) == []


@pytest.mark.parametrize("width", WIDTHS_PX)
def test_nothing_is_wider_than_the_window(width: str, folder: Path, visit: Visiting) -> None:
    with visit(folder, width_px=WIDTHS_PX[width]) as seen:
        page = _ready(seen)
        assert seen.overflow_px() <= 0
        page.locator("#zones tbody .figure-value").first.focus()
        box = page.locator("#zones tbody .figure-tip").first.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= WIDTHS_PX[width]


def test_the_legend_stands_below_the_map_on_a_phone(folder: Path, visit: Visiting) -> None:
    with visit(folder, width_px=360, height_px=800) as seen:
        page = _ready(seen, draws=True)
        page.locator("#regions-map").scroll_into_view_if_needed()
        page.wait_for_selector(DRAWN.format("map"))
        legend = page.locator("#regions-map svg .role-legend").first.bounding_box()
        land = page.locator("#regions-map svg .mark-shape").first.bounding_box()
        assert legend is not None
        assert land is not None
        assert legend["y"] >= land["y"] + land["height"] - 1
