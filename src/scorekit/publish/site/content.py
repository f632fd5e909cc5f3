"""What the site shows: every figure with its star, source and doubt, and how they stand together. Pure.

An entry is one model in one cohort: a member of an edition, or a result of ours. `gathering` makes them.
"""

from __future__ import annotations

import hashlib
import re
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

from scorekit import tasks
from scorekit.editions import Edition, Member
from scorekit.publish.site.beside_others import UNKNOWN, BesideOthers
from scorekit.rating import Rating
from scorekit.records import Result

if TYPE_CHECKING:
    from scorekit.store.quality import InForce

Origin = Literal["measured", "modelled", "mixed", "unknown"]
ModelClass = Literal["A", "B", "C"]

TITLES: Final[dict[str, str]] = {
    "text_generation": "Text generation",
    "reasoning": "Reasoning",
    "summarization": "Summarization",
    "question_answering": "Question answering",
    "text_classification": "Text classification",
    "sentence_similarity": "Sentence similarity",
    "image_classification": "Image classification",
    "object_detection": "Object detection",
    "asr": "Speech recognition",
    "image_generation": "Image generation",
    "image_captioning": "Image captioning",
    "serving": "Serving: a server at a stated concurrency",
}
"""Names of the cohorts for people, in the order in which they are shown."""
UNCERTAINTY_TERMS: Final[dict[str, str]] = {
    "repeats": "Spread of the repeats",
    "tick": "Ticks of the counter",
    "aliasing": "Aliasing of the sampled power",
    "sampling": "Sampling of the power",
    "board_gain": "Gain of the board's sensor",
}
"""Sources of a score's uncertainty, in words."""
UNNAMED: Final = "unknown"
"""What a model is called that its log does not name."""
_SLUG: Final = re.compile(r"[^a-z0-9]+")
_MOST_SLUG: Final = 60
_DIGEST_DIGITS: Final = 16
"""Hexadecimal digits of a name's digest: with fewer, two names of one address can be found. slug.js has as many."""


@dataclass(frozen=True, slots=True)
class Cohort:
    """Models that are rated together.

    Attributes:
        name: leaderboard name of the task.
        model_class: size class; None where the cohort has none.
    """

    name: str
    model_class: ModelClass | None = None

    @property
    def title(self) -> str:
        """For people, e.g. `Text generation, class A`."""
        if self.model_class is None:
            return f"{self.task_title}, class unknown" if self.may_mix_classes else self.task_title
        return f"{self.task_title}, class {self.model_class}"

    @property
    def may_mix_classes(self) -> bool:
        """Whether it holds models of any size, because their logs do not tell it: no average is made of them."""
        return self.model_class is None and self.name in tasks.CLASSED_COHORTS

    @property
    def task_title(self) -> str:
        """The same without the class."""
        return TITLES.get(self.name, self.name)

    @property
    def key(self) -> str:
        """For addresses and ids, e.g. `text_generation-a`."""
        return self.name if self.model_class is None else f"{self.name}-{self.model_class.lower()}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One model in one cohort.

    Attributes:
        id: unique on the site, stable over builds from the same figures, safe in addresses.
        model: Hub id or name, as given; may hold anything.
        cohort: where it is rated.
        wh_per_1000_queries: positive.
        half_width_95_percent: of its interval, beside those of the same board; None where not known.
        stars: 1 to 5; None where it cannot be rated.
        official: whether the star is that of a published edition.
        edition: name of the edition of its star, or `local`.
        rule: rule of its star.
        hardware: as told; None where unknown.
        origin: whether a sensor told the energy.
        comparable: whether it may stand beside official figures.
        parameters: of the model; None where not known.
        date: of the edition, or when it was measured; None where not known.
        member: the edition's row, for one that comes from an edition.
        result: the result, for one that is ours.
        rating: how the star came about; None for a member whose star its source published.
        result_id: sha256 of the result's content, in hexadecimal; None where there is none.
        quality: figures of evaluations that are attached to the result, each with its source.
        beside_others: what is asked of its result where it is set beside others; empty where there is none here.
    """

    id: str
    model: str
    cohort: Cohort
    wh_per_1000_queries: float
    half_width_95_percent: float | None
    stars: int | None
    official: bool
    edition: str
    rule: str
    hardware: str | None
    origin: Origin
    comparable: bool
    parameters: int | None = None
    date: str | None = None
    member: Member | None = None
    result: Result | None = None
    rating: Rating | None = None
    result_id: str | None = None
    quality: tuple[InForce, ...] = ()
    beside_others: BesideOthers = UNKNOWN

    @property
    def provider(self) -> str:
        """What stands before the first slash of the name; empty where there is none."""
        return self.model.partition("/")[0] if "/" in self.model else ""

    @property
    def name(self) -> str:
        """What stands behind the first slash."""
        return self.model.partition("/")[2] if "/" in self.model else self.model

    @property
    def page(self) -> str:
        """Address of the model's page, from the top of the site."""
        return f"models/{model_slug(self.model)}.html"


@dataclass(frozen=True, slots=True)
class CohortSummary:
    """The spread of a cohort's energies in Wh per 1,000 queries.

    Attributes:
        cohort: which.
        figures: how many energies.
        models: how many models they are of; one that stands several times counts once.
        mean, median: of the models, each by its least energy; None where the energies were not taken alike.
        lowest, highest: of all energies.
        official: whether they are those of a published edition or comparable results; else of local ones only.
        origins: the kinds of energies in it.
        no_average_because: what is unlike or unknown, so that there is no mean and no median; empty where there are.
    """

    cohort: Cohort
    figures: int
    models: int
    mean: float | None
    median: float | None
    lowest: float
    highest: float
    official: bool
    origins: tuple[Origin, ...]
    no_average_because: tuple[str, ...] = ()


@dataclass(frozen=True)
class Site:
    """Everything that the pages show.

    Attributes:
        entries: official figures first, then local ones; within a cohort by energy.
        edition: the edition that stars are given in; None for a site without one.
        editions: all known editions, newest first, for a model's history.
        refused: results without a usable figure.
        title: of the site.
    """

    entries: tuple[Entry, ...]
    edition: Edition | None
    editions: tuple[Edition, ...]
    refused: tuple[Result, ...] = ()
    title: str = "AI energy scores"

    @cached_property
    def cohorts(self) -> tuple[Cohort, ...]:
        """Cohorts with at least one entry, in the order of `TITLES`, classes A to C."""
        found = {entry.cohort for entry in self.entries}
        order = list(TITLES)
        place = {cohort: (order.index(cohort.name) if cohort.name in order else len(order)) for cohort in found}
        return tuple(sorted(found, key=lambda cohort: (place[cohort], cohort.name, cohort.model_class or "")))

    def of_cohort(self, cohort: Cohort, *, official: bool | None = None) -> tuple[Entry, ...]:
        """Entries of a cohort by rising energy; only official figures, only local ones, or both."""
        return self._by_cohort.get((cohort, official), ())

    @cached_property
    def _by_cohort(self) -> dict[tuple[Cohort, bool | None], tuple[Entry, ...]]:
        found: dict[tuple[Cohort, bool | None], list[Entry]] = {}
        for entry in sorted(self.entries, key=lambda entry: (entry.wh_per_1000_queries, entry.model, entry.id)):
            for official in (None, is_official(entry)):
                found.setdefault((entry.cohort, official), []).append(entry)
        return {key: tuple(entries) for key, entries in found.items()}

    @cached_property
    def models(self) -> dict[str, tuple[Entry, ...]]:
        """The entries of each model, by its name."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.model, []).append(entry)
        return {model: tuple(entries) for model, entries in sorted(found.items())}

    @cached_property
    def refused_of(self) -> dict[str, tuple[Result, ...]]:
        """The results without a usable figure of each model, by its name."""
        found: dict[str, list[Result]] = {}
        for result in self.refused:
            found.setdefault(result.model or UNNAMED, []).append(result)
        return {model: tuple(results) for model, results in sorted(found.items())}

    @cached_property
    def summaries(self) -> tuple[CohortSummary, ...]:
        """The spread of each cohort: of its official figures, or where it has none of its local ones. Never both."""
        return tuple(self._summary(cohort) for cohort in self.cohorts)

    def _summary(self, cohort: Cohort) -> CohortSummary:
        official = self.of_cohort(cohort, official=True)
        entries = official or self.of_cohort(cohort)
        of_models_wh = [entry.wh_per_1000_queries for entry in one_a_model(entries)]
        why_none = tuple(_unlike(cohort, entries, is_official=bool(official)))
        return CohortSummary(
            cohort=cohort,
            figures=len(entries),
            models=len(of_models_wh),
            mean=None if why_none else statistics.fmean(of_models_wh),
            median=None if why_none else statistics.median(of_models_wh),
            lowest=entries[0].wh_per_1000_queries,
            highest=entries[-1].wh_per_1000_queries,
            official=bool(official),
            origins=tuple(sorted({entry.origin for entry in entries})),
            no_average_because=why_none,
        )


def _unlike(cohort: Cohort, entries: Sequence[Entry], *, is_official: bool) -> Iterator[str]:
    """Why no average is made of a cohort's figures; the protocol and the edition hold official ones alike."""
    if cohort.may_mix_classes:
        yield "sizes unknown"
    if is_official:
        return
    hardware = {entry.hardware for entry in entries}
    if None in hardware and len(entries) > 1:
        yield "hardware unknown"
    elif len(hardware) > 1:
        yield f"{len(hardware):,} kinds of hardware"
    at_once = {
        entry.result.conditions.concurrency
        for entry in entries
        if entry.result is not None and entry.result.conditions is not None
    }
    if len(at_once) > 1:
        yield f"{len(at_once):,} numbers of queries in flight"
    origins = sorted({entry.origin for entry in entries})
    if len(origins) > 1:
        yield f"unlike origins ({', '.join(origins)})"


def one_a_model(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """The least figure of each model; entries come by rising energy."""
    found: dict[str, Entry] = {}
    for entry in entries:
        found.setdefault(entry.model, entry)
    return tuple(found.values())


def is_official(entry: Entry) -> bool:
    """Whether a figure may stand beside official ones: a member of an edition, or a comparable result."""
    return entry.member is not None or entry.comparable


def model_slug(model: str) -> str:
    """A model's name for addresses: readable, safe on every system, and unlike for unlike names."""
    readable = _SLUG.sub("-", model.lower()).strip("-")[:_MOST_SLUG].strip("-")
    digest = hashlib.sha256(model.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_DIGITS]
    return f"{readable}-{digest}" if readable else digest
