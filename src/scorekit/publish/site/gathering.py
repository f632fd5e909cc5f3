"""What the site shows, worked out once, before any page. Pure.

Members of an edition carry the star of their edition. A result is rated in the edition where it is comparable, else
only among the results beside it, and says so.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from scorekit import tasks
from scorekit.editions import Edition, Member
from scorekit.publish.site import quality as qualities
from scorekit.publish.site.beside_others import beside_others
from scorekit.publish.site.content import UNNAMED, Cohort, Entry, Site, is_official
from scorekit.publish.site.standings import scales_of, stars_of
from scorekit.rating import Rating, rate_scores
from scorekit.records import Result
from scorekit.scales import Scale

if TYPE_CHECKING:
    from scorekit.store.quality import InForce


def gather(
    results: Iterable[Result],
    edition: Edition | None,
    editions: Sequence[Edition] = (),
    *,
    title: str | None = None,
    result_ids: Sequence[str | None] = (),
    quality: Mapping[str, tuple[InForce, ...]] | None = None,
) -> Site:
    """Work out what the site shows.

    Args:
        results: of the store, in its order.
        edition: the edition that stars are given in, with its members where they are known.
        editions: all editions, for the history of models.
        title: of the site.
        result_ids: of each result its id in the store, in the same order.
        quality: figures of evaluations, by the sha256 of the result that they are attached to.
    """
    every = list(results)
    ids = [*result_ids, *[None] * (len(every) - len(result_ids))]
    usable = [(result, own) for result, own in zip(every, ids, strict=True) if _is_usable(result)]
    taken = {member.result_id for member in (edition.members if edition else ()) if member.result_id}
    ratings = rate_scores([result for result, _ in usable], edition)
    scales = {} if edition is None else scales_of(edition)
    own_of = {own: result for result, own in usable if own is not None}
    entries = [] if edition is None else [_of_member(member, edition, scales, own_of) for member in edition.members]
    entries += [
        _of_result(result, rating, own)
        for (result, own), rating in zip(usable, ratings, strict=True)
        if own is None or own not in taken
    ]
    unique = _with_unique_ids(_with_quality(entries, quality))
    return Site(
        entries=tuple(sorted(unique, key=lambda e: (not is_official(e), e.cohort.key, e.wh_per_1000_queries, e.id))),
        edition=edition,
        editions=tuple(editions),
        refused=tuple(result for result in every if not _is_usable(result)),
        **({} if title is None else {"title": title}),
    )


def _is_usable(result: Result) -> bool:
    return result.wh_per_1000_queries is not None and result.cohort is not None and result.valid is not False


def _of_member(member: Member, edition: Edition, scales: dict[Cohort, Scale], own_of: Mapping[str, Result]) -> Entry:
    cohort = Cohort(member.cohort, member.model_class)
    stars = stars_of(member, scales)
    return Entry(
        id=_id(cohort, member.model, edition.name, repr(member.wh_per_1000_queries)),
        model=member.model,
        cohort=cohort,
        wh_per_1000_queries=member.wh_per_1000_queries,
        half_width_95_percent=None,
        stars=stars,
        official=stars is not None,
        edition=edition.name,
        rule=edition.rule,
        hardware=edition.hardware,
        origin="measured",
        comparable=True,
        date=edition.date,
        member=member,
        result_id=member.result_id,
        beside_others=beside_others(own_of.get(member.result_id or "")),
    )


def _of_result(result: Result, rating: Rating, result_id: str | None) -> Entry:
    assert result.wh_per_1000_queries is not None
    assert result.cohort is not None
    classed = result.cohort in tasks.CLASSED_COHORTS
    cohort = Cohort(result.cohort, result.model_class if classed else None)
    model = result.model or UNNAMED
    uncertainty = result.uncertainty
    return Entry(
        id=_id(cohort, model, result_id or result.source.name, repr(result.wh_per_1000_queries)),
        model=model,
        cohort=cohort,
        wh_per_1000_queries=result.wh_per_1000_queries,
        half_width_95_percent=None if uncertainty is None else uncertainty.combined_95_percent,
        stars=rating.stars,
        official=rating.official,
        edition=rating.edition,
        rule=rating.rule,
        hardware=result.hardware,
        origin=result.origin,
        comparable=result.comparable,
        parameters=result.parameters,
        date=result.source.measured_utc,
        result=result,
        rating=rating,
        result_id=result_id,
        beside_others=beside_others(result),
    )


def _id(cohort: Cohort, model: str, *more: str) -> str:
    digest = hashlib.sha256("\0".join((cohort.key, model, *more)).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{cohort.key}-{digest[:12]}"


def _with_quality(entries: Sequence[Entry], quality: Mapping[str, tuple[InForce, ...]] | None) -> Sequence[Entry]:
    if not quality:
        return entries
    known = qualities.of_results(quality)
    return [dataclasses.replace(entry, quality=qualities.own(known, entry.result_id)) for entry in entries]


def _with_unique_ids(entries: Sequence[Entry]) -> list[Entry]:
    """Equal rows of an edition would have one id."""
    seen: dict[str, int] = {}
    unique = []
    for entry in entries:
        count = seen[entry.id] = seen.get(entry.id, 0) + 1
        unique.append(entry if count == 1 else dataclasses.replace(entry, id=f"{entry.id}-{count}"))
    return unique
