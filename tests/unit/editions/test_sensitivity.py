"""Which stars of an edition hang on one member."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given

from scorekit import editions
from scorekit.editions import FEBRUARY_2025, Member
from scorekit.errors import RatingError
from scorekit.scales import EQUAL_WIDTH, LOG_WIDTH, RULES, Bounds
from tests.edition_members import asr, draft, frozen, member_lists, on_disk


def test_the_stars_that_hang_on_one_member(tmp_path: Path) -> None:
    edition = frozen(asr(a=1.0, b=3.5, c=6.0, monster=101.0), tmp_path)
    found = editions.sensitivity(edition)
    (removal,) = found.removals
    assert (removal.model, removal.is_end_of_range) == ("monster", True)
    assert {one.model: (one.stars_before, one.stars_after) for one in removal.changes} == {"b": (5, 3), "c": (5, 1)}
    assert (found.members, found.members_that_change_nothing, found.stars_that_hang_on_one_member) == (4, 3, 2)


def test_without_one_of_two_there_is_no_cohort(tmp_path: Path) -> None:
    found = editions.sensitivity(frozen(asr(a=1.0, b=2.0), tmp_path))
    assert [[one.stars_after for one in removal.changes] for removal in found.removals] == [[None], [None]]


@on_disk
@given(member_lists(least=2))
def test_sensitivity_is_what_rating_anew_gives(found: list[Member]) -> None:
    for rule in RULES:
        edition = draft(found, rule=rule)
        report = editions.sensitivity(edition)
        for removal in report.removals:
            own = [one for one in found if (one.cohort, one.model_class) == (removal.cohort, removal.model_class)]
            rest = [
                one
                for one in own
                if (one.model, one.wh_per_1000_queries) != (removal.model, removal.wh_per_1000_queries)
            ]
            if len(rest) != len(own) - 1:
                continue
            before = RULES[rule].scale([one.wh_per_1000_queries for one in own])
            for change in removal.changes:
                assert change.stars_before == before.stars(change.wh_per_1000_queries)
                try:
                    after = RULES[rule].scale([one.wh_per_1000_queries for one in rest])
                except RatingError:
                    assert change.stars_after is None
                else:
                    assert change.stars_after == after.stars(change.wh_per_1000_queries)


@pytest.mark.parametrize("rule", [EQUAL_WIDTH, LOG_WIDTH])
def test_a_rule_of_ends_is_not_given_every_member_for_each(monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    seen: list[int] = []
    made = RULES[rule].bounds

    def counted(rising: Sequence[float]) -> Bounds:
        seen.append(len(rising))
        return made(rising)

    monkeypatch.setitem(RULES, rule, dataclasses.replace(RULES[rule], bounds=counted))
    found = [Member(cohort="asr", model=f"model-{n}", wh_per_1000_queries=1.0 + n) for n in range(100)]
    editions.sensitivity(draft(found, rule=rule))
    assert sum(seen) <= 3 * len(found)


def test_thresholds_alone_have_no_sensitivity() -> None:
    with pytest.raises(RatingError, match="thresholds only"):
        editions.sensitivity(FEBRUARY_2025)
