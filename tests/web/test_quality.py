"""Energy and quality in a real browser: charts and tables on every screen, and the tables alone without scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from scorekit.publish.site.build import build
from scorekit.publish.site.pages import SECTIONS
from tests import sites
from tests.unit.publish.site.evaluated import OFFICIAL, local, official, site_of

PATH = "quality.html"


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Comparable models with one metric, and local ones with two."""
    one, two = ({"value": 0.5},), ({"value": 0.4}, {"value": 0.3, "task": "arc"})
    given = [(official(model, 1.0 + place), one) for place, model in enumerate(OFFICIAL)]
    site = site_of(*given, (local("org/tiny", 1.0), two), (local("org/tinier", 0.5), two))
    sections = tuple(section for section in SECTIONS if section.key in ("quality", "models", "leaderboard"))
    return build(site, tmp_path_factory.mktemp("quality") / "site", time=sites.TIME, sections=sections).folder


@pytest.mark.parametrize(("width_px", "scheme"), [(360, "dark"), (1440, "light")])
def test_a_metric_is_chosen_and_drawn(
    width_px: int, scheme: str, compared: Path, visit: Callable, axe: Callable[[Page], list[str]]
) -> None:
    with visit(compared, width_px=width_px, scheme=scheme) as seen:
        page = seen.open(PATH)
        assert page.locator(".group:visible").count() == 1
        page.locator("[data-choice=metric]").select_option("mmlu, acc, 5 examples")
        page.locator("[data-choice=figures]").select_option("official")
        shown = page.locator(".group:visible")
        assert shown.locator(".standings tbody th").all_inner_texts() == list(OFFICIAL)
        shown.locator(".chart").scroll_into_view_if_needed()
        shown.locator(".chart-plot svg").wait_for()
        assert seen.overflow_px() <= 0
        assert axe(page) == []


def test_without_scripts_every_table_is_there(compared: Path, visit: Callable) -> None:
    with visit(compared, width_px=360, scripts=False) as seen:
        page = seen.open(PATH)
        assert page.locator(".standings:visible").count() == 3
        assert seen.overflow_px() <= 0
