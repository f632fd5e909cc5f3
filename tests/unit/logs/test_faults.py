"""Energies of repeats and of their two passes, by themselves: which fault is told, and which of them spoils a total."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorekit.logs.foreign import faults
from tests.unit.logs.optimum_benchmark_runs import DECODE, FORWARD, PREFILL, Told, read_v0, told_of


def test_a_prefill_that_is_too_large_in_the_total_spoils() -> None:
    found = list(faults.of_halves([PREFILL] * 4 + [0.0, 2 * PREFILL], [DECODE] * 4 + [PREFILL + DECODE, DECODE]))
    assert told_of(found)[2:] == [("doubled_window", "prefill", 5, True)]
    # Without a lost prefill beside it nothing tells that it is not true.
    found = list(faults.of_halves([PREFILL] * 4 + [2 * PREFILL], [DECODE] * 5))
    assert told_of(found) == [("doubled_window", "prefill", 4, False)]


def test_a_lost_repeat_does_not_explain_one_that_the_others_reach_too() -> None:
    energies = [0.001] * 6 + [0.0] + [0.002] * 3
    found = told_of(list(faults.of_repeats("forward", energies)))
    assert [told for told in found if told[3]] == [("zero_energy", "forward", 6, True)]
    assert [told[2] for told in found if not told[3]] == [7, 8, 9]


@pytest.mark.parametrize(
    ("energies", "spoilt"),
    [
        ([1, 1, 0, 2, 1], [2, 3]),
        ([1, 1, 2, 0, 1], [2, 3]),
        ([1, 0, 2, 1, 0, 2, 1, 1, 1], [1, 2, 4, 5]),
        ([1, 1, 1, 1, 2, 0, 2, 0, 1], [4, 5, 6, 7]),
        ([1, 1, 1, 1, 0, 2, 0, 2, 1], [4, 5, 6, 7]),
        # Both neighbours may hold it, and only one can.
        ([1, 1, 1, 2, 0, 2, 1], [4]),
        # Not what two of the others take, which are alike.
        ([1, 1, 1, 1, 0, 1.75, 1], [4]),
        ([1.2, 1, 0.85, 1, 0, 1.75, 1], [4, 5]),
        ([1, 1, None, 2, 1], [2]),
        ([1, 1, 1, 2, 1, 0], [5]),
    ],
)
def test_twice_the_energy_is_left_out_only_beside_a_repeat_that_read_nothing(
    energies: list[float | None], spoilt: list[int]
) -> None:
    found = list(faults.of_repeats("forward", energies))
    assert [fault.repeat for fault in found if fault.spoils] == spoilt
    halved = [None if energy is None else energy / 2 for energy in energies]
    assert [fault.repeat for fault in faults.of_halves(halved, halved) if fault.spoils] == (
        [2, 2] if None in energies else spoilt
    )


def test_a_zero_prefill_whose_decode_does_not_hold_it() -> None:
    found = list(faults.of_halves([PREFILL] * 4 + [0.0], [DECODE] * 5))
    assert told_of(found) == [("zero_energy", "prefill", 4, True)]
    # Two repeats cannot tell which of them is strange.
    found = list(faults.of_halves([PREFILL, 0.0], [DECODE, PREFILL + DECODE]))
    assert told_of(found) == [("zero_energy", "prefill", 1, True)]


@given(st.lists(st.floats(0.99, 1.01), min_size=10, max_size=10), st.floats(0.001, 0.05))
def test_a_lost_prefill_that_is_smaller_than_the_spread_spoils_nothing(spread: list[float], share: float) -> None:
    prefill, generate = [0.003 * share * 0.99] * 10, [0.003 * factor for factor in spread]
    prefill[4] = 0.0
    found = list(faults.of_halves(prefill, [whole - first for whole, first in zip(generate, prefill, strict=True)]))
    assert told_of(found) == [("lost_prefill", "prefill", 4, False), ("lost_prefill", "decode", 4, False)]


def test_a_zero_prefill_that_may_be_held_or_not_spoils_nothing() -> None:
    found = list(faults.of_halves([0.0003] * 4 + [0.0], [0.0027] * 4 + [0.0028]))
    assert told_of(found) == [("zero_energy", "prefill", 4, False)]
    assert "stays in the mean" in found[0].message


@pytest.mark.parametrize(
    ("prefill", "decode", "expected"),
    [
        (PREFILL, -PREFILL, ("lost_generate", "decode", 1, True)),
        (PREFILL, -PREFILL / 2, ("negative_energy", "decode", 1, True)),
        (-PREFILL, DECODE, ("negative_energy", "prefill", 1, True)),
        (PREFILL, 0.0, ("zero_energy", "decode", 1, True)),
        (0.0, 0.0, ("zero_energy", None, 1, True)),
        (-0.0, 0.0, ("zero_energy", None, 1, True)),
        (math.nan, DECODE, ("not_a_number", "prefill", 1, True)),
        (PREFILL, math.inf, ("not_a_number", "decode", 1, True)),
        (PREFILL, None, ("missing_energy", "decode", 1, True)),
        (None, DECODE, ("missing_energy", "prefill", 1, True)),
        (0.0, 2 * (PREFILL + DECODE), ("zero_energy", "prefill", 1, True)),
    ],
)
def test_faults_of_one_repeat(prefill: float | None, decode: float | None, expected: Told) -> None:
    found = list(faults.of_halves([PREFILL, prefill, PREFILL, PREFILL], [DECODE, decode, DECODE, DECODE]))
    assert told_of(found) == [expected]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "zero_energy"),
        (-0.001, "negative_energy"),
        (math.nan, "not_a_number"),
        (-math.inf, "not_a_number"),
        (None, "missing_energy"),
        (0.006, "doubled_window"),
    ],
)
def test_faults_of_a_phase_by_itself(value: float | None, expected: str) -> None:
    energies = [0.003, 0.003, value, 0.0031, 0.003]
    spoils = expected != "doubled_window"
    assert told_of(list(faults.of_repeats("forward", energies))) == [(expected, "forward", 2, spoils)]

    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["forward"]["measures"][2]["gpu"] = value
        report["forward"]["measures"][2]["total"] = value

    result = read_v0(FORWARD, edit=edit)
    assert (expected, "forward", 2, spoils) in told_of(result.faults)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0.97, 1.03), min_size=1, max_size=12), st.floats(1e-9, 1e6))
def test_repeats_that_differ_by_some_percent_have_no_fault(spread: list[float], base: float) -> None:
    energies = [base * factor for factor in spread]
    assert list(faults.of_repeats("forward", energies)) == []
    assert list(faults.of_halves(energies, [3 * energy for energy in energies])) == []
    assert list(faults.of_halves(energies, [0.01 * energy for energy in energies])) == []


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.floats()), max_size=12), st.lists(st.one_of(st.none(), st.floats()), max_size=12)
)
def test_any_energies_can_be_looked_at(prefill: list[float | None], decode: list[float | None]) -> None:
    impossible = {
        repeat
        for energies in (prefill, decode)
        for repeat in range(max(len(prefill), len(decode)))
        for energy in (energies[repeat] if repeat < len(energies) else None,)
        if energy is None or not math.isfinite(energy) or energy <= 0
    }
    named = {fault.repeat for fault in faults.of_halves(prefill, decode)}
    assert impossible <= named
