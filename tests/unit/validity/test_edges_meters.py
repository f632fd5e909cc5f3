"""Two meters, the sampler and the origins at the bounds of their checks, in runs with figures worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from scorekit.records import Check, CounterEvidence, MeterReading, Window
from scorekit.validity import DeviceTrace, Evidence, PowerTrace
from tests.bundles import NVML_GPU, environment, reading, window
from tests.evidence import (
    FACTS,
    OTHER_GPU,
    Change,
    change_facts,
    change_readings,
    change_windows,
    check_of,
    cpu_evidence,
    good_evidence,
)
from tests.unit.validity.spoilt.changes import FOURTH

TICK_S = 0.125
SIDES = "(the sampled power sides with nvml)"


def counter(tick_s: float | None) -> CounterEvidence:
    return CounterEvidence(
        tick_s=tick_s, ticks_seen=9, before_start=(), after_start=(), before_end=(), after_end=(), decreased=False,
        failed_reads=0, reads=9, longest_gap_s=0.0, longest_still_s=0.0,
    )  # fmt: skip


def answer(
    repeat: int, mine_wh: float, other_wh: float | None, seconds: float, tick_s: float | None = TICK_S
) -> Window:
    """One answering window from 64 s on, read by two meters."""
    mine = reading("gpu", mine_wh, meter="nvml", counter=counter(tick_s))
    readings = [mine] if other_wh is None else [mine, reading("gpu", other_wh)]
    return window("generate", repeat, readings, start_monotonic_s=64.0, end_monotonic_s=64.0 + seconds)


def agreement(*windows: Window, trace: PowerTrace | None = None) -> Check:
    facts = environment(gpus=(FACTS,), run={"meters": ("nvml", "codecarbon"), "runs": len(windows)})
    return check_of(Evidence(facts, windows, trace=trace), "meters_agree")


ALLOWED = 0.01 + 2 * TICK_S / 0.5
LEAST_WH = 1 - ALLOWED
"""What the other meter may give at the least, where ours gives 1 Wh."""


@pytest.mark.parametrize(("other_wh", "passed"), [(LEAST_WH, True), (LEAST_WH - 2**-53, False)])
def test_meters_may_differ_by_one_percent_and_two_ticks(other_wh: float, passed: bool) -> None:
    check = agreement(answer(0, 1.0, other_wh, 4 * TICK_S))
    assert check.passed is passed
    assert check.details["worst_relative"] == pytest.approx(0.51)
    if not passed:
        assert "codecarbon gives 0.49 Wh" in check.message
        assert "nvml 1 Wh, expected them within 51.0%" in check.message


@pytest.mark.parametrize(("tick_s", "allowed"), [(0.02, "9.0%"), (0.125, "51.0%"), (None, "41.0%")])
def test_the_ticks_are_those_of_the_run_or_a_tenth_of_a_second(tick_s: float | None, allowed: str) -> None:
    message = agreement(answer(0, 1.0, 3.0, 0.5, tick_s)).message
    assert f"repeat 0, phase generate: codecarbon gives 3 Wh for {NVML_GPU}, nvml 1 Wh" in message
    assert f"expected them within {allowed}" in message


def test_in_fewer_than_four_ticks_two_meters_say_nothing_of_each_other() -> None:
    short = answer(0, 1.0, 3.0, 4 * TICK_S - 0.001)
    check = agreement(short)
    assert (check.passed, check.severity) == (None, "info")
    assert "shorter than 4 ticks" in check.message
    check = agreement(short, answer(1, 1.0, 1.25, 4.0))
    assert (check.severity, check.details["worst_relative"]) == ("fail", 0.25)
    assert "repeat 0" not in check.message
    assert agreement(short, answer(1, 1.0, 1.0, 4.0)).passed is True
    # With one meter alone somewhere, that is what should be told.
    assert "cannot be judged: only one meter (nvml)" in agreement(short, answer(1, 1.0, None, 4.0)).message


@pytest.mark.parametrize(
    ("other_wh", "severity"),
    [
        # 60 W for 60 s are 1 Wh. Ours is 1/64 Wh above, within what samples allow for.
        (1 - 1 / 64, "fail"),
        (1 - 1 / 64 - 0.001, "warn"),
        (1 - 1 / 64 + 0.001, "fail"),
    ],
)
def test_sampled_power_sides_with_the_meter_that_is_nearer_to_it(other_wh: float, severity: str) -> None:
    times = [0.5 * number for number in range(400)]
    trace = PowerTrace({NVML_GPU: DeviceTrace(times, [60.0] * len(times))}, 0.5)
    check = agreement(answer(0, 1 + 1 / 64, other_wh, 60.0), trace=trace)
    assert check.severity == severity
    assert (SIDES in check.message) is (severity == "warn")


@pytest.mark.parametrize(("other_wh", "severity"), [(0.852, "fail"), (0.850, "warn")])
def test_sampled_power_with_a_gap_sides_with_a_meter_that_is_nearer_whatever_happened_in_it(
    other_wh: float, severity: str
) -> None:
    # Two seconds of up to 120 W are open: the energy by the samples is 1 Wh, or 1/15 Wh more or less.
    times = [0.5 * number for number in range(400) if not 120 < 0.5 * number < 122]
    trace = PowerTrace({NVML_GPU: DeviceTrace(times, [60.0] * len(times))}, 0.5)
    check = agreement(answer(0, 1 + 1 / 64, other_wh, 60.0), trace=trace)
    assert check.severity == severity
    assert (SIDES in check.message) is (severity == "warn")


def test_sampled_power_does_not_side_with_a_meter_that_is_off_by_more() -> None:
    # Ours is 2 % off, which samples allow for, and the other one 0.2 %.
    check = check_of(change_readings(FOURTH, energy_wh=lambda old: old * 1.02)(good_evidence()), "meters_agree")
    assert check.severity == "fail"
    assert SIDES not in check.message


@pytest.mark.parametrize(("energy_wh", "told"), [(None, "no energy"), (math.nan, "nan Wh"), (math.inf, "inf Wh")])
def test_a_meter_without_an_energy_does_not_agree(energy_wh: float | None, told: str) -> None:
    spoilt = change_readings(FOURTH, "codecarbon", energy_wh=energy_wh)(good_evidence())
    for evidence, severity in ((spoilt, "warn"), (replace(spoilt, trace=None), "fail")):
        check = check_of(evidence, "meters_agree")
        assert (check.passed, check.severity) == (False, severity)
        assert f"repeat 4, phase generate: codecarbon gives {told} for" in check.message
        assert check.details["worst_relative"] == "inf"


def test_our_meter_without_an_energy_agrees_with_nothing() -> None:
    check = check_of(change_readings(FOURTH, energy_wh=0.0)(good_evidence()), "meters_agree")
    assert check.severity == "fail"
    assert "nvml 0 Wh" in check.message
    for energy_wh in (None, math.nan, math.inf):
        check = check_of(change_readings(FOURTH, energy_wh=energy_wh)(good_evidence()), "meters_agree")
        assert check.severity == "warn"
        assert "only one meter read the GPU in repeat 4, phase generate (codecarbon)" in check.message


def _two_gpus(evidence: Evidence) -> Evidence:
    """A second GPU of three times the energy, by both meters."""

    def both(found: MeterReading) -> tuple[MeterReading, ...]:
        if found.component != "gpu" or found.energy_wh is None:
            return (found,)
        return found, found.model_copy(update={"device": OTHER_GPU, "energy_wh": 3 * found.energy_wh})

    windows = tuple(
        w.model_copy(update={"readings": tuple(each for found in w.readings for each in both(found))})
        for w in evidence.windows
    )
    return replace(evidence, windows=windows)


@pytest.mark.parametrize(
    "change",
    [
        change_readings(lambda _: True, "codecarbon", device="0"),
        change_readings(lambda _: True, "nvml", device="0"),
        change_facts(gpus=()),
        _two_gpus,
    ],
)
def test_readings_of_one_gpu_are_compared_whatever_it_is_called(change: Change) -> None:
    check = check_of(change(good_evidence()), "meters_agree")
    assert check.passed is True, check.message
    assert "nvml, codecarbon agree, 0.2% apart at most" in check.message


def sampled(times: Sequence[float], *seconds: float, period_s: float = 0.5) -> Check:
    """The check of a sampler with a period of 0.5 s, over windows of some length from 0 s on."""
    windows = [
        window("generate", repeat, [reading("gpu", 1.0)], start_monotonic_s=0.0, end_monotonic_s=length_s)
        for repeat, length_s in enumerate(seconds)
    ]
    trace = PowerTrace({NVML_GPU: DeviceTrace(times, [60.0] * len(times))}, period_s, 0.0, 1000.0)
    return check_of(Evidence(environment(gpus=(FACTS,)), tuple(windows), trace=trace), "sampler_kept_up")


EVERY = [0.5 * number for number in range(101)]


@pytest.mark.parametrize(
    ("times", "missed"),
    [
        (EVERY, 0.0),
        # Of the hundred samples that are due in 50 s.
        ([t_s for t_s in EVERY if not 20 < t_s < 23], 0.05),
        ([t_s for t_s in EVERY if not 20 < t_s < 23.5], 0.06),
        ([t_s for t_s in EVERY if t_s not in (10, 12, 14, 16, 18, 20)], 0.06),
        # Late by half a period is not missed.
        ([t_s + (0.25 if t_s % 2 == 0.5 else 0.0) for t_s in EVERY], 0.0),
    ],
)
def test_a_sampler_may_miss_a_twentieth(times: list[float], missed: float) -> None:
    check = sampled(times, 50.0)
    assert check.details["missed"] == pytest.approx(missed)
    assert check.passed is (missed <= 0.05)
    if missed > 0.05:
        assert (check.severity, f"6.0% of the samples of {NVML_GPU} were missed" in check.message) == ("warn", True)
    else:
        assert f"{missed:.1%} of the samples were missed; sampling took 0.00% of a core" in check.message


@pytest.mark.parametrize(("period_s", "missed"), [(0.5, 0.75), (1.0, 0.5), (2.0, 0.5), (60.0, 0.5)])
def test_a_period_of_more_than_a_second_misses_what_lies_between(period_s: float, missed: float) -> None:
    assert sampled(EVERY[::4], 50.0, period_s=period_s).details["missed"] == pytest.approx(missed)


@pytest.mark.parametrize(
    ("seconds", "missed"),
    [
        ((10.0,), 0.95),
        # Fewer than 20 samples tell no share.
        ((9.99,), 0.0),
        ((5.0, 10.0), 0.95),
        ((10.0, 5.0, 10.0), 0.95),
    ],
)
def test_a_share_is_told_of_windows_of_twenty_samples(seconds: tuple[float, ...], missed: float) -> None:
    assert sampled([-1.0, 1000.0], *seconds).details["missed"] == pytest.approx(missed)


def _trace(**changes: Any) -> Evidence:
    trace = good_evidence().trace
    assert trace is not None
    return replace(good_evidence(), trace=replace(trace, **changes))


@pytest.mark.parametrize(
    ("changes", "severity", "words"),
    [
        ({"sampler_cpu_s": 5.0}, "info", "0.0% of the samples were missed; sampling took 0.50% of a core"),
        ({"sampler_cpu_s": 5.1}, "warn", "sampling took 0.51% of a core, expected at most 0.5%"),
        ({"sampler_wall_s": None}, "warn", "cannot be judged: the sampler's own CPU time was not recorded"),
        ({"sampler_wall_s": 0.0}, "warn", "cannot be judged: the sampler's own CPU time was not recorded"),
        ({"period_s": None}, "warn", "cannot be judged: power was not sampled"),
        (
            {"devices": {}},
            "warn",
            f"100.0% of the samples of {NVML_GPU} were missed within windows, expected at most 5%",
        ),
        ({"devices": {}, "sampler_cpu_s": None}, "warn", f"100.0% of the samples of {NVML_GPU} were missed"),
    ],
)
def test_what_sampling_took(changes: dict[str, Any], severity: str, words: str) -> None:
    check = check_of(_trace(**changes), "sampler_kept_up")
    assert (check.passed, check.severity) == (severity == "info", severity)
    assert words in check.message


def test_what_was_missed_is_told_also_where_the_samplers_time_was_not_recorded() -> None:
    details = check_of(_trace(devices={}, sampler_cpu_s=None), "sampler_kept_up").details
    assert (details["missed"], details["overhead"]) == (1.0, None)


def _of(component: str, **changes: Any) -> Change:
    def change(evidence: Evidence) -> Evidence:
        windows = tuple(
            w.model_copy(
                update={
                    "readings": tuple(
                        found.model_copy(update=changes if found.component == component else {}) for found in w.readings
                    )
                }
            )
            for w in evidence.windows
        )
        return replace(evidence, windows=windows)

    return change


@pytest.mark.parametrize(
    ("change", "passed", "words"),
    [
        (_of("ram", origin="unknown"), False, "the energy of RAM (constant) does not say whether it was measured"),
        (_of("cpu", origin="unknown", source=None), False, "the energy of CPU (source not told) does not say"),
        (_of("cpu", origin="measured", source="rapl"), True, "CPU measured (rapl), RAM modelled (constant)"),
        (_of("gpu", origin="unknown"), True, "CPU modelled (constant), RAM modelled (constant)"),
        (change_windows(lambda _: True, readings=()), None, "no energy of CPU or RAM was read"),
    ],
)
def test_where_the_energy_of_cpu_and_ram_is_from(change: Change, passed: bool | None, words: str) -> None:
    check = check_of(change(good_evidence()), "origin_tagged")
    assert (check.passed, check.severity) == (passed, "warn" if passed is False else "info")
    assert words in check.message


def test_without_a_gpu_there_is_nothing_to_compare_or_sample() -> None:
    for name in ("meters_agree", "sampler_kept_up"):
        check = check_of(cpu_evidence(), name)
        assert check.passed is None
        assert "no GPU was measured" in check.message
