"""Exact edges of the check of energies that can be, and are alike (1)."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from scorekit.records import MeterReading
from scorekit.validity import Evidence
from tests.bundles import NVML_GPU, reading
from tests.evidence import (
    OTHER_GPU,
    Change,
    at,
    change_facts,
    change_readings,
    change_windows,
    check_of,
    cpu_evidence,
    good_evidence,
    of_phase,
)
from tests.unit.validity.edges import beside, but_fourth, energies, findings, in_turn, without_windows
from tests.unit.validity.spoilt.changes import FOURTH, GENERATE, change_length

CHECK = "energy_positive"
SPLIT_ONLY = "cannot be trusted; the score can"


def _found(*changes: Change) -> list[Any]:
    return findings(in_turn(*changes)(good_evidence()), CHECK)


def _prefilled(evidence: Evidence) -> Evidence:
    """With a pass of prefill in each repeat, like generating."""
    extra = [at("generate", repeat).model_copy(update={"phase": "prefill"}) for repeat in range(10)]
    return replace(evidence, windows=(*evidence.windows, *extra))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"energy_wh": None}, "missing"),
        ({"energy_wh": None, "problem": "lost"}, "missing (lost)"),
        ({"energy_wh": math.nan}, "not a number"),
        ({"energy_wh": math.inf}, "infinite"),
        ({"energy_wh": -math.inf}, "infinite"),
        ({"energy_wh": -0.5}, "negative (-0.5 Wh)"),
        ({"energy_wh": -0.5, "problem": "reset"}, "negative (-0.5 Wh) (reset)"),
        ({"energy_wh": 6.6, "problem": "reset"}, "not to be trusted (reset)"),
        ({"energy_wh": 0.0}, "zero"),
        # No meter tells less from nothing.
        ({"energy_wh": 1e-15}, "zero"),
        ({"energy_wh": 1e-300}, "zero"),
    ],
)
def test_an_energy_that_cannot_be_is_named(changes: dict[str, Any], fault: str) -> None:
    (found,) = _found(change_readings(FOURTH, **changes))
    assert (found["severity"], found["phase"], found["repeat"], found["device"]) == ("fail", "generate", 4, NVML_GPU)
    assert found["found"] == f"the energy of {NVML_GPU} is {fault}, expected a positive one"
    (split,) = _found(_prefilled, change_readings(of_phase("prefill", 4), **changes))
    assert (split["severity"], split["phase"], SPLIT_ONLY in split["found"]) == ("warn", "prefill", True)


def test_the_least_energy_that_a_meter_can_tell_is_no_zero() -> None:
    found = _found(change_readings(FOURTH, energy_wh=2e-15))
    assert [each["found"][:6] for each in found] == ["0.00 x"]


def _on_cpu(*readings: MeterReading) -> list[Any]:
    """Findings of a run on a CPU in repeat 1 of which the answering window has other readings."""
    which = of_phase("forward", 1)
    windows = tuple(w.model_copy(update={"readings": readings}) if which(w) else w for w in cpu_evidence().windows)
    return findings(replace(cpu_evidence(), windows=windows), CHECK)


@pytest.mark.parametrize(("device", "name"), [("cpu", "CPU"), ("", "CPU"), ("package-0", "CPU package-0")])
def test_a_part_that_is_no_gpu_is_named_with_its_number_where_it_has_one(device: str, name: str) -> None:
    spoilt = _on_cpu(reading("cpu", 0.0, device=device), reading("ram", 1e-5))
    found = [each["found"] for each in spoilt if "device" in each]
    assert found == [f"the energy of {name} is zero, expected a positive one"]


def test_an_energy_that_one_repeat_lacks_is_named() -> None:
    # What fails is told first; such a run is noisy as well.
    lost = _on_cpu(reading("cpu", 1.6e-4))[0]
    assert (lost["severity"], lost["phase"], lost["repeat"]) == ("fail", "forward", 1)
    assert lost["found"] == "the energy of RAM is missing, expected that of CPU, RAM"


def test_a_gpu_that_one_window_lacks_is_named() -> None:
    first_alone = beside()(good_evidence())
    windows = tuple(
        w.model_copy(update={"readings": tuple(r for r in w.readings if r.device != OTHER_GPU)}) if FOURTH(w) else w
        for w in first_alone.windows
    )
    lost, *rest = findings(replace(first_alone, windows=windows), CHECK)
    assert lost["found"] == f"the energy of {OTHER_GPU} is missing, expected that of {NVML_GPU}, {OTHER_GPU}"
    assert (lost["severity"], lost["repeat"]) == ("fail", 4)
    # Half of the energy is gone with it.
    assert [each["found"][:6] for each in rest] == ["0.50 x"]


def test_a_gpu_that_a_meter_read_twice_is_named() -> None:
    answer = at("generate", 4)
    (own,) = [found for found in answer.readings if found.meter == "nvml" and found.component == "gpu"]
    halves = tuple(own.model_copy(update={"energy_wh": share * (own.energy_wh or 0.0)}) for share in (0.25, 0.75))
    (twice,) = _found(change_windows(FOURTH, readings=halves))
    assert (twice["severity"], twice["phase"], twice["repeat"]) == ("fail", "generate", 4)
    assert twice["found"] == f"{NVML_GPU} was read twice by one meter, expected once"


def test_a_prefill_that_was_not_measured_is_told_and_does_not_fail() -> None:
    (lost,) = _found(_prefilled, change_windows(of_phase("prefill", 4), readings=()))
    assert (lost["severity"], lost["phase"], lost["repeat"]) == ("warn", "prefill", 4)
    assert lost["found"].startswith(f"the energy of {NVML_GPU} is missing")
    assert SPLIT_ONLY in lost["found"]


def test_a_run_whose_meters_read_nothing_is_told_once() -> None:
    (found,) = _found(change_facts(run={"meters": ("zeus", "codemeter")}))
    assert found["severity"] == "fail"
    assert found["found"].startswith("no meter of the run (zeus, codemeter) read a GPU, or a CPU and RAM")
    (nothing,) = _found(without_windows(lambda _: True))
    assert nothing["found"].startswith("no repeat was measured")


LESS = "expected less than 1.5 x"
MORE = "expected more than 0.67 x"
TWICE = "a window counted twice, or two passes in one"
LOST = "a part of it was lost"


@pytest.mark.parametrize(
    ("usual_wh", "fourth_wh", "times", "told"),
    [
        # Energy: 1.5 times the median, or two thirds of it.
        (2000.0, 2999.0, 1.0, None),
        (2000.0, 3000.0, 1.0, (1.5, 1.0, f"{LESS}: {TWICE}")),
        (3000.0, 2001.0, 1.0, None),
        (3000.0, 2000.0, 1.0, (2 / 3, 1.0, f"{MORE}: {LOST}")),
        (2000.0, 3200.0, 1.0, (1.6, 1.0, f"{LESS}: {TWICE}")),
        # Power, where the energy is that of the others.
        (2000.0, 2000.0, 1.4, None),
        (2000.0, 2000.0, 1.75, (1.0, 1.75, f"0.57 x their mean power, {MORE}: {LOST}")),
        (2000.0, 2000.0, 0.7, None),
        (2000.0, 2000.0, 0.6, (1.0, 0.6, f"1.67 x their mean power, {LESS}: {TWICE}")),
        # Energy with its power: the pass was another one, and the meter worked.
        (2000.0, 2800.0, 1.4, None),
        (2000.0, 3200.0, 1.6, (1.6, 1.6, f"{LESS}: the machine was busy and the pass ran longer")),
        (2000.0, 1200.0, 0.6, (0.6, 0.6, f"{MORE}: the machine was busy during the others and this pass ran shorter")),
    ],
)
def test_a_window_is_strange_from_half_as_much_again(
    usual_wh: float, fourth_wh: float, times: float, told: tuple[float, float, str] | None
) -> None:
    found = _found(energies("generate", but_fourth(usual_wh, fourth_wh)), change_length(FOURTH, 60.0 * times))
    if told is None:
        assert found == []
        return
    (strange,) = found
    assert (strange["severity"], strange["phase"], strange["repeat"]) == ("fail", "generate", 4)
    energy_ratio, duration_ratio, text = told
    figures = strange["energy_wh"], strange["energy_ratio"], strange["duration_ratio"]
    assert figures == (fourth_wh, pytest.approx(energy_ratio), pytest.approx(duration_ratio))
    assert f"{energy_ratio:.2f} x the energy of the other repeats in {duration_ratio:.2f} x their" in strange["found"]
    assert text in strange["found"]


@pytest.mark.parametrize(("usual", "fourth", "factor"), [(1000, 2000, 2.0), (1, None, 1.0), (1, 0, 1.0)])
def test_windows_are_compared_by_the_energy_and_time_of_a_sample(usual: int, fourth: int | None, factor: float) -> None:
    found = _found(
        energies("generate", but_fourth(6.0, 6.0 * factor)),
        change_length(FOURTH, 60.0 * factor),
        change_windows(GENERATE, samples=usual),
        change_windows(FOURTH, samples=fourth),
    )
    assert found == []


@pytest.mark.parametrize(
    ("wh", "seconds", "ratios"),
    [
        ((2000.0, 4000.0), (60.0, 60.0), [(0.5, 1.0), (2.0, 1.0)]),
        ((2000.0, 4000.0), (60.0, 120.0), [(0.5, 0.5), (2.0, 2.0)]),
        ((2000.0, 2000.0), (60.0, 120.0), [(1.0, 0.5), (1.0, 2.0)]),
        ((2000.0, 2800.0), (60.0, 60.0), []),
    ],
)
def test_of_two_repeats_that_are_unlike_both_are_named(
    wh: tuple[float, float], seconds: tuple[float, float], ratios: list[tuple[float, float]]
) -> None:
    lengths = [change_length(of_phase("generate", repeat), length) for repeat, length in enumerate(seconds)]
    found = _found(without_windows(lambda w: (w.repeat or 0) > 1), energies("generate", wh), *lengths)
    assert [(each["energy_ratio"], each["duration_ratio"]) for each in found] == ratios
    assert [(each["severity"], each["repeat"]) for each in found] == [("fail", 0), ("fail", 1)][: len(ratios)]


def test_a_repeat_without_others_is_like_itself() -> None:
    assert _found(without_windows(lambda w: (w.repeat or 0) > 0)) == []


def test_windows_of_less_than_a_second_are_compared_and_those_of_no_time_are_not() -> None:
    (strange,) = _found(change_length(GENERATE, 0.5), energies("generate", but_fourth(6.0, 12.0)))
    assert (strange["severity"], strange["energy_ratio"]) == ("fail", 2.0)
    assert _found(change_length(FOURTH, 0.0)) == []


# Preparing takes 1 Wh of the 20 Wh of a query, a twentieth of it.
PREPARED = energies("generate", [19_000.0] * 10)


@pytest.mark.parametrize(
    ("fourth_wh", "seconds", "told"),
    [
        (2000.0, 20.0, False),
        (2001.0, 20.0, True),
        # In less than ten ticks a counter may not have moved.
        (6000.0, 1.0, True),
        (6000.0, 0.99, False),
    ],
)
def test_a_strange_preparation_is_told_where_it_moves_its_repeat_by_more_than_a_twentieth(
    fourth_wh: float, seconds: float, told: bool
) -> None:
    # Before it, one that is strange and moves too little.
    prepared = but_fourth(1000.0, fourth_wh)
    prepared[2] = 1800.0
    found = _found(PREPARED, energies("preprocess", prepared), change_length(of_phase("preprocess", 4), seconds))
    assert [(each["severity"], each["phase"], each["repeat"]) for each in found] == [("fail", "preprocess", 4)] * told


@pytest.mark.parametrize(("device", "note"), [("cuda", True), ("cpu", False)])
def test_a_strange_prefill_is_told_and_does_not_fail(device: str, note: bool) -> None:
    doubled = energies("prefill", but_fourth(6.0, 12.0))
    (strange,) = _found(_prefilled, doubled, change_facts(run={"device": device}))
    assert (strange["severity"], strange["phase"], strange["repeat"]) == ("warn", "prefill", 4)
    assert f"2.00 x their mean power, {LESS}: {TWICE}" in strange["found"]
    assert (SPLIT_ONLY in strange["found"]) is note


def test_what_is_strange_beside_a_model_on_the_cpu_is_told_and_does_not_fail() -> None:
    on_cpu = change_facts(run={"device": "cpu"})
    (strange,) = _found(energies("generate", but_fourth(6.0, 12.0)), on_cpu)
    assert (strange["severity"], strange["repeat"]) == ("warn", 4)


def test_the_message_of_a_good_run_counts_the_windows_of_its_repeats() -> None:
    assert "all energies of 20 windows" in check_of(good_evidence(), CHECK).message
