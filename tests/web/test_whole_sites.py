"""Sites as people build them, page by page in a browser: of runs that were measured, and of a published edition."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from scorekit import cli
from tests.golden import make

GOLDEN = Path(make.__file__).parent
REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "edition-2025-02.csv"
SECTIONS = ("index", "leaderboard", "efficient", "regions", "calculator", "methodology", "data")
Visit = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def of_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the demo ends: its runs in a store, and a site of the store."""
    folder = tmp_path_factory.mktemp("runs")
    runs = [str(GOLDEN / name) for name in make.GOOD]
    assert cli.main(["results", "add", *runs, "--results", str(folder / "results")]) == 0
    assert cli.main(["site", "build", "--results", str(folder / "results"), "--out", str(folder / "site")]) == 0
    return folder / "site"


@pytest.fixture(scope="module")
def of_edition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The leaderboard of February 2025, imported and frozen."""
    if not REFERENCE.is_file():
        pytest.skip("not applicable: reference data not present")
    folder = tmp_path_factory.mktemp("edition")
    editions = ["--editions", str(folder / "editions")]
    assert cli.main(["edition", "import", str(REFERENCE), "--name", "full", *editions]) == 0
    assert cli.main(["edition", "freeze", "full", *editions]) == 0
    empty = folder / "results"
    empty.mkdir()
    build = ["site", "build", "--results", str(empty), "--edition", "full", *editions, "--out", str(folder / "site")]
    assert cli.main(build) == 0
    return folder / "site"


def _walk(site: Path, visit: Visit, axe: Callable[[Page], list[str]], **window: Any) -> None:
    """Every section and one model's page: nothing logged, asked for outside, or forbidden, and nothing too wide."""
    model = sorted((site / "models").iterdir())[0].relative_to(site).as_posix()
    with visit(site, **window) as seen:
        for path in [*(f"{name}.html" for name in SECTIONS), model]:
            page = seen.open(path)
            page.locator("h1").wait_for()
            assert page.locator("h1").count() == 1
            assert seen.overflow_px() <= 0, path
            if path in ("index.html", model):
                assert axe(page) == [], path


@pytest.mark.parametrize(("width_px", "scheme"), [(360, "dark"), (1440, "light")])
def test_a_site_of_runs_stands_on_every_page(
    width_px: int, scheme: str, of_runs: Path, visit: Visit, axe: Callable[[Page], list[str]]
) -> None:
    _walk(of_runs, visit, axe, width_px=width_px, scheme=scheme)


@pytest.mark.parametrize(("width_px", "scheme"), [(360, "light"), (1440, "dark")])
def test_a_site_of_a_published_edition_stands_on_every_page(
    width_px: int, scheme: str, of_edition: Path, visit: Visit, axe: Callable[[Page], list[str]]
) -> None:
    _walk(of_edition, visit, axe, width_px=width_px, scheme=scheme)
    assert "166" in (of_edition / "leaderboard.html").read_text(encoding="utf-8")
