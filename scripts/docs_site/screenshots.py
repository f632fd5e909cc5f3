"""Pictures of the site and of the portal, light and dark, by Chromium."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from scripts.docs_site.pictures import Picture

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_PATIENCE_MS: Final = 60_000
_SIZE_PX: Final = (1200, 760)
_LOOKS: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
_MEND: Final = "apt-get install chromium, name it with CHROMIUM=PATH, or leave the pictures out: --without-screenshots"


class NoBrowserError(Exception):
    """There is no browser that could make pictures of pages."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A page to make a picture of.

    Attributes:
        about: what it shows.
        path: of the page; of none, it is that of the demonstration's model.
        ready: what stands on it when it is ready.
        on_portal: whether it is a page of a portal, and not of the site.
    """

    about: str
    path: str
    ready: str
    on_portal: bool = False


SHOTS: Final = {
    "site-leaderboard": Shot("the leaderboard", "leaderboard.html", "table tbody tr"),
    "site-model": Shot("the page of a model", "", "h1"),
    "site-calculator": Shot("the calculator", "calculator.html", "output, form"),
    "portal-submit": Shot("the portal's page for handing in", "submit", "form", on_portal=True),
}
"""By the name of the picture."""


def make(folder: Path) -> dict[str, Picture]:
    """Make all of them; what was made, by name.

    Raises:
        NoBrowserError: there is no Chromium, or it does not start.
    """
    # Only who makes pictures waits for what they are of.
    from scripts.docs_site import demonstration, portal_pages

    from scorekit.publish.site.build import build
    from scorekit.publish.site.content import model_slug

    model = f"models/{model_slug(demonstration.MODEL)}.html"
    with tempfile.TemporaryDirectory(prefix="scorekit-docs-") as work, _browser() as browser:
        site = build(demonstration.site(), Path(work) / "site").folder
        with portal_pages.running(Path(work) / "portal") as portal:
            for look in _LOOKS:
                context = browser.new_context(
                    viewport={"width": _SIZE_PX[0], "height": _SIZE_PX[1]}, color_scheme=look, reduced_motion="reduce"
                )
                context.set_default_timeout(_PATIENCE_MS)
                name, value = portal.cookie
                context.add_cookies([{"name": name, "value": value, "url": portal.url}])
                page = context.new_page()
                for picture, shot in SHOTS.items():
                    page.goto(f"{portal.url}/{shot.path}" if shot.on_portal else (site / (shot.path or model)).as_uri())
                    page.locator(shot.ready).first.wait_for()
                    page.screenshot(path=folder / f"{picture}-{look}.png")
                context.close()
    return {
        name: Picture(
            f"A browser with {shot.about}",
            f"{shot.about[0].upper()}{shot.about[1:]}{'' if shot.on_portal else ', of results that are made up'}.",
            "png",
            has_looks=True,
        )
        for name, shot in SHOTS.items()
    }


@contextmanager
def _browser() -> Iterator[Browser]:
    try:
        from playwright.sync_api import Error, sync_playwright
    except ModuleNotFoundError as error:
        raise NoBrowserError(
            "pictures of pages need playwright, which is missing: pip install playwright, or --without-screenshots"
        ) from error
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    if not Path(found).is_file():
        raise NoBrowserError(f"pictures of pages need Chromium, which is not here: {_MEND}")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=found,
                timeout=_PATIENCE_MS,
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
            )
        except Error as error:
            first = str(error).partition("\n")[0]
            raise NoBrowserError(f"{found} does not start ({first}): {_MEND}") from error
        yield browser
        browser.close()
