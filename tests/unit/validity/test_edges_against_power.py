"""Exact edges of the check of the counter against sampled power (6)."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from scorekit.records import Window
from scorekit.validity import DeviceTrace, Evidence, PowerTrace
from scorekit.validity.against_power import Against, _pooled, against_power, widest_swing_w
from scorekit.validity.sampled import Rise, Span
from tests.bundles import NVML_GPU
from tests.evidence import (
    OTHER_GPU,
    Change,
    at,
    change_counter,
    change_energy,
    change_states,
    change_trace,
    change_windows,
    check_of,
    gain,
    good_evidence,
    unofficial,
)
from tests.unit.validity.edges import beside, findings, in_turn, is_idle, round_idle, without_windows
from tests.unit.validity.spoilt.changes import AFTER, FOURTH, change_length, without

CHECK = "counter_agrees_with_power"
ANSWER = at("generate", 4)
READING = ANSWER.readings[0]
NO_LIMIT = change_states(lambda _: True, power_limit_w=None)


def _sampled(at_start_w: float, at_end_w: float, seconds: float = 10.0) -> Evidence:
    """A power that changes evenly over a window from the start of repeat 4 on; before and after it stays as it is."""
    times = [AFTER - 2 + 0.5 * number for number in range(round((seconds + 4) / 0.5) + 1)]
    slope = (at_end_w - at_start_w) / seconds
    powers = [at_start_w + slope * min(max(t - AFTER, 0.0), seconds) for t in times]
    return replace(round_idle(good_evidence()), trace=PowerTrace({NVML_GPU: DeviceTrace(times, powers)}, 0.5))


def _window(seconds: float) -> Window:
    return ANSWER.model_copy(update={"end_monotonic_s": AFTER + seconds})


@pytest.mark.parametrize(
    ("at_start_w", "at_end_w", "uncertainty_wh", "lowest_j", "highest_j"),
    [
        # 2 % are 60 J, an eighth of a second of a swing of 600 W at each edge 150 J; 0.01 Wh (k = 2) are 72 J.
        (300.0, 300.0, 0.01, 3000 - 282, 3000 + 282),
        # Half a second of the difference of powers: less where it rose, and more where it fell.
        (200.0, 400.0, 0.01, 3000 - 282, 3000 + 282 + 100),
        (400.0, 200.0, 0.01, 3000 - 282 - 100, 3000 + 282),
        # Of a meter that does not tell, a tick of 0.1 s at either edge, at the higher power.
        (200.0, 400.0, None, 3000 - 290, 3000 + 290 + 100),
        (400.0, 200.0, None, 3000 - 290 - 100, 3000 + 290),
    ],
)
def test_the_samples_allow_for_their_lag_the_swing_at_the_edges_and_the_ticks(
    at_start_w: float, at_end_w: float, uncertainty_wh: float | None, lowest_j: float, highest_j: float
) -> None:
    reading = READING.model_copy(update={"energy_wh": 0.75, "standard_uncertainty_wh": uncertainty_wh})
    found = against_power(_sampled(at_start_w, at_end_w), _window(10.0), reading)
    assert found is not None
    assert (found.energy, found.integral) == (2700.0, pytest.approx(3000.0))
    assert (found.lowest, found.highest) == (pytest.approx(lowest_j), pytest.approx(highest_j))


def test_without_a_known_limit_power_may_have_swung_to_twice_the_highest() -> None:
    # 60 J, an eighth of a second of 500 W at each edge, and 72 J.
    reading = READING.model_copy(update={"energy_wh": 0.75, "standard_uncertainty_wh": 0.01})
    found = against_power(NO_LIMIT(_sampled(300.0, 300.0)), _window(10.0), reading)
    assert found is not None
    assert found.highest == pytest.approx(3000 + 257)
    assert check_of(NO_LIMIT(good_evidence()), CHECK).passed is True


@pytest.mark.parametrize(("energy", "agrees"), [(0.9, False), (1.0, True), (2.0, True), (2.1, False)])
def test_an_energy_agrees_from_the_lowest_to_the_highest(energy: float, agrees: bool) -> None:
    assert Against(energy=energy, integral=1.5, lowest=1.0, highest=2.0).agrees is agrees


@pytest.mark.parametrize(
    ("seconds", "changes", "known"),
    [
        (2.0, {}, True),
        (1.99, {}, False),
        (10.0, {"energy_wh": None}, False),
        (10.0, {"energy_wh": math.nan}, False),
        (10.0, {"energy_wh": math.inf}, False),
        (10.0, {"device": OTHER_GPU}, False),
        # After the last sample there is none.
        (14.0, {}, False),
    ],
)
def test_the_samples_can_tell_of_a_window_that_they_cover(seconds: float, changes: dict[str, Any], known: bool) -> None:
    reading = READING.model_copy(update=changes)
    assert (against_power(_sampled(300.0, 300.0), _window(seconds), reading) is not None) is known


@pytest.mark.parametrize(
    ("changes", "powers_w", "swing_w"),
    [
        ([], [300.0], 600.0),
        ([without_windows(is_idle)], [300.0], 700.0),
        # Without a limit: twice the highest power that was seen.
        ([NO_LIMIT], [math.nan, 300.0, 200.0], 500.0),
        ([NO_LIMIT, without_windows(is_idle)], [math.nan, 300.0, 200.0], 600.0),
        ([NO_LIMIT], [math.nan], 0.0),
        ([NO_LIMIT, without_windows(is_idle)], [], 0.0),
        ([change_states(lambda _: True, power_limit_w=50.0)], [300.0], 0.0),
    ],
)
def test_power_may_swing_from_idling_to_the_limit(changes: list[Change], powers_w: list[float], swing_w: float) -> None:
    evidence = in_turn(round_idle, *changes)(good_evidence())
    trace = DeviceTrace([float(number) for number in range(len(powers_w))], powers_w)
    assert widest_swing_w(evidence, NVML_GPU, trace) == swing_w


def _span(counter_j: float, ticks_j: float = 4.0, integral_j: float = 1000.0, unseen_j: float = 0.0) -> Span:
    return Span(ANSWER, counter_j=counter_j, integral_j=integral_j, lag_j=3.0, ticks_j=ticks_j, unseen_j=unseen_j)


def _rise(reading_j: float, open_j: float = 3.0, counter_j: float = 1000.0) -> Rise:
    return Rise(ANSWER, reading_j=reading_j, counter_j=counter_j, open_j=open_j)


ALL_SPANS = "from idle to idle around all windows together"
ALL_RISES = "in all windows together"


@pytest.mark.parametrize(
    ("spans", "rises", "told"),
    [
        # 2 % of the integral, the lag and the ticks: 27 J.
        ([_span(1027.0)], [], []),
        ([_span(973.0)], [], []),
        ([_span(1028.0)], [], [(4, 1028.0, "from idle to idle around it", "(+2.8%)")]),
        ([_span(972.0)], [], [(4, 972.0, "from idle to idle around it", "(-2.8%)")]),
        # Of all windows the ticks fall off: 40 J, the lags of 6 J, and 5 J of 3 J and 4 J.
        ([_span(1026.0, 3.0), _span(1025.0)], [], []),
        ([_span(1026.0, 3.0), _span(1026.0)], [], [(None, 2052.0, ALL_SPANS, "(+2.6%)")]),
        ([_span(974.0, 3.0), _span(974.0)], [], [(None, 1948.0, ALL_SPANS, "(-2.6%)")]),
        # What is unseen adds to either.
        ([_span(1037.0, unseen_j=10.0)], [], []),
        ([_span(1038.0, unseen_j=10.0)], [], [(4, 1038.0, "from idle to idle around it", "(+3.8%)")]),
        ([_span(1026.0, 3.0, unseen_j=1.0), _span(1026.0)], [], []),
        ([_span(974.0, 3.0), _span(974.0, unseen_j=1.0)], [], []),
        ([_span(1026.0, 3.0, unseen_j=0.5), _span(1026.0)], [], [(None, 2052.0, ALL_SPANS, "(+2.6%)")]),
        ([_span(10.0, integral_j=0.0)], [], [(4, 10.0, "from idle to idle around it", "(+inf%)")]),
        ([_span(10.0, integral_j=0.5)], [], [(4, 10.0, "from idle to idle around it", "(+1900.0%)")]),
        # 0.5 % of the counter, and what is open: 8 J.
        ([], [_rise(1008.0)], []),
        ([], [_rise(992.0)], []),
        ([], [_rise(1009.0)], [(4, 1009.0, "", "(+0.9%)")]),
        ([], [_rise(991.0)], [(4, 991.0, "", "(-0.9%)")]),
        ([], [_rise(1050.0)], [(4, 1050.0, "", "(+5.0%)")]),
        ([], [_rise(10.0, counter_j=0.0)], [(4, 10.0, "", "(+inf%)")]),
        ([], [_rise(10.0, counter_j=0.5)], [(4, 10.0, "", "(+1900.0%)")]),
        ([], [_rise(-1008.0, counter_j=-1000.0)], []),
        # Of all 16: 80 J, and twice the 12 J that independent edges leave open.
        ([], [_rise(1006.5)] * 16, []),
        ([], [_rise(993.5)] * 16, []),
        ([], [_rise(1006.625)] * 16, [(None, 16106.0, ALL_RISES, "(+0.7%)")]),
        ([], [_rise(993.375)] * 16, [(None, 15894.0, ALL_RISES, "(-0.7%)")]),
        (
            [],
            [_rise(1050.0)] * 2,
            [(4, 1050.0, "", "(+5.0%)"), (4, 1050.0, "", "(+5.0%)"), (None, 2100.0, ALL_RISES, "(+5.0%)")],
        ),
    ],
)
def test_each_window_agrees_and_all_of_them_together(
    spans: list[Span], rises: list[Rise], told: list[tuple[int | None, float, str, str]]
) -> None:
    found = [each.as_json() for each in _pooled(NVML_GPU, spans, rises)]
    figure = "counter_j" if spans else "reading_j"
    assert [(each.get("repeat"), each[figure], each["severity"]) for each in found] == [
        (repeat, joules, "fail") for repeat, joules, _, _ in told
    ]
    for each, (_, _, place, deviation) in zip(found, told, strict=True):
        text = each["found"]
        assert isinstance(text, str)
        assert text.startswith(place) if place else text[0].isdigit()
        assert f"of {NVML_GPU}" in text
        assert deviation in text


def _message(*changes: Change) -> str:
    return check_of(in_turn(*changes)(good_evidence()), CHECK).message


@pytest.mark.parametrize(("seconds", "told"), [(2.0, False), (1.99, True)])
def test_an_answering_window_of_two_seconds_can_be_judged(seconds: float, told: bool) -> None:
    check = check_of(change_length(FOURTH, seconds)(good_evidence()), CHECK)
    found = "cannot be judged: the window is shorter than 2 s, in repeat 4, phase generate"
    assert (found in check.message) is told
    assert ("Measure with longer windows (scenario.min_window_s=10)" in check.mends) is told


def test_a_window_of_two_gpus_is_named_once() -> None:
    message = _message(beside(), change_length(FOURTH, 1.0))
    assert message.count("the window is shorter than 2 s, in repeat 4, phase generate") == 1
    assert message.count("in repeat 4, phase generate") == 1


@pytest.mark.parametrize("kept", [NVML_GPU, OTHER_GPU])
@pytest.mark.parametrize(("official", "severity"), [(True, "fail"), (False, "warn")])
def test_each_gpu_must_have_been_sampled(kept: str, official: bool, severity: str) -> None:
    evidence = in_turn(beside(), *([] if official else [unofficial]))(good_evidence())
    assert check_of(evidence, CHECK).details["windows"] == 20
    assert evidence.trace is not None
    devices = {kept: evidence.trace.devices[kept]}
    evidence = replace(evidence, trace=replace(evidence.trace, devices=devices))
    (found,) = findings(evidence, CHECK)
    assert (found["severity"], found["cannot_be_judged"]) == (severity, True)
    (lost,) = {NVML_GPU, OTHER_GPU} - {kept}
    assert f"{lost} was not sampled, in repeat 0, phase generate, " in found["found"]
    assert found["found"].count("repeat 4, phase generate") == 1
    check = check_of(evidence, CHECK)
    assert check.details["windows"] == 10
    assert check.mends == ("Measure with scenario.meters=[nvml,codecarbon]",)


@pytest.mark.parametrize(("tick_s", "alone"), [(0.1, True), (1.0, False), (None, True)])
def test_ticks_of_the_counter_leave_room_in_each_window_and_less_in_all(tick_s: float | None, alone: bool) -> None:
    # 3 % of some 24,500 J are 735 J; allowed are 490 J, and two ticks of 100 W at either edge: 40 J or 400 J.
    message = _message(gain(0.97), change_counter(lambda _: True, tick_s=tick_s))
    assert ("from idle to idle around it" in message) is alone
    assert ALL_SPANS in message


@pytest.mark.parametrize(("factor", "told"), [(1.029, False), (1.032, True), (0.971, False), (0.968, True)])
def test_a_reading_may_be_a_tick_at_the_widest_swing_off_its_counters_samples(factor: float, told: bool) -> None:
    # 3 % of 23,950 J are 719 J; allowed are 120 J, a tick of 600 W, and some 10 J between the samples.
    message = _message(change_energy(FOURTH, factor), change_counter(lambda _: True, tick_s=1.0))
    assert ("Wh were read of" in message) is told


def test_each_of_two_gpus_is_held_to_its_own_samples() -> None:
    found = findings(beside(FOURTH, energy_wh=8.0)(good_evidence()), CHECK)
    coarse = [(each["repeat"], each["found"]) for each in found if "gives" in each["found"]]
    assert [repeat for repeat, _ in coarse] == [4]
    assert coarse[0][1].startswith(f"the counter of {OTHER_GPU} gives 8 Wh")


@pytest.mark.parametrize(("power_w", "told"), [(0.0, "+inf%"), (0.005, "%")])
def test_a_power_of_nothing_is_judged_too(power_w: float, told: str) -> None:
    # The counter rises by 10 mJ a second.
    evidence = in_turn(
        change_trace("power_w", lambda _t, _v: power_w), change_trace("counter_mj", lambda t, _v: 10 * t)
    )(good_evidence())
    check = check_of(evidence, CHECK)
    assert check.details["worst_relative"] == (pytest.approx(1.0) if power_w else 0.0)
    coarse = [each["found"] for each in findings(evidence, CHECK) if "gives" in each["found"]]
    assert coarse
    assert all(("+inf%" in text) is (told == "+inf%") for text in coarse)


def test_a_window_without_readings_has_none_to_compare() -> None:
    assert _message(change_windows(FOURTH, readings=())).startswith("the counter agrees")


def test_power_that_was_not_sampled_fails_where_the_protocol_is_claimed() -> None:
    for changes, severity in (((without(trace=None),), "fail"), ((without(trace=None), unofficial), "warn")):
        check = check_of(in_turn(*changes)(good_evidence()), CHECK)
        assert (check.passed, check.severity) == (False, severity)
        assert check.message.startswith("cannot be judged: power was not sampled")
        assert check.mends == ("Measure with scenario.meters=[nvml,codecarbon]",)


def test_without_a_gpu_there_is_no_counter() -> None:
    check = check_of(replace(good_evidence(), windows=()), CHECK)
    assert (check.passed, check.severity) == (None, "info")
    assert check.message.startswith("no GPU was measured")
