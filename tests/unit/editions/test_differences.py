"""What differs between two editions, and who is behind it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from scorekit import editions
from scorekit.editions import FEBRUARY_2025, Member
from tests.edition_members import asr, draft, frozen, member_lists, on_disk


def test_an_outlier_is_named_with_everybody_it_moved(tmp_path: Path) -> None:
    before = frozen(asr(a=1.0, b=3.5, c=6.0), tmp_path, "before")
    after = frozen(asr(a=1.0, b=3.5, c=6.0, monster=101.0), tmp_path, "after")
    found = editions.compare(before, after)
    (cohort,) = found.cohorts
    (end,) = cohort.ends
    assert (end.end, end.stretched, end.who, end.by) == ("highest", True, "new", ("monster",))
    assert (cohort.came, cohort.went, cohort.carried_over) == (("monster",), (), 3)
    assert {one.model: (one.stars_before, one.stars_after, one.because) for one in cohort.moved} == {
        "b": (3, 5, "range"),
        "c": (1, 5, "range"),
    }
    assert (found.stars_moved, found.carried_over) == (2, 3)
    back = editions.compare(after, before)
    assert (back.cohorts[0].ends[0].who, back.cohorts[0].ends[0].by) == ("gone", ("monster",))
    assert back.cohorts[0].went == ("monster",)


def test_a_model_that_was_measured_again_moves_by_its_energy(tmp_path: Path) -> None:
    before = frozen(asr(a=1.0, b=3.5, c=6.0), tmp_path, "before")
    again = frozen(asr(a=1.0, b=5.5, c=6.0), tmp_path, "again")
    (moved,) = editions.compare(before, again).cohorts[0].moved
    assert (moved.model, moved.stars_before, moved.stars_after, moved.because) == ("b", 3, 1, "energy")
    wider = frozen(asr(a=1.0, b=3.5, c=11.0), tmp_path, "wider")
    (end,) = editions.compare(before, wider).cohorts[0].ends
    assert (end.who, end.by) == ("measured_again", ("c",))


def test_a_model_that_stands_twice_is_paired_by_its_energies(tmp_path: Path) -> None:
    twice = [*asr(a=1.0, c=6.0), *asr(b=3.0), *asr(b=4.0)]
    one = frozen(twice, tmp_path, "one")
    two = frozen([*twice, *asr(b=5.0)], tmp_path, "two")
    (cohort,) = editions.compare(one, two).cohorts
    assert (cohort.came, cohort.moved, cohort.carried_over) == (("b",), (), 4)


@on_disk
@given(member_lists(least=2))
def test_an_edition_does_not_differ_from_itself(tmp_path_factory: pytest.TempPathFactory, found: list[Member]) -> None:
    edition = editions.with_thresholds(draft(found))
    same = editions.compare(edition, edition)
    assert (same.cohorts, same.stars_moved, same.carried_over) == ((), 0, len(found))


def test_thresholds_alone_tell_ranges_and_nobody(tmp_path: Path) -> None:
    mine = frozen(asr(a=0.5, b=90.0), tmp_path)
    found = editions.compare(FEBRUARY_2025, mine)
    (row,) = [row for row in found.cohorts if row.cohort == "asr"]
    assert [(end.end, end.stretched, end.who) for end in row.ends] == [
        ("lowest", True, "unknown"),
        ("highest", True, "unknown"),
    ]
    assert (row.came, row.moved, row.carried_over) == ((), (), None)
    assert "thresholds only" in found.notes[0]
