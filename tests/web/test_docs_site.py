"""`make docs` builds the documentation's site, whole and strict; a browser finds it sound, opened as files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from scripts.docs_site import __main__ as docs_site
from scripts.docs_site import api_pages, pictures, schemas, screenshots

from tests.web.conftest import ROOT, watched


def test_the_site_is_built_and_sound(browser: Browser, tmp_path: Path) -> None:
    # A process of its own, as Playwright's loop runs in this one.
    command = [sys.executable, "-m", "scripts.docs_site", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    site = tmp_path / "site"
    assert "pages: open file://" in done.stdout
    _holds_everything(site)
    with watched(browser, f"{site.as_uri()}/") as (page, complaints):
        page.goto((site / "start" / "cpu.html").as_uri())
        assert page.locator("img[src*='site-leaderboard']:visible").count() == 1
        # Search needs no server.
        page.locator("input.md-search__input").click()
        page.keyboard.type("uncertainty")
        expect(page.locator(".md-search-result__item").first).to_be_visible()
        page.goto((site / "reference" / "commands.html").as_uri())
        expect(page.locator("h2#scorekit-parse")).to_be_visible()
        assert complaints == []
    with watched(browser, f"{site.as_uri()}/", width_px=360, scheme="dark") as (page, complaints):
        for path in ("index.html", "formats.html", "reference/api/rating.html"):
            page.goto((site / path).as_uri())
            assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, path
        assert complaints == []


def test_a_folder_with_something_else_in_it_is_not_written_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("letters", "site"):
        (tmp_path / name).mkdir()
    with pytest.raises(SystemExit) as ended:
        docs_site.main(["--out", str(tmp_path)])
    assert ended.value.code == 2
    assert "holds letters, which is of no build" in capsys.readouterr().err
    assert (tmp_path / "site").is_dir()


def _holds_everything(site: Path) -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        assert (site / page.relative_to(ROOT / "docs").with_suffix(".html")).is_file(), page
    for name, _ in schemas.files():
        assert (site / schemas.FOLDER / name).is_file(), name
    drawn = {path.name for path in (site / "pictures").iterdir() if path.stat().st_size > 1000}
    assert {f"{name}-{look}.png" for name in screenshots.SHOTS for look in ("light", "dark")} <= drawn
    assert {f"{name}-{look}.svg" for name in pictures.CHARTS for look in ("light", "dark")} | {"label.svg"} <= drawn
    notebook = (site / "notebooks" / "measure.html").read_text(encoding="utf-8")
    assert "sorted" in notebook.partition("was measured on the machine")[2]
    assert 'src="../pictures/notebook-measure-' in notebook
    for name in api_pages.PAGES:
        assert 'class="doc doc-' in (site / "reference" / "api" / f"{name}.html").read_text(encoding="utf-8"), name
