"""The figure of a model in a frozen edition, as a label tells it: what the edition says of it, and no more. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from typing import Final

from scorekit import tasks
from scorekit.editions import Edition, Member, scale_of, thresholds_for
from scorekit.errors import RatingError, UsageError
from scorekit.publish.label.facts import LabelFacts, checked_link, split_model
from scorekit.records import Reason
from scorekit.tasks import OFFICIAL_GPU

_MONTH: Final = "2025-02"


def published(
    model: str, editions: Iterable[Edition], *, task: str | None = None, link: str | None = None
) -> LabelFacts | None:
    """The figure of a model in the newest edition that names it.

    Args:
        model: its name, as the edition has it.
        editions: frozen ones, in any order.
        task: which task is meant, by its config or leaderboard name.
        link: where the figure can be verified.

    Returns:
        None where no edition names the model for the task.

    Raises:
        UsageError: the edition has several figures of it; lists them. Or the link is no plain web address, or there is
            no such task.
    """
    cohort = None if task is None else tasks.find(task).cohort
    for edition in sorted(editions, key=lambda one: (one.date, one.name), reverse=True):
        found = [one for one in edition.members if one.model == model and cohort in (None, one.cohort)]
        if len(found) > 1:
            raise UsageError(
                f"edition {edition.name} has {len(found)} figures of '{model}': {', '.join(map(_named, found))}",
                mend="choose one with --task"
                if len({one.cohort for one in found}) > 1
                else "name a result of it: its run folder, or --results DIR with its id",
            )
        if found:
            return member_facts(found[0], edition, link)
    return None


def names_of(editions: Iterable[Edition]) -> list[str]:
    """Every model that editions name."""
    return sorted({member.model for edition in editions for member in edition.members})


def member_facts(member: Member, edition: Edition, link: str | None = None) -> LabelFacts:
    """What a label tells of a member of a frozen edition.

    It is official where it has a star by the edition's own thresholds and the edition holds energies of the official
    GPU, unrated where the edition has no star for it, and local where its energies are those of other hardware.

    Raises:
        UsageError: the link is no plain web address.
    """
    provider, name = split_model(member.model)
    stars, models, why = _stars(member, edition)
    reasons: Sequence[Reason] = () if why is None else (Reason(code="edition", message=why),)
    official_gpu = edition.hardware.startswith(OFFICIAL_GPU)
    if not official_gpu:
        elsewhere = f"edition {edition.name} holds energies of {edition.hardware}, expected one {OFFICIAL_GPU}"
        reasons = (Reason(code="hardware", message=elsewhere), *reasons)
    return LabelFacts(
        kind="local" if not official_gpu else "unrated" if stars is None else "official",
        provider=provider,
        name=name,
        revision=None,
        scored=_day(edition.date),
        task=member.cohort,
        model_class=member.model_class,
        hardware=edition.hardware,
        gpu_count=None,
        energy_wh_per_1000=member.wh_per_1000_queries,
        # Editions hold figures of the protocol, which counts the GPU alone.
        domain="gpu",
        origin="measured",
        uncertainty_percent=None,
        queries=None,
        runs=None,
        dataset=None,
        stars=stars,
        edition=edition.name,
        rule=edition.rule,
        cohort_size=models,
        star_probability=None,
        borderline=None,
        out_of_range=None,
        no_star_because=why,
        reasons=tuple(reasons),
        link=None if link is None or not official_gpu else checked_link(link),
        files={source.name: source.sha256 for source in edition.sources if source.sha256 is not None},
        scorekit_version=None,
    )


def _stars(member: Member, edition: Edition) -> tuple[int | None, int | None, str | None]:
    """Stars by the edition's thresholds, the number of models that they were taken from, and why there are none.

    Of a cohort that is too small for thresholds, what its source published stands.
    """
    try:
        row = thresholds_for(edition, member.cohort, member.model_class)
        return scale_of(edition, row).stars(member.wh_per_1000_queries), row.n, None
    except RatingError as error:
        return member.stars, None, error.message if member.stars is None else None


def _named(member: Member) -> str:
    size = "" if member.model_class is None else f" class {member.model_class}"
    return f"{member.cohort}{size} {member.wh_per_1000_queries:g} Wh"


def _day(date: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(date if len(date) > len(_MONTH) else f"{date}-01")
    except ValueError:
        return None
