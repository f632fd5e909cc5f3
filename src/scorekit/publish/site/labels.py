"""The label of each figure on the site: SVG to show and print, and the JSON of a badge.

A label brings its fonts along, some 30 kB, so a site has at most `MOST_LABELS` of them: official figures come first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from scorekit.publish.label import LabelFacts, label_facts
from scorekit.publish.label.badge import badge
from scorekit.publish.label.published import member_facts
from scorekit.publish.label.svg import svg
from scorekit.publish.site.content import Entry, Site
from scorekit.publish.site.pages import Build, File

MOST_LABELS: Final = 2_000


def labelled(site: Site) -> frozenset[str]:
    """Ids of the entries that have a label on the site."""
    return frozenset(entry.id for entry in site.entries[:MOST_LABELS])


def label_path(entry: Entry) -> str:
    """Where an entry's label lies."""
    return f"labels/{entry.id}.svg"


def badge_path(entry: Entry) -> str:
    """Where its badge lies."""
    return f"labels/{entry.id}.json"


def files(site: Site, build: Build) -> Iterator[File]:
    """The labels and badges of a site."""
    for entry in site.entries[:MOST_LABELS]:
        told = facts_of(entry, site, build)
        yield File(label_path(entry), svg(told).encode("utf-8", "replace"))
        yield File(badge_path(entry), (json.dumps(badge(told)) + "\n").encode("ascii"))


def facts_of(entry: Entry, site: Site, build: Build) -> LabelFacts:
    """What an entry's label tells; its link is the model's page, where the site has an address."""
    link = None if build.base_url is None else f"{build.base_url}{entry.page}"
    if entry.member is not None:
        assert site.edition is not None
        return member_facts(entry.member, site.edition, link)
    assert entry.rating is not None
    return label_facts(entry.rating, entry.result, link)
