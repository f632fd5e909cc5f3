"""Unit conversions are exact by definition, and say so in both directions."""

from __future__ import annotations

from decimal import InvalidOperation

import pytest
from hypothesis import given

from scorekit import units
from tests.strategies import energies_wh


def test_one_watt_hour_in_every_unit() -> None:
    assert units.wh_to_joules(1.0) == 3600.0
    assert units.joules_to_wh(3600.0) == 1.0
    assert units.millijoules_to_wh(3_600_000.0) == 1.0
    assert units.wh_to_kwh(1000.0) == 1.0
    assert units.kwh_to_wh(1.0) == 1000.0


def test_one_kilogram_in_every_unit() -> None:
    assert units.kg_to_g(1.5) == 1500.0
    assert units.kg_to_ug(1.5) == 1.5e9


def test_written_kilowatt_hours_are_rounded_once() -> None:
    # As floats, 0.00829 * 1000 is 8.290000000000001.
    assert units.kwh_text_to_wh("0.00829") == 8.29
    assert units.wh_to_kwh_text(8.29) == "0.00829"
    with pytest.raises(InvalidOperation):
        units.kwh_text_to_wh("8 Wh")


@given(energies_wh)
def test_watt_hours_come_back_from_written_kilowatt_hours(energy_wh: float) -> None:
    assert units.kwh_text_to_wh(units.wh_to_kwh_text(energy_wh)) == energy_wh


@given(energies_wh)
def test_conversions_invert_one_another(energy_wh: float) -> None:
    assert units.kwh_to_wh(units.wh_to_kwh(energy_wh)) == pytest.approx(energy_wh, rel=1e-15)
    assert units.joules_to_wh(units.wh_to_joules(energy_wh)) == pytest.approx(energy_wh, rel=1e-15)


def test_per_1000_scales_by_the_count() -> None:
    assert units.per_1000(8.0, 1000) == 8.0
    assert units.per_1000(0.5, 20) == 25.0
    assert units.per_1000(0.5, 1) == 500.0
    assert units.per_1000(0.5, 0.5) == 1000.0


@pytest.mark.parametrize("count", [0, -1])
def test_per_1000_takes_no_count_for_1000(count: int) -> None:
    with pytest.raises(ValueError, match="cannot scale"):
        units.per_1000(1.0, count)
