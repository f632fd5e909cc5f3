"""What a source of an edition gave: members, what was left out of it, and what a reader should know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from scorekit.editions import Edition, Member, in_order, make_thresholds
from scorekit.editions.cohort_scales import cohort_name
from scorekit.errors import InputError
from scorekit.records import EditionSource, LeftOut
from scorekit.scales import EQUAL_WIDTH, RULES, Scale

_MOST_TOLD: Final = 20


@dataclass(frozen=True, slots=True)
class Gathered:
    """What one source gave.

    Attributes:
        members: with the place that each was read from.
        sources: the files they were taken from.
        faults: rows that are wrong.
        passed_over: what is not wrong, but does not belong into an edition.
        notes: what a reader should know.
    """

    members: tuple[tuple[Member, str], ...]
    sources: tuple[EditionSource, ...]
    faults: tuple[LeftOut, ...] = ()
    passed_over: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()


def draft_of(
    gathered: Sequence[Gathered], *, name: str, date: str, hardware: str, source: str, skip_faulty: bool = False
) -> Edition:
    """The draft of an edition from what its sources gave.

    A model that stands twice in a cohort with different energies is kept twice, and one that stands twice with the
    same is kept once; both are among the notes. So is every published star that the official rule does not give.

    Args:
        gathered: what each source gave.
        name: of the edition.
        date: of its publication: year and month, or the day.
        hardware: on which it was measured.
        source: where the energies come from, in words.
        skip_faulty: leave out faulty rows, which the draft then names; else any of them refuses the import.

    Raises:
        InputError: a row is faulty, or there is no member.
    """
    faults = [fault for one in gathered for fault in one.faults]
    if faults and not skip_faulty:
        told = "".join(f"\n  - {fault.place}: {fault.reason}" for fault in faults[:_MOST_TOLD])
        more = f"\n  - and {len(faults) - _MOST_TOLD:,} more" if len(faults) > _MOST_TOLD else ""
        raise InputError(
            f"{len(faults):,} row{'s' if len(faults) > 1 else ''} cannot be taken into an edition:{told}{more}",
            mend="mend the file, or leave these rows out with --skip-faulty; the edition then names them",
        )
    members, notes = _once([pair for one in gathered for pair in one.members])
    if not members:
        raise InputError(
            "there is no member for an edition in what was given", mend="see `scorekit edition import --help`"
        )
    return Edition(
        name=name,
        date=date,
        rule=EQUAL_WIDTH,
        hardware=hardware,
        source=source,
        sources=tuple(found for one in gathered for found in one.sources),
        members=in_order(members),
        left_out=(*faults, *(left for one in gathered for left in one.passed_over)),
        notes=(*(note for one in gathered for note in one.notes), *notes, *_published(members)),
    )


def _once(pairs: Iterable[tuple[Member, str]]) -> tuple[list[Member], list[str]]:
    """Members without exact duplicates, and what is to be told of those that stand several times."""
    # By what they say, whatever result they are of: the same energy under two ids is one measurement. In order, so that
    # an edition is the same in whatever order its rows came.
    first: dict[Member, Member] = {}
    notes = []
    for member, place in sorted(pairs, key=lambda pair: (pair[0].result_id or "", pair[1])):
        said = member.model_copy(update={"result_id": None})
        if said in first:
            notes.append(f"{member.model} stands in {member.cohort} twice with the same energy ({place}): kept once")
        else:
            first[said] = member
    models: dict[tuple[str, str], list[Member]] = {}
    for member in in_order(first.values()):
        models.setdefault((member.cohort, member.model), []).append(member)
    for (cohort, model), own in models.items():
        if len(own) > 1:
            energies = ", ".join(f"{member.wh_per_1000_queries:g}" for member in own)
            notes.append(f"{model} stands in {cohort} {len(own)} times ({energies} Wh per 1,000 queries): all are kept")
    return list(first.values()), sorted(notes)


def _published(members: Sequence[Member]) -> list[str]:
    """How many published stars the official rule gives, and which it does not."""
    published = [member for member in members if member.stars is not None]
    if not published:
        return []
    made, _ = make_thresholds(members, RULES[EQUAL_WIDTH])
    scales = {
        (row.cohort, row.model_class): Scale(row.min_wh_per_1000, row.max_wh_per_1000, row.bounds_wh_per_1000)
        for row in made
        if row.bounds_wh_per_1000 is not None
    }
    notes = []
    given = 0
    for member in in_order(published):
        scale = scales.get((member.cohort, member.model_class))
        stars = None if scale is None else scale.stars(member.wh_per_1000_queries)
        given += stars == member.stars
        if stars not in (None, member.stars):
            notes.append(
                f"{member.model} in {cohort_name(member.cohort, member.model_class)} was published with {member.stars} "
                f"stars and {EQUAL_WIDTH} gives {stars}: the star, the energy ({member.wh_per_1000_queries:g} Wh) or "
                "the cohort may be wrong"
            )
    return [f"{EQUAL_WIDTH} gives {given:,} of {len(published):,} published stars", *notes]
