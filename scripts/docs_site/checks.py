"""What must hold for the HTML, whatever generator made it: links lead somewhere, and nothing comes from elsewhere."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

_LOADS: Final = {
    "script",
    "img",
    "iframe",
    "source",
    "video",
    "audio",
    "embed",
    "object",
    "link",
    "use",
    "image",
    "input",
}
"""Elements whose address a browser asks for when it opens the page."""
_STYLE_ADDRESS: Final = re.compile(r"(?:url\(\s*|@import\s+)[\"']?((?:https?:)?//[^\"')\s]+)")
_NO_PAGE: Final = "404.html"


class BuildError(Exception):
    """The site could not be made, or is not sound."""


@dataclass
class Document:
    """What a page refers to.

    Attributes:
        ids: that links can lead to.
        links: element, attribute and address.
    """

    ids: set[str] = field(default_factory=set)
    links: list[tuple[str, str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found = Document()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" or (name == "name" and tag == "a"):
                self.found.ids.add(value or "")
            elif name in ("href", "src", "data", "poster", "xlink:href"):
                self.found.links.append((tag, name, value or ""))
            elif name == "srcset":
                self.found.links += [(tag, name, part.split()[0]) for part in (value or "").split(",") if part.strip()]


def read(path: Path) -> Document:
    """What a page refers to."""
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    return reader.found


def faults(site: Path) -> Iterator[str]:
    """Everything that is wrong with a built site."""
    documents = {path.relative_to(site).as_posix(): read(path) for path in sorted(site.rglob("*.html"))}
    for page, document in documents.items():
        for tag, attribute, address in dict.fromkeys(document.links):
            fault = _fault(site, page, tag, address, documents)
            if fault is not None:
                yield f"{page}: <{tag} {attribute}={address!r}> {fault}"
    for style in sorted(site.rglob("*.css")):
        for address in _STYLE_ADDRESS.findall(style.read_text(encoding="utf-8")):
            yield f"{style.relative_to(site).as_posix()}: {address} is asked of another host"
    yield from _not_in_navigation(documents)


def _not_in_navigation(documents: dict[str, Document]) -> Iterator[str]:
    """Pages to which Home, whose navigation holds all pages, does not lead."""
    told = {unquote(urlsplit(address).path) for _, _, address in documents["index.html"].links}
    for page in documents:
        if page not in told and page not in (_NO_PAGE, "index.html"):
            yield f"{page}: is not in the navigation"


def _fault(site: Path, page: str, tag: str, address: str, documents: dict[str, Document]) -> str | None:
    parts = urlsplit(address)
    if parts.scheme in ("data", "mailto"):
        return None
    if parts.scheme or parts.netloc:
        return "is asked of another host" if tag in _LOADS else None
    if parts.path.startswith("/"):
        # The page for what is not there is shown at any path.
        return None if page == _NO_PAGE else "is not relative"
    target = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(parts.path))) if parts.path else page
    if target.startswith(".."):
        return "leads out of the site"
    if not (site / target).is_file():
        return "leads nowhere" if target != "." else None
    if parts.fragment and target in documents and unquote(parts.fragment) not in documents[target].ids:
        return "names no id"
    return None
