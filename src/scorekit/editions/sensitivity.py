"""How much an edition hangs on single members: which stars would change if one of them were not there; pure."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from scorekit.editions.cohort_scales import cohorts_of
from scorekit.errors import RatingError
from scorekit.records import Edition, Member, Record
from scorekit.scales import SMALLEST_COHORT, Rule, find_rule

SENSITIVITY_SCHEMA: Final = "scorekit.sensitivity/1"


class StarChange(Record):
    """A member whose star would be another."""

    model: str
    wh_per_1000_queries: float
    stars_before: int
    stars_after: int | None = Field(description="None where the cohort could no longer be rated.")


class Removal(Record):
    """What would change if one member were not in its cohort."""

    cohort: str
    model_class: str | None
    model: str
    wh_per_1000_queries: float
    is_end_of_range: bool = Field(description="Whether it is alone the lowest or the highest of its cohort.")
    changes: tuple[StarChange, ...] = Field(description="Of the others; the largest changes first.")


class Sensitivity(Record):
    """The sensitivity report of an edition."""

    schema_version: str = SENSITIVITY_SCHEMA
    edition: str
    rule: str
    members: int
    removals: tuple[Removal, ...] = Field(description="Members on which other stars hang; those of most first.")
    members_that_change_nothing: int
    stars_that_hang_on_one_member: int = Field(description="Members whose star any single removal would change.")


def sensitivity(edition: Edition) -> Sensitivity:
    """Which stars would change if each member were removed.

    Raises:
        RatingError: the edition holds thresholds only.
    """
    if not edition.members:
        raise RatingError(
            f"edition {edition.name} holds thresholds only, so that no member can be taken out of it",
            mend="import the whole edition: scorekit edition import SOURCE --name NAME",
        )
    rule = find_rule(edition.rule)
    removals: list[Removal] = []
    moved: set[int] = set()
    for own in cohorts_of(edition.members).values():
        removals += _of_cohort(own, rule, moved)
    telling = sorted((one for one in removals if one.changes), key=lambda one: -len(one.changes))
    return Sensitivity(
        edition=edition.name,
        rule=rule.name,
        members=len(edition.members),
        removals=tuple(telling),
        members_that_change_nothing=len(edition.members) - len(telling),
        stars_that_hang_on_one_member=len(moved),
    )


def _of_cohort(own: list[Member], rule: Rule, moved: set[int]) -> list[Removal]:
    """The removal of each member of a cohort; `moved` takes up the identity of those whose star would change."""
    energies_wh = [member.wh_per_1000_queries for member in own]
    try:
        before = rule.scale(energies_wh)
    except RatingError:
        return []
    removals = []
    for place, member in enumerate(own):
        # Energies rise from first to last: only an end can move a range, and a rule of ends asks for no more.
        lowest = energies_wh[1] if place == 0 else energies_wh[0]
        highest = energies_wh[-2] if place == len(own) - 1 else energies_wh[-1]
        whole = rule.needs_members or len(own) <= SMALLEST_COHORT
        rest = energies_wh[:place] + energies_wh[place + 1 :] if whole else [lowest, highest]
        try:
            after = rule.scale(rest)
        except RatingError:
            after = None
        changes = []
        for other in own if after is None or after.bounds != before.bounds else ():
            if other is member:
                continue
            old = before.stars(other.wh_per_1000_queries)
            new = None if after is None else after.stars(other.wh_per_1000_queries)
            if new != old:
                moved.add(id(other))
                changes.append(
                    StarChange(
                        model=other.model,
                        wh_per_1000_queries=other.wh_per_1000_queries,
                        stars_before=old,
                        stars_after=new,
                    )
                )
        removals.append(
            Removal(
                cohort=member.cohort,
                model_class=member.model_class,
                model=member.model,
                wh_per_1000_queries=member.wh_per_1000_queries,
                is_end_of_range=not lowest <= member.wh_per_1000_queries <= highest,
                changes=tuple(sorted(changes, key=_size)),
            )
        )
    return removals


def _size(change: StarChange) -> tuple[int, str]:
    after = change.stars_after
    return (-9 if after is None else -abs(after - change.stars_before), change.model)
