"""Exact edges of the checks of a GPU's conditions: throttling (11), power limit (12), clocks (13), temperature (14),
idling (17)."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from tests.bundles import NVML_GPU
from tests.evidence import (
    Change,
    at,
    change_facts,
    change_gpu,
    change_readings,
    change_states,
    change_trace,
    check_of,
    good_evidence,
    of_phase,
    unofficial,
)
from tests.unit.validity.edges import findings, in_turn, without_windows
from tests.unit.validity.spoilt.changes import AFTER, change_length, without

END = at("generate", 4).end_monotonic_s
IDLE = of_phase("idle_before"), of_phase("idle_after")
METERS = ("Measure with scenario.meters=[nvml,codecarbon]",)


def _found(check: str, *changes: Change) -> list[Any]:
    return findings(in_turn(*changes)(good_evidence()), check)


@pytest.mark.parametrize(
    ("bits", "severity", "name"),
    [
        # nvml.h: what heat or want of power do fails, settings are told.
        (0x1, None, "idle"),
        (0x4, None, "software power cap"),
        (0x5, None, "idle, software power cap"),
        (0x2, "warn", "clocks set by an application"),
        (0x8, "fail", "hardware slowdown"),
        (0x10, "warn", "sync boost"),
        (0x20, "fail", "software thermal slowdown"),
        (0x40, "fail", "hardware thermal slowdown"),
        (0x80, "fail", "hardware power brake"),
        (0x100, "warn", "display clocks"),
        (0x200, "warn", "reason 0x200"),
        (0x208, "fail", "hardware slowdown, reason 0x200"),
        (0x12, "warn", "clocks set by an application, sync boost"),
    ],
)
@pytest.mark.parametrize("sampled", [True, False])
def test_each_reason_is_named_and_weighed(bits: int, severity: str | None, name: str, sampled: bool) -> None:
    if sampled:
        change = change_trace("reasons", lambda t, v: bits | 0x1 if AFTER + 1 < t < AFTER + 2 else v)
    else:
        change = in_turn(change_states(lambda s: s.repeat == 4, reasons=bits | 0x4), without(trace=None))
    found = _found("not_throttled", change)
    strange = bits & ~0x5
    told = [("fail" if severity == "fail" else "warn", "generate", 4, strange)] if severity else []
    assert [(each["severity"], each["phase"], each["repeat"], each["reasons"]) for each in found] == told
    assert all(f"held back by {name}, expected nothing but its power limit" in each["found"] for each in found)


def test_reasons_of_one_window_are_told_together() -> None:
    (found,) = _found(
        "not_throttled",
        change_trace("reasons", lambda t, v: {1: 0x8, 2: 0x20}.get(int(t - AFTER), v)),
    )
    assert (found["severity"], found["reasons"]) == ("fail", 0x28)


def test_reasons_count_while_the_model_answers() -> None:
    for moment, told in ((AFTER - 0.2, 0), (AFTER + 0.2, 1), (END - 0.2, 1), (END + 0.2, 0)):
        change = change_trace("reasons", lambda t, v, near=moment: 0x8 if abs(t - near) < 0.06 else v)
        assert len(_found("not_throttled", change)) == told


def test_reasons_that_nobody_looked_for_are_no_pass() -> None:
    blind = in_turn(without(trace=None), change_states(lambda s: s.repeat == 4, reasons=None))
    for changes, severity in (((blind,), "fail"), ((blind, unofficial), "warn")):
        (found,) = _found("not_throttled", *changes)
        assert (found["severity"], found["cannot_be_judged"]) == (severity, True)
        assert f"throttle reasons of {NVML_GPU} in repeat 4, phase generate were not recorded" in found["found"]


@pytest.mark.parametrize(("last_w", "told"), [(699.0, False), (698.9, True), (701.0, False), (701.1, True)])
def test_a_power_limit_may_be_read_back_within_a_watt(last_w: float, told: bool) -> None:
    for official in (True, False):
        changes = [change_states(lambda s: s.when == "end", power_limit_w=last_w), *([] if official else [unofficial])]
        found = _found("power_limit_default", *changes)
        assert [each["severity"] for each in found] == ["fail"] * told
        assert all(each["limits_w"][0] == 700.0 and each["limits_w"][-1] == last_w for each in found)
        assert all("one limit throughout" in each["found"] for each in found)


@pytest.mark.parametrize(("default_w", "told"), [(699.0, False), (698.0, True), (701.0, False), (702.0, True)])
def test_a_power_limit_is_the_default_within_a_watt(default_w: float, told: bool) -> None:
    for official, severity in ((True, "fail"), (False, "warn")):
        found = _found(
            "power_limit_default", change_gpu(power_limit_default_w=default_w), *([] if official else [unofficial])
        )
        figures = [(each["severity"], each["limit_w"], each["default_w"]) for each in found]
        assert figures == [(severity, 700.0, default_w)] * told
        assert all(f"is 700 W, expected its default of {default_w:.0f} W" in each["found"] for each in found)


def test_the_first_limit_is_held_to_the_default_even_where_it_is_the_only_one() -> None:
    fell = in_turn(
        change_states(lambda _: True, power_limit_w=500.0),
        change_states(lambda s: s.when == "start", power_limit_w=499.0),
    )
    (found,) = _found("power_limit_default", fell)
    assert (found["limit_w"], found["default_w"]) == (499.0, 700.0)
    assert "is 499 W, expected" in found["found"]
    only, rest = _found("power_limit_default", fell, change_states(lambda s: s.when != "start", power_limit_w=None))
    assert only["limit_w"] == 499.0
    assert "at repeat 0, repeat 1, " in rest["found"]


def test_a_gpu_of_which_nothing_is_known_has_no_known_default() -> None:
    (found,) = _found("power_limit_default", change_facts(gpus=()))
    assert (found["severity"], found["cannot_be_judged"]) == ("warn", True)
    assert f"the default power limit of {NVML_GPU} was not recorded" in found["found"]


def test_a_limit_without_a_known_default_may_not_change_either() -> None:
    found = _found(
        "power_limit_default",
        change_gpu(power_limit_default_w=None),
        change_states(lambda s: s.when == "end", power_limit_w=500.0),
    )
    assert [each.get("limits_w", [])[-1:] for each in found] == [[500.0], []]


def _clocks(*mhz: float) -> Change:
    """Clocks of the answering windows, by repeat, each with the pause after it."""
    first_s = at("generate", 0).start_monotonic_s
    whole_s = at("generate", 1).start_monotonic_s - first_s
    return change_trace("sm_clock_mhz", lambda t, _v: mhz[min(max(int((t - first_s) // whole_s), 0), 9)])


@pytest.mark.parametrize(
    ("fourth", "drift"), [(103.0, None), (97.0, None), (104.0, 0.04), (96.0, 0.04), (103.5, 0.035)]
)
def test_clocks_may_drift_by_three_percent(fourth: float, drift: float | None) -> None:
    found = _found("clocks_free", _clocks(*[100.0] * 4, fourth, *[100.0] * 5))
    assert [(each["severity"], each["drift"]) for each in found] == (
        [] if drift is None else [("warn", pytest.approx(drift))]
    )
    low, high = sorted(((fourth, 4), (100.0, 0)))
    told = f"was {low[0]:.0f} MHz in repeat {low[1]} and {high[0]:.0f} MHz in repeat {high[1]}"
    assert all(told in each["found"] for each in found)


def test_clocks_of_two_repeats_are_compared() -> None:
    two = without_windows(lambda w: (w.repeat or 0) > 1)
    (found,) = _found("clocks_free", two, _clocks(100.0, *[110.0] * 9))
    assert found["drift"] == pytest.approx(10 / 105)
    assert "100 MHz in repeat 0 and 110 MHz in repeat 1" in found["found"]
    assert _found("clocks_free", without_windows(lambda w: (w.repeat or 0) > 0)) == []


def test_clocks_that_stand_at_zero_do_not_drift() -> None:
    assert _found("clocks_free", _clocks(*[0.0] * 10)) == []


def test_locked_clocks_are_mild_where_no_protocol_is_claimed() -> None:
    locked = change_states(lambda s: s.repeat == 4, clocks_locked=True)
    for changes, severity in (((locked,), "fail"), ((locked, unofficial), "warn")):
        (found,) = _found("clocks_free", *changes)
        assert found["severity"] == severity
        assert f"the clocks of {NVML_GPU} are locked" in found["found"]


@pytest.mark.parametrize(("fourth", "told"), [(43, False), (44, True), (37, False), (36, True)])
def test_repeats_begin_within_three_degrees(fourth: int, told: bool) -> None:
    found = _found("temperature_steady", change_states(lambda s: s.repeat == 4, temperature_c=fourth))
    assert [each["severity"] for each in found] == ["warn"] * told


def test_the_coolest_and_the_hottest_start_are_named() -> None:
    (found,) = _found(
        "temperature_steady",
        change_states(lambda s: s.repeat == 5, temperature_c=36),
        change_states(lambda s: s.repeat == 2, temperature_c=42),
    )
    assert (found["coolest_c"], found["hottest_c"]) == (36, 42)
    assert "began repeat 5 at 36 C and repeat 2 at 42 C" in found["found"]


def test_how_warm_it_was_before_the_first_repeat_and_after_the_last_one_does_not_matter() -> None:
    assert _found("temperature_steady", change_states(lambda s: s.repeat is None, temperature_c=20)) == []


@pytest.mark.parametrize(("temperature_c", "told"), [(85, False), (86, True)])
def test_a_gpu_may_be_85_degrees_hot(temperature_c: int, told: bool) -> None:
    sampled = change_trace("temperature_c", lambda t, v: float(temperature_c) if AFTER + 1 < t < AFTER + 2 else v)
    before = in_turn(
        change_trace("temperature_c", lambda _t, _v: math.nan),
        change_states(lambda s: s.repeat == 4, temperature_c=temperature_c),
    )
    for change in (sampled, before):
        found = [each for each in _found("temperature_steady", change) if "temperature_c" in each]
        assert [(each["severity"], each["phase"], each["repeat"]) for each in found] == [("fail", "generate", 4)] * told
        assert all(each["temperature_c"] == 86 and "was 86 C hot" in each["found"] for each in found)


def _idle(before_w: float | None, after_w: float | None) -> Change:
    """Idle powers that are round: windows of an hour."""

    def change(evidence: Any) -> Any:
        for which, power_w in zip(IDLE, (before_w, after_w), strict=True):
            evidence = in_turn(change_length(which, 3600.0), change_readings(which, energy_wh=power_w))(evidence)
        return evidence

    return change


@pytest.mark.parametrize(
    ("before_w", "after_w", "told"),
    [
        (100.0, 105.0, None),
        (100.0, 95.0, None),
        (100.0, 105.5, "+5.5%"),
        (100.0, 94.5, "-5.5%"),
        (0.75, 0.75, None),
        (0.75, 1.5, "+100.0%"),
    ],
)
def test_idle_power_may_drift_by_five_percent(before_w: float, after_w: float, told: str | None) -> None:
    found = _found("idle_steady", _idle(before_w, after_w))
    figures = [(each["severity"], each["before_w"], each["after_w"]) for each in found]
    assert figures == ([] if told is None else [("warn", before_w, after_w)])
    assert all(f"after them ({told}), expected at most 5% apart" in each["found"] for each in found)


@pytest.mark.parametrize(
    ("before_w", "after_w"),
    [(None, 100.0), (100.0, None), (None, None), (0.0, 100.0), (100.0, 0.0), (-100.0, 100.0), (100.0, -100.0)],
)
def test_an_idle_power_that_is_none_is_not_compared(before_w: float | None, after_w: float | None) -> None:
    check = check_of(_idle(before_w, after_w)(good_evidence()), "idle_steady")
    (found,) = findings(_idle(before_w, after_w)(good_evidence()), "idle_steady")
    assert (found["severity"], found["cannot_be_judged"]) == ("warn", True)
    assert f"the idle power of {NVML_GPU} was not recorded before and after" in found["found"]
    assert check.mends == METERS


@pytest.mark.parametrize(
    "name", ["not_throttled", "power_limit_default", "clocks_free", "temperature_steady", "idle_steady"]
)
def test_without_a_gpu_there_are_no_conditions_to_judge(name: str) -> None:
    check = check_of(replace(good_evidence(), windows=()), name)
    assert (check.passed, check.severity, check.message) == (None, "info", "no GPU was measured")
