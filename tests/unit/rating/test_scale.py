"""The equal-width scale: exact at its bounds, never rising with energy, never without meaning."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.errors import RatingError
from scorekit.rating import rate_scores
from scorekit.scales import Scale
from tests.bundles import local_score
from tests.strategies import energies_wh, equal_width, impossible_energies_wh, scales


@pytest.mark.parametrize(
    ("energy_wh", "expected"),
    [
        (10.0, 5),
        (29.999, 5),
        (30.0, 4),
        (50.0, 3),
        (69.9, 3),
        (70.0, 2),
        (90.0, 1),
        (110.0, 1),
        (5.0, 5),
        (500.0, 1),
    ],
)
def test_a_scale_worked_out_by_hand(energy_wh: float, expected: int) -> None:
    assert equal_width(10.0, 110.0).stars(energy_wh) == expected


def test_the_ends_of_the_range_are_inside_it() -> None:
    scale = equal_width(10.0, 110.0)
    assert scale.bounds == (30.0, 50.0, 70.0, 90.0)
    assert [scale.out_of_range(energy_wh) for energy_wh in (9.99, 10.0, 110.0, 110.01)] == [
        "below", None, None, "above",
    ]  # fmt: skip
    assert [scale.position(energy_wh) for energy_wh in (5.0, 10.0, 60.0, 110.0, 500.0)] == [0, 0, 0.5, 1, 1]


@given(scales(), energies_wh, energies_wh)
def test_stars_never_rise_with_energy(scale: Scale, one: float, two: float) -> None:
    assert scale.stars(min(one, two)) >= scale.stars(max(one, two))


@given(scales())
def test_the_ends_and_bounds_have_their_stars(scale: Scale) -> None:
    assert scale.stars(scale.lowest) == 5
    assert scale.stars(scale.highest) == 1
    assert [scale.stars(bound) for bound in scale.bounds] == [4, 3, 2, 1]
    assert [scale.stars(math.nextafter(bound, 0)) for bound in scale.bounds] == [5, 4, 3, 2]


@given(scales(), st.floats(min_value=0, max_value=1))
def test_stars_are_those_of_the_published_formula(scale: Scale, place: float) -> None:
    energy_wh = scale.lowest + place * (scale.highest - scale.lowest)
    part = (energy_wh - scale.lowest) / ((scale.highest - scale.lowest) / 5)
    if abs(part - round(part)) > 1e-6:
        assert scale.stars(energy_wh) == 5 - min(math.floor(part), 4)


@given(impossible_energies_wh)
def test_an_impossible_energy_is_never_rated(energy_wh: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        equal_width(10.0, 110.0).stars(energy_wh)
    with pytest.raises(ValueError, match="must be positive"):
        rate_scores([local_score(energy_wh=energy_wh)], None)


@pytest.mark.parametrize(("lowest", "highest"), [(1.0, 1.0), (1.0, math.nextafter(1.0, 2.0)), (5e-324, 1e-323)])
def test_a_range_without_width_makes_no_scale(lowest: float, highest: float) -> None:
    with pytest.raises(RatingError, match="the same"):
        equal_width(lowest, highest)
