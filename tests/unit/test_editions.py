"""Editions: the built-in one, freezing, tampering, what differs, and what hangs on single members."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from scorekit import editions, tasks
from scorekit.edition_sources import csv_tables
from scorekit.edition_sources.gathered import draft_of
from scorekit.editions import FEBRUARY_2025, Edition, Member
from scorekit.editions.files import content_sha256
from scorekit.errors import BundleError, InputError, RatingError, UsageError
from scorekit.records import Thresholds
from scorekit.scales import EQUAL_WIDTH, LOG_WIDTH, RANK_QUINTILE, RULES, Bounds, equal_width
from tests.edition_members import REFERENCE, asr, draft, frozen, member_lists

on_disk = settings(deadline=None, max_examples=25)
"""For what writes files, which takes as long as the disk does."""
needs_reference = pytest.mark.skipif(not REFERENCE.is_file(), reason="not applicable: reference data not present")


def _published() -> list[dict[str, str]]:
    with REFERENCE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# The built-in edition


def test_every_cohort_but_reasoning_is_rated() -> None:
    cohorts = {task.cohort for task in tasks.TASKS.values()}
    assert cohorts - {row.cohort for row in FEBRUARY_2025.thresholds} == {"reasoning"}
    assert len(FEBRUARY_2025.thresholds) == 12
    assert sum(row.n for row in FEBRUARY_2025.thresholds) == 166
    assert FEBRUARY_2025.members == ()


@pytest.mark.parametrize("row", FEBRUARY_2025.thresholds, ids=lambda row: f"{row.cohort}-{row.model_class}")
def test_every_range_makes_a_scale(row: Thresholds) -> None:
    scale = equal_width(row.min_wh_per_1000, row.max_wh_per_1000)
    assert scale.stars(row.min_wh_per_1000) == 5
    assert scale.stars(row.max_wh_per_1000) == 1


def test_classes_are_told_apart_only_where_there_are_any() -> None:
    assert editions.thresholds_for(FEBRUARY_2025, "text_generation", "B").n == 3
    assert editions.thresholds_for(FEBRUARY_2025, "asr", "B").n == 13
    assert editions.thresholds_for(FEBRUARY_2025, "asr", None).n == 13


def test_reasoning_has_no_thresholds_and_is_told_so() -> None:
    with pytest.raises(RatingError, match="2025-02 has no thresholds for reasoning") as caught:
        editions.thresholds_for(FEBRUARY_2025, "reasoning", "A")
    assert "--edition local" in str(caught.value)


def test_an_unknown_size_cannot_be_rated_by_class() -> None:
    with pytest.raises(RatingError, match="size is not known"):
        editions.thresholds_for(FEBRUARY_2025, "text_generation", None)


def test_find_lists_the_editions(tmp_path: Path) -> None:
    assert editions.find("2025-02", tmp_path) is FEBRUARY_2025
    assert editions.find("2025-02", tmp_path / "nothing") is FEBRUARY_2025
    frozen(asr(one=1.0, two=2.0), tmp_path, "mine")
    with pytest.raises(UsageError, match="valid: 2025-02, mine, local"):
        editions.find("2025-2", tmp_path)


@needs_reference
def test_the_ranges_are_those_of_the_published_energies() -> None:
    energies: dict[tuple[str, str | None], list[float]] = {}
    for row in _published():
        key = (row["task"], row["class"] or None)
        energies.setdefault(key, []).append(float(row["gpu_energy_wh_per_1000_queries"]))
    found = {
        (row.cohort, row.model_class): (row.n, row.min_wh_per_1000, row.max_wh_per_1000)
        for row in FEBRUARY_2025.thresholds
    }
    assert found == {key: (len(values), min(values), max(values)) for key, values in energies.items()}


@needs_reference
@pytest.mark.parametrize(("rule", "expected"), [(EQUAL_WIDTH, 166), (RANK_QUINTILE, 70), (LOG_WIDTH, 64)])
def test_how_many_published_stars_each_rule_gives(rule: str, expected: int, tmp_path: Path) -> None:
    gathered = csv_tables.read_file(REFERENCE)
    editions.write_draft(
        draft_of([gathered], name="full", date="2025-02", hardware="NVIDIA H100 80GB", source="published"), tmp_path
    )
    editions.freeze("full", tmp_path, rule)
    edition = editions.find("full", tmp_path)
    scales = editions.scales_of(edition)
    given_again = 0
    for member in edition.members:
        scale = scales[member.cohort, member.model_class]
        assert scale.out_of_range(member.wh_per_1000_queries) is None
        given_again += scale.stars(member.wh_per_1000_queries) == member.stars
    assert len(edition.members) == len(_published()) == 166
    assert abs(given_again - expected) <= (0 if rule == EQUAL_WIDTH else 1)
    assert f"{EQUAL_WIDTH} gives 166 of 166 published stars" in edition.notes
    for model in ("facebook/detr-resnet-50-dc5", "microsoft/swinv2-large-patch4-window12-192-22k"):
        assert sum(note.startswith(f"{model} stands in ") for note in edition.notes) == 1


# Freezing


@on_disk
@given(member_lists(least=2))
def test_a_frozen_edition_gives_the_same_stars_when_it_is_read(
    tmp_path_factory: pytest.TempPathFactory, found: list[Member]
) -> None:
    for rule in RULES.values():
        folder = tmp_path_factory.mktemp("editions")
        made, _ = editions.make_thresholds(found, rule)
        if not made:
            with pytest.raises(RatingError, match="can be rated"):
                frozen(found, folder, rule=rule.name)
            continue
        written = frozen(found, folder, rule=rule.name)
        read = editions.find("trial", folder)
        assert read == written
        assert (read.rule, read.members) == (rule.name, editions.in_order(found))
        for (cohort, size), scale in editions.scales_of(read).items():
            own = [one.wh_per_1000_queries for one in found if (one.cohort, one.model_class) == (cohort, size)]
            assert [scale.stars(energy) for energy in own] == [rule.scale(own).stars(energy) for energy in own]


@on_disk
@given(member_lists())
def test_an_edition_is_read_back_as_it_was_written(found: list[Member]) -> None:
    edition = draft(found)
    assert Edition.model_validate_json(edition.model_dump_json()) == edition


@on_disk
@given(member_lists(least=2))
def test_the_order_of_members_changes_no_hash(tmp_path_factory: pytest.TempPathFactory, found: list[Member]) -> None:
    try:
        one = frozen(found, tmp_path_factory.mktemp("one"))
    except RatingError:
        return
    two = frozen(found[::-1], tmp_path_factory.mktemp("two"))
    assert one.content_sha256 == two.content_sha256


def test_what_is_frozen_is_read_only_and_never_written_again(tmp_path: Path) -> None:
    frozen(asr(one=1.0, two=2.0), tmp_path)
    path = tmp_path / "trial.json"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o444
    assert sorted(file.name for file in tmp_path.iterdir()) == ["trial.json"]
    before = path.read_bytes()
    with pytest.raises(UsageError, match="frozen edition 'trial'"):
        frozen(asr(one=1.0, two=3.0), tmp_path)
    # Even where a draft was put beside it by hand.
    (tmp_path / "trial.draft.json").write_text(draft(asr(one=1.0, two=3.0)).model_dump_json())
    with pytest.raises(UsageError, match="never changed"):
        editions.freeze("trial", tmp_path)
    assert path.read_bytes() == before


def test_the_hash_is_that_of_the_canonical_json(tmp_path: Path) -> None:
    import hashlib

    edition = frozen(asr(one=1.0, two=2.0), tmp_path)
    content = json.loads((tmp_path / "trial.json").read_text())
    del content["content_sha256"]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert edition.content_sha256 == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (("members", 0, "wh_per_1000_queries"), 1.5),
        (("thresholds", 0, "bounds_wh_per_1000", 0), 1.3),
        (("thresholds", 0, "max_wh_per_1000"), 2.5),
        (("rule",), "log_width"),
        (("date",), "2025-03"),
        (("name",), "other"),
        (("content_sha256",), "0" * 64),
    ],
)
def test_any_change_of_a_frozen_file_is_found(tmp_path: Path, field: tuple[str | int, ...], value: object) -> None:
    frozen(asr(one=1.0, two=2.0), tmp_path)
    path = tmp_path / "trial.json"
    content = json.loads(path.read_text())
    part = content
    for key in field[:-1]:
        part = part[key]
    part[field[-1]] = value
    path.chmod(0o644)
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="changed after it was frozen"):
        editions.find("trial", tmp_path)


def test_a_file_laid_out_anew_is_still_what_was_frozen(tmp_path: Path) -> None:
    edition = frozen(asr(one=1.0, two=2.0), tmp_path)
    path = tmp_path / "trial.json"
    path.chmod(0o644)
    path.write_text(json.dumps(json.loads(path.read_text()), sort_keys=True))
    assert editions.find("trial", tmp_path) == edition


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is not JSON"),
        ('{"name": "tri', "is not JSON"),
        ("[]", "expected a mapping"),
        ("{}", "is no edition: name"),
        ('{"schema_version": "scorekit.edition/9"}', "schema_version"),
    ],
)
def test_a_file_that_is_no_edition_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "trial.json").write_text(content)
    with pytest.raises(InputError, match=message):
        editions.find("trial", tmp_path)
    (listed,) = [one for one in editions.listed(tmp_path) if one.name == "trial"]
    assert (listed.edition, listed.kind) == (None, "frozen")


def test_a_frozen_file_keeps_its_name_and_its_hash(tmp_path: Path) -> None:
    frozen(asr(one=1.0, two=2.0), tmp_path)
    path = tmp_path / "trial.json"
    (tmp_path / "other.json").write_bytes(path.read_bytes())
    with pytest.raises(InputError, match="holds the edition 'trial'"):
        editions.find("other", tmp_path)
    content = json.loads(path.read_text()) | {"content_sha256": None}
    path.chmod(0o644)
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="content_sha256 is missing"):
        editions.find("trial", tmp_path)


def test_content_of_version_1_is_still_read(tmp_path: Path) -> None:
    content = {
        "schema_version": "scorekit.edition/1",
        "name": "old",
        "date": "2024-05",
        "rule": "equal_width",
        "hardware": "NVIDIA H100 80GB",
        "source": "a page",
        "thresholds": [{"cohort": "asr", "model_class": None, "n": 3, "min_wh_per_1000": 1.0, "max_wh_per_1000": 6.0}],
    }
    (tmp_path / "old.json").write_text(json.dumps(content))
    edition = editions.find("old", tmp_path)
    assert editions.scales_of(edition)["asr", None].bounds == (2.0, 3.0, 4.0, 5.0)


def _edited(folder: Path, change: Callable[[dict[str, Any]], None], *, sealed: bool) -> None:
    """A frozen edition that was edited; `sealed` with a hash of its own."""
    frozen(asr(one=1.0, two=2.0, three=4.0), folder)
    path = folder / "trial.json"
    content = json.loads(path.read_text())
    change(content)
    if sealed:
        content["content_sha256"] = content_sha256(content)
    path.chmod(0o644)
    path.write_text(json.dumps(content))


def _as_version_1(content: dict[str, Any]) -> None:
    content["schema_version"] = "scorekit.edition/1"
    content["thresholds"][0]["min_wh_per_1000"] = 0.5


@pytest.mark.parametrize(
    ("gone", "sealed", "why"),
    [
        ((), False, "changed after it was frozen"),
        ((), True, "has content_sha256, members, bounds_wh_per_1000, which that version"),
        (("content_sha256",), False, "has members, bounds_wh_per_1000, which"),
        (("content_sha256", "members"), False, "has bounds_wh_per_1000, which"),
    ],
)
def test_an_older_version_takes_no_hash_off(tmp_path: Path, gone: tuple[str, ...], sealed: bool, why: str) -> None:
    def change(content: dict[str, Any]) -> None:
        _as_version_1(content)
        for name in gone:
            del content[name]

    _edited(tmp_path, change, sealed=sealed)
    with pytest.raises(InputError, match=why):
        editions.find("trial", tmp_path)
    (listed,) = [one for one in editions.listed(tmp_path) if one.name == "trial"]
    assert listed.edition is None


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["thresholds"][0].update(min_wh_per_1000=0.5),
        lambda content: content["thresholds"][0].update(bounds_wh_per_1000=[1.1, 1.2, 1.3, 3.9]),
        lambda content: content["thresholds"][0].update(bounds_wh_per_1000=None),
        lambda content: content["thresholds"][0].update(n=9),
        lambda content: content["thresholds"].append(content["thresholds"][0] | {"cohort": "summarization"}),
        lambda content: content["thresholds"].clear(),
        lambda content: content["members"][0].update(wh_per_1000_queries=0.25),
        lambda content: content.update(rule="log_width"),
    ],
)
def test_bounds_are_those_that_the_rule_makes_of_the_members(
    tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    _edited(tmp_path, change, sealed=True)
    with pytest.raises(InputError, match=r"the thresholds of \w+ are not those that"):
        editions.find("trial", tmp_path)


def test_thresholds_that_stand_twice_or_follow_no_rule_are_refused(tmp_path: Path) -> None:
    _edited(tmp_path / "one", lambda content: content["thresholds"].append(content["thresholds"][0]), sealed=True)
    with pytest.raises(InputError, match="for a cohort twice"):
        editions.find("trial", tmp_path / "one")
    _edited(tmp_path / "two", lambda content: content.update(rule="best"), sealed=True)
    with pytest.raises(InputError, match="the rule 'best', expected one of equal_width"):
        editions.find("trial", tmp_path / "two")


@pytest.mark.parametrize("name", ["", "a/b", "../up", "local", "2025-02", "x.draft", ".hidden", "n" * 65, "a b"])
def test_names_that_no_edition_may_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        editions.write_draft(draft(asr(one=1.0, two=2.0), name), tmp_path)


@pytest.mark.parametrize("date", ["", "2025", "2025-13", "2025-02-32", "February 2025"])
def test_dates_that_are_none(tmp_path: Path, date: str) -> None:
    with pytest.raises(UsageError, match="is no date"):
        editions.write_draft(draft(asr(one=1.0, two=2.0), date=date), tmp_path)


def test_a_cohort_that_cannot_be_rated_is_noted_and_the_others_are_frozen(tmp_path: Path) -> None:
    lonely = Member(cohort="summarization", model="only", wh_per_1000_queries=3.0)
    edition = frozen([*asr(one=1.0, two=2.0), lonely], tmp_path)
    assert [row.cohort for row in edition.thresholds] == ["asr"]
    assert any(note.startswith("summarization cannot be rated") for note in edition.notes)
    with pytest.raises(RatingError, match="no cohort of 'bare' can be rated"):
        frozen([lonely], tmp_path, "bare")


def test_a_draft_is_no_edition_to_rate_in(tmp_path: Path) -> None:
    editions.write_draft(draft(asr(one=1.0, two=2.0)), tmp_path)
    with pytest.raises(UsageError, match="is a draft") as caught:
        editions.find("trial", tmp_path)
    assert caught.value.mend == "scorekit edition freeze trial"
    with pytest.raises(UsageError, match="there is no draft 'trail'"):
        editions.freeze("trail", tmp_path)


@pytest.mark.parametrize("change", [{"members": 3}, {"members": [{"cohort": "asr"}]}, {"typo": 1}])
def test_a_draft_that_was_spoilt_by_hand_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = editions.write_draft(draft(asr(one=1.0, two=2.0)), tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match=r"trial\.draft\.json is no edition"):
        editions.freeze("trial", tmp_path)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BundleError, match="cannot be made"):
        editions.write_draft(draft(asr(one=1.0, two=2.0)), tmp_path / "file" / "editions")


def test_a_rule_that_asks_for_members_needs_them(tmp_path: Path) -> None:
    row = editions.thresholds_for(FEBRUARY_2025, "asr", None)
    assert editions.scale_of(FEBRUARY_2025, row, LOG_WIDTH).bounds[0] < 3
    with pytest.raises(RatingError, match="holds thresholds only") as caught:
        editions.scale_of(FEBRUARY_2025, row, RANK_QUINTILE)
    assert "equal_width or log_width" in str(caught.value)
    edition = frozen(asr(a=1.0, b=2.0, c=3.0, d=4.0, e=50.0), tmp_path)
    assert editions.scale_of(edition, edition.thresholds[0], RANK_QUINTILE).bounds == (2.0, 3.0, 4.0, 50.0)


# Differences


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


# Sensitivity


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
