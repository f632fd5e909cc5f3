"""Logs whose figures, units or config contradict each other: which of them, and whether the energy still holds."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest

from scorekit.logs.foreign import optimum_benchmark
from tests.log_writers import optimum_benchmark as writer
from tests.log_writers.optimum_benchmark_parts import Run, encode, energy
from tests.unit.logs.optimum_benchmark_runs import DECODE, read_v0, read_v06, told_of
from tests.unit.logs.written import read_folder


def test_a_mean_that_is_none_of_the_measures() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["decode"]["energy"] = energy(2 * DECODE)

    result = read_v0(edit=edit)
    assert told_of(result.faults) == [("contradiction", "decode", None, True)]
    assert result.energy_kwh is None
    assert "decode.energy.gpu is 0.004 kWh, but the mean of decode.measures is 0.002 kWh" in (result.refused or "")


def test_a_mean_that_leaves_out_a_spoilt_repeat() -> None:
    run = Run(task="text_classification", answers_kwh={"forward": (0.003, 0.0, 0.0031, 0.0029)})

    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["forward"]["energy"] = energy(0.003)

    result = read_v0(run, edit=edit)
    assert told_of(result.faults) == [("zero_energy", "forward", 1, True), ("contradiction", "forward", None, False)]
    assert result.difference_percent == pytest.approx(0, abs=1e-9)


def test_units_that_are_mixed_and_each_true() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["preprocess"]["energy"] = energy(0.1, "Wh")

    result = read_v0(edit=edit)
    assert told_of(result.faults) == [("mixed_units", None, None, False)]
    assert "Wh in preprocess" in result.faults[0].message
    assert result.energy_kwh == pytest.approx(0.0031)


def test_a_unit_that_was_changed_and_not_its_figures() -> None:
    def of_mean(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["decode"]["energy"]["unit"] = "Wh"

    result = read_v0(edit=of_mean)
    assert [fault.code for fault in result.faults] == ["mixed_units", "contradiction"]
    assert result.energy_kwh is None

    def of_preprocess(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["preprocess"]["energy"]["unit"] = "J"

    result = read_v0(edit=of_preprocess)
    assert [fault.code for fault in result.faults] == ["mixed_units", "contradiction"]
    assert "the config asks for 1,000" in (result.refused or "")


def test_a_measure_without_a_unit_spoils_its_repeat() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        del report["decode"]["measures"][4]["unit"]

    result = read_v0(edit=edit)
    assert told_of(result.faults) == [("unit_missing", "decode", 4, True)]
    assert result.corrected is not None
    assert result.corrected.excluded_repeats == (4,)


def test_units_that_are_mixed_and_cannot_be_told() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["prefill"]["measures"][4]["unit"] = "tokens/s"
        report["prefill"]["measures"][5]["unit"] = "Wh"

    result = read_v0(edit=edit)
    assert ("mixed_units", None, None, True) in told_of(result.faults)
    assert result.energy_kwh is None


def test_a_repeat_without_a_unit_hides_no_other_fault() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        del report["decode"]["measures"][4]["unit"]
        report["decode"]["measures"][6] = None

    result = read_v0(edit=edit)
    assert told_of(result.faults) == [("unit_missing", "decode", 4, True), ("missing_energy", "decode", 6, True)]


@pytest.mark.parametrize("part", ["cpu", "ram", "gpu"])
@pytest.mark.parametrize("value", [None, math.inf])
def test_a_part_that_was_taken_out(part: str, value: float | None) -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["decode"]["energy"][part] = value

    result = read_v06(edit=edit)
    assert ("contradiction", "decode", None, True) in told_of(result.faults)
    assert result.energy_kwh is None


@pytest.mark.parametrize("rate", ["throughput", "efficiency"])
def test_a_rate_that_stands_in_the_energy(rate: str) -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["decode"][rate] = {"unit": "tokens/s", "value": 1234.5}
        report["decode"]["energy"]["gpu"] = 1234.5

    result = read_v06(edit=edit)
    assert ("shifted_columns", "decode", None, True) in told_of(result.faults)
    assert f"decode.{rate}.value" in (result.refused or "")
    assert result.energy_kwh is None


def test_a_total_that_is_not_the_sum() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        report["decode"]["energy"]["gpu"] *= 1.01

    assert told_of(read_v06(edit=edit).faults) == [("contradiction", "decode", None, True)]


def test_a_config_of_another_run() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        config["scenario"]["num_samples"] = 10

    result = read_v06(edit=edit)
    assert ("contradiction", "preprocess_dataset", None, True) in told_of(result.faults)
    assert result.wh_per_1000_queries is None


def test_a_summarization_that_generated_nothing_has_no_energy() -> None:
    run = Run(task="summarization", answers_kwh={"forward": (0.003,)})
    report, config = writer.report(run), writer.config(run)
    files = {"benchmark_report.json": encode(report), "benchmark_config.json": encode(config)}
    result = read_folder(optimum_benchmark, files)
    assert told_of(result.faults) == [("contradiction", "forward", None, True)]
    assert (result.energy_kwh, result.wh_per_1000_queries) == (None, None)
    speech = copy.deepcopy(config)
    speech["backend"]["task"] = "automatic-speech-recognition"
    files["benchmark_config.json"] = encode(speech)
    assert read_folder(optimum_benchmark, files).faults == ()


def test_repeats_other_than_asked_for_are_told() -> None:
    def edit(report: dict[str, Any], config: dict[str, Any]) -> None:
        config["benchmark"]["iterations"] = 12

    found = read_v0(edit=edit).faults
    assert told_of(found) == [("contradiction", "prefill", None, False), ("contradiction", "decode", None, False)]
