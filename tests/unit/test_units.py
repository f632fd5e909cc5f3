"""Unit conversions are exact by definition, and say so in both directions."""

from __future__ import annotations

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


@given(energies_wh)
def test_conversions_invert_one_another(energy_wh: float) -> None:
    assert units.kwh_to_wh(units.wh_to_kwh(energy_wh)) == pytest.approx(energy_wh, rel=1e-15)
    assert units.joules_to_wh(units.wh_to_joules(energy_wh)) == pytest.approx(energy_wh, rel=1e-15)


def test_per_1000_scales_by_the_count() -> None:
    assert units.per_1000(8.0, 1000) == 8.0
    assert units.per_1000(0.5, 20) == 25.0


@pytest.mark.parametrize("count", [0, -1])
def test_per_1000_takes_no_count_for_1000(count: int) -> None:
    with pytest.raises(ValueError, match="cannot scale"):
        units.per_1000(1.0, count)
