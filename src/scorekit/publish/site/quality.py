"""Models by energy and quality: which figures may stand on one chart, and where each stands on the Pareto front. Pure.

On one chart are figures of one metric of one version of a task, with as many examples before each question and the
questions put alike (as a chat, or plainly), of models that were measured on the same hardware and by the same protocol.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scorekit.cohorts import same_work
from scorekit.publish.charts.quality_energy import ModelQuality
from scorekit.publish.pareto import Place, Point, places
from scorekit.publish.site.content import Cohort, Entry, Site, is_official
from scorekit.publish.site.names import shown

if TYPE_CHECKING:
    from scorekit.store.quality import InForce

_OF_NORMAL: Final = 1.959964
"""Half of the 95 % interval of a normal distribution, in standard errors."""
_SHORT_DIGITS: Final = 12
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
    """One model with both figures, and where it stands."""

    entry: Entry
    quality: InForce
    place: Place

    @property
    def half_width_95(self) -> float | None:
        """Half of the quality's 95 % interval; None where its standard error is not known."""
        return half_width_95(self.quality)


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
        untold: figures of results that do not tell on what they were measured.
    """

    groups: tuple[Group, ...]
    limited: int
    undirected: int
    untold: int


def half_width_95(quality: InForce) -> float | None:
    """Half of a quality's 95 % interval, by the normal distribution; None where its standard error is not known."""
    return None if quality.figure.stderr is None else _OF_NORMAL * quality.figure.stderr


def of_results(quality: Mapping[str, tuple[InForce, ...]]) -> Mapping[str, tuple[InForce, ...]]:
    """Figures by the first digits of their result's id, as `own` looks them up."""
    return {sha256[:_SHORT_DIGITS]: figures for sha256, figures in quality.items()}


def own(quality: Mapping[str, tuple[InForce, ...]], result_id: str | None) -> tuple[InForce, ...]:
    """The figures of a result, by its whole sha256 or the first digits of it."""
    found = quality.get((result_id or "")[:_SHORT_DIGITS], ())
    return found if found and found[0].attached.quality.result_sha256.startswith(result_id or "-") else ()


def figures(site: Site) -> Figures:
    """What can be compared on a site."""
    limited = undirected = untold = 0
    grouped: dict[tuple[Measure, Cohort, bool], dict[Hashable, list[tuple[Entry, InForce]]]] = {}
    for cohort in site.cohorts:
        for entry in site.of_cohort(cohort):
            official = is_official(entry)
            work = _work(entry) if entry.quality else None
            for quality in entry.quality:
                measure = _measure(quality)
                limited += quality.is_limited
                undirected += measure is None and not quality.is_limited
                untold += work is None and measure is not None and not quality.is_limited
                if measure is not None and work is not None and not quality.is_limited:
                    grouped.setdefault((measure, cohort, official), {}).setdefault(work, []).append((entry, quality))
    order = {cohort: place for place, cohort in enumerate(site.cohorts)}
    ordered = sorted(grouped.items(), key=lambda item: (item[0][0], order[item[0][1]], not item[0][2]))
    groups = [
        group
        for number, (key, works) in enumerate(ordered, start=1)
        for group in _groups(f"quality-{number}", *key, works)
    ]
    return Figures(tuple(groups), limited, undirected, untold)


def points(group: Group) -> list[ModelQuality]:
    """A group as its chart shows it."""
    return [
        ModelQuality(
            model=one.entry.model,
            energy_wh_per_1000_queries=one.entry.wh_per_1000_queries,
            energy_half_width_95_percent=one.entry.half_width_95_percent,
            quality=one.quality.figure.value,
            quality_stderr=one.quality.figure.stderr,
            quality_half_width_95=one.half_width_95,
            on_front=one.place.on_front,
            certain=one.place.certain,
            questions=one.quality.figure.samples,
            benchmark=group.measure.title,
            origin=one.entry.origin,
            hardware=one.entry.hardware,
            evaluated_utc=one.quality.attached.quality.source.evaluated_utc,
            source_sha256=one.quality.attached.quality.source.sha256,
        )
        for one in group.standings
    ]


def _work(entry: Entry) -> Hashable | None:
    """What an energy must share with others: official ones have protocol and hardware in common."""
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
    sign = 1 if measure.higher_is_better else -1
    found = places(
        [
            Point(
                cost=entry.wh_per_1000_queries,
                worth=sign * quality.figure.value,
                cost_half_width=_half_width_wh(entry),
                worth_half_width=half_width_95(quality),
            )
            for entry, quality in held
        ]
    )
    return tuple(Standing(entry, quality, place) for (entry, quality), place in zip(held, found, strict=True))


def _half_width_wh(entry: Entry) -> float | None:
    half = entry.half_width_95_percent
    return None if half is None else entry.wh_per_1000_queries * half / 100
