"""The views of a run that its checks share, at their edges: runs whose figures are worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from scorekit.records import MeterReading, Window
from scorekit.units import joules_to_wh
from scorekit.validity import Evidence
from scorekit.validity.evidence import mean, mean_power_w
from tests.bundles import NVML_GPU, environment, reading, window
from tests.evidence import (
    OTHER_GPU,
    at,
    change_counter,
    change_energy,
    change_facts,
    change_readings,
    change_states,
    change_windows,
    cpu_evidence,
    good_evidence,
    of_phase,
)
from tests.serving_runs import serving_environment, serving_window

FOURTH = of_phase("generate", 4)


def run(windows: Sequence[Window], **facts: Any) -> Evidence:
    return Evidence(environment(run=facts), tuple(windows))


def of_gpu(phase: str, repeat: int | None, energy_wh: float | None, **changes: Any) -> Window:
    return window(phase, repeat, [reading("gpu", 0.0).model_copy(update={"energy_wh": energy_wh})], **changes)


def test_windows_are_told_by_repeat_in_whatever_order_they_were_written() -> None:
    shuffled = replace(good_evidence(), windows=tuple(reversed(good_evidence().windows)))
    assert [answer.repeat for answer in shuffled.answers] == list(range(10))
    assert [preparation.repeat for preparation in shuffled.preparations] == list(range(10))


def test_readings_are_those_of_the_first_meter_also_in_a_window_of_another_run() -> None:
    evidence = good_evidence()
    for answer in (at("generate", 4), at("generate", 4).model_copy()):
        assert [found.meter for found in evidence.readings(answer)] == ["nvml"]
        assert [found.meter for found in evidence.readings(answer, "cpu")] == ["codecarbon"]
        assert evidence.readings(answer) == evidence.readings(answer, "gpu")
    assert evidence.readings(at("generate", 4).model_copy(update={"readings": ()}), "ram") == ()


@pytest.mark.parametrize(
    ("energies", "whole"),
    [
        ((2.5,), 2.5),
        ((2.5, 0.25), 2.75),
        ((2.5, 0.0), 2.5),
        ((0.0,), 0.0),
        ((), None),
        ((None,), None),
        ((2.5, None), None),
        ((2.5, math.nan), None),
        ((2.5, math.inf), None),
        ((2.5, -math.inf), None),
        ((2.5, -0.25), None),
    ],
)
def test_the_energy_of_a_window_is_that_of_all_its_gpus_or_none(
    energies: tuple[float | None, ...], whole: float | None
) -> None:
    readings = tuple(reading("gpu", 0.0, meter="nvml").model_copy(update={"energy_wh": wh}) for wh in energies)
    evidence = change_windows(FOURTH, readings=readings)(good_evidence())
    assert evidence.energy_wh(evidence.answers[4]) == whole


def test_without_a_gpu_the_energy_is_that_of_cpu_and_ram() -> None:
    evidence = cpu_evidence()
    assert evidence.energy_wh(evidence.answers[0]) == pytest.approx(1e-4 + 1e-5)


@pytest.mark.parametrize(
    ("prepared", "answered", "asked", "query_wh"),
    [
        ((0.5, 500), (9.5, 1000), 1000, 0.5 / 500 + 9.5 / 1000),
        # What was prepared is all the samples, where nobody counted them.
        ((0.5, None), (9.5, 1000), 500, 0.5 / 500 + 9.5 / 1000),
        ((0.5, None), (9.5, 1), 1, 0.5 + 9.5),
        ((0.5, None), (9.5, 1000), 0, 0.5 + 9.5 / 1000),
        ((0.5, 1), (9.5, 1), 1000, 0.5 + 9.5),
        ((0.0, 1000), (9.5, 1000), 1000, 9.5 / 1000),
    ],
)
def test_the_energy_of_a_query_is_that_of_preparing_and_answering_it(
    prepared: tuple[float, int | None], answered: tuple[float, int], asked: int, query_wh: float
) -> None:
    windows = [
        of_gpu(phase, 0, energy_wh, samples=samples)
        for phase, (energy_wh, samples) in (("preprocess", prepared), ("generate", answered))
    ]
    assert run(windows, num_samples=asked).repeats_wh_per_query() == pytest.approx({0: query_wh})


@pytest.mark.parametrize(
    "first",
    [
        [of_gpu("preprocess", 0, 0.5)],
        [of_gpu("generate", 0, 9.5)],
        [of_gpu("preprocess", 0, None), of_gpu("generate", 0, 9.5)],
        [of_gpu("preprocess", 0, 0.5), of_gpu("generate", 0, None)],
        [of_gpu("preprocess", 0, 0.5), of_gpu("generate", 0, 0.0)],
        [of_gpu("preprocess", 0, 0.5), of_gpu("generate", 0, 9.5, samples=None)],
        [of_gpu("preprocess", 0, 0.5), of_gpu("generate", 0, 9.5, samples=0)],
    ],
)
def test_a_repeat_that_lacks_a_term_has_no_energy_and_the_next_one_has(first: list[Window]) -> None:
    second = [of_gpu("preprocess", 1, 0.5), of_gpu("generate", 1, 9.5)]
    assert run([*first, *second]).repeats_wh_per_query() == pytest.approx({1: 0.01})


@pytest.mark.parametrize(("energy_wh", "samples"), [(8.0, 0), (8.0, None), (0.0, 4), (None, 4)])
def test_of_any_code_a_window_is_the_whole_repeat(energy_wh: float | None, samples: int | None) -> None:
    windows = [of_gpu("generate", 0, energy_wh, samples=samples), of_gpu("generate", 1, 8.0, samples=4)]
    assert run(windows).repeats_wh_per_query() == {1: 2.0}


@pytest.mark.parametrize(
    "changes",
    [
        {"readings": (reading("gpu", 0.0),)},
        {"readings": (reading("gpu", 0.0).model_copy(update={"energy_wh": None}),)},
        {"served": None},
    ],
)
def test_of_a_server_a_query_is_a_share_of_what_was_served(changes: dict[str, Any]) -> None:
    first = serving_window(0, 12.0).model_copy(update=changes)
    evidence = Evidence(serving_environment(), (first, serving_window(1, 12.0)))
    assert evidence.repeats_wh_per_query() == pytest.approx({1: 12.0 / 1600})


def test_a_gpu_is_known_by_uuid_and_by_number() -> None:
    evidence = good_evidence()
    assert evidence.facts(NVML_GPU) == evidence.facts("0") == evidence.environment.gpus[0]
    assert evidence.facts(OTHER_GPU) is None
    assert evidence.states_of(OTHER_GPU) == ()


def test_a_window_holds_its_first_and_its_last_moment() -> None:
    evidence, answer = good_evidence(), at("generate", 4)
    for t_s in (answer.start_monotonic_s, answer.end_monotonic_s):
        assert evidence.window_at(t_s) == answer
    for t_s in (answer.start_monotonic_s - 1e-3, answer.end_monotonic_s + 1e-3):
        assert evidence.window_at(t_s) is None


def _two_gpus(window: Window, other_tick_s: float | None) -> tuple[MeterReading, ...]:
    (own,) = [found for found in window.readings if found.meter == "nvml"]
    assert own.counter is not None
    counter = None if other_tick_s is None else own.counter.model_copy(update={"tick_s": other_tick_s})
    return own.model_copy(update={"device": OTHER_GPU, "counter": counter, "energy_wh": 0.25}), own


def test_each_gpu_has_its_own_tick() -> None:
    ticking = change_counter(FOURTH, tick_s=0.02)(good_evidence())
    answer = ticking.answers[4]
    for other_tick_s in (0.5, None):
        evidence = change_windows(FOURTH, readings=_two_gpus(answer, other_tick_s))(ticking)
        assert evidence.tick_s(evidence.answers[4], NVML_GPU) == 0.02
        assert evidence.tick_s(evidence.answers[4], OTHER_GPU) == other_tick_s
    assert ticking.tick_s(answer, OTHER_GPU) is None


@pytest.mark.parametrize(
    ("before", "after", "idle_w"), [(1.0, 1.0, 100.0), (1.0, 0.5, 50.5), (0.5, 1.0, 50.0), (2.0, 1.0, 101.0)]
)
def test_idle_power_is_the_lower_of_before_and_after(before: float, after: float, idle_w: float) -> None:
    evidence = change_energy(of_phase("idle_before"), before)(good_evidence())
    evidence = change_energy(of_phase("idle_after"), after)(evidence)
    assert evidence.idle_power_w(NVML_GPU) == pytest.approx(idle_w)


def test_idle_power_is_each_gpus_own_and_the_mean_of_its_windows() -> None:
    first = at("idle_before", None)
    evidence = change_windows(of_phase("idle_before"), readings=_two_gpus(first, None))(good_evidence())
    assert evidence.mean_idle_w("idle_before", NVML_GPU) == pytest.approx(100.0)
    assert evidence.mean_idle_w("idle_before", OTHER_GPU) == pytest.approx(0.25 * 3600 / 20)
    second = change_energy(of_phase("idle_before"), 1.5)(good_evidence()).idle("idle_before")
    twice = replace(good_evidence(), windows=(*good_evidence().windows, *second))
    assert twice.mean_idle_w("idle_before", NVML_GPU) == pytest.approx(125.0)


def test_of_a_gpu_that_did_not_idle_no_power_is_known() -> None:
    busy = replace(good_evidence(), windows=tuple(w for w in good_evidence().windows if w.repeat is not None))
    assert busy.idle_power_w(NVML_GPU) is None
    unread = change_readings(of_phase("idle_before"), energy_wh=None)(good_evidence())
    assert unread.idle_power_w(NVML_GPU) == pytest.approx(101.0)


@pytest.mark.parametrize(
    ("energy_wh", "seconds", "power_w"),
    [
        (joules_to_wh(30.0), 0.5, 60.0),
        (1.0, 3600.0, 1.0),
        (0.0, 10.0, 0.0),
        (1.0, 0.0, None),
        (1.0, -1.0, None),
        (None, 10.0, None),
        (math.nan, 10.0, None),
        (math.inf, 10.0, None),
    ],
)
def test_the_mean_power_of_a_reading(energy_wh: float | None, seconds: float, power_w: float | None) -> None:
    made = of_gpu("generate", 0, energy_wh, start_monotonic_s=100.0, end_monotonic_s=100.0 + seconds)
    assert mean_power_w(made, made.readings[0]) == (None if power_w is None else pytest.approx(power_w))


def test_the_mean_of_nothing_is_nothing() -> None:
    assert mean([]) is None
    assert mean([0.0]) == 0.0
    assert mean([1.0, 2.0, 6.0]) == 3.0


def test_a_limit_that_was_not_recorded_is_none_of_the_limits() -> None:
    evidence = change_states(lambda state: state.repeat is not None, power_limit_w=None)(good_evidence())
    assert evidence.limits_w(NVML_GPU) == [700.0, 700.0]
    assert evidence.limits_w(OTHER_GPU) == []


def test_moments_lack_a_fact_where_one_of_those_asked_for_is_missing() -> None:
    evidence = change_states(lambda state: state.repeat == 3, ecc=None)(good_evidence())
    evidence = change_states(lambda state: state.when == "end", mig=None)(evidence)
    assert evidence.moments_without(NVML_GPU, "ecc", "mig") == ["repeat 3", "the end"]
    assert evidence.moments_without(NVML_GPU, "power_limit_w") == []
    assert len(evidence.moments_without(OTHER_GPU, "ecc")) == 12


def test_samples_are_a_gpus_own() -> None:
    assert good_evidence().trace_of(NVML_GPU) is not None
    assert good_evidence().trace_of(OTHER_GPU) is None
    assert replace(good_evidence(), trace=None).trace_of(NVML_GPU) is None


@pytest.mark.parametrize(
    ("asked", "official", "must_tell"),
    [
        ({}, True, True),
        # CodeCarbon records nothing of how it read its counter.
        ({"meters": ("codecarbon",)}, True, False),
        ({"runs": 9}, False, False),
        ({"num_samples": 999}, False, False),
        ({"device": "cpu"}, False, False),
    ],
)
def test_a_run_that_claims_the_protocol_must_tell_all_if_our_meter_made_it(
    asked: dict[str, Any], official: bool, must_tell: bool
) -> None:
    evidence = change_facts(run=asked)(good_evidence())
    assert (evidence.official, evidence.must_tell) == (official, must_tell)
