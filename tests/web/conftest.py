"""A browser over built sites: Chromium by Playwright, and axe-core. A page that misbehaves fails the test that saw it.

Debian's chromium is used, at /usr/bin/chromium or where CHROMIUM says. axe-core comes from npm, once, into .cache.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, Page, expect, sync_playwright

from scorekit.publish.site.content import Site
from tests.sites import built, full_site
from tests.web.boards import board_site, built_board

expect.set_options(timeout=60_000)
ROOT = Path(__file__).parents[2]
AXE_VERSION = "4.14.1"
"""Pinned, so that a new rule fails on purpose."""
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
FETCH_TRIES = 3
PATIENCE_MS = 60_000
"""How long a page has for anything, and Chromium for its start: a busy machine is slow, and no test is about speed."""
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS_PX = {"phone": 360, "tablet": 768, "desktop": 1440}
# Without preload: axe would ask for the style sheets by a request that the policy forbids.
_AXE_RUN = "([type, values]) => axe.run(document, {runOnly: {type, values}, preload: false})"
_WATCH = """
window.policyViolations = [];
document.addEventListener("securitypolicyviolation", function (event) {
  window.policyViolations.push(event.violatedDirective + " " + event.blockedURI);
});
"""


@dataclass
class Visit:
    """A page of a site, opened in a browser that watches it.

    Attributes:
        page: Playwright's.
        folder: the site.
        complaints: what the page did that no page may do.
    """

    page: Page
    folder: Path
    complaints: list[str]

    def open(self, path: str, fragment: str = "") -> Page:
        """Load a page of the site."""
        self.page.goto((self.folder / path).as_uri() + (f"#{fragment}" if fragment else ""))
        return self.page

    def check(self) -> None:
        """Fail where the page logged an error, asked for anything outside, or broke its policy."""
        with contextlib.suppress(Exception):
            self.complaints += self.page.evaluate("window.policyViolations || []")
        assert self.complaints == []

    def overflow_px(self) -> int:
        """How far the page is wider than the window."""
        told: int = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        return told


def chromium_path() -> str:
    """Where Chromium is."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    if not Path(found).is_file():
        pytest.fail("there is no Chromium: apt-get install chromium, or name it with CHROMIUM=PATH")
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, once for all tests of a worker."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=chromium_path(),
            timeout=PATIENCE_MS,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
        )
        yield running
        running.close()


@contextlib.contextmanager
def watched(
    browser: Browser,
    inside: str,
    *,
    width_px: int = 1440,
    height_px: int = 900,
    scheme: Literal["light", "dark"] = "light",
    scripts: bool = True,
) -> Iterator[tuple[Page, list[str]]]:
    """A page of its own, and what it does that no page may do: log an error, fail, or ask outside of `inside`."""
    context = browser.new_context(
        viewport={"width": width_px, "height": height_px},
        color_scheme=scheme,
        java_script_enabled=scripts,
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []
    try:
        page = context.new_page()
        if scripts:
            page.add_init_script(_WATCH)
        page.on("console", lambda said: said.type == "error" and complaints.append(f"console: {said.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        # A page that is left stops what it was still loading.
        page.on(
            "requestfailed",
            lambda asked: (
                None if asked.failure == "net::ERR_ABORTED" else complaints.append(f"{asked.failure}: {asked.url}")
            ),
        )
        page.on(
            "request",
            lambda asked: (
                None if asked.url.startswith((inside, "data:", "blob:")) else complaints.append(f"outside: {asked.url}")
            ),
        )
        yield page, complaints
    finally:
        context.close()


@pytest.fixture
def visit(browser: Browser) -> Callable[..., contextlib.AbstractContextManager[Visit]]:
    """Opens a site: `with visit(folder, width_px=360, scheme="dark") as seen: seen.open("index.html")`.

    The end of the block fails on any console error, outside request or policy violation.
    """

    @contextlib.contextmanager
    def opened(folder: Path, **how: Any) -> Iterator[Visit]:
        with watched(browser, f"{folder.as_uri()}/", **how) as (page, complaints):
            seen = Visit(page, folder, complaints)
            yield seen
            seen.check()

    return opened


@pytest.fixture(scope="session")
def built_site(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Builds a site of a name, `built_site(site, name)`, once for all tests of all workers: they only look at it.

    A third argument builds it otherwise than `built`, with the same arguments.
    """
    base = tmp_path_factory.getbasetemp()
    # A worker's base lies inside the one of the whole run.
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "sites"
    root.mkdir(exist_ok=True)

    def build_once(site: Site, name: str, build: Callable[[Site, Path], Path] = built) -> Path:
        done = root / f"{name}.done"
        with FileLock(root / f"{name}.lock"):
            if not done.is_file():
                done.write_text(str(build(site, root / name)), encoding="utf-8")
        return Path(done.read_text(encoding="utf-8"))

    return build_once


@pytest.fixture(scope="session")
def board(built_site: Callable[..., Path]) -> Path:
    """A leaderboard of three pages."""
    return built_site(board_site(), "board", built_board)


@pytest.fixture(scope="session")
def full(built_site: Callable[[Site, str], Path]) -> Path:
    """The made-up site with two editions, results of every kind, and hostile names."""
    return built_site(full_site(), "full")


@pytest.fixture(scope="session")
def axe_source() -> str:
    """The script of axe-core."""
    folder = ROOT / ".cache" / f"axe-core-{AXE_VERSION}"
    script = folder / "axe.min.js"
    if not (script.is_file() and hashlib.sha256(script.read_bytes()).hexdigest() == AXE_SHA256):
        folder.mkdir(parents=True, exist_ok=True)
        # Each worker fetches into a folder of its own, and the last one's whole file stays.
        with tempfile.TemporaryDirectory(dir=folder) as own:
            _fetch_axe(Path(own)).replace(script)
    return script.read_text(encoding="utf-8")


def _fetch_axe(folder: Path) -> Path:
    """Take axe.min.js out of npm's package."""
    command = ["npm", "pack", f"axe-core@{AXE_VERSION}", "--silent", "--pack-destination", str(folder)]
    told = ""
    for _ in range(FETCH_TRIES):
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        except FileNotFoundError:
            pytest.fail("axe-core is fetched by npm, which is missing: apt-get install npm")
        except subprocess.TimeoutExpired:
            told = "npm did not end in time"
            continue
        if done.returncode:
            told = done.stderr.strip()[-500:]
            continue
        with tarfile.open(folder / f"axe-core-{AXE_VERSION}.tgz") as archive:
            member = archive.extractfile("package/axe.min.js")
            assert member is not None
            content = member.read()
        assert hashlib.sha256(content).hexdigest() == AXE_SHA256, "axe-core is not the file that was pinned"
        path = folder / "axe.min.js"
        path.write_bytes(content)
        return path
    pytest.fail(f"axe-core {AXE_VERSION} could not be fetched by npm: {told}")


@pytest.fixture(scope="session")
def axe(axe_source: str) -> Callable[..., list[str]]:
    """What axe-core finds on a page that breaks WCAG 2.2 AA, or is bad practice: rule, element and what to mend.

    `axe(page, "color-contrast")` asks for one rule alone, such as a theme may break.
    """

    def found(page: Page, *rules: str) -> list[str]:
        # By the debugger's protocol, which no policy of the page stops.
        page.evaluate(axe_source)
        answer = page.evaluate(_AXE_RUN, ["rule", list(rules)] if rules else ["tag", WCAG])
        return [
            f"{rule['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
            for rule in answer["violations"]
            for node in rule["nodes"][:5]
        ]

    return found
