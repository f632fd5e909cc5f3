"""Every fault of a log of optimum-benchmark is found where it is, named by phase and repeat, and found nowhere else."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorekit.logs.foreign import faults, optimum_benchmark, optimum_benchmark_v0
from scorekit.records import Fault, Result
from tests.log_writers import optimum_benchmark as writer
from tests.log_writers import optimum_benchmark_v0 as writer_v0
from tests.log_writers.optimum_benchmark_parts import Run, encode, energy, mean_energy
from tests.unit.logs.written import read_folder

PREFILL, DECODE = 0.001, 0.002
SPREAD = (0.99, 1.0, 1.01, 1.0, 0.98, 1.02, 1.0, 1.0, 0.99, 1.01)
RUN = Run(
    answers_kwh={
        "prefill": tuple(PREFILL * factor for factor in SPREAD),
        "decode": tuple(DECODE * factor for factor in SPREAD),
    }
)
FORWARD = Run(task="text_classification", answers_kwh={"forward": tuple(0.003 * factor for factor in SPREAD)})
ONE_PASS = Run(answers_kwh={"prefill": (PREFILL,), "decode": (DECODE,)})

Told = tuple[str, str | None, int | None, bool]


def _told(found: list[Fault] | tuple[Fault, ...]) -> list[Told]:
    return [(fault.code, fault.phase, fault.repeat, fault.spoils) for fault in found]


def _read_v0(run: Run = RUN, *, edit: Callable[[dict[str, Any], dict[str, Any]], None] | None = None) -> Result:
    report, config = writer_v0.report(run), writer_v0.config(run)
    if edit is not None:
        edit(report, config)
    return read_folder(
        optimum_benchmark_v0, {"benchmark_report.json": encode(report), "experiment_config.json": encode(config)}
    )


def _read(
    run: Run = ONE_PASS,
    *,
    edit: Callable[[dict[str, Any], dict[str, Any]], None] | None = None,
    beside: dict[str, Any] | None = None,
) -> Result:
    report, config = writer.report(run), writer.config(run)
    if edit is not None:
        edit(report, config)
    files = {"benchmark_report.json": encode(report), "benchmark_config.json": encode(config)}
    if beside is not None:
        files["generate_codecarbon.json"] = encode(beside)
    return read_folder(optimum_benchmark, files)


def _passes(prefill: list[float], generate: list[float]) -> Run:
    """A run as the tool writes it: decode is generate - prefill, whatever the passes read."""
    decode = [whole - first for whole, first in zip(generate, prefill, strict=True)]
    return Run(answers_kwh={"prefill": tuple(prefill), "decode": tuple(decode)})


def test_a_log_without_faults_has_none() -> None:
    assert _read_v0().faults == ()
    assert _read_v0(FORWARD).faults == ()
    assert _read().faults == ()


def test_a_zero_and_double_pair_and_a_negative_decode() -> None:
    """Repeat 2 lost its prefill, 5 lost both passes, 7 lost its generate pass."""
    prefill, generate = [PREFILL] * 10, [PREFILL + DECODE] * 10
    prefill[2] = prefill[5] = 0.0
    generate[5] = generate[7] = 0.0
    result = _read_v0(_passes(prefill, generate))
    assert _told(result.faults) == [
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
    result = _read_v0(_passes(prefill, generate))
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
    result = _read_v0(_passes([PREFILL] * 10, generate))
    assert {(fault.code, fault.repeat) for fault in result.faults} == {("lost_generate", repeat) for repeat in lost}
    assert result.energy_kwh == pytest.approx(0.0001 + sum(whole) / len(whole))


def test_a_prefill_read_twice_leaves_the_total() -> None:
    prefill = [PREFILL] * 10
    prefill[3], prefill[4] = 0.0, 2 * PREFILL
    result = _read_v0(_passes(prefill, [PREFILL + DECODE] * 10))
    assert _told(result.faults) == [
        ("lost_prefill", "prefill", 3, False),
        ("lost_prefill", "decode", 3, False),
        ("doubled_window", "prefill", 4, False),
    ]
    assert result.corrected is None
    assert result.energy_kwh == pytest.approx(0.0031)


def test_a_prefill_that_is_too_large_in_the_total_spoils() -> None:
    found = list(faults.of_halves([PREFILL] * 4 + [0.0, 2 * PREFILL], [DECODE] * 4 + [PREFILL + DECODE, DECODE]))
    assert _told(found)[2:] == [("doubled_window", "prefill", 5, True)]
    # Without a lost prefill beside it nothing tells that it is not true.
    found = list(faults.of_halves([PREFILL] * 4 + [2 * PREFILL], [DECODE] * 5))
    assert _told(found) == [("doubled_window", "prefill", 4, False)]


def test_repeats_at_two_clock_states_stay_in_the_mean() -> None:
    energies = (0.001,) * 6 + (0.002,) * 4
    result = _read_v0(Run(task="text_classification", answers_kwh={"forward": energies}))
    assert _told(result.faults) == [("doubled_window", "forward", repeat, False) for repeat in range(6, 10)]
    assert "stays in the mean" in result.faults[0].message
    assert result.corrected is None
    assert result.energy_kwh == pytest.approx(0.0001 + 0.0014)
    halves = _read_v0(Run(answers_kwh={"prefill": energies, "decode": energies}))
    assert {fault.spoils for fault in halves.faults} == {False}
    assert halves.energy_kwh == pytest.approx(0.0001 + 0.0028)


def test_a_lost_repeat_does_not_explain_one_that_the_others_reach_too() -> None:
    energies = [0.001] * 6 + [0.0] + [0.002] * 3
    found = _told(list(faults.of_repeats("forward", energies)))
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


def test_a_repeat_of_two_and_its_lost_neighbour_are_both_left_out() -> None:
    prefill, decode = [PREFILL] * 10, [DECODE] * 10
    prefill[2] = decode[2] = 0.0
    prefill[3], decode[3] = 2 * PREFILL, 2 * DECODE
    result = _read_v0(Run(answers_kwh={"prefill": tuple(prefill), "decode": tuple(decode)}))
    assert _told(result.faults) == [("zero_energy", None, 2, True), ("doubled_window", "decode", 3, True)]
    assert result.corrected is not None
    assert result.corrected.excluded_repeats == (2, 3)
    assert result.energy_kwh == pytest.approx(0.0031)


def test_a_generate_pass_that_was_read_with_its_neighbour() -> None:
    generate = [PREFILL + DECODE] * 10
    generate[6], generate[7] = 0.0, 2 * (PREFILL + DECODE)
    result = _read_v0(_passes([PREFILL] * 10, generate))
    assert _told(result.faults) == [
        ("lost_generate", "decode", 6, True),
        ("doubled_window", "decode", 7, True),
    ]
    assert "repeat 6 read 0" in result.faults[1].message
    assert result.corrected is not None
    assert result.corrected.excluded_repeats == (6, 7)
    assert result.energy_kwh == pytest.approx(0.0031)


def test_a_zero_prefill_whose_decode_does_not_hold_it() -> None:
    found = list(faults.of_halves([PREFILL] * 4 + [0.0], [DECODE] * 5))
    assert _told(found) == [("zero_energy", "prefill", 4, True)]
    # Two repeats cannot tell which of them is strange.
    found = list(faults.of_halves([PREFILL, 0.0], [DECODE, PREFILL + DECODE]))
    assert _told(found) == [("zero_energy", "prefill", 1, True)]


@given(st.lists(st.floats(0.99, 1.01), min_size=10, max_size=10), st.floats(0.001, 0.05))
def test_a_lost_prefill_that_is_smaller_than_the_spread_spoils_nothing(spread: list[float], share: float) -> None:
    prefill, generate = [0.003 * share * 0.99] * 10, [0.003 * factor for factor in spread]
    prefill[4] = 0.0
    found = list(faults.of_halves(prefill, [whole - first for whole, first in zip(generate, prefill, strict=True)]))
    assert _told(found) == [("lost_prefill", "prefill", 4, False), ("lost_prefill", "decode", 4, False)]


def test_a_zero_prefill_that_may_be_held_or_not_spoils_nothing() -> None:
    found = list(faults.of_halves([0.0003] * 4 + [0.0], [0.0027] * 4 + [0.0028]))
    assert _told(found) == [("zero_energy", "prefill", 4, False)]
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
    assert _told(found) == [expected]


def test_a_list_that_is_shorter_lacks_its_last_repeats() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        del report["decode"]["measures"][8:]
        report["decode"]["energy"] = mean_energy(report["decode"]["measures"])
        config["benchmark"].pop("iterations")

    result = _read_v0(edit=edit)
    assert _told(result.faults) == [
        ("missing_energy", "decode", 8, True),
        ("missing_energy", "decode", 9, True),
    ]
    assert result.corrected is not None
    assert result.corrected.runs == 8


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
    assert _told(list(faults.of_repeats("forward", energies))) == [(expected, "forward", 2, spoils)]

    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["forward"]["measures"][2]["gpu"] = value
        report["forward"]["measures"][2]["total"] = value

    result = _read_v0(FORWARD, edit=edit)
    assert (expected, "forward", 2, spoils) in _told(result.faults)


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


def test_a_mean_that_is_none_of_the_measures() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["decode"]["energy"] = energy(2 * DECODE)

    result = _read_v0(edit=edit)
    assert _told(result.faults) == [("contradiction", "decode", None, True)]
    assert result.energy_kwh is None
    assert "decode.energy.gpu is 0.004 kWh, but the mean of decode.measures is 0.002 kWh" in (result.refused or "")


def test_a_mean_that_leaves_out_a_spoilt_repeat() -> None:
    run = Run(task="text_classification", answers_kwh={"forward": (0.003, 0.0, 0.0031, 0.0029)})

    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["forward"]["energy"] = energy(0.003)

    result = _read_v0(run, edit=edit)
    assert _told(result.faults) == [("zero_energy", "forward", 1, True), ("contradiction", "forward", None, False)]
    assert result.difference_percent == pytest.approx(0, abs=1e-9)


def test_units_that_are_mixed_and_each_true() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["preprocess"]["energy"] = energy(0.1, "Wh")

    result = _read_v0(edit=edit)
    assert _told(result.faults) == [("mixed_units", None, None, False)]
    assert "Wh in preprocess" in result.faults[0].message
    assert result.energy_kwh == pytest.approx(0.0031)


def test_a_unit_that_was_changed_and_not_its_figures() -> None:
    def of_mean(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["decode"]["energy"]["unit"] = "Wh"

    result = _read_v0(edit=of_mean)
    assert [fault.code for fault in result.faults] == ["mixed_units", "contradiction"]
    assert result.energy_kwh is None

    def of_preprocess(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["preprocess"]["energy"]["unit"] = "J"

    result = _read_v0(edit=of_preprocess)
    assert [fault.code for fault in result.faults] == ["mixed_units", "contradiction"]
    assert "the config asks for 1,000" in (result.refused or "")


def test_a_measure_without_a_unit_spoils_its_repeat() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        del report["decode"]["measures"][4]["unit"]

    result = _read_v0(edit=edit)
    assert _told(result.faults) == [("unit_missing", "decode", 4, True)]
    assert result.corrected is not None
    assert result.corrected.excluded_repeats == (4,)


def test_units_that_are_mixed_and_cannot_be_told() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["prefill"]["measures"][4]["unit"] = "tokens/s"
        report["prefill"]["measures"][5]["unit"] = "Wh"

    result = _read_v0(edit=edit)
    assert ("mixed_units", None, None, True) in _told(result.faults)
    assert result.energy_kwh is None


def test_a_repeat_without_a_unit_hides_no_other_fault() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        del report["decode"]["measures"][4]["unit"]
        report["decode"]["measures"][6] = None

    result = _read_v0(edit=edit)
    assert _told(result.faults) == [("unit_missing", "decode", 4, True), ("missing_energy", "decode", 6, True)]


@pytest.mark.parametrize("part", ["cpu", "ram", "gpu"])
@pytest.mark.parametrize("value", [None, math.inf])
def test_a_part_that_was_taken_out(part: str, value: float | None) -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["decode"]["energy"][part] = value

    result = _read(edit=edit)
    assert ("contradiction", "decode", None, True) in _told(result.faults)
    assert result.energy_kwh is None


@pytest.mark.parametrize("rate", ["throughput", "efficiency"])
def test_a_rate_that_stands_in_the_energy(rate: str) -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["decode"][rate] = {"unit": "tokens/s", "value": 1234.5}
        report["decode"]["energy"]["gpu"] = 1234.5

    result = _read(edit=edit)
    assert ("shifted_columns", "decode", None, True) in _told(result.faults)
    assert f"decode.{rate}.value" in (result.refused or "")
    assert result.energy_kwh is None


def test_a_total_that_is_not_the_sum() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["decode"]["energy"]["gpu"] *= 1.01

    assert _told(_read(edit=edit).faults) == [("contradiction", "decode", None, True)]


def test_a_config_of_another_run() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        config["scenario"]["num_samples"] = 10

    result = _read(edit=edit)
    assert ("contradiction", "preprocess_dataset", None, True) in _told(result.faults)
    assert result.wh_per_1000_queries is None


def test_preparing_that_took_nothing_is_told() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["preprocess_dataset"]["energy"] = energy(0.0)
        report["preprocess_dataset"]["efficiency"]["value"] = 0

    result = _read(edit=edit)
    assert _told(result.faults) == [("zero_energy", "preprocess_dataset", None, False)]
    assert result.energy_kwh == pytest.approx(0.003)


@pytest.mark.parametrize("phase", ["preprocess_dataset", "decode"])
@pytest.mark.parametrize("how", ["null", "gone"])
def test_a_counted_phase_that_is_missing_leaves_no_energy(phase: str, how: str) -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        if how == "null":
            report[phase] = None
        else:
            del report[phase]

    result = _read(edit=edit)
    assert _told(result.faults) == [("missing_energy", phase, None, True)]
    assert f"{phase}.energy is missing" in (result.refused or "")
    assert result.energy_kwh is None


def test_one_half_without_measures() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["decode"]["measures"] = None

    result = _read_v0(edit=edit)
    assert _told(result.faults) == [("missing_energy", "decode", None, False)]
    assert result.energy_kwh == pytest.approx(0.0031)


def test_an_early_log_does_not_tell_what_decode_is() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["decode"]["measures"] = report["prefill"]["measures"] = None

    result = _read_v0(edit=edit)
    assert _told(result.faults) == [("doubled_window", "decode", None, False)]
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
    assert _told(_read(beside=writer.codecarbon(generate_kwh, 1)).faults) == expected


def test_a_lost_prefill_of_one_pass_needs_a_witness() -> None:
    run = Run(answers_kwh={"prefill": (0.0,), "decode": (PREFILL + DECODE,)})
    assert _told(_read(run).faults) == [("zero_energy", "prefill", None, True)]
    result = _read(run, beside=writer.codecarbon(PREFILL + DECODE, 1))
    assert _told(result.faults) == [("lost_prefill", "prefill", None, False)]
    assert result.energy_kwh == pytest.approx(0.0031)


def test_a_lost_generate_pass_of_one_pass() -> None:
    result = _read(Run(answers_kwh={"prefill": (PREFILL,), "decode": (-PREFILL,)}))
    assert _told(result.faults) == [("lost_generate", "decode", None, True)]
    assert result.energy_kwh is None


@pytest.mark.parametrize(
    ("backend", "machine", "idle"),
    [
        ({"device_ids": "0", "device_map": None}, 1, False),
        # CodeCarbon counts the machine's GPUs, and reads those of device_ids alone.
        ({"device_ids": "0", "device_map": None}, 8, False),
        ({"device_ids": "0,1,2,3", "device_map": None}, 8, True),
        ({"device_ids": "0,1,2,3", "device_map": None}, None, True),
        ({"device_ids": "0,1,2,3", "device_map": "auto"}, 4, False),
        ({"device_ids": "0,1", "device_map": None, "tp_plan": "auto"}, None, False),
        ({"device_ids": "0,1", "device_map": None, "name": "vllm"}, None, False),
        ({"device": "cpu", "device_ids": None}, None, True),
        ({"device_ids": None, "device_map": None}, 8, False),
    ],
)
def test_energy_of_gpus_that_were_not_used(backend: dict[str, Any], machine: int | None, idle: bool) -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        config["backend"].update(backend)

    beside = None if machine is None else writer.codecarbon(PREFILL + DECODE, machine)
    result = _read(edit=edit, beside=beside)
    assert [fault.code for fault in result.faults] == (["idle_gpus"] if idle else [])
    assert (result.energy_kwh is None) == idle


@pytest.mark.parametrize("file", ["generate_codecarbon.json", "preprocess_dataset_codecarbon.json"])
@pytest.mark.parametrize("both", [True, False])
def test_an_overhead_in_a_file_beside_the_report_spoils(file: str, both: bool) -> None:
    files = writer.write(ONE_PASS)
    content = json.loads(files[file])
    files[file] = encode(content | {"pue": 1.5})
    if not both:
        files = {name: text for name, text in files.items() if name == file or "codecarbon" not in name}
    result = read_folder(optimum_benchmark, files)
    assert _told(result.faults) == [("overhead_counted", None, None, True)]
    assert f"{file}: pue: every energy is multiplied by 1.5" in (result.refused or "")
    assert result.energy_kwh is None


def test_several_processes_use_all_gpus() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        config["backend"].update(device_ids="0,1", device_map=None)
        config["launcher"]["name"] = "torchrun"

    assert _read(edit=edit).faults == ()


def test_a_summarization_that_generated_nothing_has_no_energy() -> None:
    run = Run(task="summarization", answers_kwh={"forward": (0.003,)})
    report, config = writer.report(run), writer.config(run)
    files = {"benchmark_report.json": encode(report), "benchmark_config.json": encode(config)}
    result = read_folder(optimum_benchmark, files)
    assert _told(result.faults) == [("contradiction", "forward", None, True)]
    assert (result.energy_kwh, result.wh_per_1000_queries) == (None, None)
    speech = copy.deepcopy(config)
    speech["backend"]["task"] = "automatic-speech-recognition"
    files["benchmark_config.json"] = encode(speech)
    assert read_folder(optimum_benchmark, files).faults == ()


def test_repeats_other_than_asked_for_are_told() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        config["benchmark"]["iterations"] = 12

    found = _read_v0(edit=edit).faults
    assert _told(found) == [("contradiction", "prefill", None, False), ("contradiction", "decode", None, False)]
