"""docs/scale.md is worked out and not typed; its inputs are what was published, and what the code has."""

from __future__ import annotations

import csv
import math
from collections import defaultdict

import pytest
from scripts import scale_figures

from scorekit.validity.file_system import FILES_A_JOB
from tests.edition_members import REFERENCE, needs_reference


def test_the_page_is_as_the_script_writes_it() -> None:
    page = scale_figures.PAGE.read_text(encoding="utf-8")
    assert page == scale_figures.renewed(page), "run: python -m scripts.scale_figures"


def test_a_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(LookupError, match="no place for the table measured"):
        scale_figures.renewed("# nothing")


@needs_reference
def test_the_cohorts_are_those_that_were_published() -> None:
    found: dict[str, list[float]] = defaultdict(list)
    with REFERENCE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[f"{row['task']} {row['class']}".strip()].append(float(row["gpu_energy_wh_per_1000_queries"]))
    assert {name: len(energies) for name, energies in found.items()} == {
        name: cohort.models for name, cohort in scale_figures.EDITION.items()
    }
    for name, cohort in scale_figures.EDITION.items():
        assert math.isclose(sum(found[name]), cohort.sum_wh, abs_tol=1e-3)


def test_hours_follow_the_energy_and_have_a_least() -> None:
    large, small = scale_figures.Cohort(2, 2_800.0), scale_figures.Cohort(1, 0.1)
    assert scale_figures.hours(large, 700.0) == pytest.approx(20.0)
    assert scale_figures.hours(large, 350.0) == pytest.approx(40.0)
    assert scale_figures.hours(small, 700.0) == pytest.approx(10 * scale_figures.setting("min_window_s") / 3600)
    assert sum(scale_figures.jobs(each) for each in scale_figures.EDITION.values()) == pytest.approx(10_000)


def test_settings_are_read_where_they_stand() -> None:
    assert (scale_figures.setting("min_window_s"), scale_figures.setting("idle_s")) == (60.0, 10.0)
    with pytest.raises(LookupError):
        scale_figures.setting("nothing_s")


def test_a_sweep_warns_before_its_inodes_are_used_up() -> None:
    assert 2 * (scale_figures.files() + 1) <= FILES_A_JOB


def test_an_hour_of_a_power_log_takes_what_the_page_says() -> None:
    assert scale_figures.power_log_bytes() == pytest.approx(scale_figures.POWER_LOG_BYTES, rel=0.05)
