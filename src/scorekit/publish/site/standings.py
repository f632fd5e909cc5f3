"""Stars of an edition's members, by its own thresholds, and where each model stands over the editions. Pure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

from scorekit.editions import Edition, Member, scale_of
from scorekit.errors import RatingError
from scorekit.publish.site.content import Cohort
from scorekit.scales import Scale


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a model stands in an edition.

    Attributes:
        edition: which.
        cohort: where it is rated.
        wh_per_1000_queries: positive.
        stars: by the edition's own thresholds; None where it cannot be rated.
    """

    edition: Edition
    cohort: Cohort
    wh_per_1000_queries: float
    stars: int | None


def history_of(editions: Iterable[Edition]) -> dict[str, tuple[Standing, ...]]:
    """Of each model where it stands in every edition that names its members.

    Args:
        editions: newest first.

    Returns:
        By the model's name, oldest edition first.
    """
    found: dict[str, list[Standing]] = {}
    for edition in reversed(tuple(editions)):
        scales = scales_of(edition)
        for member in edition.members:
            cohort = Cohort(member.cohort, member.model_class)
            stars = stars_of(member, scales)
            found.setdefault(member.model, []).append(Standing(edition, cohort, member.wh_per_1000_queries, stars))
    return {model: tuple(standings) for model, standings in found.items()}


def scales_of(edition: Edition) -> dict[Cohort, Scale]:
    """The scale of every cohort of an edition, each made once; without those that have none."""
    found = {}
    for row in edition.thresholds:
        # A cohort that its rule makes no scale of has none.
        with contextlib.suppress(RatingError):
            found[Cohort(row.cohort, row.model_class)] = scale_of(edition, row)
    return found


def stars_of(member: Member, scales: dict[Cohort, Scale]) -> int | None:
    """By the edition's thresholds; where its cohort is too small for any, what the source published stands."""
    scale = scales.get(Cohort(member.cohort, member.model_class)) or scales.get(Cohort(member.cohort))
    return member.stars if scale is None else scale.stars(member.wh_per_1000_queries)
