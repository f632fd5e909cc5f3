"""Windows after whose start or end nothing was read for a while: their energy from the tick before."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from scorekit.measuring.meters.counter import Estimate, Read, Tick, energy_after_tick
from scorekit.measuring.meters.nvml import _reading
from scorekit.records import MeterReading
from tests.unit.measuring.ticking import SETTLING_S, Clock, Gpu, Power, Rig

RHYTHM = Tick(period_s=0.1, spread_s=0.0002, count=64)
LIMIT_W = 700.0
"""Enforced power limit; for a moment a GPU may take half as much again."""


class Asked(Gpu):
    """Its counter may jump by 1 kJ, or stand still from a moment on."""

    last_error = None
    jump_s = frozen_s = float("inf")

    def tick_before(self, at: float) -> float:
        return super().tick_before(min(at, self.frozen_s))

    def read_counter(self) -> int | None:
        value = super().read_counter()
        return value if value is None or self.tick_before(self.read_at[-1]) < self.jump_s else value + 1_000_000


def measured(
    power: Power, stops: dict[str, float], *, end_s: float = 6.0, **settings: Any
) -> tuple[MeterReading, float]:
    """A window from second 3 of a reader that stands still right after the start or end; and its true energy [J]."""
    clock = Clock()
    faults = {name: settings.pop(name) for name in ("jump_s", "frozen_s") if name in settings}
    gpu = Asked(clock, power, **{"phase_s": 0.06, **settings})
    for name, moment_s in faults.items():
        setattr(gpu, name, moment_s)
    rig = Rig(clock, [gpu])
    rig.run(3.0)
    opened_s = rig.schedule.open(clock)
    clock.now_s += stops.get("start", 0.0)
    rig.run(end_s)
    closed_s = rig.schedule.close(clock)
    clock.now_s += stops.get("end", 0.0)
    rig.run(clock.now_s + SETTLING_S, lambda: rig.schedule.settled)
    reading = _reading(gpu, rig.track(), opened_s, closed_s, LIMIT_W)  # type: ignore[arg-type]
    return reading, power.between_j(opened_s, closed_s)


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
    # The tick came 40 ms before, and a GPU of 700 W may have taken 750 W more than before it since. That at the end is
    # known to the time between two samples, 100 ms before to the end; the rhythm says where in it, but not for sure.
    most_j = {"start": 750 * 0.04, "end": 1050 * 0.1 - 300 * (0.04 if stop_s < 2 else 0.05)}
    expected_j = sum(most_j[edge] ** 2 / 3 for edge in edges) ** 0.5
    bare = measured(Power((0, 300)), {})[0].standard_uncertainty_wh
    assert bare is not None
    assert reading.standard_uncertainty_wh is not None
    assert reading.standard_uncertainty_wh == pytest.approx(expected_j / 3600, rel=0.1)
    assert bare < reading.standard_uncertainty_wh / 50


@pytest.mark.parametrize("kind", ["regular", "slipping", "irregular"])
def test_whatever_the_load_does_the_error_lies_within_what_is_stated(kind: str) -> None:
    found = 0
    for seed in range(150):
        draw = random.Random(seed)
        times = sorted({2.0, 3.0, 6.0, *(draw.uniform(2.7, 6.5) for _ in range(12))})
        points = [(at, level) for at in times for level in (draw.uniform(60, LIMIT_W), draw.uniform(60, LIMIT_W))]
        stops = {edge: draw.uniform(0.45, 2.5) for edge in ("start", "end")}
        ticks, at = [], draw.random() / 10
        while at < 14:
            ticks.append(at)
            slip = draw.uniform(-0.05, 0.05) if kind == "slipping" and draw.random() < 0.05 else 0.0
            at += 0.1 + slip + (draw.uniform(-0.03, 0.03) if kind == "irregular" else 0.0)
        reading, true_j = measured(Power((0, 90), *points), stops, ticks=ticks)
        if reading.energy_wh is None:
            continue
        counter = reading.counter
        assert counter is not None
        if counter.after_start or counter.after_end:
            continue
        found += 1
        assert reading.standard_uncertainty_wh is not None
        # Of a rectangular distribution nothing lies beyond 1.7 standard deviations; of the sum of two, 2.4.
        assert abs(3600 * reading.energy_wh - true_j) <= 2.45 * 3600 * reading.standard_uncertainty_wh + 0.5, seed
    assert found >= 100


@pytest.mark.parametrize("moved_s", [0.02, 0.035, -0.05])
def test_ticks_that_come_at_other_times_afterwards_do_not_make_it_sure(moved_s: float) -> None:
    ticks = [*(0.06 + at / 10 for at in range(60)), *(6.06 + moved_s + at / 10 for at in range(60))]
    reading, true_j = measured(Power((0, 300), (5.96, 300), (5.96, 700)), {"end": 0.8}, ticks=ticks)
    assert reading.energy_wh is not None
    assert reading.standard_uncertainty_wh is not None
    assert abs(3600 * reading.energy_wh - true_j) < 3600 * reading.standard_uncertainty_wh


@pytest.mark.parametrize(
    ("settings", "stops", "told"),
    [
        ({"jump_s": 5.95}, {"end": 0.8}, "jumped by"),
        ({"jump_s": 2.95}, {"start": 0.8}, "jumped by"),
        ({"frozen_s": 5.97}, {}, "not seen to tick around the end"),
        ({"frozen_s": 5.97}, {"end": 0.8}, "not seen to tick around the end"),
        ({"broken": lambda at: at > 6.004}, {}, "not seen to tick around the end"),
        ({"broken": lambda at: 6.004 < at < 6.4}, {}, "not seen to tick around the end"),
        ({"end_s": 3.25}, {"end": 1.0}, "not seen to tick around the end"),
    ],
    ids=["a jump in the last tick", "a jump in the tick before",
         "frozen", "frozen and not read", "errors from then on", "errors for a while", "a window of a few ticks"],
)  # fmt: skip
def test_a_counter_at_fault_is_refused_as_where_it_is_read_all_the_time(
    settings: dict[str, Any], stops: dict[str, float], told: str
) -> None:
    reading, _ = measured(Power((0, 300)), stops, **settings)
    assert reading.energy_wh is None
    assert told in (reading.problem or "")


READS = [
    Read(0.8995, 80_000), Read(0.9005, 90_000), Read(0.9995, 90_000), Read(1.0005, 100_000), Read(1.0195, 100_000),
    Read(1.9, 190_000),
]  # fmt: skip
AT = READS[4]


def told(
    t_s: float = 1.02, reads: list[Read] = READS, tick: Tick | None = RHYTHM, most_w: float = 400
) -> Estimate | None:
    return energy_after_tick(t_s, reads, tick, most_w)


def test_it_is_the_power_before_over_the_time_since_the_tick() -> None:
    found = told()
    assert found is not None
    # 100 W before; the tick came 20 ms before, and after the read of 20.5 ms before. 400 W at most since then.
    assert found.energy_mj == pytest.approx(100_000 + 100_000 * 0.02)
    assert found.standard_mj == pytest.approx((400_000 * 0.0205 - 2_000) / 3**0.5)
    assert ([edge.energy_mj for edge in found.before], found.after, found.t_s) == ([100_000], (), 1.02)


def test_a_tick_that_came_right_after_the_end_is_counted_back() -> None:
    found = told(0.9985, [*READS[:2], Read(0.9925, 90_000), Read(0.9998, 100_000), Read(1.9, 190_000)])
    assert found is not None
    assert found.energy_mj == pytest.approx(100_000 + 100_000 * (0.9985 - found.before[0].t_s))
    # From 1.3 ms of 400 W less than the counter said then, to 6 ms of it more.
    since_mj = found.energy_mj - 100_000
    assert found.standard_mj == pytest.approx(max(since_mj + 520, 2_400 - since_mj) / 3**0.5)


@pytest.mark.parametrize("took_s", [0.0, 0.001])
def test_before_a_tick_that_came_by_a_read_after_the_end_there_may_have_been_less(took_s: float) -> None:
    before = [Read(0.8965, 80_000), Read(0.8975, 90_000), Read(0.9952, 90_000)]
    found = told(1.0, [*before, Read(1.004, 100_000, took_s), Read(1.9, 190_000)])
    assert found is not None
    # By the rhythm the tick came 3 ms before; by the reads, up to 4 ms after, with 400 W until then.
    assert found.energy_mj == pytest.approx(100_000 + 100_000 * 0.003)
    assert found.standard_mj == pytest.approx((300 + 400_000 * (0.004 + took_s / 2)) / 3**0.5)


def test_the_time_that_the_reads_around_the_tick_took_is_left_open_too() -> None:
    slow = [*READS[:2], Read(0.9995, 90_000, took_s=0.001), *READS[3:]]
    found, bare = told(reads=slow), told()
    assert found is not None
    assert bare is not None
    assert found.standard_mj - bare.standard_mj == pytest.approx(400_000 * 0.0005 / 3**0.5)


@pytest.mark.parametrize(
    "reads",
    [
        [],
        [*READS[:4], READS[-1]],
        READS[-2:],
        [*READS[:4], AT._replace(energy_mj=None), READS[-1]],
        [*READS[:4], AT._replace(took_s=0.02), READS[-1]],
        [Read(0.9, 200_000), *READS[3:]],
        [Read(0.6, 80_000), Read(0.7, 90_000), AT, READS[-1]],
        [Read(0.5, 80_000), Read(0.55, 90_000), Read(0.58, 100_000), AT, READS[-1]],
        [*READS[:5], Read(1.2, 100_000), READS[-1]],
        READS[:5],
        [*READS[:5], Read(1.05, None), READS[-1]],
        [*READS[:5], Read(1.9, 1_000)],
    ],
    ids=["no reads", "none at the moment", "no other value", "an error at the moment", "a slow read at the moment",
         "a reset before", "no tick for long", "a tick too long ago", "still for long afterwards",
         "nothing read afterwards", "an error afterwards", "a reset afterwards"],
)  # fmt: skip
def test_it_is_not_told_without_a_tick_and_a_read_at_the_moment(reads: list[Read]) -> None:
    assert told(reads=reads) is None


def test_nor_without_a_rhythm_that_tells_the_power_before() -> None:
    assert told(tick=None) is None
    # So many ticks came in this time that the rhythm is none.
    assert told(reads=[Read(0.5 + at / 20, at) for at in range(8)] + READS, tick=replace(RHYTHM, period_s=0.3)) is None


def test_power_before_of_more_than_a_gpu_takes_is_that_of_no_gpu() -> None:
    found = told(most_w=50)
    assert found is not None
    assert found.energy_mj == pytest.approx(100_000 + 50_000 * 0.02)


def test_a_jump_before_the_last_tick_before_the_window_is_no_part_of_it() -> None:
    reading, true_j = measured(Power((0, 300)), {"start": 0.8}, jump_s=2.85)
    assert reading.energy_wh == pytest.approx(true_j / 3600, rel=5e-3)
