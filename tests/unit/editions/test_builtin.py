"""The edition of February 2025: what it rates, and that it is made of the published energies."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from scorekit import editions, tasks
from scorekit.edition_sources import csv_tables
from scorekit.edition_sources.gathered import draft_of
from scorekit.editions import FEBRUARY_2025
from scorekit.errors import RatingError, UsageError
from scorekit.records import Thresholds
from scorekit.scales import EQUAL_WIDTH, LOG_WIDTH, RANK_QUINTILE
from tests.edition_members import REFERENCE, asr, frozen, needs_reference
from tests.strategies import equal_width


def _published() -> list[dict[str, str]]:
    with REFERENCE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


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
