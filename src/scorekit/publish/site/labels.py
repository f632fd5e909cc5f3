"""The label of each figure on the site: SVG to show and print, and the JSON of a badge.

A label brings its fonts along, some 30 kB, so a site has at most `MOST_LABELS` of them: official figures come first.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Final

from scorekit.editions import Edition, thresholds_for
from scorekit.errors import RatingError
from scorekit.publish.label import LabelFacts, label_facts
from scorekit.publish.label.badge import badge
from scorekit.publish.label.facts import split_model
from scorekit.publish.label.svg import svg
from scorekit.publish.site.content import Entry, Site
from scorekit.publish.site.pages import Build, File
from scorekit.records import Member, Reason

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
        return _of_member(entry, entry.member, site.edition, link)
    assert entry.rating is not None
    return label_facts(entry.rating, entry.result, link)


def _of_member(entry: Entry, member: Member, edition: Edition, link: str | None) -> LabelFacts:
    """Of a published figure: what its edition tells, and no more."""
    provider, name = split_model(member.model)
    try:
        models = thresholds_for(edition, member.cohort, member.model_class).n
    except RatingError:
        models = None
    unrated = Reason(code="edition", message=f"edition {edition.name} has no thresholds for {entry.cohort.title}")
    return LabelFacts(
        kind="unrated" if entry.stars is None else "official",
        provider=provider,
        name=name,
        revision=None,
        scored=_day(edition.date),
        task=member.cohort,
        model_class=member.model_class,
        hardware=edition.hardware,
        gpu_count=None,
        energy_wh_per_1000=member.wh_per_1000_queries,
        # Editions hold figures of the protocol, which counts the GPU alone.
        domain="gpu",
        origin=entry.origin,
        uncertainty_percent=None,
        queries=None,
        runs=None,
        dataset=None,
        stars=entry.stars,
        edition=edition.name,
        rule=edition.rule,
        cohort_size=models,
        star_probability=None,
        borderline=None,
        out_of_range=None,
        no_star_because=None,
        reasons=(unrated,) if entry.stars is None else (),
        link=link,
        files={source.name: source.sha256 for source in edition.sources if source.sha256 is not None},
        scorekit_version=None,
    )


def _day(date: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(date if len(date) > len("2025-02") else f"{date}-01")
    except ValueError:
        return None
