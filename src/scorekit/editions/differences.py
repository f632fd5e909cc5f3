"""What changed from one edition to another: ranges, who stretched them, whose star moved, who came and went; pure."""

from __future__ import annotations

from collections import deque
from typing import Final, Literal

from pydantic import Field

from scorekit.editions.cohort_scales import Cohort, cohorts_of, scales_of
from scorekit.records import Edition, Member, Record
from scorekit.scales import Scale

DIFFERENCE_SCHEMA: Final = "scorekit.edition-difference/1"


class Moved(Record):
    """A model of both editions whose star or energy changed."""

    model: str
    stars_before: int | None
    stars_after: int | None
    wh_per_1000_before: float
    wh_per_1000_after: float
    because: Literal["range", "energy", "both"] = Field(
        description="range: the thresholds moved, not the model. energy: by the old thresholds the star would be the "
        "new one as well. both: neither alone explains it, or the star is the same and the energy is not."
    )


class EndMoved(Record):
    """An end of a cohort's range that moved."""

    end: Literal["lowest", "highest"]
    wh_per_1000_before: float
    wh_per_1000_after: float
    stretched: bool = Field(description="Whether the range grew at this end.")
    by: tuple[str, ...] = Field(
        description="Models beyond the old end where it grew, else those that are gone from it."
    )
    who: Literal["new", "measured_again", "gone", "unknown"]


class CohortDifference(Record):
    """What changed in one cohort."""

    cohort: str
    model_class: str | None
    n_before: int | None = Field(description="None where the first edition does not rate it.")
    n_after: int | None
    ends: tuple[EndMoved, ...]
    carried_over: int | None = Field(description="Models of both; None where an edition holds thresholds only.")
    moved: tuple[Moved, ...]
    came: tuple[str, ...]
    went: tuple[str, ...]


class Difference(Record):
    """From one edition to another."""

    schema_version: str = DIFFERENCE_SCHEMA
    before: str
    after: str
    rule_before: str
    rule_after: str
    cohorts: tuple[CohortDifference, ...] = Field(description="Those in which anything changed.")
    cohorts_alike: int
    carried_over: int
    stars_moved: int = Field(description="Models of both editions whose star changed.")
    notes: tuple[str, ...] = ()


def compare(before: Edition, after: Edition) -> Difference:
    """What changed from one edition to another; stars are those of each edition's own thresholds."""
    notes = tuple(
        f"edition {edition.name} holds thresholds only: who came, went or moved cannot be told"
        for edition in (before, after)
        if not edition.members
    )
    rows = _cohorts(before, after, told=not notes)
    changed = [row for row in rows if row.ends or row.moved or row.came or row.went or row.n_before != row.n_after]
    return Difference(
        before=before.name,
        after=after.name,
        rule_before=before.rule,
        rule_after=after.rule,
        cohorts=tuple(changed),
        cohorts_alike=len(rows) - len(changed),
        carried_over=sum(row.carried_over or 0 for row in rows),
        stars_moved=sum(one.stars_before != one.stars_after for row in rows for one in row.moved),
        notes=notes,
    )


def _cohorts(before: Edition, after: Edition, *, told: bool) -> list[CohortDifference]:
    old_scales, new_scales = scales_of(before), scales_of(after)
    old_members, new_members = cohorts_of(before.members), cohorts_of(after.members)
    counts: list[dict[Cohort, int]] = [
        {(row.cohort, row.model_class): row.n for row in edition.thresholds} for edition in (before, after)
    ]
    keys = sorted({*old_scales, *new_scales, *old_members, *new_members}, key=lambda key: (key[0], key[1] or ""))
    rows = []
    for key in keys:
        scales = old_scales.get(key), new_scales.get(key)
        pairs, came, went = _paired(old_members.get(key, []), new_members.get(key, []))
        rows.append(
            CohortDifference(
                cohort=key[0],
                model_class=key[1],
                n_before=_n(key, counts[0], old_members),
                n_after=_n(key, counts[1], new_members),
                ends=_ends(*scales, pairs, came, went, told=told),
                carried_over=len(pairs) if told else None,
                moved=tuple(found for pair in pairs if (found := _moved(*pair, *scales)) is not None) if told else (),
                came=tuple(member.model for member in came) if told else (),
                went=tuple(member.model for member in went) if told else (),
            )
        )
    return rows


def _n(key: Cohort, counts: dict[Cohort, int], members: dict[Cohort, list[Member]]) -> int | None:
    return counts.get(key) or len(members.get(key, ())) or None


def _paired(old: list[Member], new: list[Member]) -> tuple[list[tuple[Member, Member]], list[Member], list[Member]]:
    """Members of both editions, of the second alone, and of the first alone.

    Of a model that stands several times those of one energy belong together, then the others by rising energy.
    """
    pairs: list[tuple[Member, Member]] = []
    came: list[Member] = []
    went: list[Member] = []
    before, after = _by_model(old), _by_model(new)
    for model in sorted({*before, *after}):
        ours, theirs = before.get(model, []), after.get(model, [])
        same: dict[float, deque[Member]] = {}
        for member in theirs:
            same.setdefault(member.wh_per_1000_queries, deque()).append(member)
        changed = []
        for member in ours:
            alike = same.get(member.wh_per_1000_queries)
            if alike:
                pairs.append((member, alike.popleft()))
            else:
                changed.append(member)
        ours, theirs = changed, [member for alike in same.values() for member in alike]
        shared = min(len(ours), len(theirs))
        pairs += zip(ours[:shared], theirs[:shared], strict=True)
        went += ours[shared:]
        came += theirs[shared:]
    return pairs, came, went


def _by_model(members: list[Member]) -> dict[str, list[Member]]:
    found: dict[str, list[Member]] = {}
    for member in members:
        found.setdefault(member.model, []).append(member)
    return found


def _moved(old: Member, new: Member, before: Scale | None, after: Scale | None) -> Moved | None:
    energies_wh = old.wh_per_1000_queries, new.wh_per_1000_queries
    stars = (
        None if before is None else before.stars(energies_wh[0]),
        None if after is None else after.stars(energies_wh[1]),
    )
    if stars[0] == stars[1] and energies_wh[0] == energies_wh[1]:
        return None
    because: Literal["range", "energy", "both"] = "both"
    if energies_wh[0] == energies_wh[1]:
        because = "range"
    elif before is not None and stars[0] != stars[1] and before.stars(energies_wh[1]) == stars[1]:
        because = "energy"
    return Moved(
        model=new.model,
        stars_before=stars[0],
        stars_after=stars[1],
        wh_per_1000_before=energies_wh[0],
        wh_per_1000_after=energies_wh[1],
        because=because,
    )


def _ends(
    before: Scale | None,
    after: Scale | None,
    pairs: list[tuple[Member, Member]],
    came: list[Member],
    went: list[Member],
    *,
    told: bool,
) -> tuple[EndMoved, ...]:
    if before is None or after is None:
        return ()
    found = []
    for end, old_wh, new_wh in (
        ("lowest", before.lowest, after.lowest),
        ("highest", before.highest, after.highest),
    ):
        if old_wh == new_wh:
            continue
        sign = 1 if end == "highest" else -1
        stretched = sign * (new_wh - old_wh) > 0
        edge = old_wh if stretched else new_wh
        fresh = [one.model for one in came if stretched and sign * (one.wh_per_1000_queries - edge) > 0]
        gone = [one.model for one in went if not stretched and sign * (one.wh_per_1000_queries - edge) > 0]
        again = [new.model for old, new in pairs if sign * ((new if stretched else old).wh_per_1000_queries - edge) > 0]
        who: Literal["new", "measured_again", "gone", "unknown"] = (
            "unknown" if not told else "new" if fresh else "gone" if gone else "measured_again" if again else "unknown"
        )
        found.append(
            EndMoved.model_validate(
                {
                    "end": end,
                    "wh_per_1000_before": old_wh,
                    "wh_per_1000_after": new_wh,
                    "stretched": stretched,
                    "by": (*fresh, *gone, *again),
                    "who": who,
                }
            )
        )
    return tuple(found)
