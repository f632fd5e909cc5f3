"""What can be rated, and which of it may be rated together where no edition says so: local cohorts, pure.

Energies can be set side by side only when they cover the same thing (domain, and whether it was measured or
modelled), were spent on the same machine, and for the same work: the same task, the same queries and as many
of them, one at a time or not, with the same limits. What belongs to the model itself is free, for that is
what is compared: dtype, quantisation, architecture, weights, and the way in which its task is called.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Final, Literal, Protocol

from scorekit import tasks
from scorekit.errors import RatingError
from scorekit.records import UNTOLD_DATASET, Conditions, Reason, Result, Uncertainty

_UNKNOWN: Final = "unknown"
"""The hardware of a score whose log does not tell it."""
_SHARED: Final = (
    "task",
    "size class",
    "hardware",
    "what the energy covers",
    "origin of the energy",
    "number of queries",
    "whether the log tells the conditions",
    "samples of the dataset",
    "batch size",
    "steps for an image",
    "queries in flight at a server",
    "way in which inputs are made",
    "limit on what is generated",
)
"""What members of one cohort have in common, as `_work` gives it, and at last `_limit`."""
_DIGESTS: Final = frozenset({"samples of the dataset"})
"""Of these the value says nothing to a person."""
_MOST_COMPARED: Final = 200
"""So many unlike sets of conditions are gone through for the nearest."""


class Rateable(Protocol):
    """What a rating asks of a score: a `Score` of ours and a `Result` of any log have it. None is what is not known."""

    @property
    def model(self) -> str | None:
        """Hub id, or the name of a folder."""

    @property
    def model_revision(self) -> str | None:
        """Commit on the Hub."""

    @property
    def task(self) -> str | None:
        """Config name."""

    @property
    def cohort(self) -> str | None:
        """Leaderboard name of the task."""

    @property
    def model_class(self) -> Literal["A", "B", "C"] | None:
        """Size class, of tasks that have any."""

    @property
    def parameters(self) -> int | None:
        """Number of parameters."""

    @property
    def hardware(self) -> str | None:
        """Name of the GPU, or of the CPU where none was used."""

    @property
    def domain(self) -> Literal["gpu", "cpu+ram"] | None:
        """What the energy covers."""

    @property
    def origin(self) -> Literal["measured", "modelled", "mixed", "unknown"]:
        """Whether a sensor told the energy."""

    @property
    def queries(self) -> int | None:
        """Queries of one repeat."""

    @property
    def conditions(self) -> Conditions | None:
        """What was asked of the model beside its task."""

    @property
    def wh_per_1000_queries(self) -> float | None:
        """The energy."""

    @property
    def uncertainty(self) -> Uncertainty | None:
        """How far it may be off."""

    @property
    def comparable(self) -> bool:
        """Whether it may stand beside official ones."""

    @property
    def not_comparable_because(self) -> tuple[Reason, ...]:
        """Why not."""

    @property
    def valid(self) -> bool | None:
        """Whether no check of the run failed."""

    @property
    def invalid_because(self) -> tuple[Reason, ...]:
        """Checks that failed."""


def why_invalid(score: Rateable) -> tuple[str, str]:
    """Of a score whose run failed its checks: which, and what mends it."""
    failed = ", ".join(reason.code for reason in score.invalid_because) or "not told which"
    message = f"the run failed its checks ({failed})"
    if isinstance(score, Result) and score.score is None:
        # Of code of its user's own there is no run to check: the result holds what its checks say, with mends.
        told = "; ".join(reason.message for reason in score.invalid_because) or score.refused
        return f"{message}: {told}" if told else message, "measure again"
    return message, "see `scorekit check RUN`; measure again"


def fault_of(score: Rateable) -> RatingError | None:
    """Why a score can be rated nowhere; None of one that can."""
    refused = score.refused if isinstance(score, Result) else None
    if score.valid is False:
        message, mend = why_invalid(score)
        return RatingError(message, mend=mend)
    if score.wh_per_1000_queries is None:
        why, mend = ("", "see `scorekit parse LOG`, which tells why; ") if refused is None else (f": {refused}", "")
        return RatingError(f"the log gives no energy for 1,000 queries{why}", mend=f"{mend}measure again")
    return None


def local_cohorts(scores: Sequence[Rateable]) -> list[tuple[float, ...]]:
    """The energies that each score is to be rated among, its own included.

    Runs of one model are one member, with the mean of their energies: the spread of one model's runs would
    otherwise pass for that of a cohort. What has no energy or names no model is in no cohort, for it may be any model;
    nor is what does not tell its hardware, what its energy covers, or its size class where there are any.

    Returns:
        For each score the energy of every member of its cohort in Wh per 1,000 queries, in the order given.
    """
    limits: dict[Hashable, set[Hashable]] = {}
    for score in scores:
        if _limit(score) is not None:
            limits.setdefault(_work(score), set()).add(_limit(score))
    # A model that generates nothing (a CTC speech model, an extractive answerer) is under any limit on what
    # is generated, and stands beside those that do; but not where it would join cohorts that have unlike
    # limits.
    keys = [(_work(score), _limit(score) if len(limits.get(_work(score), ())) > 1 else None) for score in scores]
    runs: dict[Hashable, dict[Hashable, list[float]]] = {}
    for key, score in zip(keys, scores, strict=True):
        if score.wh_per_1000_queries is not None and score.model is not None and not untold(score):
            runs.setdefault(key, {}).setdefault(_model(score), []).append(score.wh_per_1000_queries)
    energies_wh = {key: tuple(statistics.fmean(own) for own in models.values()) for key, models in runs.items()}
    return [() if untold(score) else energies_wh.get(key, ()) for key, score in zip(keys, scores, strict=True)]


def same_work(score: Rateable) -> Hashable | None:
    """What scores have in common that were measured alike, on the same machine; None where that is not known."""
    return None if untold(score) else (*_work(score), _limit(score))


class Given:
    """The scores that are rated together, asked why one of them is alone in its cohort.

    Args:
        scores: all of them.
    """

    def __init__(self, scores: Sequence[Rateable]) -> None:
        self._scores = scores
        self._by_task: dict[Hashable, list[Rateable]] | None = None
        self._of_model: Counter[Hashable] | None = None

    def alone_because(self, score: Rateable) -> str:
        """What the nearest other model of its task has otherwise, or that there is none."""
        if self._by_task is None:
            # Made when the first one is alone: mostly none is.
            self._by_task = _representatives(self._scores)
        given = self._by_task.get(score.cohort, [])
        others = [other for other in given if _model(other) != _model(score)]
        if not others:
            if self._of_model is None:
                self._of_model = Counter((each.cohort, _model(each)) for each in self._scores if _is_near_any(each))
            of_model = self._of_model[score.cohort, _model(score)]
            again = of_model > (1 if _is_near_any(score) else 0)
            return "the others of its task are of the same model" if again else "nothing else of its task is given"
        nearest = min(others, key=lambda other: len(_differences(score, other)))
        told = ", and ".join(_difference(*found) for found in _differences(score, nearest))
        return f"the nearest of its task, {nearest.model}, has {told}"


def _representatives(scores: Sequence[Rateable]) -> dict[Hashable, list[Rateable]]:
    """By task, of each set of conditions two models at most: one of them is another than whoever asks."""
    found: dict[Hashable, dict[Hashable, dict[Hashable, Rateable]]] = {}
    for score in scores:
        if not _is_near_any(score):
            continue
        of_task = found.setdefault(score.cohort, {})
        if len(of_task) < _MOST_COMPARED:
            models = of_task.setdefault((*_work(score), _limit(score)), {})
            if len(models) < 2:
                models.setdefault(_model(score), score)
    return {task: [one for models in sets.values() for one in models.values()] for task, sets in found.items()}


def _is_near_any(score: Rateable) -> bool:
    return not (score.wh_per_1000_queries is None or score.model is None or untold(score))


def _differences(score: Rateable, other: Rateable) -> list[tuple[str, Hashable, Hashable]]:
    own, theirs = (*_work(score), _limit(score)), (*_work(other), _limit(other))
    return [found for found in zip(_SHARED, own, theirs, strict=True) if found[1] != found[2]]


def _difference(name: str, own: Hashable, other: Hashable) -> str:
    if name in _DIGESTS:
        return f"other {name}"
    return f"another {name} ({_value(other)}, here {_value(own)})"


def _value(value: Hashable) -> str:
    if isinstance(value, tuple):
        # The exact number of new tokens where there is one, else their limit.
        return next((str(part) for part in value if part is not None), "none")
    return "none" if value is None else str(value)


def untold(score: Rateable) -> tuple[str, ...]:
    """What must be known of a score before it may stand beside another, and is not: unknown is not alike."""
    missing = []
    if score.hardware in (None, _UNKNOWN):
        missing.append("hardware")
    if score.domain is None:
        missing.append("whether the energy is a GPU's or a CPU's")
    if score.cohort in tasks.CLASSED_COHORTS and score.model_class is None:
        missing.append("size class of the model")
    if score.conditions is not None and score.conditions.dataset_fingerprint == UNTOLD_DATASET:
        missing.append("samples of the dataset")
    return tuple(missing)


def _work(score: Rateable) -> tuple[Hashable, ...]:
    """What was done and on what, but for the limits on what is generated: `_SHARED` tells what each is."""
    asked = score.conditions
    return (
        score.cohort,
        score.model_class if score.cohort in tasks.CLASSED_COHORTS else None,
        score.hardware,
        score.domain,
        score.origin,
        score.queries,
        "no" if asked is None else "yes",
        None if asked is None else asked.dataset_fingerprint,
        None if asked is None else asked.batch_size,
        None if asked is None else asked.image_steps,
        None if asked is None else asked.concurrency,
        None if asked is None else ", ".join(asked.inputs) or None,
    )


def _limit(score: Rateable) -> Hashable | None:
    """The limits on what is generated; None where nothing is, or the log does not tell."""
    asked = score.conditions
    if asked is None or (asked.new_tokens is None and asked.max_new_tokens is None):
        return None
    return (asked.new_tokens, asked.max_new_tokens)


def _model(score: Rateable) -> Hashable:
    # Local folders of different models may share a name; their size then tells them apart.
    return (score.model, score.model_revision, score.parameters)
