"""A counter that loses energy or gains what no GPU takes is named; one that ticks slowly or takes much is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scorekit.measuring.meters.nvml import _reading
from scorekit.records import MeterReading
from tests.unit.measuring.ticking import Clock, Gpu, Power, Rig

START_S, END_S, FAULT_S = 4.03, 14.03, 9.04


class Faulty(Gpu):
    """Its counter stands still from `FAULT_S` for a time and loses the energy of it, or gains some at once."""

    last_error = None
    lost_s = 0.0
    gained_mj = 0

    def tick_before(self, at: float) -> float:
        tick_s = super().tick_before(at)
        return tick_s if tick_s < FAULT_S else max(FAULT_S, tick_s - self.lost_s)

    def read_counter(self) -> int | None:
        value = super().read_counter()
        assert value is not None
        return value + (self.gained_mj if self.read_at[-1] >= FAULT_S else 0)


def measured(
    *,
    lost_s: float = 0.0,
    gained_j: float = 0.0,
    power_w: float = 300,
    tick_s: float = 0.1,
    limit_w: float | None = 700,
) -> MeterReading:
    clock = Clock()
    gpu = Faulty(clock, Power((0, power_w)), tick_s, phase_s=0.01, jitter_s=0.01 * tick_s)
    gpu.lost_s, gpu.gained_mj = lost_s, int(1000 * gained_j)
    rig = Rig(clock, [gpu], late_s=0.0005)
    window = rig.window(START_S, END_S)
    return _reading(gpu, rig.track(gpu), *window, limit_w)  # type: ignore[arg-type]


@pytest.mark.parametrize("lost_s", [0.8, 0.85, 1.2])
def test_a_counter_that_loses_energy_by_standing_still_is_named(lost_s: float) -> None:
    reading = measured(lost_s=lost_s)
    assert reading.energy_wh is None
    assert "stood still for" in (reading.problem or "")


@pytest.mark.parametrize("tick_s", [0.02, 0.1, 0.2, 0.5])
def test_a_counter_that_ticks_as_it_does_stands_still_for_no_longer(tick_s: float) -> None:
    reading = measured(tick_s=tick_s)
    assert reading.problem is None
    assert reading.energy_wh == pytest.approx(300 * 10 / 3600, rel=0.01)


@pytest.mark.parametrize(("gained_j", "limit_w"), [(250, 700), (250, 350), (450, None), (1e6, None)])
def test_a_step_that_is_more_than_a_gpu_takes_is_a_jump(gained_j: float, limit_w: float | None) -> None:
    reading = measured(gained_j=gained_j, limit_w=limit_w)
    assert reading.energy_wh is None
    assert "the energy counter jumped by" in (reading.problem or "")


@pytest.mark.parametrize(("power_w", "limit_w"), [(700, 700), (900, 700), (1400, None)])
def test_power_at_the_limit_and_a_little_above_it_is_none(power_w: float, limit_w: float | None) -> None:
    assert measured(power_w=power_w, limit_w=limit_w).problem is None


@pytest.mark.parametrize("change", [lambda reading: reading.energy_wh, lambda reading: reading.problem is None])
def test_a_small_step_is_not_told_from_power(change: Callable[[MeterReading], object]) -> None:
    assert change(measured(gained_j=20))
