"""Home, models, methodology and data in a real browser: no error, nothing from outside, usable by all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scorekit.publish.site.content import model_slug
from scorekit.publish.site.gathering import gather
from tests.sites import HOSTILE, empty_site, local_site, results
from tests.web.conftest import WIDTHS_PX

OFFICIAL = f"models/{model_slug('example/writer-1b')}.html"
CORRECTED = f"models/{model_slug('corrected/model')}.html"
REFUSED = f"models/{model_slug('refused/model')}.html"
PAGES = ("index.html", "methodology.html", "data.html", OFFICIAL, CORRECTED, REFUSED)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_keep_to_wcag(scheme: str, full: Path, visit: Callable, axe: Callable) -> None:
    with visit(full, scheme=scheme) as seen:
        assert {path: found for path in PAGES if (found := axe(seen.open(path)))} == {}


@pytest.mark.parametrize("width", WIDTHS_PX)
def test_no_page_is_wider_than_the_window(width: str, full: Path, visit: Callable) -> None:
    with visit(full, width_px=WIDTHS_PX[width]) as seen:
        too_wide = {}
        for path in (*PAGES, *(f"models/{model_slug(name)}.html" for name in HOSTILE)):
            seen.open(path)
            too_wide[path] = max(seen.overflow_px(), 0)
        assert not any(too_wide.values()), too_wide


def test_hostile_names_are_shown_and_not_run(full: Path, visit: Callable) -> None:
    with visit(full) as seen:
        seen.page.on("dialog", lambda dialog: seen.complaints.append(f"dialog: {dialog.message}"))
        for name in HOSTILE:
            page = seen.open(f"models/{model_slug(name)}.html")
            shown = page.locator("h1").inner_text()
            assert shown.replace("\N{REPLACEMENT CHARACTER}", "?")[:8] == "".join(
                sign if sign.isprintable() or ord(sign) > 0x9F else "?" for sign in name
            )[:8].replace("\t", "?")


def test_what_is_told_of_a_figure_shows_on_hover_on_focus_and_goes_on_escape(full: Path, visit: Callable) -> None:
    with visit(full) as seen:
        page = seen.open(OFFICIAL)
        figure = page.locator(".big-figure .figure").first
        tip = figure.locator(".figure-tip")
        assert not tip.is_visible()
        figure.locator("button").hover()
        assert tip.is_visible()
        assert "Hardware NVIDIA H100" in tip.inner_text().replace("\n", " ")
        page.keyboard.press("Escape")
        assert not tip.is_visible()
        page.mouse.move(0, 0)
        figure.locator("button").focus()
        assert tip.is_visible()
        described = page.locator(".big-figure .figure button").first.get_attribute("aria-describedby")
        assert tip.get_attribute("id") == described


@pytest.mark.parametrize("width", WIDTHS_PX)
def test_what_is_told_of_a_figure_stays_within_the_window(width: str, full: Path, visit: Callable) -> None:
    with visit(full, width_px=WIDTHS_PX[width]) as seen:
        page = seen.open("index.html")
        for figure in page.locator("td .figure").all()[:6]:
            figure.locator("button").focus()
            box = figure.locator(".figure-tip").bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= WIDTHS_PX[width]


def test_a_figure_is_told_without_scripts(full: Path, visit: Callable) -> None:
    with visit(full, scripts=False) as seen:
        page = seen.open("index.html")
        page.locator("td .figure button").first.focus()
        assert page.locator("td .figure-tip").first.is_visible()
        assert not page.locator(".theme-toggle").is_visible()


def test_the_theme_is_chosen_and_kept(full: Path, visit: Callable) -> None:
    with visit(full, scheme="light") as seen:
        page = seen.open("index.html")
        ground = "getComputedStyle(document.documentElement).backgroundColor"
        light = page.evaluate(ground)
        toggle = page.locator(".theme-toggle")
        assert toggle.inner_text() == "Theme: automatic"
        toggle.click()
        assert toggle.inner_text() == "Theme: light"
        toggle.click()
        assert toggle.inner_text() == "Theme: dark"
        assert page.evaluate(ground) != light
        page = seen.open("data.html")
        assert page.locator(".theme-toggle").inner_text() == "Theme: dark"
        assert page.evaluate(ground) != light
        page.locator(".theme-toggle").click()
        assert page.evaluate(ground) == light


def test_the_keyboard_reaches_the_content_first(full: Path, visit: Callable) -> None:
    with visit(full) as seen:
        page = seen.open("methodology.html")
        page.keyboard.press("Tab")
        skip = page.locator(":focus")
        assert skip.inner_text() == "Skip to the content"
        assert skip.bounding_box()["y"] >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"


def test_every_section_is_one_step_away_and_marked(full: Path, visit: Callable) -> None:
    with visit(full) as seen:
        page = seen.open("index.html")
        names = page.locator("nav[aria-label=Pages] a").all_inner_texts()
        for name in names:
            page.locator("nav[aria-label=Pages] a", has_text=name).first.click()
            assert page.locator("nav[aria-label=Pages] a[aria-current=page]").inner_text() == name
            assert page.locator("h1").count() == 1


def test_a_model_page_shows_its_label_and_links_to_its_figures(full: Path, visit: Callable) -> None:
    with visit(full) as seen:
        page = seen.open(OFFICIAL)
        images = page.locator(".label-figure img")
        images.first.scroll_into_view_if_needed()
        page.wait_for_function("() => [...document.images].some(image => image.complete && image.naturalWidth === 260)")
        page.locator("table a").first.click()
        assert page.evaluate("document.querySelector(':target') !== null")


def test_downloads_are_there(full: Path, visit: Callable) -> None:
    with visit(full) as seen:
        page = seen.open("data.html")
        for link in page.locator("a[download]").all():
            path = link.get_attribute("href")
            assert path is not None
            assert (full / path).stat().st_size > 0


def test_a_site_of_nothing_is_sound(built_site: Callable, visit: Callable, axe: Callable) -> None:
    with visit(built_site(empty_site(), "empty"), width_px=360) as seen:
        for path in ("index.html", "methodology.html", "data.html"):
            assert axe(seen.open(path)) == []
            assert seen.overflow_px() <= 0


def test_local_figures_are_told_as_such(built_site: Callable, visit: Callable, axe: Callable) -> None:
    folder = built_site(local_site(), "local")
    with visit(folder) as seen:
        page = seen.open("index.html")
        assert page.get_by_role("heading", name="Local figures", exact=True).is_visible()
        assert "cannot be compared with official figures" in page.locator("main").inner_text()
        assert axe(page) == []


def test_one_model_alone_has_no_star_and_a_page(built_site: Callable, visit: Callable) -> None:
    folder = built_site(gather(results()[1:2], None, []), "one")
    with visit(folder) as seen:
        page = seen.open("index.html")
        assert page.locator(".no-stars").first.is_visible()
        page.locator("td.model a").first.click()
        assert page.locator("h1").inner_text() == "tiny-llama"
