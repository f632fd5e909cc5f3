"""Home: how much energy each task takes, in one look."""

from __future__ import annotations

from collections.abc import Iterator

from scorekit.publish.site.content import Site
from scorekit.publish.site.pages import Build, File, Page


def pages(_site: Site, _build: Build) -> Iterator[Page | File]:
    """The first page."""
    yield Page("index.html", "Energy of AI tasks", "home.html", "home")
