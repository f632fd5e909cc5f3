"""From a draft to a frozen edition: what it then says and holds to, and which drafts make none."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given

from scorekit import editions
from scorekit.editions import FEBRUARY_2025, Edition, Member
from scorekit.errors import BundleError, InputError, RatingError, UsageError
from scorekit.scales import LOG_WIDTH, RANK_QUINTILE, RULES
from tests.edition_members import asr, draft, frozen, member_lists, on_disk


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
