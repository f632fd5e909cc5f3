"""Counters that tick irregularly: every window has an energy, near the truth, and as sure as it says.

Statistics over seeds in virtual time: what one window is off by depends on where its end falls among the ticks.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorekit.measuring.meters.counter import Edge, Read, Tick, calibrate, energy_at
from tests.unit.measuring.ticking import Clock, Gpu, Power, Rig

SEEDS = 16
LENGTH_S = 10.0


def mixed(*gaps: tuple[float, float]) -> Callable[[random.Random, int], float]:
    """Gaps drawn by their weights, each with 2 % of jitter."""
    lengths, weights = zip(*gaps, strict=True)
    return lambda draw, _: draw.choices(lengths, weights)[0] * draw.uniform(0.98, 1.02)


PATTERNS: dict[str, Callable[[random.Random, int], float]] = {
    "regular": lambda draw, _: draw.gauss(0.1, 0.001),
    "100 +- 10 ms": lambda draw, _: max(0.005, draw.gauss(0.1, 0.01)),
    "100 +- 20 ms": lambda draw, _: max(0.005, draw.gauss(0.1, 0.02)),
    "25 +- 5 ms": lambda draw, _: max(0.005, draw.gauss(0.025, 0.005)),
    "80 and 120 ms in turn": lambda _, number: 0.08 if number % 2 else 0.12,
    "20 to 100 ms": lambda draw, _: draw.uniform(0.02, 0.1),
    "100 ms, one in fifty 50": mixed((0.1, 0.98), (0.05, 0.02)),
    "100 ms, one in ten 50": mixed((0.1, 0.9), (0.05, 0.1)),
    "100 ms, one in four 50": mixed((0.1, 0.75), (0.05, 0.25)),
    "100 ms, one in ten 200": mixed((0.1, 0.9), (0.2, 0.1)),
    "20 ms, one in ten 100": mixed((0.02, 0.9), (0.1, 0.1)),
}


def ticks_of(gap: Callable[[random.Random, int], float], draw: random.Random, until_s: float) -> list[float]:
    ticks = [0.0]
    while ticks[-1] < until_s:
        ticks.append(ticks[-1] + gap(draw, len(ticks)))
    return ticks


def measured(gap: Callable[[random.Random, int], float], seed: int, length_s: float, *, steady: bool) -> Window:
    draw = random.Random(seed)
    start_s = 4.0 + draw.uniform(0.3, 1.3)
    end_s = start_s + length_s
    points = [(start_s, 100.0), (start_s, 300.0), (end_s, 300.0), (end_s, 100.0)]
    if not steady:
        points = [(0.0, 250.0)]
        while points[-1][0] < end_s + 1:
            at = points[-1][0] + draw.uniform(0.2, 1.0)
            points += [(at, points[-1][1]), (at, draw.uniform(150, 450))]
    power = Power(*points)
    clock = Clock()
    rig = Rig(clock, [Gpu(clock, power, ticks=ticks_of(gap, draw, end_s + 3))], late_s=0.0005, seed=seed)
    opened_s, closed_s = rig.window(start_s, end_s)
    return rig.energy_j(opened_s, closed_s), power.between_j(opened_s, closed_s)


Window = tuple[tuple[float, float] | None, float]
"""Energy and its standard uncertainty, and the true energy [J]."""


@functools.cache
def windows(pattern: str, steady: bool) -> tuple[Window, ...]:
    return tuple(measured(PATTERNS[pattern], seed, LENGTH_S, steady=steady) for seed in range(SEEDS))


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("steady", [True, False], ids=["a load", "any power"])
def test_no_window_is_refused_and_each_is_near_the_truth(pattern: str, steady: bool) -> None:
    errors = []
    covered = 0
    for found, true_j in windows(pattern, steady):
        assert found is not None
        errors.append(abs(found[0] - true_j) / true_j)
        covered += abs(found[0] - true_j) <= 2 * found[1]
    assert max(errors) < 0.01
    assert sorted(errors)[SEEDS // 2] < 0.002
    assert sorted(errors)[int(0.9 * SEEDS)] < 0.004
    # Power that changes within the last tick before a window ends is the hardest.
    assert covered / SEEDS >= (0.9 if steady else 0.85)


@given(st.lists(st.floats(0.02, 0.2), min_size=2, max_size=6), st.integers(0, 999))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_whatever_the_gaps_a_short_window_has_an_energy(gaps_s: list[float], seed: int) -> None:
    found, true_j = measured(lambda draw, _: draw.choice(gaps_s), seed, 3.0, steady=True)
    assert found is not None
    assert abs(found[0] - true_j) <= max(0.02 * true_j, 4 * found[1])


def followed(*gaps_s: float) -> list[Edge]:
    """Ticks of which each is known to have followed the one before."""
    moments = [sum(gaps_s[:number]) for number in range(len(gaps_s) + 1)]
    return [Edge(at, 0.0005, number + 1, number) for number, at in enumerate(moments)]


def test_a_short_gap_now_and_then_does_not_halve_the_rhythm() -> None:
    tick = calibrate(followed(*[0.1] * 8, 0.05, *[0.1] * 8))
    assert tick is not None
    assert tick.period_s == pytest.approx(0.1)
    assert not tick.regular


def test_ticks_that_follow_each_other_tell_the_rhythm_whatever_was_missed() -> None:
    whole = followed(*[0.1] * 9)
    # Twice as far apart, with other values in between: half of the ticks were missed.
    missed = [Edge(5 + 0.2 * number, 0.0005, 100 + 2 * number, 99 + 2 * number) for number in range(40)]
    tick = calibrate([*whole, *missed])
    assert tick is not None
    assert (tick.period_s, tick.count) == (pytest.approx(0.1), 9)
    assert tick.regular


def test_the_spread_is_that_of_the_ticks_and_not_of_a_counter_that_stood_still() -> None:
    tick = calibrate(followed(*[0.1] * 10, 3.0, *[0.1] * 10))
    assert tick is not None
    assert tick.regular


@pytest.mark.parametrize(("spread_s", "half_width_s"), [(0.0001, 0.0009), (0.02, 0.05)])
def test_only_a_regular_rhythm_places_a_tick_that_was_not_seen(spread_s: float, half_width_s: float) -> None:
    reads = [Read(1.35, 10), Read(1.45, 20), Read(1.4995, 20), Read(1.5005, 30), Read(1.5995, 30), Read(1.6005, 40)]
    found = energy_at(1.46, reads, Tick(0.1, spread_s, 64))
    assert found is not None
    assert found.before[-1].t_s == pytest.approx(1.4)
    assert found.before[-1].half_width_s == pytest.approx(half_width_s, rel=0.3)


def test_a_bracket_wider_than_a_quarter_of_a_second_is_none() -> None:
    reads = [Read(1.15, 10), Read(1.45, 20), Read(1.4995, 20), Read(1.5005, 30), Read(1.5995, 30), Read(1.6005, 40)]
    assert energy_at(1.46, reads, None) is None
