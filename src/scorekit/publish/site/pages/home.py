"""Home: how much energy each task takes, in one look, and what that means in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from scorekit.publish.charts import figure, tasks_chart
from scorekit.publish.charts.subjects import spreads
from scorekit.publish.site.content import CohortSummary, Entry, Site, is_official, one_a_model
from scorekit.publish.site.figures import UNKNOWN, Told, count, told_of
from scorekit.publish.site.pages import CHART_SCRIPTS, CHART_STYLES, Build, File, Page


@dataclass(frozen=True, slots=True)
class Row:
    """One cohort: its spread, what is told of its averages, its least and most energy, and how many are local."""

    summary: CohortSummary
    mean_told: Told
    median_told: Told
    best: Entry
    highest: Entry
    local: int

    @property
    def title(self) -> str:
        """The cohort's, for the middle of a sentence."""
        title = self.summary.cohort.title
        return f"{title[:1].lower()}{title[1:]}"


def pages(site: Site, _build: Build) -> Iterator[Page | File]:
    """The first page."""
    rows = [_row(site, summary) for summary in site.summaries]
    official = [row for row in rows if row.summary.official]
    local = [row for row in rows if not row.summary.official]
    yield Page(
        "index.html",
        "How much energy AI tasks take",
        "home.html",
        "home",
        {
            "official": official,
            "local": local,
            "chart": _chart(official, "official-tasks", "Energy of 1,000 queries, by task"),
            "local_chart": _chart(local, "local-tasks", "Energy of 1,000 queries, by task: local figures"),
            # Local figures are no answer to how unlike tasks are: each was measured in its own way.
            "extremes": None if site.edition is None else _extremes(official),
            "scope": _scope(site),
            "models": len(site.models),
            "figures": len(site.entries),
            "ranges": () if site.edition is None or site.entries else site.edition.thresholds,
        },
        description="Average energy of 1,000 queries of each AI task, with its spread and the most frugal models.",
        scripts=CHART_SCRIPTS if rows else (),
        styles=(*(CHART_STYLES if rows else ()), "assets/home.css"),
    )


def _scope(site: Site) -> str:
    """Where the official figures come from, in words."""
    edition = None if site.edition is None else f"edition {site.edition.name}"
    comparable = any(is_official(entry) and entry.result is not None for entry in site.entries)
    parts = [edition] if edition is not None and site.edition is not None and site.edition.members else []
    if comparable:
        parts.append("results that are comparable with official ones")
    return " and ".join(parts)


def _row(site: Site, summary: CohortSummary) -> Row:
    entries = site.of_cohort(summary.cohort, official=summary.official)
    return Row(
        summary=summary,
        mean_told=_told(one_a_model(entries), "mean"),
        median_told=_told(one_a_model(entries), "median"),
        best=entries[0],
        highest=entries[-1],
        local=len(site.of_cohort(summary.cohort, official=False)) if summary.official else 0,
    )


def _told(entries: Sequence[Entry], average: str) -> Told:
    """What is told of an average of models by one figure each: where these come from, and which average it is."""
    editions = sorted({told_of(entry).edition or UNKNOWN for entry in entries})
    hardware = sorted({entry.hardware or UNKNOWN for entry in entries})
    origins = {entry.origin for entry in entries}
    models = f"{count(len(entries))} {'model' if len(entries) == 1 else 'models'}"
    return Told(
        source=f"{average} of {models}, each by its least energy",
        edition=", ".join(editions) if is_official(entries[0]) else "none: local figures",
        hardware=_listed(hardware),
        uncertainty=f"that of a {average} of unlike models says little; see lowest and highest",
        origin=origins.pop() if len(origins) == 1 else "mixed",
    )


def _listed(names: Sequence[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _extremes(rows: Sequence[Row]) -> tuple[Row, Row, float] | None:
    """The cohort whose median model takes least, the one whose takes most, and how many times as much that is."""
    medians = [(row.summary.median, place, row) for place, row in enumerate(rows) if row.summary.median is not None]
    if len(medians) < 2:
        return None
    (least, _, first), (most, _, last) = min(medians), max(medians)
    return first, last, most / least


def _chart(rows: Sequence[Row], identity: str, title: str) -> Markup | None:
    drawn = spreads(row.summary for row in rows)
    return figure(tasks_chart(drawn, title), identity, level=2) if drawn else None
