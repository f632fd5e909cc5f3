"""What a label tells, from a rating and what was rated; and which of three kinds of label it is, pure.

- official: the star of a published edition.
- unrated: comparable with official results, but the edition has no star for it.
- local: anything else. It must not be taken for an official one.
"""

from __future__ import annotations

import datetime
import math
import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from scorekit import tasks
from scorekit.errors import UsageError
from scorekit.moments import utc_of
from scorekit.rating import LOCAL, Rating
from scorekit.records import Reason, Result, Score

Kind = Literal["official", "unrated", "local"]
_UNKNOWN: Final = frozenset({None, "", "unknown"})
_URL: Final = re.compile(r"[!-~]+")
_NOT_IN_URL: Final = re.compile(r"[\"<>\\^`{|}]")


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """What a label tells. None is unknown, and told so.

    Attributes:
        kind: official, unrated or local.
        provider: what stands before the first slash of the model's Hub id; None where there is no slash.
        name: the rest, or the whole; None where the model is not known.
        revision: commit of the model.
        scored: day of the measurement, in UTC.
        task: config name of the task, or the leaderboard's where only that is known.
        model_class: size class A, B or C.
        hardware: the GPU's or CPU's name.
        gpu_count: GPUs whose energy it is.
        energy_wh_per_1000: energy of 1,000 queries in Wh, as it was given.
        domain: what the energy covers.
        origin: measured, modelled, mixed or unknown.
        uncertainty_percent: half of the 95 % interval, relative to the energy.
        queries: of one repeat.
        runs: repeats.
        dataset: name of the dataset.
        stars: 1 to 5, official or local; None where there is none.
        edition: the edition that was asked for, or None for a local rating.
        rule: by which stars are given.
        cohort_size: models that the range was taken from.
        star_probability: that the star is the right one by the uncertainty.
        borderline: whether that is too small to be sure; None where it is not known.
        out_of_range: on which side of the cohort's range the energy lies.
        no_star_because: why there is no star at all.
        reasons: why there is no official star.
        link: where the result can be verified; never of a local one.
        files: sha256 of the files that the result was read from.
        scorekit_version: that worked out the result.
    """

    kind: Kind
    provider: str | None
    name: str | None
    revision: str | None
    scored: datetime.date | None
    task: str | None
    model_class: str | None
    hardware: str | None
    gpu_count: int | None
    energy_wh_per_1000: float | None
    domain: str | None
    origin: str
    uncertainty_percent: float | None
    queries: int | None
    runs: int | None
    dataset: str | None
    stars: int | None
    edition: str | None
    rule: str
    cohort_size: int | None
    star_probability: float | None
    borderline: bool | None
    out_of_range: Literal["below", "above"] | None
    no_star_because: str | None
    reasons: tuple[Reason, ...]
    link: str | None
    files: dict[str, str]
    scorekit_version: str | None

    @property
    def energy_wh(self) -> float | None:
        """The energy of 1,000 queries in Wh where it can be one: positive and finite."""
        energy = self.energy_wh_per_1000
        return energy if energy is not None and math.isfinite(energy) and energy > 0 else None

    @property
    def model(self) -> str | None:
        """The Hub id as it was."""
        return self.name if self.provider is None else f"{self.provider}/{self.name}"


def label_facts(rating: Rating, subject: Score | Result | None, link: str | None = None) -> LabelFacts:
    """What a label tells of a rating.

    Args:
        rating: the star, or why there is none.
        subject: the score or result that was rated. Without it nothing shows that the rating is of a measured result,
            so the label is local whatever the rating says, and hardware and month are unknown.
        link: where the result can be verified; left out of a local label, which nobody has verified.

    Raises:
        UsageError: the link is no plain web address.
        ValueError: the rating is not of the subject.
    """
    if subject is not None and (subject.model, subject.wh_per_1000_queries) != (
        rating.model,
        rating.wh_per_1000_queries,
    ):
        raise ValueError(f"the rating is of {rating.model}, not of {subject.model}")
    kind = _kind(rating, subject)
    provider, name = split_model(rating.model)
    conditions = None if subject is None else subject.conditions
    return LabelFacts(
        kind=kind,
        provider=provider,
        name=name,
        revision=rating.model_revision,
        scored=_scored(subject),
        task=rating.task or rating.cohort,
        model_class=rating.model_class,
        hardware=None if subject is None or subject.hardware in _UNKNOWN else subject.hardware,
        gpu_count=subject.gpu_count if isinstance(subject, Result) else None,
        energy_wh_per_1000=rating.wh_per_1000_queries,
        domain=None if subject is None else subject.domain,
        origin="unknown" if subject is None else subject.origin,
        uncertainty_percent=_finite(rating.combined_95_percent),
        queries=None if subject is None else subject.queries,
        runs=_runs(subject),
        dataset=None if conditions is None else conditions.dataset,
        stars=rating.stars,
        edition=None if rating.edition == LOCAL else rating.edition,
        rule=rating.rule,
        cohort_size=rating.cohort_size,
        star_probability=rating.star_probability,
        borderline=rating.borderline,
        out_of_range=rating.out_of_range,
        no_star_because=rating.refused,
        reasons=_reasons(rating, subject, kind),
        link=None if link is None or kind == "local" else checked_link(link),
        files=_files(subject),
        scorekit_version=_version(subject),
    )


def split_model(model: str | None) -> tuple[str | None, str | None]:
    """Provider and name of a Hub id, parted at its first slash; a part that would be empty leaves it whole."""
    if not model:
        return None, None
    provider, slash, name = model.partition("/")
    return (provider, name) if slash and provider and name else (None, model)


def checked_link(link: str) -> str:
    """A verification link as it was given.

    Raises:
        UsageError: it is no web address that can be shown and followed safely.
    """
    try:
        parts = urlsplit(link)
        sound = parts.scheme in ("https", "http") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        sound = False
    if not sound or not _URL.fullmatch(link) or _NOT_IN_URL.search(link):
        raise UsageError(
            f"the verification link {link[:80]!r} is no plain web address",
            mend="give an address such as https://example.org/results/ID, other characters percent-encoded",
        )
    return link


def task_title(facts: LabelFacts) -> str | None:
    """The task in words, with the size class of those that have one; None where it is not known."""
    if facts.task is None:
        return None
    name, note = facts.task, ""
    if name.startswith("t5_"):
        name, note = name.removeprefix("t5_"), " (T5)"
    elif name == "asr":
        name = tasks.find(name).name
    words = name.replace("_", " ")
    size = f", class {facts.model_class}" if facts.model_class else ""
    return f"{words[:1].upper()}{words[1:]}{note}{size}"


def _kind(rating: Rating, subject: Score | Result | None) -> Kind:
    if subject is None or not rating.comparable or not subject.comparable or subject.valid is False:
        return "local"
    if rating.official and rating.stars is not None:
        return "official"
    # Comparable, and asked for in an edition that does not rate it; a star among scores given beside it is local.
    asked = any(reason.code == "edition" for reason in rating.no_official_star_because)
    return "unrated" if asked else "local"


def _reasons(rating: Rating, subject: Score | Result | None, kind: Kind) -> tuple[Reason, ...]:
    if kind == "official":
        return ()
    if subject is None:
        unverified = Reason(code="unverified", message="read from a rating without its run")
        return (unverified, *(reason for reason in rating.no_official_star_because if reason.code != "unverified"))
    reasons = dict.fromkeys((*subject.invalid_because, *rating.no_official_star_because))
    reasons |= dict.fromkeys(subject.not_comparable_because)
    return tuple(reasons) or (Reason(code="local", message="rated among the scores given, not in an edition"),)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _scored(subject: Score | Result | None) -> datetime.date | None:
    if subject is None:
        return None
    told = subject.provenance.created_utc if isinstance(subject, Score) else subject.source.measured_utc
    at = utc_of(told)
    return None if at is None else at.date()


def _runs(subject: Score | Result | None) -> int | None:
    if subject is None:
        return None
    if isinstance(subject, Score):
        return subject.runs
    return (subject.corrected or subject.published).runs


def _files(subject: Score | Result | None) -> dict[str, str]:
    if subject is None:
        return {}
    return subject.provenance.files if isinstance(subject, Score) else subject.source.files


def _version(subject: Score | Result | None) -> str | None:
    if subject is None:
        return None
    return subject.provenance.scorekit_version if isinstance(subject, Score) else subject.source.scorekit_version
