"""Sites with a leaderboard of several pages, built with few other pages, and what its page shows in a browser."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs

from benchmarks.made_up_results import results
from playwright.sync_api import Page

from scorekit.logs.from_score import result_of
from scorekit.publish.site.build import build
from scorekit.publish.site.content import Site
from scorekit.publish.site.gathering import gather
from scorekit.publish.site.pages import SECTIONS
from tests import sites
from tests.bundles import local_score

PATH = "leaderboard.html"
ROW = "table.rows tbody tr"
FIGURES = 48
"""Made-up figures, on three pages with the others."""


def board_site() -> Site:
    """Three pages of figures: members of an edition, comparable and local results, hostile names."""
    edition = sites.edition()
    hostile = [result_of(local_score(name, energy_wh=1.5), f"runs/{n}") for n, name in enumerate(sites.HOSTILE)]
    made = [*results(FIGURES), *hostile]
    return gather(made, edition, [edition], result_ids=[f"{number:064x}" for number in range(len(made))])


def built_board(site: Site, folder: Path) -> Path:
    """The two pages of figures and their plain ones."""
    sections = tuple(one for one in SECTIONS if one.key in ("leaderboard", "efficient"))
    return build(site, folder / "site", time=sites.TIME, sections=sections).folder


def names(page: Page) -> list[str]:
    """The model of each row that is shown."""
    return page.locator(f"{ROW} .model a").all_inner_texts()


def state(page: Page) -> dict[str, str]:
    """What the address says."""
    return {key: values[0] for key, values in parse_qs(page.url.partition("#")[2]).items()}
