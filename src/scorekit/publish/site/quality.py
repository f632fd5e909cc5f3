"""Models by energy and quality: which figures may stand on one chart, and where each stands on the Pareto front. Pure.

On one chart are figures of one metric of one version of a task, with as many examples before each question and the
questions put alike (as a chat, or plainly), of models that were measured on the same hardware and by the same protocol.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scorekit.cohorts import same_work
from scorekit.publish.charts.quality_energy import ModelQuality
from scorekit.publish.pareto import Place, places
from scorekit.publish.site.content import UNNAMED, Cohort, Entry, Site, is_official
from scorekit.publish.site.model_figures import ModelFigures, by_model
from scorekit.publish.site.names import shown
from scorekit.store import names

if TYPE_CHECKING:
    from scorekit.store.quality import InForce

_REVISION_DIGITS: Final = 12
_PUT: Final = {True: "as a chat", False: "plainly", None: ""}


@dataclass(frozen=True, slots=True, order=True)
class Measure:
    """One metric, as far as its values can be compared.

    Attributes:
        benchmark: task or group of the harness.
        metric: name of it.
        filter: how answers were read out of outputs.
        num_fewshot: examples before each question; -1 where not known.
        version: of the task; empty where not known.
        put: how the questions were put: `as a chat`, `plainly`; empty where not known.
        higher_is_better: of the metric.
    """

    benchmark: str
    metric: str
    filter: str
    num_fewshot: int
    version: str
    put: str
    higher_is_better: bool

    @property
    def title(self) -> str:
        """For people, e.g. `gsm8k, exact_match (strict-match), 5 examples, version 3.0`."""
        way = "" if self.filter == "none" else f" ({self.filter})"
        shots = "" if self.num_fewshot < 0 else f", {self.num_fewshot} example{'' if self.num_fewshot == 1 else 's'}"
        version = f", version {self.version}" if self.version else ""
        put = f", {self.put}" if self.put else ""
        return f"{self.benchmark}, {self.metric}{way}{shots}{put}{version}"


@dataclass(frozen=True, slots=True)
class Standing:
    """One model with both figures, and where it stands.

    Attributes:
        model: its figures.
        place: beside the others.
        variant: what tells it from another one of the same name; empty where there is no other.
    """

    model: ModelFigures
    place: Place
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Models that may stand on one chart.

    Attributes:
        key: for addresses and ids.
        measure: of the quality.
        cohort: of the energy.
        official: whether the energies are official or comparable ones.
        kind: whose figures they are, as it is chosen on the page; unlike for each group of a measure and cohort.
        standings: by rising energy.
    """

    key: str
    measure: Measure
    cohort: Cohort
    official: bool
    kind: str
    standings: tuple[Standing, ...]

    @property
    def front(self) -> tuple[Standing, ...]:
        """Those on the Pareto front, by rising energy."""
        return tuple(standing for standing in self.standings if standing.place.on_front)


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that can be compared, and how much cannot.

    Attributes:
        groups: by measure, then in the order of the cohorts, official ones first.
        limited: figures of a part of a task.
        undirected: figures of which it is not known whether more is better.
        other_weights: figures of weights in another type, or quantised otherwise, than those that were measured.
        untold: figures of results that do not tell on what, or of which model, they were measured.
    """

    groups: tuple[Group, ...]
    limited: int
    undirected: int
    other_weights: int
    untold: int


def of_results(quality: Mapping[str, tuple[InForce, ...]]) -> Mapping[str, tuple[InForce, ...]]:
    """Figures by the first digits of their result's id, as `own` looks them up."""
    return {names.short(sha256): figures for sha256, figures in quality.items()}


def own(quality: Mapping[str, tuple[InForce, ...]], result_id: str | None) -> tuple[InForce, ...]:
    """The figures of a result, by its whole sha256 or the first digits of it."""
    found = quality.get(names.short(result_id or ""), ())
    return found if found and found[0].attached.quality.result_sha256.startswith(result_id or "-") else ()


def figures(site: Site) -> Figures:
    """What can be compared on a site."""
    limited = undirected = other_weights = untold = 0
    grouped: dict[tuple[Measure, Cohort, bool], dict[Hashable, list[tuple[Entry, InForce]]]] = {}
    for cohort in site.cohorts:
        for entry in site.of_cohort(cohort):
            official = is_official(entry)
            work = _work(entry) if entry.quality else None
            for quality in entry.quality:
                measure = _measure(quality)
                if quality.is_limited:
                    limited += 1
                elif measure is None:
                    undirected += 1
                elif quality.attached.quality.same_weights is False:
                    other_weights += 1
                elif work is None:
                    untold += 1
                else:
                    grouped.setdefault((measure, cohort, official), {}).setdefault(work, []).append((entry, quality))
    order = {cohort: place for place, cohort in enumerate(site.cohorts)}
    ordered = sorted(grouped.items(), key=lambda item: (item[0][0], order[item[0][1]], not item[0][2]))
    groups = [
        group
        for number, (key, works) in enumerate(ordered, start=1)
        for group in _groups(f"quality-{number}", *key, works)
    ]
    return Figures(tuple(groups), limited, undirected, other_weights, untold)


def points(group: Group) -> list[ModelQuality]:
    """A group as its chart shows it."""
    return [
        ModelQuality(
            model=f"{one.model.entry.model}, {one.variant}" if one.variant else one.model.entry.model,
            results=len(one.model.entries),
            energy_wh_per_1000_queries=one.model.wh_per_1000_queries,
            energy_half_width_95_percent=one.model.energy_half_width_percent,
            quality=one.model.value,
            quality_stderr=one.model.stderr,
            quality_interval_95=one.model.value_interval,
            on_front=one.place.on_front,
            certain=one.place.certain,
            questions=one.model.questions,
            benchmark=group.measure.title,
            origin=one.model.entry.origin,
            hardware=one.model.entry.hardware,
            evaluated_utc=_all(source.evaluated_utc for source in one.model.sources),
            source_url=_all(source.url for source in one.model.sources),
            source_sha256=" ".join(source.sha256 for source in one.model.sources),
        )
        for one in group.standings
    ]


def _work(entry: Entry) -> Hashable | None:
    """What an energy must share with others: official ones have protocol and hardware in common."""
    if entry.model == UNNAMED:
        # It may be any model, and two of them two.
        return None
    if is_official(entry):
        return "official"
    return None if entry.result is None else same_work(entry.result)


def _measure(quality: InForce) -> Measure | None:
    one = quality.figure
    if one.higher_is_better is None:
        return None
    shots = -1 if one.num_fewshot is None else one.num_fewshot
    put = _PUT[quality.attached.quality.chat_template]
    return Measure(one.task, one.metric, one.filter, shots, one.task_version or "", put, one.higher_is_better)


def _groups(
    key: str,
    measure: Measure,
    cohort: Cohort,
    official: bool,
    works: Mapping[Hashable, Sequence[tuple[Entry, InForce]]],
) -> Iterator[Group]:
    kinds: dict[str, int] = {}
    for number, held in enumerate(works.values(), start=1):
        kind = "official" if official else _local(held[0][0])
        seen = kinds[kind] = kinds.get(kind, 0) + 1
        yield Group(
            key=f"{key}-{number}",
            measure=measure,
            cohort=cohort,
            official=official,
            kind=kind if seen == 1 else f"{kind}, other conditions ({seen})",
            standings=_standings(measure, held),
        )


def _local(entry: Entry) -> str:
    result = entry.result
    queries = "" if result is None or result.queries is None else f", {result.queries:,} queries"
    return f"local, {shown(entry.hardware) if entry.hardware else 'hardware unknown'}{queries}"


def _standings(measure: Measure, held: Sequence[tuple[Entry, InForce]]) -> tuple[Standing, ...]:
    models = by_model(held)
    found = places([model.point(higher_is_better=measure.higher_is_better) for model in models])
    names = Counter(model.entry.model for model in models)
    return tuple(
        Standing(model, place, _variant(model) if names[model.entry.model] > 1 else "")
        for model, place in zip(models, found, strict=True)
    )


def _variant(model: ModelFigures) -> str:
    known, quality = model.entry.beside_others, model.evaluations[0].attached.quality
    revision = f"revision {(known.revision or 'unknown')[:_REVISION_DIGITS]}"
    size = "size unknown" if known.parameters is None else f"{known.parameters:,} parameters"
    return ", ".join((revision, size, known.dtype or quality.dtype or "type unknown", *quality.quantized))


def _all(texts: Iterable[str | None]) -> str | None:
    """One after the other; None where one is not known."""
    found = list(texts)
    return None if None in found else " ".join(filter(None, found))
