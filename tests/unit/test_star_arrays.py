"""Stars of arrays are those of one energy after the other; what makes no sense is refused."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from benchmarks import ratings
from hypothesis import given
from hypothesis import strategies as st

from scorekit import editions
from scorekit.editions import FEBRUARY_2025, Member
from scorekit.errors import MissingExtraError, RatingError, install_line
from scorekit.rating import rate_scores
from scorekit.scales import RULES, Scale
from scorekit.star_arrays import edition_bounds, stars_of
from tests.edition_members import draft, energies_wh, member_lists


@given(member_lists(least=3), st.lists(st.tuples(st.integers(0, 50), energies_wh), max_size=30))
def test_arrays_give_the_stars_of_one_by_one(found: list[Member], pairs: list[tuple[int, float]]) -> None:
    for rule in RULES:
        edition = editions.with_thresholds(draft(found, rule=rule))
        cohorts, bounds = edition_bounds(edition)
        if not cohorts:
            continue
        scales = list(editions.scales_of(edition).values())
        # The energies of members too: they lie at bounds.
        all_pairs = [(code % len(cohorts), energy) for code, energy in pairs]
        all_pairs += [(code, bound) for code, scale in enumerate(scales) for bound in scale.bounds]
        stars = stars_of([code for code, _ in all_pairs], [energy for _, energy in all_pairs], bounds)
        assert stars.tolist() == [scales[code].stars(energy) for code, energy in all_pairs]


def test_the_cohorts_of_an_edition_are_its_codes() -> None:
    cohorts, bounds = edition_bounds(FEBRUARY_2025)
    assert bounds.shape == (12, 4)
    assert cohorts[0] == ("asr", None)
    code = cohorts.index(("text_generation", "A"))
    assert stars_of([code, 0], [8.0, 500.0], bounds).tolist() == [4, 1]
    assert stars_of([], [], bounds).shape == (0,)


@pytest.mark.parametrize(
    ("codes", "energies"),
    [
        ([0], [0.0]),
        ([0], [-1.0]),
        ([0, 0], [1.0, float("nan")]),
        ([0], [float("inf")]),
        ([-1], [1.0]),
        ([12], [1.0]),
        ([0.5], [1.0]),
        ([0, 1], [1.0]),
        ([[0]], [[1.0]]),
    ],
)
def test_what_makes_no_sense_is_refused(codes: list[float], energies: list[float]) -> None:
    _, bounds = edition_bounds(FEBRUARY_2025)
    with pytest.raises(ValueError, match=r"expected|cannot be rated"):
        stars_of(codes, energies, bounds)


def test_bounds_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="4 bounds a cohort"):
        stars_of([0], [1.0], np.ones((1, 3)))


def test_without_numpy_its_install_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(MissingExtraError, match="numpy") as caught:
        edition_bounds(FEBRUARY_2025)
    assert caught.value.mend == install_line("data")


def test_the_benchmark_compares_equal_stars() -> None:
    row = ratings.measure_arrays(size=2_000, pairs=3)
    assert (len(row.ratios), row.unit) == (3, "ms")
    codes, energies, bounds = ratings.make_input(2_000)
    scales = [Scale(row[0] / 2, row[-1] * 2, tuple(row)) for row in bounds.tolist()]
    expected = [scales[code].stars(energy) for code, energy in zip(codes.tolist(), energies.tolist(), strict=True)]
    assert stars_of(codes, energies, bounds).tolist() == expected
    assert ratings.gathered(codes, energies, bounds).tolist() == expected


def test_the_benchmark_rates_scores_as_its_floor_does() -> None:
    rows = ratings.measure_scores(count=40, pairs=2)
    assert [(row.key, len(row.ratios), row.unit) for row in rows] == [
        ("rate_edition", 2, "ms"),
        ("rate_mixed", 2, "ms"),
    ]
    official, bounds = ratings.official_scores(40)
    assert len(official) == len(bounds) == 40
    assert all(rating.official for rating in rate_scores(official, FEBRUARY_2025))


def test_an_edition_without_a_cohort_has_no_codes() -> None:
    bare = draft([Member(cohort="asr", model="one", wh_per_1000_queries=1.0)])
    cohorts, bounds = edition_bounds(editions.with_thresholds(bare))
    assert (cohorts, bounds.shape) == ((), (0, 4))
    with pytest.raises(ValueError, match="codes of cohorts"):
        stars_of([0], [1.0], bounds)
    with pytest.raises(RatingError):
        RULES["equal_width"].scale([1.0])
