"""Reads that come late, as on a busy machine: a true number within its uncertainty, or none; never a wrong one."""

from __future__ import annotations

import random

import pytest

from scorekit.measuring.meters.counter import COARSE_S, Edge, Read, Tick, calibrate, energy_at, find_edges
from tests.unit.measuring.ticking import Clock, Gpu, Power, Rig

LOAD = Power((3, 90), (3, 500), (4, 500), (4, 90))
LOAD_J = 500.0


def measured(late_s: float, seed: int, power: Power = LOAD) -> tuple[float, float] | None:
    """A window from second 3 to 4, read by a thread that wakes up late."""
    draw = random.Random(seed)
    clock = Clock()
    rig = Rig(clock, [Gpu(clock, power, phase_s=draw.random() / 10)], late_s=late_s, seed=seed)
    return rig.energy_j(*rig.window(3.0, 4.0))


@pytest.mark.parametrize(("late_s", "within"), [(0.002, 0.005), (0.01, 0.03), (0.02, 0.05)])
def test_a_thread_that_wakes_up_late_still_measures_a_load(late_s: float, within: float) -> None:
    found = [measured(late_s, seed) for seed in range(40)]
    assert sum(one is not None for one in found) >= 38
    for one in found:
        if one is not None:
            assert abs(one[0] - LOAD_J) <= max(3 * one[1], 0.005 * LOAD_J)
            assert abs(one[0] - LOAD_J) <= within * LOAD_J


@pytest.mark.parametrize("late_s", [0.04, 0.08, 0.2])
def test_where_it_hardly_runs_there_is_no_number_or_a_fair_one(late_s: float) -> None:
    for seed in range(40):
        one = measured(late_s, seed)
        assert one is None or abs(one[0] - LOAD_J) <= max(5 * one[1], 0.05 * LOAD_J), (seed, one)


def test_a_reset_shortly_before_the_window_does_not_spoil_it() -> None:
    class Reset(Gpu):
        at_s = 0.0

        def read_counter(self) -> int | None:
            value = super().read_counter()
            assert value is not None
            return value - 400_000 if self.read_at[-1] >= self.at_s else value

    for seed in range(30):
        draw = random.Random(seed)
        clock = Clock()
        gpu = Reset(clock, LOAD, phase_s=draw.random() / 10)
        gpu.at_s = 3 - draw.random() / 2
        rig = Rig(clock, [gpu], late_s=draw.choice([0.0, 0.01]), seed=seed)
        found = rig.energy_j(*rig.window(3.0, 4.0))
        assert found is None or abs(found[0] - LOAD_J) <= max(3 * found[1], 0.02 * LOAD_J), (seed, found)


def level(at: float) -> int:
    """A counter at 300 W that ticks at whole tenths."""
    return int((at + 1e-9) / 0.1) * 30_000


def test_a_rhythm_slower_than_the_counter_moves_is_not_used() -> None:
    # Every tick is seen, ten a second, but the rhythm was taken from every third.
    moments = [number / 100 + 0.005 for number in range(400) if number % 10 in (1, 9)]
    reads = sorted([*(Read(at, level(at)) for at in moments), Read(2.0005, level(2.0)), Read(1.9995, level(1.95))],
                   key=lambda read: read.t_s)  # fmt: skip
    slow, right = (energy_at(1.97, reads, Tick(period_s, 0.001, 64)) for period_s in (0.3, 0.1))
    assert right is not None
    assert right.energy_mj == pytest.approx(300_000 * 1.97, rel=0.002)
    assert slow is None or slow.energy_mj == pytest.approx(300_000 * 1.97, rel=0.01)


def test_an_edge_between_reads_further_apart_is_better_than_none() -> None:
    (edge,) = find_edges([Read(1.0, 5), Read(1.012, 9)])
    assert (edge.t_s, edge.half_width_s) == pytest.approx((1.006, 0.006))
    assert find_edges([Read(1.0, 5), Read(1.0 + 1.01 * COARSE_S, 9)]) == []
    # A fast counter may have ticked twice in between.
    assert find_edges([Read(1.0, 5), Read(1.012, 9)], Tick(0.02, 0.0, 64)) == []


def test_the_rhythm_rests_on_the_edges_that_are_known_closely_where_there_are_enough() -> None:
    close = [Edge(number / 10, 0.0005, number) for number in range(20)]
    loose = [Edge(number / 10 + 0.009 * (-1) ** number, 0.01, number) for number in range(20, 40)]
    both, only = calibrate([*close, *loose]), calibrate(loose)
    assert both is not None
    assert only is not None
    assert both.spread_s < 0.001 < only.spread_s
    assert both.period_s == pytest.approx(0.1)
    assert only.period_s == pytest.approx(0.1, rel=0.2)
