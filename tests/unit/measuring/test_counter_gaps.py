"""The energy at a window's edge where reads are missing: worked out over the ticks that passed, or not at all."""

from __future__ import annotations

import math

import pytest

from scorekit.measuring.meters.counter import Edge, Read, Tick, calibrate, energy_at

RHYTHM = Tick(period_s=0.1, spread_s=0.0002, count=64)


def power_w(t_s: float) -> float:
    return 200 + 40 * t_s


def energy_mj(t_s: float) -> float:
    return 1000 * (200 * t_s + 20 * t_s * t_s)


def reads_at(*moments: float) -> list[Read]:
    # Ticks at whole tenths.
    return [Read(at, int(energy_mj(math.floor(at / 0.1 + 1e-9) * 0.1))) for at in moments]


def around(tick_s: float) -> tuple[float, float]:
    return tick_s - 0.0005, tick_s + 0.0005


@pytest.mark.parametrize("last_read_s", [4.93, 4.85, 4.77])
def test_a_read_from_some_ticks_earlier_is_not_taken_for_one_from_the_last(last_read_s: float) -> None:
    # The window ends at 4.98; nothing was read between `last_read_s` and a tick after the end.
    reads = reads_at(last_read_s - 0.1, last_read_s, 5.03, *around(5.1), *around(5.2))
    found = energy_at(4.98, reads, RHYTHM)
    assert found is not None
    assert found.energy_mj == pytest.approx(energy_mj(4.98), abs=1000 * 0.05)


@pytest.mark.parametrize("last_read_s", [4.55, 4.2, 3.0])
def test_after_a_long_gap_the_energy_is_not_told(last_read_s: float) -> None:
    reads = reads_at(last_read_s - 0.1, last_read_s, 5.03, *around(5.1), *around(5.2))
    assert energy_at(4.98, reads, RHYTHM) is None


def test_nor_where_an_old_read_may_have_come_before_a_tick_or_after_it() -> None:
    reads = reads_at(4.33, 4.8, 5.03, *around(5.1), *around(5.2))
    assert energy_at(4.98, reads, RHYTHM) is None


def test_an_outage_of_the_driver_at_the_edge_is_a_gap_too() -> None:
    reads = [*reads_at(3.5, *around(3.6), 3.63), *(Read(3.65 + number / 10, None) for number in range(20))]
    reads += reads_at(5.66, *around(5.7), *around(5.8))
    assert energy_at(4.98, reads, RHYTHM) is None


@pytest.mark.parametrize(
    ("ticks", "period_s"),
    [
        ([0, 1, 2, 3, 4, 5], 0.1),
        ([0, 1, 3, 4, 6, 7], 0.1),
        # A busy machine: every second tick or more was missed, and one odd gap gives it away.
        ([0, 2, 4, 6, 8, 9, 11, 13], 0.1),
        ([0, 2, 4, 6, 8, 11, 13, 15], 0.1),
        ([0, 3, 6, 9, 12, 16, 19, 22], 0.1),
        # Nothing does: then it cannot be known from the ticks that were seen.
        ([0, 2, 4, 6, 8], 0.2),
    ],
    ids=str,
)
def test_missed_ticks_do_not_make_the_rhythm_slower(ticks: list[int], period_s: float) -> None:
    found = calibrate([Edge(number / 10 + 0.0004 * (number % 3), 0.0005, number) for number in ticks])
    assert found is not None
    assert found.period_s == pytest.approx(period_s, rel=0.01)
    assert found.spread_s < 0.001


def test_an_irregular_counter_keeps_its_mean_period() -> None:
    moments = [0.0, 0.09, 0.205, 0.3, 0.385, 0.5, 0.61, 0.69, 0.8]
    found = calibrate([Edge(at, 0.0005, number) for number, at in enumerate(moments)])
    assert found is not None
    assert found.period_s == pytest.approx(0.1, rel=0.1)
