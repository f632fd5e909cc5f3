"""Checks that hold for any code, over evidence that is made up; and what they say to whoever writes Python."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from scorekit.api.wording import check_in_python
from scorekit.records import Window
from scorekit.validity import OF_CODE, Evidence, code, conditions, energy, judge
from tests.bundles import environment, reading, window
from tests.evidence import at, change_trace, change_windows, good_evidence, of_phase, unofficial


def cpu(duration_s: float, meter: str, source: str) -> Evidence:
    found = [
        reading(part, 0.1).model_copy(update={"meter": meter, "source": source, "origin": "measured"})
        for part in ("cpu", "ram")
    ]
    made = environment()
    run = made.run.model_copy(update={"kind": "call", "meters": (meter,), "task": None})
    return Evidence(made.model_copy(update={"run": run}), (lasting(window("call", 0, found), duration_s),))


def lasting(made: Window, duration_s: float) -> Window:
    return made.model_copy(update={"end_monotonic_s": made.start_monotonic_s + duration_s})


@pytest.mark.parametrize(
    ("meter", "source", "duration_s", "expected"),
    [
        ("rapl", "rapl", 0.05, "shorter than 0.1 s, which rapl needs"),
        ("rapl", "rapl", 0.2, None),
        ("codecarbon", "cpu_load", 0.5, "shorter than 1 s, which codecarbon needs"),
        ("codecarbon", "cpu_load", 1.5, None),
        ("somebodys", "other", 0.001, None),
    ],
)
def test_a_window_too_short_for_its_meter_is_told_with_the_length_it_needs(
    meter: str, source: str, duration_s: float, expected: str | None
) -> None:
    check = check_in_python(code.window_length(cpu(duration_s, meter, source)))
    assert check.passed is (expected is None)
    if expected is not None:
        assert check.severity == "warn"
        assert expected in check.message
        assert "for a function min_window_s draws it out" in check.message
        assert check.message.endswith(check.mends[-1])


def test_a_window_of_a_gpu_is_judged_by_its_ticks() -> None:
    assert code.window_length(good_evidence()).passed
    short = change_windows(of_phase("generate", 0), end_monotonic_s=at("generate", 0).start_monotonic_s + 1)
    check = check_in_python(code.window_length(short(unofficial(good_evidence()))))
    assert check.passed is False
    assert "10 ticks of the counter, expected at least 100" in check.message
    assert "windows of 10 s are long enough" in check.message.lower()
    assert check.message.endswith("for a function min_window_s=10 does")


@pytest.mark.parametrize(("percent", "passed"), [(90.0, True), (0.0, False), (math.nan, None)])
def test_an_energy_of_gpus_that_did_nothing_is_not_the_code_s(percent: float, passed: bool | None) -> None:
    check = check_in_python(
        code.only_used_gpus(change_trace("utilization_percent", lambda *_: percent)(good_evidence()))
    )
    assert check.passed is passed
    if passed is False:
        assert check.severity == "fail"
        assert "no GPU that is counted had anything to do" in check.message
        assert "gpus=[0]" in check.message


def test_work_too_short_to_be_seen_in_the_utilization_is_no_fault() -> None:
    idle = change_trace("utilization_percent", lambda *_: 0.0)(good_evidence())
    short = replace(idle, windows=tuple(lasting(window, 0.5) for window in idle.windows))
    check = code.only_used_gpus(short)
    assert (check.passed, check.severity) == (False, "warn")
    assert "did nothing" in check.message


def test_an_idle_baseline_that_nobody_asked_for_is_not_missed() -> None:
    evidence = good_evidence()
    kept = tuple(window for window in evidence.windows if not window.phase.startswith("idle"))
    without = replace(evidence, windows=kept)
    assert energy.power_plausible(without).passed is False
    assert conditions.idle_steady(without).passed is False
    unasked = replace(without, idle_asked=False)
    assert energy.power_plausible(unasked).passed
    assert code.idle_steady(unasked).passed is None
    assert code.idle_steady(evidence).passed


def test_the_checks_of_any_code_are_numbered_as_those_of_a_run() -> None:
    whole = {check.number: check.name for check in judge(good_evidence()).checks}
    found = [(check.number, check.name) for check in judge(good_evidence(), OF_CODE).checks]
    assert found == [(number, whole[number]) for number in sorted(number for number, _ in found)]
