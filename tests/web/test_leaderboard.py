"""The leaderboard in a real browser: each filter, order, page, link, download, comparison, and all by keyboard."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, expect

from scorekit import csv_cells
from scorekit.publish.site.columnar import in_order, is_borderline, short
from scorekit.publish.site.content import Entry, Site, is_official, model_slug
from scorekit.publish.site.gathering import gather
from scorekit.publish.site.names import shown
from scorekit.publish.site.pages.leaderboard import PLAIN_ROWS, ROWS
from tests import sites
from tests.web.boards import board_site, built_board
from tests.web.conftest import WIDTHS_PX

PATH = "leaderboard.html"
ROW = "table.rows tbody tr"


@pytest.fixture(scope="module")
def site() -> Site:
    return board_site()


def names(page: Page) -> list[str]:
    """The model of each row that is shown."""
    return page.locator(f"{ROW} .model a").all_inner_texts()


def expected(entries: list[Entry]) -> list[str]:
    return [shown(entry.name) for entry in entries[:ROWS]]


def state(page: Page) -> dict[str, str]:
    """What the address says."""
    return {key: values[0] for key, values in parse_qs(page.url.partition("#")[2]).items()}


def test_the_first_page_stands_without_scripts(site: Site, board: Path, visit: Callable) -> None:
    with visit(board, scripts=False) as seen:
        page = seen.open(PATH)
        assert names(page) == expected(in_order(site))
        assert not page.locator(".filters").is_visible()
        assert not page.locator(f"{ROW} .pick").first.is_visible()
        assert page.locator(".task-links a").count() == len(site.cohorts)
        page.locator(".task-links a").first.click()
        assert names(page) == [shown(entry.name) for entry in site.of_cohort(site.cohorts[0])[:PLAIN_ROWS]]


@pytest.mark.parametrize("text", ["llama", "EXAMPLE/", "writer b"])
def test_text_finds_models_and_providers(text: str, site: Site, board: Path, visit: Callable) -> None:
    with visit(board) as seen:
        page = seen.open(PATH)
        page.locator("[data-filter=q]").fill(text)
        fits = [one for one in in_order(site) if all(word in shown(one.model).lower() for word in text.lower().split())]
        assert fits
        assert names(page) == expected(fits)
        assert state(page) == {"q": text}


FILTERS: dict[str, tuple[str, Callable[[Entry], bool]]] = {
    "task": ("asr", lambda one: one.cohort.name == "asr"),
    "class": ("B", lambda one: one.cohort.model_class == "B"),
    "stars": ("5", lambda one: one.stars == 5),
    "standing": ("local", lambda one: not is_official(one)),
    "hardware": ("NVIDIA L4", lambda one: one.hardware == "NVIDIA L4"),
    "origin": ("modelled", lambda one: one.origin == "modelled"),
}


@pytest.mark.parametrize("key", FILTERS)
def test_each_filter_keeps_what_fits(key: str, site: Site, board: Path, visit: Callable) -> None:
    value, test = FILTERS[key]
    fits = [entry for entry in in_order(site) if test(entry)]
    assert fits
    assert len(fits) < len(site.entries)
    with visit(board) as seen:
        page = seen.open(PATH)
        page.locator(f"[data-filter={key}]").select_option(value)
        assert names(page) == expected(fits)
        assert page.locator(".rows-status").inner_text().startswith(f"{len(fits)} figure")
        assert state(page) == {key: value}
        page.locator(".reset").click()
        assert names(page) == expected(in_order(site))
        assert state(page) == {}


def test_no_star_and_other_standing_are_choices(site: Site, board: Path, visit: Callable) -> None:
    with visit(board) as seen:
        page = seen.open(PATH, "stars=0&standing=official")
        fits = [entry for entry in in_order(site) if entry.stars is None and is_official(entry)]
        assert names(page) == expected(fits)


def test_filters_go_together_and_an_empty_answer_says_so(board: Path, visit: Callable) -> None:
    with visit(board) as seen:
        page = seen.open(PATH)
        page.locator("[data-filter=task]").select_option("asr")
        page.locator("[data-filter=class]").select_option("A")
        assert names(page) == []
        assert page.locator(".empty").is_visible()
        assert page.locator(".rows-status").inner_text().startswith("No figure fits")


ORDERS: dict[str, Callable[[Entry], Any]] = {
    "task": lambda one: None,
    "energy": lambda one: one.wh_per_1000_queries,
    "uncertainty": lambda one: one.half_width_95_percent and float(f"{one.half_width_95_percent:.3g}"),
    "stars": lambda one: one.stars,
    "class": lambda one: one.cohort.model_class,
    "hardware": lambda one: one.hardware.lower() if one.hardware else None,
}


@pytest.mark.parametrize("key", ORDERS)
def test_each_column_sorts_up_and_down_and_says_so(key: str, site: Site, board: Path, visit: Callable) -> None:
    entries = in_order(site)
    value = ORDERS[key]
    known = [entry for entry in entries if value(entry) is not None]
    unknown = [entry for entry in entries if value(entry) is None]
    with visit(board) as seen:
        page = seen.open(PATH, "" if key != "task" else "sort=energy")
        head = page.locator(f"thead th[data-key={key}]")
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == "ascending"
        assert page.locator("thead th[aria-sort]").count() == 1
        wanted = sorted(known, key=value) if key != "task" else entries
        assert names(page) == expected([*wanted, *unknown] if key != "task" else entries)
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == "descending"
        if key != "task":
            assert names(page) == expected([*sorted(known, key=value, reverse=True), *unknown])
            assert state(page) == {"sort": f"-{key}"}
        else:
            assert names(page)[0] == shown(site.of_cohort(site.cohorts[-1])[0].name)


def test_models_and_editions_sort_by_name(site: Site, board: Path, visit: Callable) -> None:
    with visit(board) as seen:
        page = seen.open(PATH, "sort=model&q=e/")
        shown_names = [
            text.lower() for text in page.locator(f"{ROW} .model").evaluate_all("all => all.map(one => one.innerText)")
        ]
        providers = [text.split("\n")[-1] for text in shown_names]
        assert providers == sorted(providers)
        page = seen.open(PATH, "sort=-edition")
        page.reload()
        official = [is_official(entry) and entry.official for entry in in_order(site)]
        tags = page.locator(f"{ROW} td[data-label=Edition] bdi").all_inner_texts()
        assert tags == ["2026-01"] * min(ROWS, sum(official)) + ["local"] * max(0, ROWS - sum(official))


def test_rows_of_later_pages_are_made_as_the_build_makes_them(site: Site, board: Path, visit: Callable) -> None:
    normal = """rows => rows.map(row => {
      const told = one => one.nodeType === 3 ? one.textContent.trim() : [
        one.tagName,
        [...one.attributes].filter(a => !["id", "aria-describedby"].includes(a.name)).map(a => a.name + "=" + a.value),
        [...one.childNodes].map(told).filter(child => child !== ""),
      ];
      row.normalize();
      return told(row);
    })"""
    with visit(board) as seen:
        page = seen.open(PATH)
        built_rows = page.locator(ROW).evaluate_all(normal)
        assert len(built_rows) == ROWS
        page.locator("[data-step='1']").click()
        page.evaluate("new Promise(then => scorekit.table.sources(then))")
        page.locator("[data-step='-1']").click()
        page.evaluate("scorekit.table.tellAll()")
        made_rows = page.locator(ROW).evaluate_all(normal)
        for made, from_build in zip(made_rows, built_rows, strict=True):
            assert _sorted(made) == _sorted(from_build)


def _sorted(node: Any) -> Any:
    """An element with its attributes in one order."""
    return node if isinstance(node, str) else [node[0], sorted(node[1]), [_sorted(child) for child in node[2]]]


def test_every_link_to_a_model_is_the_build_s(site: Site, board: Path, visit: Callable) -> None:
    with visit(board) as seen:
        page = seen.open(PATH)
        made = page.evaluate(
            "Array.from({length: scorekit.table.count}, (_, row) => scorekit.table.slug(scorekit.table.modelOf(row)))"
        )
        assert made == [model_slug(entry.model) for entry in in_order(site)]
        found = page.evaluate("slugs => slugs.map(slug => scorekit.table.slug(scorekit.table.modelOfSlug(slug)))", made)
        assert found == made


def test_pages_turn_and_stay_in_the_address(site: Site, board: Path, visit: Callable) -> None:
    entries = in_order(site)
    with visit(board) as seen:
        page = seen.open(PATH)
        previous, following = page.locator("[data-step='-1']"), page.locator("[data-step='1']")
        assert previous.get_attribute("aria-disabled") == "true"
        following.click()
        assert names(page) == [shown(entry.name) for entry in entries[ROWS : 2 * ROWS]]
        assert state(page) == {"page": "2"}
        assert f"rows {ROWS + 1} to {2 * ROWS}" in page.locator(".rows-status").inner_text()
        page.locator(".pager select").select_option("3")
        assert names(page) == [shown(entry.name) for entry in entries[2 * ROWS : 3 * ROWS]]
        assert page.locator("[data-step='1']").get_attribute("aria-disabled") == "true"
        following.click(force=True)
        assert state(page) == {"page": "3"}
        page.locator("[data-filter=task]").select_option("asr")
        assert state(page) == {"task": "asr"}


def test_an_address_restores_everything_and_back_and_forward_work(site: Site, board: Path, visit: Callable) -> None:
    writer = model_slug("example/writer-1b")
    with visit(board) as seen:
        page = seen.open(PATH, f"task=text_generation&class=A&sort=-energy&compare={writer}&q=e")
        chosen = [one for one in in_order(site) if one.cohort.key == "text_generation-a" and "e" in one.model.lower()]
        most_first = expected(sorted(chosen, key=lambda one: -one.wh_per_1000_queries))
        assert names(page) == most_first
        assert page.locator("[data-filter=class]").input_value() == "A"
        assert page.locator(".chosen li").all_inner_texts() == ["example/writer-1b\n\N{MULTIPLICATION SIGN}"]
        page.locator("[data-filter=class]").select_option("B")
        assert names(page) != most_first
        page.go_back()
        assert names(page) == most_first
        page.go_forward()
        assert page.locator("[data-filter=class]").input_value() == "B"
        page.reload()
        assert page.locator("[data-filter=class]").input_value() == "B"


def test_what_an_address_asks_for_and_is_not_there_is_named(board: Path, visit: Callable) -> None:
    with visit(board) as seen:
        page = seen.open(PATH, "task=nonsense&sort=color&page=99&compare=no-such-model-00000000&q=")
        told = page.locator(".left-out").inner_text()
        assert all(word in told for word in ("task nonsense", "order color", "model no-such-model-00000000"))
        assert page.locator(".pager select").input_value() == "3"
        page = seen.open(PATH, "page=-4&q=%3Cb%3Enothing")
        page.reload()
        assert page.locator(".empty").is_visible()


def test_the_skip_link_keeps_the_table_as_it_is(board: Path, visit: Callable) -> None:
    with visit(board) as seen:
        page = seen.open(PATH, "task=asr")
        before = names(page)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"
        assert names(page) == before
        page.locator("thead th[data-key=energy] button").click()
        assert state(page) == {"task": "asr", "sort": "energy"}


def test_rows_can_be_taken_away(site: Site, board: Path, visit: Callable) -> None:
    fits = [entry for entry in in_order(site) if entry.cohort.name == "text_generation"]
    with visit(board) as seen:
        page = seen.open(PATH, "task=text_generation")
        with page.expect_download() as loading:
            page.locator("[data-download=json]").click()
        records = json.loads(Path(loading.value.path()).read_text(encoding="utf-8"))
        assert [record["model"] for record in records] == [shown(entry.model) for entry in fits]
        assert [record["wh_per_1000_queries"] for record in records] == [short(one.wh_per_1000_queries) for one in fits]
        assert [record["stars"] for record in records] == [entry.stars for entry in fits]
        assert [record["borderline"] for record in records] == [is_borderline(entry) for entry in fits]
        assert [record["result_sha256"] for record in records] == [entry.result_id for entry in fits]
        assert all(record["source"] for record in records)
        with page.expect_download() as loading:
            page.locator("[data-download=csv]").click()
        text = Path(loading.value.path()).read_bytes().decode("utf-8")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        assert [row["model"] for row in rows] == [csv_cells.cell(record["model"]) for record in records]
        assert [float(row["wh_per_1000_queries"]) for row in rows] == [one["wh_per_1000_queries"] for one in records]
        assert loading.value.suggested_filename == "leaderboard.csv"


def test_four_models_are_compared_and_a_fifth_is_refused_in_words(board: Path, visit: Callable) -> None:
    with visit(board) as seen:
        page = seen.open(PATH, "task=asr")
        boxes = page.locator(f"{ROW} .pick input")
        for number in range(4):
            boxes.nth(number).check()
        told = page.locator(".compare-status")
        assert told.inner_text() == "Added. 4 of 4 models chosen."
        # Refused: it does not stay checked.
        boxes.nth(4).click()
        assert not boxes.nth(4).is_checked()
        assert told.inner_text().startswith("Not added: 4 models")
        assert page.locator(".comparison thead th").count() == 5
        assert page.locator(".comparison tbody tr").count() >= 1
        assert len(state(page)["compare"].split(",")) == 4
        page.locator(".chosen button").first.click()
        assert page.locator(".chosen li").count() == 3
        assert not boxes.nth(0).is_checked()
        page.go_back()
        assert page.locator(".chosen li").count() == 4
        page.locator(".clear-compare").click()
        assert not page.locator(".compare-bar").is_visible()
        assert not page.locator(".compare").is_visible()
        assert state(page) == {"task": "asr"}


def test_a_comparison_keeps_tasks_and_kinds_of_figures_apart(site: Site, board: Path, visit: Callable) -> None:
    model = "example/writer-B"
    entries = site.models[model]
    assert len(entries) == 2
    with visit(board) as seen:
        page = seen.open(PATH, f"compare={model_slug(model)},{model_slug('example/listener-1')}")
        table = page.locator(".comparison")
        assert table.locator("tbody tr").count() == 2
        cells = table.locator("tbody tr", has_text="Text generation, class B").locator("td")
        assert cells.nth(0).locator(".compared-figure").count() == 2
        assert cells.nth(1).inner_text() == "no figure"


def test_the_chart_of_a_comparison_follows_what_is_chosen(board: Path, visit: Callable) -> None:
    writer, listener = model_slug("example/writer-B"), model_slug("example/listener-1")
    with visit(board) as seen:
        page = seen.open(PATH, f"compare={writer},{listener}")
        chart = page.locator("#compare-chart")
        chart.scroll_into_view_if_needed()
        chart.locator("svg text", has_text="example/listener-1").first.wait_for()
        text = chart.locator("svg").text_content() or ""
        assert "Speech recognition" in text
        assert "model 1" not in text
        with page.expect_download() as loading:
            chart.locator("button", has_text="CSV").click()
        rows = list(csv.DictReader(io.StringIO(Path(loading.value.path()).read_text(encoding="utf-8"))))
        assert [row["model"] for row in rows] == ["example/writer-B", "example/writer-B", "example/listener-1"]
        page.locator(".chosen button").first.click()
        expect(chart.locator("svg")).not_to_contain_text("example/writer-B")
        assert "example/writer-B" not in (chart.locator("#compare-chart-words").text_content() or "")


def test_all_of_it_works_by_keyboard(board: Path, visit: Callable) -> None:
    with visit(board) as seen:
        page = seen.open(PATH)
        keys = page.keyboard
        page.locator("[data-filter=q]").focus()
        keys.type("listener")
        expect(page.locator(ROW)).to_have_count(5)
        page.locator("thead th[data-key=energy] button").focus()
        keys.press("Enter")
        keys.press("Space")
        assert page.locator("thead th[data-key=energy]").get_attribute("aria-sort") == "descending"
        assert page.evaluate("document.activeElement.className") == "sort"
        page.locator(f"{ROW} .pick input").first.focus()
        keys.press("Space")
        assert page.locator(".chosen li").count() == 1
        page.locator(".show-compare").focus()
        keys.press("Enter")
        assert page.evaluate("document.activeElement.id") == "compare-title"
        page.locator(".chosen button").focus()
        keys.press("Enter")
        # Its button is gone, and focus is not lost with it.
        assert page.evaluate("document.activeElement.className") == "table-frame rows-frame"
        keys.press("Tab")
        assert page.evaluate("document.activeElement.tagName") != "BODY"


def test_where_a_figure_comes_from_is_told_in_rows_that_a_script_made(site: Site, board: Path, visit: Callable) -> None:
    with visit(board) as seen:
        page = seen.open(PATH, "page=2")
        figure = page.locator(f"{ROW} .figure").first
        figure.locator("button").focus()
        tip = figure.locator(".figure-tip")
        assert tip.is_visible()
        entry = in_order(site)[ROW_OF_PAGE_2]
        assert entry.result is not None
        expect(tip).to_contain_text(entry.result.source.name)
        assert all(word in tip.inner_text() for word in ("Hardware", "Uncertainty", "Origin"))


ROW_OF_PAGE_2 = ROWS


def test_stars_are_told_in_words(site: Site, board: Path, visit: Callable) -> None:
    with visit(board) as seen:
        page = seen.open(PATH, "standing=official&stars=4")
        words = page.locator(f"{ROW} .star-cell").first.text_content()
        assert "4 of 5 stars, edition 2026-01" in " ".join((words or "").split())
        local = next(entry for entry in in_order(site) if entry.stars and not is_official(entry))
        page = seen.open(PATH, f"standing=local&stars={local.stars}")
        page.reload()
        row = page.locator(ROW).first
        assert f"{local.stars} of 5 stars, local, not official" in (row.text_content() or "")
        assert row.locator(".tag", has_text="not comparable").is_visible()
        assert row.locator(".tag", has_text="local").is_visible()
        if any(is_borderline(entry) for entry in site.entries):
            page = seen.open(PATH, "sort=-uncertainty")
            page.reload()
            assert page.locator(".tag.borderline").first.is_visible()


def test_hostile_names_are_text(board: Path, visit: Callable) -> None:
    with visit(board, width_px=360) as seen:
        seen.page.on("dialog", lambda dialog: seen.complaints.append(f"dialog: {dialog.message}"))
        every = ",".join(model_slug(name) for name in sites.HOSTILE[:4])
        page = seen.open(PATH, f"hardware=Example CPU 9000&compare={every}")
        assert page.locator(".chosen li").count() == 4
        assert seen.overflow_px() <= 0
        page = seen.open(PATH, "q=xxxxxx")
        page.reload()
        assert names(page) == ["x" * 200]
        assert seen.overflow_px() <= 0


@pytest.mark.parametrize(("width", "scheme"), [("phone", "light"), ("desktop", "dark")])
def test_it_keeps_to_wcag(width: str, scheme: str, board: Path, visit: Callable, axe: Callable) -> None:
    with visit(board, width_px=WIDTHS_PX[width], scheme=scheme) as seen:
        page = seen.open(PATH)
        page.locator(f"{ROW} .pick input").first.check()
        page.locator(f"{ROW} .pick input").nth(1).check()
        assert axe(page) == []


def test_an_empty_answer_and_plain_pages_keep_to_wcag(board: Path, visit: Callable, axe: Callable) -> None:
    with visit(board) as seen:
        assert axe(seen.open(PATH, "q=nothing-like-it")) == []
        assert axe(seen.open("leaderboard/asr.html")) == []


@pytest.mark.parametrize("width", WIDTHS_PX)
@pytest.mark.parametrize("path", [PATH, "leaderboard/asr.html", "leaderboard/text_generation-a.html"])
def test_no_page_is_wider_than_the_window(path: str, width: str, board: Path, visit: Callable) -> None:
    with visit(board, width_px=WIDTHS_PX[width]) as seen:
        seen.open(path)
        assert seen.overflow_px() <= 0


def test_one_model_and_none_still_make_a_page(visit: Callable, axe: Callable, tmp_path: Path) -> None:
    one = built_board(gather(sites.results()[:1], None, []), tmp_path / "one")
    with visit(one) as seen:
        page = seen.open(PATH)
        assert len(names(page)) == 1
        assert not page.locator(".pager").is_visible()
        assert axe(page) == []
    none = built_board(sites.empty_site(), tmp_path / "none")
    with visit(none) as seen:
        page = seen.open(PATH)
        assert "no figure on this site yet" in page.locator("main").inner_text()
        assert axe(page) == []
