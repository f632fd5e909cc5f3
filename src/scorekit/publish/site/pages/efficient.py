"""Most and least efficient: the ends of every cohort, official figures and local ones apart."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from scorekit.publish.charts import ends, extremes_chart, figure
from scorekit.publish.charts.subjects import energies
from scorekit.publish.site.content import Cohort, Entry, Site
from scorekit.publish.site.names import shown
from scorekit.publish.site.pages import CHART_SCRIPTS, CHART_STYLES, Build, File, Page

PATH: Final = "efficient.html"
EACH: Final = 5
"""Models at either end."""


@dataclass(frozen=True, slots=True)
class Place:
    """A model at one end of a group.

    Attributes:
        rank: from 1 for the least energy; models of one energy share it.
        is_shared: whether another model of the group has the same.
        entry: its figure.
        figures: how many figures of the group are its; the least is shown.
    """

    rank: int
    is_shared: bool
    entry: Entry
    figures: int


@dataclass(frozen=True, slots=True)
class Group:
    """Models that may be set beside each other: one task and class, official, or local and of one hardware.

    Attributes:
        key: for addresses.
        cohort: task and class.
        official: whether its figures are official or comparable ones.
        hardware: names of it, or unknown.
        editions: of its stars.
        models: how many.
        most: with the least energy, at most `EACH`, least energy first.
        least: with the most energy, none of them in `most`, most energy first.
        places: every model, by rising energy.
        ratio: energy of the last model over that of the first; None for one model.
        notes: what is to be known, each a sentence.
    """

    key: str
    cohort: Cohort
    official: bool
    hardware: tuple[str, ...]
    editions: tuple[str, ...]
    models: int
    most: tuple[Place, ...]
    least: tuple[Place, ...]
    places: tuple[Place, ...]
    ratio: float | None
    notes: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Whose figures they are, as it is chosen on the page."""
        return "official" if self.official else f"local, {', '.join(self.hardware)}"


def pages(site: Site, _build: Build) -> Iterator[Page | File]:
    """The page."""
    found = list(groups(site))
    yield Page(
        PATH,
        "Most and least efficient",
        "efficient.html",
        "efficient",
        {
            "groups": [(group, _chart(group)) for group in found],
            "each": EACH,
            "tasks": {group.cohort.name: group.cohort.task_title for group in found},
        },
        description="The models that take the least and the most energy on each task.",
        scripts=(*CHART_SCRIPTS, "assets/groups.js"),
        styles=(*CHART_STYLES, "assets/groups.css", "assets/efficient.css"),
    )


def groups(site: Site) -> Iterator[Group]:
    """Every group that has a model, in the order of the cohorts, official ones first."""
    for cohort in site.cohorts:
        official = site.of_cohort(cohort, official=True)
        if official:
            yield _group(f"{cohort.key}-official", cohort, official, is_official=True)
        by_hardware: dict[str, list[Entry]] = {}
        for entry in site.of_cohort(cohort, official=False):
            by_hardware.setdefault(_hardware(entry), []).append(entry)
        for place, (_, local) in enumerate(sorted(by_hardware.items()), start=1):
            yield _group(f"{cohort.key}-local-{place}", cohort, local, is_official=False)


def _group(key: str, cohort: Cohort, entries: Sequence[Entry], *, is_official: bool) -> Group:
    places = _places(entries)
    first, last = ends(len(places), EACH)
    lowest, highest = places[0].entry.wh_per_1000_queries, places[-1].entry.wh_per_1000_queries
    return Group(
        key=key,
        cohort=cohort,
        official=is_official,
        hardware=tuple(sorted({_hardware(entry) for entry in entries})),
        editions=tuple(sorted({shown(entry.edition) for entry in entries})),
        models=len(places),
        most=tuple(places[:first]),
        least=tuple(reversed(places[len(places) - last :])),
        places=tuple(places),
        ratio=highest / lowest if len(places) > 1 else None,
        notes=tuple(_notes(places, first, last)),
    )


def _places(entries: Sequence[Entry]) -> list[Place]:
    """Each model once, by its least energy; entries come by rising energy."""
    by_model: dict[str, list[Entry]] = {}
    for entry in entries:
        by_model.setdefault(entry.model, []).append(entry)
    places: list[Place] = []
    for _, same in itertools.groupby(by_model.values(), key=lambda own: own[0].wh_per_1000_queries):
        tied = list(same)
        rank = len(places) + 1
        places += [Place(rank, len(tied) > 1, own[0], len(own)) for own in tied]
    return places


def _notes(places: Sequence[Place], first: int, last: int) -> Iterator[str]:
    count = len(places)
    if count == 1:
        yield "There is one model only, so nothing can be compared."
    elif count < 2 * EACH:
        yield f"There are {count} models, fewer than {2 * EACH}: the lists are shorter, and none stands in both."
    else:
        between = count - first - last
        if between:
            yield f"{between:,} {'model stands' if between == 1 else 'models stand'} between the two lists."
    yield from _ties(places[:first], places[first:], "least")
    if last:
        yield from _ties(places[count - last :], places[: count - last], "most")
    several = sum(place.figures > 1 for place in (*places[:first], *places[count - last :]))
    if several:
        models = "One model here has" if several == 1 else f"{several} models here have"
        yield f"{models} several figures and {'stands' if several == 1 else 'stand'} once, by the least."


def _ties(inside: Sequence[Place], outside: Sequence[Place], end: str) -> Iterator[str]:
    """Models that have the energy of one in the list, and are not in it."""
    ranks = {place.rank for place in inside}
    left_out = sum(place.rank in ranks for place in outside)
    if left_out:
        models = "1 more model takes" if left_out == 1 else f"{left_out} more models take"
        yield f"{models} the same energy as one in the list of the {end} energy, and the order among them is by name."


def _chart(group: Group) -> Markup | None:
    """Both ends on one axis; None where there is nothing to compare."""
    if group.models == 1:
        return None
    points = energies(place.entry for place in group.places)
    title = f"Most and least efficient: {group.cohort.title}, {group.kind}"
    return figure(extremes_chart(points, title, EACH), f"chart-{group.key}")


def _hardware(entry: Entry) -> str:
    return shown(entry.hardware) if entry.hardware else "hardware unknown"
