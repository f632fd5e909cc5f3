"""Writing the site: all of it into a fresh folder, which then takes the place of the old one.

Nobody sees a site that is half built: until everything is written the old one stands, and if anything fails it stays.
"""

from __future__ import annotations

import contextlib
import datetime
import importlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scorekit import __version__, atomic
from scorekit.errors import UsageError
from scorekit.publish import charts
from scorekit.publish.site.content import Site
from scorekit.publish.site.environment import Renderer
from scorekit.publish.site.files import MARK, SITE_SCHEMA, assets, is_site
from scorekit.publish.site.pages import SECTIONS, Build, File, Page, Section

_ELSEWHERE: Final = "--out DIR"
_PATH: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*")


@dataclass(frozen=True, slots=True)
class Built:
    """What was built: where, how many pages and files, and how many bytes altogether."""

    folder: Path
    pages: int
    files: int
    size_bytes: int


def build(
    site: Site,
    out: Path,
    *,
    base_url: str | None = None,
    portal_url: str | None = None,
    time: datetime.datetime | None = None,
    sections: tuple[Section, ...] = SECTIONS,
) -> Built:
    """Write the site.

    Args:
        site: what it shows.
        out: its folder; a site that is there is replaced.
        base_url: where it will stand.
        portal_url: where measurements are handed in, which every page then links to.
        time: of the build; that of SOURCE_DATE_EPOCH where None and set, else now. The same site built at the same
            time is the same, byte for byte.
        sections: what it may have; each tells whether it is of this site.

    Raises:
        UsageError: `out` holds something else than a site, or an address is none.
        BundleError: it cannot be written.
    """
    base = None if base_url is None else _checked_url(base_url, "a site", "--base-url https://example.org/scores/")
    facts = Build(
        time or _now(),
        __version__,
        base if base is None or base.endswith("/") else f"{base}/",
        None if portal_url is None else _checked_url(portal_url, "a portal", "--portal-url https://example.org/submit"),
    )
    check_target(out)
    sections = tuple(section for section in sections if section.is_of(site))
    renderer = Renderer(site, facts, sections)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{out.name[:100]}.", suffix=".part", dir=out.parent))
    except OSError as error:
        raise atomic.write_error(out, error, _ELSEWHERE) from error
    try:
        writer = _Writer(fresh)
        for item in _everything(site, facts, sections):
            if isinstance(item, Page):
                writer.pages += 1
                writer.write(item.path, renderer.render(item).encode("utf-8", "replace"))
            else:
                writer.write(item.path, item.content)
        writer.write(MARK, (json.dumps({"schema_version": SITE_SCHEMA, "scorekit": __version__}) + "\n").encode())
        # mkdtemp makes folders private; a site is meant to be read.
        fresh.chmod(0o777 & ~atomic.umask())
        _swap(fresh, out)
        return Built(out, writer.pages, writer.files, writer.size_bytes)
    except OSError as error:
        raise atomic.write_error(out, error, _ELSEWHERE) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def check_target(out: Path) -> None:
    """Make sure that a folder may be replaced by a site.

    Raises:
        UsageError: it holds something else.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise UsageError(f"{out} is no folder", mend=f"choose another with {_ELSEWHERE}")
    if out.is_dir() and any(out.iterdir()) and not is_site(out):
        raise UsageError(
            f"{out} holds something else than a site of scorekit, and is left as it is",
            mend=f"choose an empty or new folder with {_ELSEWHERE}",
        )


class _Writer:
    """Writes files below a folder, and counts them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = {""}
        self._written: set[str] = set()
        self.pages = 0
        self.files = 0
        self.size_bytes = 0

    def write(self, path: str, content: bytes) -> None:
        """Write one file; a path that leads elsewhere, or is written twice, is a fault of a page."""
        if not _PATH.fullmatch(path):
            raise ValueError(f"{path!r} is no path of the site")
        if path.lower() in self._written:
            raise ValueError(f"{path} is written twice")
        self._written.add(path.lower())
        parent = path.rpartition("/")[0]
        if parent not in self._made:
            (self._folder / parent).mkdir(parents=True, exist_ok=True)
            self._made.add(parent)
        (self._folder / path).write_bytes(content)
        self.files += 1
        self.size_bytes += len(content)


def _everything(site: Site, facts: Build, sections: Iterable[Section]) -> Iterator[Page | File]:
    yield from _assets()
    for name in dict.fromkeys(section.module for section in sections):
        yield from importlib.import_module(f"scorekit.publish.site.pages.{name}").pages(site, facts)


def _assets() -> Iterator[File]:
    for name, path in assets():
        yield File(f"assets/{name}", path.read_bytes())
    for name, content in charts.runtime_files().items():
        yield File(f"assets/{name}", content)


def _swap(fresh: Path, out: Path) -> None:
    """Put a folder in the place of another, which comes back where that fails."""
    if not out.exists():
        fresh.rename(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name[:100]}.", suffix=".old.part", dir=out.parent))
    try:
        # Onto the empty folder that was just made: its name is free for nobody else.
        out.rename(old)
        try:
            fresh.rename(out)
        except OSError:
            with contextlib.suppress(OSError):
                old.rename(out)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _now() -> datetime.datetime:
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch.isdecimal():
        return datetime.datetime.fromtimestamp(int(epoch), datetime.UTC)
    return datetime.datetime.now(datetime.UTC)


def _checked_url(url: str, of: str, example: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+(/[!-~]*)?", url) or re.search(r"[\"<>\\^`{|}?#]", url):
        raise UsageError(f"{url!r} is no address of {of}", mend=f"write it as {example}")
    return url
