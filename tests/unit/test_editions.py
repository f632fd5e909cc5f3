"""The built-in edition holds the published ranges, and reproduces every published star."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from scorekit import editions, tasks
from scorekit.editions import FEBRUARY_2025
from scorekit.errors import RatingError, UsageError
from scorekit.scales import equal_width

REFERENCE = Path(__file__).parents[3] / "shared" / "reference" / "edition-2025-02.csv"
needs_reference = pytest.mark.skipif(not REFERENCE.is_file(), reason="not applicable: reference data not present")


def _published() -> list[dict[str, str]]:
    with REFERENCE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_cohort_but_reasoning_is_rated() -> None:
    cohorts = {task.cohort for task in tasks.TASKS.values()}
    assert cohorts - {row.cohort for row in FEBRUARY_2025.thresholds} == {"reasoning"}
    assert len(FEBRUARY_2025.thresholds) == 12
    assert sum(row.n for row in FEBRUARY_2025.thresholds) == 166


@pytest.mark.parametrize("row", FEBRUARY_2025.thresholds, ids=lambda row: f"{row.cohort}-{row.model_class}")
def test_every_range_makes_a_scale(row: editions.Thresholds) -> None:
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


def test_find_lists_the_editions() -> None:
    assert editions.find("2025-02") is FEBRUARY_2025
    with pytest.raises(UsageError, match="valid: 2025-02, local"):
        editions.find("2025-2")


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
def test_all_published_stars_are_reproduced() -> None:
    wrong = []
    for row in _published():
        range_ = editions.thresholds_for(FEBRUARY_2025, row["task"], row["class"] or None)
        scale = equal_width(range_.min_wh_per_1000, range_.max_wh_per_1000)
        energy_wh = float(row["gpu_energy_wh_per_1000_queries"])
        assert scale.out_of_range(energy_wh) is None
        if scale.stars(energy_wh) != int(row["stars"]):
            wrong.append(row)
    assert len(_published()) == 166
    assert wrong == []
