"""Windows after whose start or end nothing was read for a while: their energy from the tick before."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from scorekit.measuring.meters.counter import Estimate, Read, Tick, energy_after_tick
from scorekit.measuring.meters.nvml import _reading
from scorekit.records import MeterReading
from tests.unit.measuring.ticking import SETTLING_S, Clock, Gpu, Power, Rig

RHYTHM = Tick(period_s=0.1, spread_s=0.0002, count=64)
LIMIT_W = 700.0
"""Enforced power limit; for a moment a GPU may take half as much again."""


class Asked(Gpu):
    last_error = None


def measured(power: Power, stops: dict[str, float], phase_s: float = 0.06) -> tuple[MeterReading, float]:
    """A window of second 3 to 6 of a reader that stands still right after the start or end; and its true energy [J]."""
    clock = Clock()
    gpu = Asked(clock, power, phase_s=phase_s)
    rig = Rig(clock, [gpu])
    rig.run(3.0)
    start_s = rig.schedule.open(clock)
    clock.now_s += stops.get("start", 0.0)
    rig.run(6.0)
    end_s = rig.schedule.close(clock)
    clock.now_s += stops.get("end", 0.0)
    rig.run(clock.now_s + SETTLING_S, lambda: rig.schedule.settled)
    reading = _reading(gpu, rig.track(), start_s, end_s, LIMIT_W)  # type: ignore[arg-type]
    return reading, power.between_j(start_s, end_s)


@pytest.mark.parametrize("stop_s", [0.45, 0.8, 1.7, 2.9])
@pytest.mark.parametrize("edges", [("start",), ("end",), ("start", "end")], ids=" ".join)
def test_a_reader_that_stands_still_at_an_edge_still_measures(edges: tuple[str, ...], stop_s: float) -> None:
    reading, true_j = measured(Power((0, 300)), dict.fromkeys(edges, stop_s))
    assert reading.problem is None
    assert reading.energy_wh == pytest.approx(true_j / 3600, rel=5e-3)
    counter = reading.counter
    assert counter is not None
    assert counter.before_start
    assert counter.before_end
    assert (counter.after_start == ()) == ("start" in edges)
    assert (counter.after_end == ()) == ("end" in edges)
    # 40 ms since the last tick, in which a GPU of 700 W may have taken 750 W more than it did before. After more than
    # twenty ticks the rhythm places no tick, so that of the end is known to the time between two samples only.
    since_s = {"start": 0.04, "end": 0.04 if stop_s < 2 else 0.1}
    expected_j = sum((750 * since_s[edge]) ** 2 / 3 for edge in edges) ** 0.5
    bare = measured(Power((0, 300)), {})[0].standard_uncertainty_wh
    assert bare is not None
    assert reading.standard_uncertainty_wh is not None
    assert reading.standard_uncertainty_wh == pytest.approx(expected_j / 3600, rel=0.1)
    assert bare < reading.standard_uncertainty_wh / 50


def test_whatever_the_load_does_the_error_lies_within_what_is_stated() -> None:
    found = 0
    for seed in range(200):
        draw = random.Random(seed)
        times = sorted({2.0, 3.0, 6.0, *(draw.uniform(2.7, 6.5) for _ in range(12))})
        points = [(at, level) for at in times for level in (draw.uniform(60, LIMIT_W), draw.uniform(60, LIMIT_W))]
        stops = {edge: draw.uniform(0.36, 2.5) for edge in draw.choice([("start",), ("end",), ("start", "end")])}
        reading, true_j = measured(Power((0, 90), *points), stops, draw.random() / 10)
        if reading.energy_wh is None:
            continue
        found += 1
        assert reading.standard_uncertainty_wh is not None
        # Of a rectangular distribution nothing lies beyond 1.7 standard deviations; of the sum of two, 2.4.
        assert abs(3600 * reading.energy_wh - true_j) <= 2.5 * 3600 * reading.standard_uncertainty_wh + 0.5, seed
    assert found >= 190


def test_a_window_of_a_few_ticks_is_not_told_from_one_side() -> None:
    clock = Clock()
    gpu = Asked(clock, Power((0, 300)), phase_s=0.06)
    rig = Rig(clock, [gpu])
    rig.run(3.0)
    start_s = rig.schedule.open(clock)
    rig.run(3.25)
    end_s = rig.schedule.close(clock)
    clock.now_s += 1.0
    rig.run(clock.now_s + SETTLING_S, lambda: rig.schedule.settled)
    reading = _reading(gpu, rig.track(), start_s, end_s, LIMIT_W)  # type: ignore[arg-type]
    assert reading.energy_wh is None
    assert "not seen to tick around the end" in (reading.problem or "")


READS = [
    Read(0.8995, 80_000), Read(0.9005, 90_000), Read(0.9995, 90_000), Read(1.0005, 100_000), Read(1.0195, 100_000),
]  # fmt: skip


def told(t_s: float = 1.02, reads: list[Read] = READS, tick: Tick | None = RHYTHM) -> Estimate | None:
    return energy_after_tick(t_s, reads, tick, 400)


def test_it_is_the_power_before_over_the_time_since_the_tick() -> None:
    found = told()
    assert found is not None
    # 100 W before; 20 ms since the tick, which is known to half a millisecond; 300 W more at most.
    assert found.energy_mj == pytest.approx(100_000 + 100_000 * 0.02)
    assert found.standard_mj == pytest.approx(300_000 * 0.0205 / 3**0.5)
    assert ([edge.energy_mj for edge in found.before], found.after, found.t_s) == ([100_000], (), 1.02)


def test_a_tick_that_came_right_after_the_end_is_counted_back() -> None:
    found = energy_after_tick(1.0, READS[:4], RHYTHM, 400)
    assert found is not None
    assert found.energy_mj == pytest.approx(100_000, abs=100)


@pytest.mark.parametrize(
    "reads",
    [
        [],
        READS[:4],
        READS[-1:],
        [*READS[:-1], Read(1.0195, None)],
        [*READS[:-1], Read(1.0195, 100_000, took_s=0.02)],
        [Read(0.9, 200_000), *READS[3:]],
        [Read(0.6, 80_000), Read(0.7, 90_000), READS[-1]],
        [Read(0.5, 80_000), Read(0.55, 90_000), Read(0.58, 100_000), READS[-1]],
    ],
    ids=["no reads", "none at the moment", "no other value", "an error at the moment", "a slow read at the moment",
         "a reset", "no tick for long", "a tick too long ago"],
)  # fmt: skip
def test_it_is_not_told_without_a_tick_and_a_read_at_the_moment(reads: list[Read]) -> None:
    assert told(reads=reads) is None


def test_nor_without_a_rhythm_that_tells_the_power_before() -> None:
    assert told(tick=None) is None
    # So many ticks came in this time that the rhythm is none.
    assert told(reads=[Read(0.5 + at / 20, at) for at in range(8)] + READS, tick=replace(RHYTHM, period_s=0.3)) is None
