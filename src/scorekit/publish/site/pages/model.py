"""One page for each model: all its figures, what they are made of, and where each comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from scorekit.explain import explain
from scorekit.publish.charts import SharedSpecs, budget_chart, figure, history_chart, phases_chart, subjects
from scorekit.publish.site import labels
from scorekit.publish.site.content import Entry, Site, model_slug
from scorekit.publish.site.figures import Told, published_in, told_of
from scorekit.publish.site.pages import CHART_SCRIPTS, CHART_STYLES, Build, File, Page, script_data
from scorekit.publish.site.standings import Standing, history_of
from scorekit.records import PhaseEnergy, Reason, Result
from scorekit.units import kwh_to_wh

MOST_DETAILS: Final = 50
"""So many figures of a model are told in full; of the others the page has one line each."""
SPECS_PATH: Final = "data/chart-specs.js"
"""What the charts of all models have in common."""
_FEWEST_EDITIONS: Final = 2
"""One edition alone is no history."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of a result as the page tells it; energy in Wh of one repeat, share of the counted energy."""

    name: str
    counted: bool
    wh: float | None
    share_percent: float | None
    duration_s: float | None
    repeats: int


@dataclass(frozen=True, slots=True)
class Detail:
    """All that is told of one figure.

    Attributes:
        entry: the figure.
        told: what stands beside it.
        why: why it has its star, in words; None where its source published it.
        phases: of its energy.
        warnings: checks that warned.
        label: path of its label; None where it has none.
        badge: path of its badge.
        phases_chart: of its energy; None where no phase has any.
        uncertainty_chart: of each source of its uncertainty; None where none is known.
    """

    entry: Entry
    told: Told
    why: str | None
    phases: tuple[Phase, ...]
    warnings: tuple[Reason, ...]
    label: str | None
    badge: str | None
    phases_chart: Markup | None
    uncertainty_chart: Markup | None


def pages(site: Site, build: Build) -> Iterator[Page | File]:
    """The pages of all models, and the labels that they show."""
    history = history_of(site.editions)
    labelled = labels.labelled(site)
    refused = site.refused_of
    shared = SharedSpecs()
    for model in sorted({*site.models, *refused}):
        entries = site.models.get(model, ())
        yield _page(model, entries, refused.get(model, ()), history.get(model, ()), labelled, shared)
    if shared.specs:
        yield script_data("chartSpecs", shared.specs, SPECS_PATH)
    yield from labels.files(site, build)


def _page(
    model: str,
    entries: Sequence[Entry],
    refused: Sequence[Result],
    standings: Sequence[Standing],
    labelled: frozenset[str],
    shared: SharedSpecs,
) -> Page:
    details = [_detail(entry, labelled, shared) for entry in entries[:MOST_DETAILS]]
    over_editions = _history_chart(model, standings, shared)
    has_charts = over_editions is not None or any(one.phases_chart or one.uncertainty_chart for one in details)
    return Page(
        f"models/{model_slug(model)}.html",
        model,
        "model.html",
        "leaderboard",
        {
            "model": model,
            "entries": entries,
            "tasks": len({entry.cohort for entry in entries}),
            "details": details,
            "refused": refused[:MOST_DETAILS],
            "refused_count": len(refused),
            "standings": [(standing, _told(standing)) for standing in standings],
            "history_chart": over_editions,
        },
        description=f"Energy of {model} for 1,000 queries, with its uncertainty and where each figure comes from.",
        scripts=(SPECS_PATH, *CHART_SCRIPTS) if has_charts else (),
        styles=(*(CHART_STYLES if has_charts else ()), "assets/model.css"),
    )


def _told(standing: Standing) -> Told:
    """What is told of an edition's figure."""
    edition = standing.edition
    return Told(source=published_in(edition.name), edition=edition.name, hardware=edition.hardware, origin="measured")


def _history_chart(model: str, standings: Sequence[Standing], shared: SharedSpecs) -> Markup | None:
    if len({standing.edition.name for standing in standings}) < _FEWEST_EDITIONS:
        return None
    return figure(history_chart(subjects.history_points(standings), model), "history-chart", shared=shared)


def _detail(entry: Entry, labelled: frozenset[str], shared: SharedSpecs) -> Detail:
    result = entry.result
    has_label = entry.id in labelled
    return Detail(
        entry=entry,
        told=told_of(entry),
        why=None if entry.rating is None else explain(entry.rating),
        phases=() if result is None else _phases(result.phases),
        warnings=() if result is None or result.score is None else result.score.warnings,
        label=labels.label_path(entry) if has_label else None,
        badge=labels.badge_path(entry) if has_label else None,
        phases_chart=None if result is None else _phases_chart(entry, result, shared),
        uncertainty_chart=None if result is None else _uncertainty_chart(entry, result, shared),
    )


def _phases_chart(entry: Entry, result: Result, shared: SharedSpecs) -> Markup | None:
    title = entry.cohort.title
    chart = phases_chart(subjects.phase_shares(title, result.phases), f"{title}: energy by phase")
    return None if chart.empty else figure(chart, f"phases-{entry.id}", level=4, shared=shared)


def _uncertainty_chart(entry: Entry, result: Result, shared: SharedSpecs) -> Markup | None:
    chart = budget_chart(subjects.budget(result.uncertainty), f"{entry.cohort.title}: uncertainty of the score")
    return None if chart.empty else figure(chart, f"uncertainty-{entry.id}", level=4, shared=shared)


def _phases(phases: Sequence[PhaseEnergy]) -> tuple[Phase, ...]:
    energies_wh = [None if phase.energy_kwh is None else kwh_to_wh(phase.energy_kwh) for phase in phases]
    counted = sum(wh for phase, wh in zip(phases, energies_wh, strict=True) if phase.counted and wh is not None)
    return tuple(
        Phase(
            name=phase.phase,
            counted=phase.counted,
            wh=wh,
            share_percent=100 * wh / counted if phase.counted and wh is not None and counted > 0 else None,
            duration_s=phase.duration_s,
            repeats=len(phase.energy_kwh_by_repeat),
        )
        for phase, wh in zip(phases, energies_wh, strict=True)
    )
