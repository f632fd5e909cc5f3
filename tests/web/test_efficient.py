"""Most and least efficient in a real browser: one group at a time, and all of them without scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from benchmarks.made_up_results import results
from playwright.sync_api import Page

from scorekit.logs.from_score import result_of
from scorekit.publish.site.content import Site
from scorekit.publish.site.gathering import gather
from scorekit.publish.site.names import shown
from scorekit.publish.site.pages.efficient import groups
from scorekit.records import Result
from tests import sites
from tests.bundles import local_score
from tests.web.boards import built_board
from tests.web.conftest import WIDTHS_PX

PATH = "efficient.html"


def alike() -> list[Result]:
    """Local results of one kind of hardware and task, so that there is something to compare."""
    (first, second) = (result_of(local_score(f"example/small-{n}", energy_wh=1.0 + n), f"runs/{n}") for n in (1, 2))
    return [one.model_copy(update={"task": "automatic_speech_recognition", "cohort": "asr"}) for one in (first, second)]


@pytest.fixture(scope="module")
def site() -> Site:
    return gather([*results(24), *alike()], sites.edition(), [])


@pytest.fixture(scope="module")
def board(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_board(site, tmp_path_factory.mktemp("efficient"))


def state(page: Page) -> dict[str, str]:
    """What the address says."""
    found = parse_qs(page.url.partition("#")[2], keep_blank_values=True)
    return {key: values[0] for key, values in found.items()}


def test_every_group_stands_without_scripts(site: Site, board: Path, visit: Callable) -> None:
    every = list(groups(site))
    with visit(board, scripts=False) as seen:
        page = seen.open(PATH)
        assert page.locator(".group:visible").count() == len(every)
        assert not page.locator(".choices").is_visible()
        for group in every:
            section = page.locator(f"#{group.key}")
            models = section.locator(".end .model a").all_inner_texts()
            assert models == [shown(place.entry.name) for place in (*group.most, *group.least)]
        links = page.locator(".group-links a")
        assert links.count() == len(every)
        links.nth(2).click()
        assert page.url.endswith(f"#{every[2].key}")


def test_one_group_is_chosen_and_stays_in_the_address(site: Site, board: Path, visit: Callable) -> None:
    with visit(board) as seen:
        page = seen.open(PATH)
        assert page.locator(".group:visible").count() == 1
        assert page.locator(".group:visible").get_attribute("id") == next(groups(site)).key
        page.locator("[data-choice=task]").select_option("asr")
        assert page.locator(".group:visible h2").inner_text() == "Speech recognition"
        assert state(page) == {"task": "asr", "class": "", "figures": "official"}
        assert not page.locator("[data-choice=class]").is_visible()
        assert page.locator(".chosen-group").inner_text() == "Speech recognition, official"
        page.locator("[data-choice=figures]").select_option(label="local, Example CPU 9000")
        assert "not comparable" in page.locator(".group:visible h2").inner_text()
        assert "Example CPU 9000" in page.locator(".group:visible .facts").inner_text()
        page.go_back()
        assert state(page)["figures"] == "official"
        assert page.locator(".group:visible").get_attribute("id") == "asr-official"
        page.go_forward()
        page.reload()
        assert page.locator("[data-choice=figures]").input_value() == "local, Example CPU 9000"


def test_an_address_that_asks_for_too_much_gets_the_nearest(board: Path, visit: Callable) -> None:
    with visit(board) as seen:
        page = seen.open(PATH, "task=text_generation&class=C&figures=made-up")
        assert page.locator(".group:visible").get_attribute("data-class") == "C"
        page = seen.open(PATH, "task=%3Cscript%3E&class=%22")
        assert page.locator(".group:visible").count() == 1
        page = seen.open(PATH, "asr-official")
        assert page.locator(".group:visible").get_attribute("id") == "asr-official"


def test_the_keyboard_chooses(board: Path, visit: Callable) -> None:
    with visit(board) as seen:
        page = seen.open(PATH)
        page.locator("[data-choice=task]").focus()
        before = page.locator(".group:visible").get_attribute("id")
        page.keyboard.press("ArrowDown")
        assert page.locator(".group:visible").get_attribute("id") != before


def test_a_chart_of_the_chosen_group_is_drawn(board: Path, visit: Callable) -> None:
    with visit(board) as seen:
        page = seen.open(PATH, "task=asr&figures=official")
        chart = page.locator("#chart-asr-official")
        chart.scroll_into_view_if_needed()
        chart.locator(".chart-plot svg").wait_for()
        page.locator("[data-choice=figures]").select_option(label="local, Example CPU 9000")
        other = page.locator(".group:visible figure.chart")
        other.scroll_into_view_if_needed()
        other.locator(".chart-plot svg").wait_for()


@pytest.mark.parametrize(("width", "scheme"), [("phone", "light"), ("desktop", "dark")])
def test_it_keeps_to_wcag(width: str, scheme: str, board: Path, visit: Callable, axe: Callable) -> None:
    with visit(board, width_px=WIDTHS_PX[width], scheme=scheme) as seen:
        page = seen.open(PATH, "task=asr&figures=local%2C+Example+CPU+9000")
        assert axe(page) == []


@pytest.mark.parametrize("width", WIDTHS_PX)
def test_no_group_is_wider_than_the_window(width: str, board: Path, visit: Callable) -> None:
    with visit(board, width_px=WIDTHS_PX[width]) as seen:
        page = seen.open(PATH)
        for hidden in ("document.querySelectorAll('.group').forEach(one => { one.hidden = false; })", "1"):
            page.evaluate(hidden)
            assert seen.overflow_px() <= 0


def test_no_figure_at_all_still_makes_a_page(visit: Callable, axe: Callable, tmp_path: Path) -> None:
    with visit(built_board(sites.empty_site(), tmp_path)) as seen:
        page = seen.open(PATH)
        assert "no figure on this site yet" in page.locator("main").inner_text()
        assert axe(page) == []
