"""Members of an edition from our own results: of each model the latest that is comparable and has an energy."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path

from scorekit import tasks
from scorekit.edition_sources.gathered import Gathered
from scorekit.editions import Member
from scorekit.errors import InputError
from scorekit.moments import utc_of
from scorekit.records import EditionSource, LeftOut, Result


def members_of(results: Iterable[tuple[str, Result]], label: str) -> Gathered:
    """The members that results make: of the runs of a model the latest, the others named under what was passed over.

    Every run as a member of its own would count its model several times, and so move the stars of others.

    Args:
        results: each with its id in the store.
        label: what the source is called.
    """
    from scorekit.store import names

    members: list[tuple[Member, str]] = []
    latest: dict[Hashable, str] = {}
    passed_over: list[LeftOut] = []
    # The latest first; of one time by id, so that the order they came in changes nothing.
    for identity, result in sorted(results, key=lambda pair: (_measured_s(pair[1]), pair[0]), reverse=True):
        place = f"{label}: {result.model or 'a model without a name'} ({names.short(identity)})"
        reason = _why_not(result)
        if reason is not None:
            passed_over.append(LeftOut(place=place, reason=reason))
            continue
        # As in local cohorts, local folders of different models may share a name; their size tells them apart.
        model = (result.cohort, result.model_class, result.model, result.model_revision, result.parameters)
        taken = latest.setdefault(model, identity)
        if taken != identity:
            passed_over.append(
                LeftOut(place=place, reason=f"the latest result of the model is taken ({names.short(taken)})")
            )
            continue
        member = Member.model_validate(
            {
                "cohort": result.cohort,
                "model_class": result.model_class if result.cohort in tasks.CLASSED_COHORTS else None,
                "model": result.model,
                "wh_per_1000_queries": result.wh_per_1000_queries,
                "result_id": identity,
            }
        )
        members.append((member, place))
    return Gathered(
        members=tuple(members),
        sources=(EditionSource(name=label, members=len(members)),),
        passed_over=tuple(passed_over),
    )


def _measured_s(result: Result) -> float:
    """When a result was measured, in s since 1970; before all others where it does not tell."""
    measured = utc_of(result.source.measured_utc)
    return -math.inf if measured is None else measured.timestamp()


def read_results(folder: Path, report: Callable[[str], None]) -> Gathered:
    """The members that a results folder makes.

    Args:
        folder: the results folder.
        report: told of files that are no results and are left out.

    Raises:
        InputError: it holds no result.
    """
    from scorekit import store

    found = store.open(folder, report=report)
    label = folder.resolve().name
    pairs: list[tuple[str, Result]] = []
    for row in found.table().select(["id", "path"]).to_pylist():
        try:
            pairs.append((row["id"], found.read(row["path"])))
        except InputError as error:
            report(f"left out: {error.message}")
    if not pairs:
        raise InputError(
            f"there is neither a CSV file of an edition nor a result of scorekit in {folder}",
            mend="name a folder of official CSV files, one CSV file, a Space (space:ORG/NAME), or a results folder",
        )
    return members_of(pairs, label)


def _why_not(result: Result) -> str | None:
    """Why a result is no member; None for one that is."""
    if result.wh_per_1000_queries is None:
        return result.refused or "the log gives no energy for 1,000 queries"
    if result.valid is False:
        return "the run failed its checks"
    if not result.comparable:
        codes = ", ".join(reason.code for reason in result.not_comparable_because) or "not told why"
        return f"not comparable with official scores ({codes})"
    if result.cohort is None or result.model is None:
        return "the log does not name its " + ("task" if result.cohort is None else "model")
    if result.cohort in tasks.CLASSED_COHORTS and result.model_class is None:
        return f"{result.cohort} is rated by size class, and the model's size is not known"
    return None
