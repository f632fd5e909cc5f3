"""Our own results as members: which are taken, one a model, and why the others are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit import store
from scorekit.edition_sources import own_results
from scorekit.errors import InputError
from scorekit.logs import result_of
from scorekit.records import Result, Score
from tests.bundles import local_score, official_score
from tests.edition_members import drafted, members_of


def _results(folder: Path, *scores: Score) -> None:
    opened = store.open(folder)
    for score in scores:
        opened.add(result_of(score, score.model))


def test_comparable_results_are_members_and_the_others_are_named(tmp_path: Path) -> None:
    _results(
        tmp_path / "results",
        official_score("one", 8.0),
        official_score("two", 20.0),
        local_score("three", 5.0),
        official_score("four", 9.0, model_class=None),
    )
    told: list[str] = []
    gathered = own_results.read_results(tmp_path / "results", told.append)
    found = {one.model: one for one in members_of(gathered)}
    assert {name: one.wh_per_1000_queries for name, one in found.items()} == {"one": 8.0, "two": 20.0}
    assert {one.model_class for one in found.values()} == {"A"}
    assert all(one.result_id for one in found.values())
    reasons = {left.place.split()[1]: left.reason for left in gathered.passed_over}
    assert "not comparable with official scores (hardware, samples)" in reasons["three"]
    assert "size is not known" in reasons["four"]
    # What was never meant for an edition refuses no import.
    assert len(drafted(gathered).members) == 2
    assert {left.place.split()[1] for left in drafted(gathered).left_out} == {"three", "four"}


def _run(model: str, energy_wh: float, day: int, label: str, **changes: object) -> Result:
    result = result_of(official_score(model, energy_wh, **changes), label)
    source = result.source.model_copy(update={"measured_utc": f"2025-06-{day:02}T12:00:00+00:00"})
    return result.model_copy(update={"source": source})


def test_runs_of_one_model_are_one_member_the_latest() -> None:
    results = {
        "a" * 64: _run("one", 8.0, 3, "runs/a"),
        "b" * 64: _run("one", 8.0, 3, "copy/a"),
        "c" * 64: _run("one", 9.0, 9, "runs/c"),
        "d" * 64: _run("one", 7.0, 1, "runs/d"),
        "e" * 64: _run("two", 20.0, 1, "runs/e"),
        "f" * 64: _run("one", 5.0, 1, "runs/f", parameters=2_000_000),
    }
    for pairs in (list(results.items()), list(results.items())[::-1]):
        gathered = own_results.members_of(pairs, "results")
        assert sorted((one.model, one.wh_per_1000_queries) for one in members_of(gathered)) == [
            ("one", 5.0),
            ("one", 9.0),
            ("two", 20.0),
        ]
        assert {left.reason for left in gathered.passed_over} == {
            "the latest result of the model is taken (cccccccccccc)"
        }
        assert len(gathered.passed_over) == 3


def test_a_result_without_a_time_is_taken_where_there_is_no_other() -> None:
    dated = _run("one", 8.0, 3, "runs/a")
    undated = dated.model_copy(update={"source": dated.source.model_copy(update={"measured_utc": None})})
    assert [one.result_id for one in members_of(own_results.members_of([("0" * 64, undated)], "results"))] == ["0" * 64]
    both = own_results.members_of([("f" * 64, undated), ("0" * 64, dated)], "results")
    assert [one.result_id for one in members_of(both)] == ["0" * 64]


def test_a_damaged_result_is_told_and_left_out(tmp_path: Path) -> None:
    _results(tmp_path / "results", official_score("one", 8.0), official_score("two", 20.0))
    damaged = sorted((tmp_path / "results").rglob("*one*.json"))[0]
    damaged.chmod(0o644)
    damaged.write_text(damaged.read_text()[:100])
    told: list[str] = []
    gathered = own_results.read_results(tmp_path / "results", told.append)
    assert [one.model for one in members_of(gathered)] == ["two"]
    assert any(damaged.name in line for line in told)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"wh_per_1000_queries": None, "refused": "the sample count is unknown"}, "the sample count is unknown"),
        ({"wh_per_1000_queries": None}, "gives no energy"),
        ({"valid": False}, "failed its checks"),
        ({"cohort": None}, "does not name its task"),
        ({"model": None}, "does not name its model"),
    ],
)
def test_a_result_that_is_no_member(changes: dict[str, object], reason: str) -> None:
    result = result_of(official_score("one", 8.0), "one").model_copy(update=changes)
    gathered = own_results.members_of([("0" * 64, result)], "results")
    assert gathered.members == ()
    assert reason in gathered.passed_over[0].reason


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither a CSV file of an edition nor a result"):
        own_results.read_results(tmp_path, print)
