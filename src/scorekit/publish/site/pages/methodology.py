"""Methodology: what is measured, by which rules stars are given, every threshold, and what changed between editions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scorekit import editions, tasks
from scorekit.editions import Difference, Edition
from scorekit.publish.site.content import TITLES, Cohort, Site
from scorekit.publish.site.data import edition_path
from scorekit.publish.site.pages import Build, File, Page
from scorekit.publish.site.standings import scales_of
from scorekit.scales import RULES, Scale


@dataclass(frozen=True, slots=True)
class Range:
    """The thresholds of one cohort: its models, and its scale or None where it cannot be rated."""

    cohort: Cohort
    models: int
    scale: Scale | None


@dataclass(frozen=True, slots=True)
class EditionFacts:
    """One edition: its thresholds, where its file lies, and what changed from the one before; None for the oldest."""

    edition: Edition
    path: str
    ranges: tuple[Range, ...]
    since: Difference | None


def pages(site: Site, _build: Build) -> Iterator[Page | File]:
    """The one page."""
    told = _told(site)
    chosen = next((one for one in told if site.edition is not None and one.edition.name == site.edition.name), None)
    yield Page(
        "methodology.html",
        "Methodology",
        "methodology.html",
        "methodology",
        {
            "chosen": chosen,
            "editions": told,
            "rules": tuple(RULES.values()),
            "measured": [tasks.TASKS[name] for name in tasks.MAIN_TASKS],
            "titles": TITLES,
            "protocol": {
                "gpu": tasks.OFFICIAL_GPU,
                "queries": tasks.OFFICIAL_SAMPLES,
                "repeats": tasks.OFFICIAL_RUNS,
                "class_a": tasks.CLASS_A_MAX_PARAMETERS,
                "class_b": tasks.CLASS_B_MAX_PARAMETERS,
                "reasoning": tasks.REASONING_NEW_TOKENS,
            },
        },
        description="What is measured, how stars are given, and what changed from edition to edition.",
        styles=("assets/methodology.css",),
    )


def _told(site: Site) -> list[EditionFacts]:
    """Every edition, newest first, each compared with the next older one."""
    older = [*site.editions, None][1:]
    return [
        EditionFacts(
            edition=edition,
            path=edition_path(edition),
            ranges=_ranges(edition),
            since=None if before is None else editions.compare(before, edition),
        )
        for edition, before in zip(site.editions, older, strict=True)
    ]


def _ranges(edition: Edition) -> tuple[Range, ...]:
    scales = scales_of(edition)
    cohorts = [(Cohort(row.cohort, row.model_class), row.n) for row in edition.thresholds]
    order = {name: place for place, name in enumerate(TITLES)}
    cohorts.sort(key=lambda each: (order.get(each[0].name, len(order)), each[0].key))
    return tuple(Range(cohort, n, scales.get(cohort)) for cohort, n in cohorts)
