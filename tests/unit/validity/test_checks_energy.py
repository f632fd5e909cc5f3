"""Energies that a check must find, and those that look like a fault and are none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scorekit.units import joules_to_wh
from tests.bundles import NVML_GPU, reading
from tests.evidence import (
    at,
    change_counter,
    change_energy,
    change_readings,
    change_windows,
    check_of,
    cpu_evidence,
    good_evidence,
    of_phase,
)
from tests.unit.validity.spoilt.changes import change_length


def test_the_energy_of_a_cpu_must_be_positive_too() -> None:
    evidence = cpu_evidence()
    spoilt = tuple(
        w.model_copy(update={"readings": (reading("cpu", 0.0), reading("ram", 1e-5))}) if w.phase == "forward" else w
        for w in evidence.windows
    )
    check = check_of(replace(evidence, windows=spoilt), "energy_positive")
    assert check.severity == "fail"
    assert "repeats 0, 1, 2, phase forward: the energy of CPU is zero" in check.message


def test_of_two_repeats_nobody_can_tell_which_is_the_doubled_one() -> None:
    two = replace(
        good_evidence(), windows=tuple(w for w in good_evidence().windows if w.repeat is None or w.repeat < 2)
    )
    check = check_of(change_energy(of_phase("generate", 1), 2.0)(two), "energy_positive")
    assert check.severity == "fail"
    assert "repeat 0, phase generate: 0.50 x" in check.message
    assert "repeat 1, phase generate: 2.0" in check.message


@pytest.mark.parametrize(
    ("phase", "seconds", "tick_s", "origin", "told"),
    [
        ("preprocess", 0.5, 0.1, "measured", False),
        # Ten ticks: in so long the counter must have moved.
        ("preprocess", 1.0, 0.1, "measured", True),
        ("preprocess", 0.5, 0.05, "measured", True),
        # Where the tick was not found out it is taken for 0.1 s.
        ("preprocess", 0.5, None, "measured", False),
        ("preprocess", 1.0, None, "measured", True),
        ("preprocess", 0.5, 0.1, "modelled", True),
        ("generate", 0.5, 0.1, "measured", True),
    ],
)
def test_a_zero_is_honest_only_where_a_counter_has_not_ticked_yet(
    phase: str, seconds: float, tick_s: float | None, origin: str, told: bool
) -> None:
    first = of_phase(phase, 0)
    evidence = change_counter(first, tick_s=tick_s)(
        change_readings(first, energy_wh=0.0, origin=origin)(good_evidence())
    )
    assert ("is zero" in check_of(change_length(first, seconds)(evidence), "energy_positive").message) is told


@pytest.mark.parametrize(("factor", "told"), [(1.8, False), (2.0, True), (0.5, False), (0.3, False), (0.05, True)])
def test_a_strange_preparation_is_told_where_it_moves_its_repeat_by_a_twentieth(factor: float, told: bool) -> None:
    # Preparing takes 0.39 Wh of the 7.04 Wh of a repeat, a twentieth of which is 0.35 Wh.
    check = check_of(change_energy(of_phase("preprocess", 2), factor)(good_evidence()), "energy_positive")
    assert ("repeat 2, phase preprocess" in check.message) is told
    assert check.severity == ("fail" if told else "info")


def test_a_strange_preparation_of_unknown_weight_is_not_told() -> None:
    second = of_phase("preprocess", 2)
    spoilt = change_energy(second, 6.0)(good_evidence())
    uncounted = change_windows(second, samples=None)(spoilt)
    unanswered = replace(spoilt, windows=tuple(w for w in spoilt.windows if w.phase != "generate"))
    for evidence in (uncounted, unanswered):
        assert "phase preprocess" not in check_of(evidence, "energy_positive").message


def test_a_window_of_more_energy_and_far_less_power_has_lost_a_part() -> None:
    fourth = of_phase("generate", 4)
    longer = change_length(fourth, 3 * at("generate", 4).duration_s)(change_energy(fourth, 1.2)(good_evidence()))
    told = "0.40 x their mean power, expected more than 0.67 x: a part of it was lost"
    assert told in check_of(longer, "energy_positive").message


def test_each_gpu_is_held_to_its_own_limits() -> None:
    answer = at("generate", 4)
    (own,) = [found for found in answer.readings if found.meter == "nvml" and found.component == "gpu"]
    limit = own.model_copy(update={"energy_wh": joules_to_wh(719 * answer.duration_s)})
    other = own.model_copy(update={"device": "GPU-b", "energy_wh": joules_to_wh(800 * answer.duration_s)})
    evidence = change_windows(of_phase("generate", 4), readings=(other, limit))(good_evidence())
    message = check_of(evidence, "power_plausible").message
    assert f"{NVML_GPU} took 719 W" in message
    assert "took 800 W" not in message


def test_a_gpu_that_the_meter_names_by_its_number_is_known_by_its_uuid() -> None:
    numbered = change_readings(lambda _: True, device="0")(good_evidence())
    assert check_of(numbered, "only_used_gpus").passed is True


@pytest.mark.parametrize(
    ("device", "by_hand", "severity"),
    [("cpu", True, "warn"), ("cpu", False, "fail"), ("cuda", True, "fail"), ("cuda", False, "fail")],
)
def test_an_unused_gpu_is_mild_only_where_it_was_named_beside_a_model_on_the_cpu(
    device: str, by_hand: bool, severity: str
) -> None:
    facts = good_evidence().environment
    run = facts.run.model_copy(update={"device": device, "gpus_by_hand": by_hand})
    spoilt = replace(good_evidence(), environment=facts.model_copy(update={"torch_gpus": (), "run": run}))
    assert check_of(spoilt, "only_used_gpus").severity == severity


def test_a_zero_of_a_cpu_is_never_honest() -> None:
    nothing = reading("cpu", 0.0).model_copy(update={"origin": "measured"})
    evidence = change_windows(of_phase("preprocess", 1), readings=(nothing, reading("ram", 1e-7)))(cpu_evidence())
    assert "repeat 1, phase preprocess: the energy of CPU is zero" in check_of(evidence, "energy_positive").message


def test_preparing_may_be_too_short_for_the_counter() -> None:
    short = of_phase("preprocess")
    evidence = change_length(short, 0.01)(change_readings(short, energy_wh=0.0)(good_evidence()))
    assert check_of(evidence, "energy_positive").passed is True
    assert check_of(evidence, "window_length").passed is True
    assert check_of(change_length(short, 0.01)(good_evidence()), "power_plausible").passed is True


def test_a_prefill_that_took_as_much_as_generating_is_told_and_does_not_fail() -> None:
    windows = list(good_evidence().windows)
    for repeat in range(10):
        answer = at("generate", repeat)
        windows.append(answer.model_copy(update={"phase": "prefill", "output_tokens": 1000}))
    evidence = change_energy(of_phase("prefill", 3), 2.0)(replace(good_evidence(), windows=tuple(windows)))
    check = check_of(evidence, "energy_positive")
    assert (check.severity, "repeat 3, phase prefill" in check.message) == ("warn", True)
