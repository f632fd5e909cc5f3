"""Every chart by its name, made from what a reader asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from scorekit import impacts
from scorekit.errors import UsageError, nearest
from scorekit.publish.charts import subjects
from scorekit.publish.charts.chart import Chart
from scorekit.publish.charts.cohort import cohort_chart
from scorekit.publish.charts.compare import MOST_MODELS, compare_chart
from scorekit.publish.charts.extremes import extremes_chart
from scorekit.publish.charts.history import history_chart
from scorekit.publish.charts.parameters import parameters_chart
from scorekit.publish.charts.phases import phases_chart
from scorekit.publish.charts.quality_energy import quality_chart
from scorekit.publish.charts.task_energies import tasks_chart
from scorekit.publish.charts.uncertainty_budget import budget_chart
from scorekit.publish.charts.world import world_chart
from scorekit.publish.charts.zone_bars import zones_chart
from scorekit.publish.charts.zone_impacts import FIRST_ZONES
from scorekit.publish.site import quality
from scorekit.publish.site.content import Entry, Site

_MOST_ZONES: Final = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """What a chart is to be of; None and empty where nothing was said.

    Attributes:
        site: makes the figures known, when a chart asks for them.
        task: leaderboard name.
        model_class: A, B or C.
        models: names.
        zones: codes or names.
        kind: of impact: gwp, pe, adpe or water.
        mix: edition of electricity mixes.
        metric: of quality, as `acc`, or a benchmark with it, as `mmlu acc`.
    """

    site: Callable[[], Site]
    task: str | None = None
    model_class: str | None = None
    models: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    kind: str = "gwp"
    mix: str = impacts.CURRENT
    metric: str | None = None


class Named(NamedTuple):
    """A chart that can be asked for by its name.

    Attributes:
        summary: what it shows.
        make: makes it.
    """

    summary: str
    make: Callable[[Asked], Chart]


def find(name: str) -> Named:
    """The chart of a name.

    Raises:
        UsageError: there is none; lists the names and the nearest.
    """
    found = CHARTS.get(name)
    if found is not None:
        return found
    close = nearest(name, list(CHARTS))
    raise UsageError(
        f"there is no chart '{name}'; valid: {', '.join(CHARTS)}",
        mend=f"did you mean '{close}'?" if close else "see scorekit chart --list",
    )


def _tasks(asked: Asked) -> Chart:
    return tasks_chart(subjects.spreads(asked.site().summaries), "Energy of 1,000 queries, by task")


def _cohort(asked: Asked) -> Chart:
    site = asked.site()
    cohort = subjects.find_cohort(site, asked.task, asked.model_class)
    points = subjects.energies(subjects.shown_of(site, cohort), asked.models)
    return cohort_chart(points, subjects.bounds(site, cohort), f"{cohort.title}: energy of each model")


def _extremes(asked: Asked) -> Chart:
    site = asked.site()
    cohort = subjects.find_cohort(site, asked.task, asked.model_class)
    points = subjects.energies(subjects.shown_of(site, cohort))
    return extremes_chart(points, f"{cohort.title}: most and least efficient models")


def _parameters(asked: Asked) -> Chart:
    site = asked.site()
    if asked.task is None and asked.model_class is None:
        entries = [entry for cohort in site.cohorts for entry in subjects.shown_of(site, cohort)]
        return parameters_chart(subjects.energies(entries, asked.models))
    cohort = subjects.find_cohort(site, asked.task, asked.model_class)
    points = subjects.energies(subjects.shown_of(site, cohort), asked.models)
    return parameters_chart(points, f"{cohort.title}: energy and size of the models")


def _quality(asked: Asked) -> Chart:
    found = [
        group
        for group in quality.figures(asked.site()).groups
        if asked.task in (None, group.cohort.name) and asked.model_class in (None, group.cohort.model_class)
    ]
    if not found:
        raise UsageError(
            "there is no quality with a source that can be compared",
            mend="scorekit quality attach RESULT --lm-eval results.json, or another --task or --class",
        )
    fits = [group for group in found if asked.metric is None or asked.metric in _names_of(group)]
    if len(fits) != 1:
        listed = "; ".join(f"'{_names_of(group)[-1]}' ({group.cohort.title})" for group in fits or found)
        told = "several qualities are meant" if fits else f"there is no quality '{asked.metric}'"
        raise UsageError(f"{told}: {listed}", mend="choose one with --metric, --task and --class")
    (group,) = fits
    title = f"{group.measure.title}: energy and quality, {group.cohort.title}, {group.kind}"
    return quality_chart(quality.points(group), higher_is_better=group.measure.higher_is_better, title=title)


def _names_of(group: quality.Group) -> tuple[str, ...]:
    """By what a group is meant, the most exact last."""
    measure = group.measure
    whole = f"{measure.metric},{measure.filter}"
    return (
        measure.benchmark,
        measure.metric,
        whole,
        f"{measure.benchmark} {measure.metric}",
        f"{measure.benchmark} {whole}",
        measure.title,
        f"{measure.title}, {group.kind}",
    )


def _history(asked: Asked) -> Chart:
    site = asked.site()
    (model,) = subjects.find_models(site, asked.models[:1])
    return history_chart(subjects.history(site, model), model)


def _compare(asked: Asked) -> Chart:
    site = asked.site()
    models = subjects.find_models(site, asked.models, least=2)
    if len(models) > MOST_MODELS:
        raise UsageError(f"{len(models)} models are to be compared", mend=f"choose up to {MOST_MODELS}")
    entries = [
        entry
        for cohort in site.cohorts
        if asked.task in (None, cohort.name)
        for model in models
        for entry in subjects.shown_of(site, cohort)
        if entry.model == model
    ]
    return compare_chart(subjects.energies(entries))


def _phases(asked: Asked) -> Chart:
    found = _of_one_model(asked)
    shares = [
        share
        for entry in found
        if entry.result is not None
        for share in subjects.phase_shares(entry.cohort.title, entry.result.phases)
    ]
    return phases_chart(shares, f"{found[0].model}: energy by phase")


def _uncertainty(asked: Asked) -> Chart:
    found = _of_one_model(asked)
    known = [entry for entry in found if entry.result is not None and entry.result.uncertainty is not None]
    entry = (known or found)[0]
    terms = subjects.budget(None if entry.result is None else entry.result.uncertainty)
    return budget_chart(terms, f"{entry.model}, {entry.cohort.title}: uncertainty of the score")


def _of_one_model(asked: Asked) -> Sequence[Entry]:
    """The model's figures, one of each cohort: the first, which is official where one is."""
    model, entries = _entries(asked)
    if not entries:
        raise UsageError(f"{model} has no figure of {asked.task}", mend="choose another --task, or leave it out")
    with_result = [entry for entry in entries if entry.result is not None]
    return list({entry.cohort: entry for entry in reversed(with_result or entries)}.values())[::-1]


def _entries(asked: Asked) -> tuple[str, list[Entry]]:
    """The first model that is named, and its figures of the task and class."""
    site = asked.site()
    (model,) = subjects.find_models(site, asked.models[:1])
    return model, [
        entry
        for entry in site.models[model]
        if asked.task in (None, entry.cohort.name) and asked.model_class in (None, entry.cohort.model_class)
    ]


def _zones(asked: Asked) -> Chart:
    mix = impacts.find_mix(asked.mix)
    codes = [impacts.find_zone(mix, zone).code for zone in asked.zones]
    if len(codes) > _MOST_ZONES:
        raise UsageError(f"{len(codes)} zones are too many for bars", mend="choose fewer, or the chart `world`")
    known = [code for code in FIRST_ZONES if mix.zone(code) is not None]
    kind, energy_wh, of = _impact(asked)
    found = subjects.zone_impacts(mix, kind, codes or known, energy_wh=energy_wh)
    return zones_chart(found, impact=kind.title, unit=kind.unit, of=of)


def _world(asked: Asked) -> Chart:
    if asked.zones:
        raise UsageError("the map shows all zones", mend="leave --zone out, or ask for the chart `zones`")
    kind, energy_wh, of = _impact(asked)
    found = subjects.zone_impacts(impacts.find_mix(asked.mix), kind, energy_wh=energy_wh)
    return world_chart(found, impact=kind.title, unit=kind.unit, of=of)


def _impact(asked: Asked) -> tuple[impacts.Kind, float, str]:
    """The kind of impact, and the energy that it is of: a kWh, or a model's 1,000 queries."""
    kind = next((kind for kind in impacts.KINDS if kind.name == asked.kind), None)
    if kind is None:
        raise UsageError(
            f"there is no impact '{asked.kind}'; valid: {', '.join(kind.name for kind in impacts.KINDS)}",
            mend="choose one of the names above",
        )
    if not asked.models:
        return kind, 1e3, "1 kWh of electricity"
    model, entries = _entries(asked)
    cohorts = list(dict.fromkeys(entry.cohort for entry in entries))
    if len(cohorts) != 1:
        named = ", ".join(cohort.name for cohort in cohorts) or "none"
        raise UsageError(f"{model} has figures of {named}", mend="choose the task with --task")
    return kind, entries[0].wh_per_1000_queries, f"1,000 queries of {model}, {cohorts[0].title}"


CHARTS: Final[dict[str, Named]] = {
    "tasks": Named("average energy of each task, with its spread", _tasks),
    "cohort": Named("every model of a task and class by its energy, with the bands of the stars", _cohort),
    "extremes": Named("the five most and least efficient models of a task and class", _extremes),
    "parameters": Named("energy against the number of parameters", _parameters),
    "quality": Named("energy against the quality of answers, with the Pareto front", _quality),
    "history": Named("a model over the editions", _history),
    "compare": Named("two to four models over the tasks", _compare),
    "phases": Named("the phases of a model's energy", _phases),
    "uncertainty": Named("the uncertainty of a model's score, each source apart", _uncertainty),
    "zones": Named("an impact of a kWh, or of a model's 1,000 queries, in some zones", _zones),
    "world": Named("the same on a map of the world", _world),
}
"""Every chart by its name, in the order in which they are listed."""
