"""What a draft makes of gathered members: those that stand twice, and stars that the rule does not give."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit.edition_sources.gathered import Gathered
from scorekit.editions import Member
from scorekit.errors import InputError
from tests.edition_members import OFFICIAL, drafted, read_csv


def test_a_model_that_stands_twice_is_told(tmp_path: Path) -> None:
    text = OFFICIAL + "one,0.001,5\none,0.002,4\ntwo,0.006,1\ntwo,0.006,1\n"
    edition = drafted(read_csv(tmp_path, text))
    assert [(one.model, one.wh_per_1000_queries) for one in edition.members] == [
        ("one", 1.0),
        ("one", 2.0),
        ("two", 6.0),
    ]
    notes = " ".join(edition.notes)
    assert "one stands in asr 2 times (1, 2 Wh per 1,000 queries): all are kept" in notes
    assert "two stands in asr twice with the same energy (asr.csv, line 5): kept once" in notes


def test_a_published_star_that_the_rule_does_not_give_is_told(tmp_path: Path) -> None:
    # Throughput in the column of energy: the star still says what the energy must have been like.
    edition = drafted(read_csv(tmp_path, OFFICIAL + "a,0.001,5\nb,0.0055,5\nc,0.006,1\n"))
    assert "equal_width gives 2 of 3 published stars" in edition.notes
    assert any(note.startswith("b in asr was published with 5 stars and equal_width gives 1") for note in edition.notes)


def test_nothing_makes_no_draft() -> None:
    with pytest.raises(InputError, match="no member"):
        drafted(Gathered((), ()))


def test_the_same_energy_under_two_ids_is_one_member() -> None:
    member = Member(cohort="asr", model="one", wh_per_1000_queries=3.0)
    same = [(member.model_copy(update={"result_id": digit * 64}), digit) for digit in "ab"]
    other = (Member(cohort="asr", model="two", wh_per_1000_queries=4.0), "c")
    for pairs in ([*same, other], [other, *reversed(same)]):
        edition = drafted(Gathered(members=tuple(pairs), sources=()))
        assert [(one.model, one.result_id) for one in edition.members] == [("one", "a" * 64), ("two", None)]
        assert edition.notes == ("one stands in asr twice with the same energy (b): kept once",)
