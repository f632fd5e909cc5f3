"""The leaderboard in a real browser: each filter, order, page, link, address and download."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scorekit import csv_cells
from scorekit.publish.site.columnar import in_order, is_borderline, short
from scorekit.publish.site.content import Entry, Site, is_official, model_slug
from scorekit.publish.site.names import shown
from scorekit.publish.site.pages.leaderboard import PLAIN_ROWS, ROWS
from tests.web.boards import PATH, ROW, board_site, names, state


@pytest.fixture(scope="module")
def site() -> Site:
    return board_site()


def expected(entries: list[Entry]) -> list[str]:
    return [shown(entry.name) for entry in entries[:ROWS]]


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
