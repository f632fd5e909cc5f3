"""The leaderboard in a real browser: comparisons, the keyboard, what words tell, and whoever reads it on what."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from scorekit.publish.site.columnar import in_order, is_borderline
from scorekit.publish.site.content import Site, is_official, model_slug
from scorekit.publish.site.gathering import gather
from scorekit.publish.site.pages.leaderboard import ROWS
from tests import sites
from tests.web.boards import PATH, ROW, board_site, built_board, names, state
from tests.web.conftest import WIDTHS_PX


@pytest.fixture(scope="module")
def site() -> Site:
    return board_site()


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
