"""Sites with a leaderboard of several pages, built with few other pages, for tests in a browser."""

from __future__ import annotations

from pathlib import Path

from benchmarks.made_up_results import results

from scorekit.logs.from_score import result_of
from scorekit.publish.site.build import build
from scorekit.publish.site.content import Site
from scorekit.publish.site.gathering import gather
from scorekit.publish.site.pages import SECTIONS
from tests import sites
from tests.bundles import local_score

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
