"""The site on paper, on the largest screens and on the smallest: nothing cut, and what scrolls shows it."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page

from scorekit.publish.site.content import model_slug
from scorekit.publish.site.gathering import gather
from tests.sites import edition
from tests.web.conftest import WIDTHS_PX
from tests.web.impact_site import impact_site

MODEL = f"models/{model_slug('example/writer-1b')}.html"
PAGES = ("index.html", "leaderboard.html", "efficient.html", "methodology.html", "data.html", MODEL)
IMPACT_PAGES = ("regions.html", "calculator.html")
A4_PX = 718
"""Between margins of 1 cm, at 96 dots an inch."""
NARROW_PX = 560
"""Where tables are no cards any more, and have no room for all columns yet."""
UHD_PX = (3840, 2160)
Visiting = Callable[..., Any]
_CONTROLS = (
    "nav[aria-label=Pages], .theme-toggle, .skip, .filters, .pager, .choices, .regions-form, .calculator-form, "
    ".compare-bar, .chart-tools, .pick, .figure-tip, .downloads button"
)
_SHOWN = "all => all.filter(one => one.checkVisibility()).map(one => one.outerHTML.slice(0, 80))"
_CUT = """(frames, width) => frames.filter(frame => frame.checkVisibility()).filter(frame => {
  const style = getComputedStyle(frame);
  const table = frame.querySelector("table").getBoundingClientRect();
  return style.overflowX !== "visible" || style.overflowY !== "visible" || style.maxHeight !== "none"
    || table.right > width + 1 || frame.scrollHeight > frame.clientHeight + 2;
}).map(frame => frame.getAttribute("aria-label") || frame.getAttribute("aria-labelledby"))"""
_BLANK = """figures => figures.filter(one => one.checkVisibility()).filter(one =>
  !one.dataset.drawn && !one.querySelector(".chart-table table").checkVisibility({contentVisibilityAuto: true})
).map(one => one.id)"""
_CLOSED = """all => all.filter(one => !one.open && !one.classList.contains("chart-table")).map(one => {
  const parts = [...one.children].filter(part => part.tagName !== "SUMMARY");
  return [one.querySelector("summary").textContent, parts.every(part => part.checkVisibility())
    && one.getBoundingClientRect().bottom >= parts.at(-1).getBoundingClientRect().bottom - 1];
})"""
_LONG_LINES = """texts => texts.filter(one => one.checkVisibility()).filter(one =>
  one.getBoundingClientRect().width > 46 * parseFloat(getComputedStyle(document.documentElement).fontSize)
).map(one => one.outerHTML.slice(0, 80))"""
_HOLE = """box => {
  const style = getComputedStyle(box);
  const frame = parseFloat(style.paddingRight) + parseFloat(style.borderRightWidth);
  const inside = box.getBoundingClientRect().right - frame;
  return inside - [...box.children].filter(one => one.checkVisibility()).at(-1).getBoundingClientRect().right;
}"""
_HINTS = """frames => frames.filter(frame => frame.checkVisibility()).map(frame => {
  const style = getComputedStyle(frame);
  return {
    name: frame.getAttribute("aria-label") || frame.getAttribute("aria-labelledby"),
    scrolls: frame.scrollWidth > frame.clientWidth,
    focus: frame.tabIndex === 0 && frame.getAttribute("role") === "region",
    hint: style.backgroundAttachment.includes("local") && style.backgroundAttachment.includes("scroll"),
  };
})"""


@pytest.fixture(scope="module")
def impacts(built_site: Callable[..., Path]) -> Path:
    """A site whose pages of impacts are those of other tests."""
    return built_site(impact_site(), "impacts")


def _open(seen: Any, path: str) -> Page:
    page: Page = seen.open(path)
    page.locator("h1").wait_for()
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_shows_whole_tables_and_no_controls(scheme: str, full: Path, impacts: Path, visit: Visiting) -> None:
    for folder, paths in ((full, PAGES), (impacts, IMPACT_PAGES)):
        with visit(folder, width_px=A4_PX, height_px=1000, scheme=scheme) as seen:
            seen.page.emulate_media(media="print", color_scheme=scheme)
            for path in paths:
                page = _open(seen, path)
                assert page.locator(_CONTROLS).evaluate_all(_SHOWN) == [], path
                assert page.locator(".table-frame").evaluate_all(_CUT, A4_PX) == [], path
                assert seen.overflow_px() <= 0, path
                assert page.locator("figure.chart").evaluate_all(_BLANK) == [], path
                # Paper is light, whatever the screen is.
                ink = page.evaluate("getComputedStyle(document.querySelector('main .soft, main p')).color")
                assert sum(int(part) for part in re.findall(r"\d+", ink)[:3]) < 3 * 128, path


def test_paper_shows_what_is_closed_on_the_screen(full: Path, visit: Visiting) -> None:
    with visit(full, width_px=A4_PX, scripts=False) as seen:
        for path in ("leaderboard.html", "methodology.html", MODEL):
            page = _open(seen, path)
            closed = page.locator("details").evaluate_all(_CLOSED)
            assert closed, path
            assert not any(is_shown for _, is_shown in closed), path
            page.emulate_media(media="print")
            # A chart that is drawn stands for its table.
            assert [told for told, is_shown in page.locator("details").evaluate_all(_CLOSED) if not is_shown] == [], (
                path
            )
            page.emulate_media(media="screen")


def test_a_page_prints_every_row(impacts: Path, full: Path, visit: Visiting) -> None:
    with visit(impacts) as seen:
        page = _open(seen, "regions.html")
        rows = page.locator("#zones tbody tr").count()
        printed = page.pdf(format="A4")
        assert printed.startswith(b"%PDF-")
        # At most sixty rows of a table fit on a page, so that many pages show that the frame does not cut it.
        assert _pages(printed) >= rows / 60
    with visit(full) as seen:
        assert _pages(_open(seen, MODEL).pdf(format="A4")) >= 2


def _pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


def test_the_largest_screen_has_short_lines_and_nothing_cut(full: Path, impacts: Path, visit: Visiting) -> None:
    width, height = UHD_PX
    for folder, paths in ((full, PAGES), (impacts, IMPACT_PAGES)):
        with visit(folder, width_px=width, height_px=height) as seen:
            for path in paths:
                page = _open(seen, path)
                assert seen.overflow_px() <= 0, path
                assert page.locator("main p, main li").evaluate_all(_LONG_LINES) == [], path
                box = page.locator("main").bounding_box()
                assert box is not None
                # All grows along: neither a strip in the middle nor lines from edge to edge.
                assert width / 2 < box["width"] < 0.7 * width
                assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 24


@pytest.mark.parametrize("width_px", [WIDTHS_PX["phone"], NARROW_PX])
def test_what_scrolls_shows_it_and_is_reached_by_keyboard(
    width_px: int, full: Path, impacts: Path, visit: Visiting
) -> None:
    scrolling = 0
    for folder, paths in ((full, PAGES), (impacts, IMPACT_PAGES)):
        with visit(folder, width_px=width_px) as seen:
            for path in paths:
                for frame in _open(seen, path).locator(".table-frame").evaluate_all(_HINTS):
                    assert frame["name"], path
                    assert frame["focus"], (path, frame)
                    assert frame["hint"] or not frame["scrolls"], (path, frame)
                    scrolling += frame["scrolls"]
    # On a phone most tables are cards instead.
    assert scrolling >= 1


def test_the_hint_goes_where_the_end_is_reached(full: Path, visit: Visiting) -> None:
    edge = "frame => { const box = frame.getBoundingClientRect(); return [box.right - 6, box.top + box.height / 2]; }"
    with visit(full, width_px=NARROW_PX) as seen:
        page = _open(seen, "methodology.html")
        scrolls = page.locator(".table-frame").evaluate_all(
            "frames => frames.findIndex(frame => frame.checkVisibility() && frame.scrollWidth > frame.clientWidth)"
        )
        frame = page.locator(".table-frame").nth(scrolls)
        frame.scroll_into_view_if_needed()
        before = _column(page, frame.evaluate(edge))
        frame.evaluate("frame => { frame.scrollLeft = frame.scrollWidth; }")
        after = _column(page, frame.evaluate(edge))
        assert _darkest(after) > _darkest(before) + 10


def _column(page: Page, place: list[float]) -> bytes:
    """A few pixels at the edge of a frame, below its lines of text."""
    x, y = place
    return page.screenshot(clip={"x": x, "y": y, "width": 4, "height": 1})


def _darkest(picture: bytes) -> int:
    with Image.open(BytesIO(picture)) as image:
        low, _ = image.convert("L").getextrema()
    return int(low)


@pytest.mark.parametrize("width", ["tablet", "desktop"])
def test_cards_and_filters_fill_their_lines(
    width: str, full: Path, built_site: Callable[..., Path], visit: Visiting
) -> None:
    # Of an edition alone there are fewer filters.
    published = built_site(gather([], edition(), [edition()]), "published")
    for folder in (full, published):
        with visit(folder, width_px=WIDTHS_PX[width]) as seen:
            for path, boxes in (("index.html", ".cards"), ("leaderboard.html", ".filters")):
                for box in _open(seen, path).locator(boxes).all():
                    assert box.evaluate(_HOLE) < 2, (path, boxes)


def test_a_choice_ends_before_its_arrow(full: Path, visit: Visiting) -> None:
    with visit(full, width_px=WIDTHS_PX["phone"]) as seen:
        page = _open(seen, "leaderboard.html")
        for select in page.locator("select").all():
            style = select.evaluate(
                "one => { const s = getComputedStyle(one); "
                "return [s.appearance, parseFloat(s.paddingRight), s.textOverflow, s.backgroundImage]; }"
            )
            assert style[0] == "none"
            assert style[1] >= 28
            assert style[2] == "ellipsis"
            assert style[3].count("linear-gradient") == 2
