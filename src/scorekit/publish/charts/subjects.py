"""From what the site shows to the charts' rows: which figures a chart is of, chosen by task, class and model; pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from scorekit.errors import UsageError, nearest
from scorekit.impacts import Kind, Mix
from scorekit.publish.charts.history import HistoryPoint
from scorekit.publish.charts.phases import PhaseShare
from scorekit.publish.charts.points import ModelEnergy
from scorekit.publish.charts.task_energies import TaskSpread
from scorekit.publish.charts.uncertainty_budget import BudgetTerm
from scorekit.publish.charts.zone_impacts import CAUTIONED, ZoneImpact
from scorekit.publish.site.content import UNCERTAINTY_TERMS, Cohort, CohortSummary, Entry, Site
from scorekit.publish.site.standings import Standing, history_of, scales_of
from scorekit.records import PhaseEnergy, Uncertainty
from scorekit.units import kwh_to_wh, wh_to_kwh

_NO_RESULTS: Final = "add results, scorekit results add FILE, or name an edition with members: --edition NAME"
_MOST_NAMED: Final = 12


def spreads(summaries: Iterable[CohortSummary]) -> list[TaskSpread]:
    """The spread of each cohort, classes apart; without those that have no average."""
    return [
        TaskSpread(
            task=summary.cohort.title if summary.official else f"{summary.cohort.title} (local)",
            models=summary.models,
            mean_wh_per_1000_queries=summary.mean,
            median_wh_per_1000_queries=summary.median,
            lowest_wh_per_1000_queries=summary.lowest,
            highest_wh_per_1000_queries=summary.highest,
            origin=summary.origins[0] if len(summary.origins) == 1 else "mixed",
        )
        for summary in summaries
        if summary.mean is not None and summary.median is not None
    ]


def find_cohort(site: Site, task: str | None, model_class: str | None) -> Cohort:
    """The one cohort of a task and class.

    Args:
        site: with the figures.
        task: leaderboard name of the task; may be left out where there is one cohort.
        model_class: A, B or C; may be left out where the task has one class.

    Raises:
        UsageError: there is none, or there are several; lists what there is.
    """
    if not site.cohorts:
        raise UsageError("there are no figures to make a chart of", mend=_NO_RESULTS)
    fits = [
        cohort
        for cohort in site.cohorts
        if task in (None, cohort.name, cohort.title)
        and model_class in (None, cohort.model_class, (cohort.model_class or "").lower())
    ]
    if len(fits) == 1:
        return fits[0]
    listed = ", ".join(_option(cohort) for cohort in fits or site.cohorts)
    if fits:
        raise UsageError(f"several tasks are meant: {listed}", mend=f"choose one, e.g. {_option(fits[0])}")
    close = nearest(task or "", [cohort.name for cohort in site.cohorts])
    raise UsageError(
        f"there are no figures of {task or 'any task'}{f', class {model_class}' if model_class else ''}; there are: "
        f"{listed}",
        mend=f"did you mean --task {close}?" if close and close != task else "choose one of those above",
    )


def energies(entries: Iterable[Entry], chosen: Iterable[str] = ()) -> list[ModelEnergy]:
    """Figures as charts show them.

    Args:
        entries: of the site.
        chosen: names of the models that the chart is about.
    """
    marked = set(chosen)
    return [
        ModelEnergy(
            model=entry.model,
            task=entry.cohort.title,
            energy_wh_per_1000_queries=entry.wh_per_1000_queries,
            half_width_95_percent=entry.half_width_95_percent,
            stars=entry.stars,
            origin=entry.origin,
            hardware=entry.hardware,
            edition=entry.edition,
            parameters=entry.parameters,
            chosen=entry.model in marked,
        )
        for entry in entries
    ]


def shown_of(site: Site, cohort: Cohort) -> tuple[Entry, ...]:
    """Official figures of a cohort, or where there are none the local ones; never both."""
    return site.of_cohort(cohort, official=True) or site.of_cohort(cohort)


def bounds(site: Site, cohort: Cohort) -> tuple[float, ...]:
    """The bounds between the stars of a cohort's figures in Wh per 1,000 queries; empty where there are none."""
    if site.edition is not None and site.of_cohort(cohort, official=True):
        scales = scales_of(site.edition)
        scale = scales.get(cohort) or scales.get(Cohort(cohort.name))
        return () if scale is None else scale.bounds
    found = {
        entry.rating.thresholds_wh_per_1000
        for entry in shown_of(site, cohort)
        if entry.rating is not None and len(entry.rating.thresholds_wh_per_1000) > 0
    }
    # Local figures of unlike conditions have scales of their own, and no bands in common.
    return found.pop() if len(found) == 1 else ()


def find_models(site: Site, wanted: Sequence[str], *, least: int = 1) -> list[str]:
    """Names of models that the site has.

    Raises:
        UsageError: too few are named, or one is not there; names the nearest.
    """
    if not site.models:
        raise UsageError("there are no figures to make a chart of", mend=_NO_RESULTS)
    if len(wanted) < least:
        count = "a model" if least == 1 else f"{least} models"
        raise UsageError(f"this chart is about {count}; there are: {_some(site.models)}", mend="name it: --model MODEL")
    for name in wanted:
        if name not in site.models:
            near = [model for model in site.models if name.lower() in model.lower()][:3]
            close = near or [one for one in [nearest(name, list(site.models)[:10_000])] if one]
            raise UsageError(
                f"there is no figure of a model '{name}'; there are: {_some(site.models)}",
                mend=f"did you mean {' or '.join(close)}?" if close else "choose one of those above",
            )
    return list(dict.fromkeys(wanted))


def history(site: Site, model: str) -> list[HistoryPoint]:
    """Where a model stands in every edition that names its members."""
    return history_points(history_of(site.editions).get(model, ()))


def history_points(standings: Iterable[Standing]) -> list[HistoryPoint]:
    """Where one model stands in editions, as charts show it."""
    return [
        HistoryPoint(
            edition=standing.edition.name,
            date=standing.edition.date,
            task=standing.cohort.title,
            energy_wh_per_1000_queries=standing.wh_per_1000_queries,
            stars=standing.stars,
            hardware=standing.edition.hardware,
        )
        for standing in standings
    ]


def phase_shares(run: str, phases: Sequence[PhaseEnergy]) -> list[PhaseShare]:
    """The phases of one result, none told twice: prefill and decode in the place of generate, or generate alone."""
    known = {
        phase.phase: phase
        for phase in phases
        if phase.energy_kwh is not None and math.isfinite(phase.energy_kwh) and phase.energy_kwh >= 0
    }
    whole, parts = known.get("generate"), [known.get("prefill"), known.get("decode")]
    left_out = {"generate"} if all(parts) else {"prefill", "decode"} if whole is not None else set()
    return [
        PhaseShare(
            run=run,
            phase=phase.phase,
            energy_wh=kwh_to_wh(phase.energy_kwh or 0.0),
            counted=whole.counted if whole is not None and phase in parts else phase.counted,
        )
        for name, phase in known.items()
        if name not in left_out
    ]


def budget(uncertainty: Uncertainty | None) -> list[BudgetTerm]:
    """Each source of a result's uncertainty, and what they make together."""
    if uncertainty is None:
        return []
    terms = [
        BudgetTerm(UNCERTAINTY_TERMS.get(term.name, term.name), term.kind, term.half_width_95_percent, term.source)
        for term in uncertainty.terms
    ]
    return [
        *terms,
        BudgetTerm(
            "All but the board's gain",
            "together",
            uncertainty.combined_95_percent,
            "the terms in quadrature: scores of one board",
        ),
        BudgetTerm(
            "All with the board's gain",
            "together",
            uncertainty.with_board_gain_95_percent,
            "the terms in quadrature: scores of other boards",
        ),
    ]


def zone_impacts(
    mix: Mix, kind: Kind, codes: Sequence[str] | None = None, *, energy_wh: float = 1e3
) -> list[ZoneImpact]:
    """An impact of an energy in some zones of an edition of electricity mixes, or in all.

    Args:
        mix: the edition.
        kind: of impact.
        codes: of the zones; None for all.
        energy_wh: the energy, a kWh where not given.
    """
    found = []
    for zone in mix.zones:
        if codes is not None and zone.code not in codes:
            continue
        factor = zone.factor(kind.name)
        found.append(
            ZoneImpact(
                code=zone.code,
                zone=zone.name,
                value=None if factor is None else wh_to_kwh(energy_wh) * factor,
                why_none=zone.why_none.get(kind.name),
                caution=zone.caution if kind.name in CAUTIONED else None,
            )
        )
    return found


def _option(cohort: Cohort) -> str:
    return f"--task {cohort.name}" + (f" --class {cohort.model_class}" if cohort.model_class else "")


def _some(models: Iterable[str]) -> str:
    names = list(models)
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
