"""Logs in which a pass was lost or read twice: the fault is named by phase and repeat, and what it spoils left out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.log_writers import optimum_benchmark as writer
from tests.log_writers.optimum_benchmark_parts import Run, energy, mean_energy
from tests.unit.logs.optimum_benchmark_runs import DECODE, FORWARD, PREFILL, Told, passes, read_v0, read_v06, told_of


def test_a_log_without_faults_has_none() -> None:
    assert read_v0().faults == ()
    assert read_v0(FORWARD).faults == ()
    assert read_v06().faults == ()


def test_a_zero_and_double_pair_and_a_negative_decode() -> None:
    """Repeat 2 lost its prefill, 5 lost both passes, 7 lost its generate pass."""
    prefill, generate = [PREFILL] * 10, [PREFILL + DECODE] * 10
    prefill[2] = prefill[5] = 0.0
    generate[5] = generate[7] = 0.0
    result = read_v0(passes(prefill, generate))
    assert told_of(result.faults) == [
        ("lost_prefill", "prefill", 2, False),
        ("lost_prefill", "decode", 2, False),
        ("zero_energy", None, 5, True),
        ("lost_generate", "decode", 7, True),
    ]
    # The total of repeat 2 is its generate pass; two of ten totals are 0.
    assert result.published.energy_kwh == pytest.approx(0.0001 + 0.8 * 0.003)
    assert result.corrected is not None
    assert result.corrected.energy_kwh == pytest.approx(0.0001 + 0.003)
    assert result.corrected.excluded_repeats == (5, 7)
    assert result.difference_percent == pytest.approx(100 * (0.0031 / 0.0025 - 1))
    assert result.wh_per_1000_queries == pytest.approx(3.1)
    assert "total of 0.003 kWh is right" in result.faults[0].message
    assert "prefill.measures[2].gpu" in result.faults[0].message


@settings(max_examples=80, deadline=None)
@given(
    prefill=st.lists(st.floats(0.0009, 0.0011), min_size=10, max_size=10),
    generate=st.lists(st.floats(0.0029, 0.0031), min_size=10, max_size=10),
    lost=st.sets(st.integers(0, 9), max_size=3),
)
def test_whatever_prefill_read_the_total_is_the_generate_pass(
    prefill: list[float], generate: list[float], lost: set[int]
) -> None:
    for repeat in lost:
        prefill[repeat] = 0.0
    result = read_v0(passes(prefill, generate))
    assert result.energy_kwh == pytest.approx(0.0001 + sum(generate) / 10)
    assert {fault.repeat for fault in result.faults} == lost
    assert {fault.code for fault in result.faults} <= {"lost_prefill"}


@settings(max_examples=80, deadline=None)
@given(
    generate=st.lists(st.floats(0.0029, 0.0031), min_size=10, max_size=10),
    lost=st.sets(st.integers(0, 9), min_size=1, max_size=4),
)
def test_a_lost_generate_pass_is_left_out(generate: list[float], lost: set[int]) -> None:
    whole = [energy for repeat, energy in enumerate(generate) if repeat not in lost]
    for repeat in lost:
        generate[repeat] = 0.0
    result = read_v0(passes([PREFILL] * 10, generate))
    assert {(fault.code, fault.repeat) for fault in result.faults} == {("lost_generate", repeat) for repeat in lost}
    assert result.energy_kwh == pytest.approx(0.0001 + sum(whole) / len(whole))


def test_a_prefill_read_twice_leaves_the_total() -> None:
    prefill = [PREFILL] * 10
    prefill[3], prefill[4] = 0.0, 2 * PREFILL
    result = read_v0(passes(prefill, [PREFILL + DECODE] * 10))
    assert told_of(result.faults) == [
        ("lost_prefill", "prefill", 3, False),
        ("lost_prefill", "decode", 3, False),
        ("doubled_window", "prefill", 4, False),
    ]
    assert result.corrected is None
    assert result.energy_kwh == pytest.approx(0.0031)


def test_repeats_at_two_clock_states_stay_in_the_mean() -> None:
    energies = (0.001,) * 6 + (0.002,) * 4
    result = read_v0(Run(task="text_classification", answers_kwh={"forward": energies}))
    assert told_of(result.faults) == [("doubled_window", "forward", repeat, False) for repeat in range(6, 10)]
    assert "stays in the mean" in result.faults[0].message
    assert result.corrected is None
    assert result.energy_kwh == pytest.approx(0.0001 + 0.0014)
    halves = read_v0(Run(answers_kwh={"prefill": energies, "decode": energies}))
    assert {fault.spoils for fault in halves.faults} == {False}
    assert halves.energy_kwh == pytest.approx(0.0001 + 0.0028)


def test_a_repeat_of_two_and_its_lost_neighbour_are_both_left_out() -> None:
    prefill, decode = [PREFILL] * 10, [DECODE] * 10
    prefill[2] = decode[2] = 0.0
    prefill[3], decode[3] = 2 * PREFILL, 2 * DECODE
    result = read_v0(Run(answers_kwh={"prefill": tuple(prefill), "decode": tuple(decode)}))
    assert told_of(result.faults) == [("zero_energy", None, 2, True), ("doubled_window", "decode", 3, True)]
    assert result.corrected is not None
    assert result.corrected.excluded_repeats == (2, 3)
    assert result.energy_kwh == pytest.approx(0.0031)


def test_a_generate_pass_that_was_read_with_its_neighbour() -> None:
    generate = [PREFILL + DECODE] * 10
    generate[6], generate[7] = 0.0, 2 * (PREFILL + DECODE)
    result = read_v0(passes([PREFILL] * 10, generate))
    assert told_of(result.faults) == [
        ("lost_generate", "decode", 6, True),
        ("doubled_window", "decode", 7, True),
    ]
    assert "repeat 6 read 0" in result.faults[1].message
    assert result.corrected is not None
    assert result.corrected.excluded_repeats == (6, 7)
    assert result.energy_kwh == pytest.approx(0.0031)


def test_a_list_that_is_shorter_lacks_its_last_repeats() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        del report["decode"]["measures"][8:]
        report["decode"]["energy"] = mean_energy(report["decode"]["measures"])
        config["benchmark"].pop("iterations")

    result = read_v0(edit=edit)
    assert told_of(result.faults) == [
        ("missing_energy", "decode", 8, True),
        ("missing_energy", "decode", 9, True),
    ]
    assert result.corrected is not None
    assert result.corrected.runs == 8


def test_preparing_that_took_nothing_is_told() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["preprocess_dataset"]["energy"] = energy(0.0)
        report["preprocess_dataset"]["efficiency"]["value"] = 0

    result = read_v06(edit=edit)
    assert told_of(result.faults) == [("zero_energy", "preprocess_dataset", None, False)]
    assert result.energy_kwh == pytest.approx(0.003)


@pytest.mark.parametrize("phase", ["preprocess_dataset", "decode"])
@pytest.mark.parametrize("how", ["null", "gone"])
def test_a_counted_phase_that_is_missing_leaves_no_energy(phase: str, how: str) -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        if how == "null":
            report[phase] = None
        else:
            del report[phase]

    result = read_v06(edit=edit)
    assert told_of(result.faults) == [("missing_energy", phase, None, True)]
    assert f"{phase}.energy is missing" in (result.refused or "")
    assert result.energy_kwh is None


def test_one_half_without_measures() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["decode"]["measures"] = None

    result = read_v0(edit=edit)
    assert told_of(result.faults) == [("missing_energy", "decode", None, False)]
    assert result.energy_kwh == pytest.approx(0.0031)


def test_an_early_log_does_not_tell_what_decode_is() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["decode"]["measures"] = report["prefill"]["measures"] = None

    result = read_v0(edit=edit)
    assert told_of(result.faults) == [("doubled_window", "decode", None, False)]
    assert result.published.runs == 10


@pytest.mark.parametrize(
    ("generate_kwh", "expected"),
    [
        (PREFILL + DECODE, []),
        (DECODE, [("doubled_window", "decode", None, True)]),
        (0.1, [("contradiction", "decode", None, True)]),
    ],
)
def test_the_file_of_the_generate_pass_tells_what_decode_is(generate_kwh: float, expected: list[Told]) -> None:
    assert told_of(read_v06(beside=writer.codecarbon(generate_kwh, 1)).faults) == expected


def test_a_lost_prefill_of_one_pass_needs_a_witness() -> None:
    run = Run(answers_kwh={"prefill": (0.0,), "decode": (PREFILL + DECODE,)})
    assert told_of(read_v06(run).faults) == [("zero_energy", "prefill", None, True)]
    result = read_v06(run, beside=writer.codecarbon(PREFILL + DECODE, 1))
    assert told_of(result.faults) == [("lost_prefill", "prefill", None, False)]
    assert result.energy_kwh == pytest.approx(0.0031)


def test_a_lost_generate_pass_of_one_pass() -> None:
    result = read_v06(Run(answers_kwh={"prefill": (PREFILL,), "decode": (-PREFILL,)}))
    assert told_of(result.faults) == [("lost_generate", "decode", None, True)]
    assert result.energy_kwh is None
