"""Exact edges of the check of an unbroken counter (2): clocks, a counter that stands still, and one that jumps."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import Any

import pytest

from scorekit.validity import DeviceTrace, PowerTrace
from tests.bundles import NVML_GPU
from tests.evidence import (
    Change,
    at,
    change_counter,
    change_readings,
    change_states,
    change_windows,
    check_of,
    good_evidence,
    of_phase,
    unofficial,
)
from tests.unit.validity.edges import findings, in_turn, later
from tests.unit.validity.spoilt.changes import AFTER, FOURTH, GENERATE, without

CHECK = "counter_unbroken"
ANSWER = at("generate", 4)
END = ANSWER.end_monotonic_s


def _found(*changes: Change) -> list[Any]:
    return findings(in_turn(*changes)(good_evidence()), CHECK)


@pytest.mark.parametrize(("seconds", "told"), [(0.5, False), (0.0, True), (-1.0, True)])
def test_a_window_of_a_repeat_has_a_length(seconds: float, told: bool) -> None:
    # Times of day that are none say nothing of the clock.
    found = _found(
        change_windows(FOURTH, end_monotonic_s=AFTER + seconds, end_boottime_s=None, end_utc="not a time of day")
    )
    assert [(each["severity"], each["phase"], each["repeat"]) for each in found] == [("fail", "generate", 4)] * told
    assert all("expected a window with a length" in each["found"] for each in found)


def test_a_window_of_no_repeat_may_be_empty() -> None:
    before = at("idle_before", None)
    empty = change_windows(
        of_phase("idle_before"),
        end_monotonic_s=before.start_monotonic_s,
        end_utc=before.start_utc,
        end_boottime_s=before.start_boottime_s,
    )
    assert _found(empty) == []


@pytest.mark.parametrize(("slept_s", "told"), [(1.0, False), (1.5, True), (-2.0, False)])
def test_a_machine_may_not_sleep_for_more_than_a_second(slept_s: float, told: bool) -> None:
    # The time of day goes on in sleep, and is not blamed for it.
    found = _found(
        change_windows(FOURTH, end_boottime_s=END + 5000 + slept_s, end_utc=later(ANSWER.end_utc, max(slept_s, 0.0)))
    )
    assert [(each["severity"], each["repeat"], each["slept_s"]) for each in found] == [("fail", 4, slept_s)] * told
    assert all(f"slept for {slept_s:.1f} s" in each["found"] for each in found)


@pytest.mark.parametrize("missing", ["start_boottime_s", "end_boottime_s"])
def test_without_the_clock_that_goes_on_in_sleep_nobody_can_tell_of_it(missing: str) -> None:
    assert _found(change_windows(FOURTH, **{missing: None})) == []


@pytest.mark.parametrize(
    ("length_s", "step_s", "told"),
    [
        # Half a second and 500 ppm of the window: 30 ms of a minute, half a second of 1,000 s.
        (60.0, 0.52, False),
        (60.0, -0.52, False),
        (60.0, 0.54, True),
        (60.0, -0.54, True),
        (1000.0, 1.0, False),
        (1000.0, -1.0, False),
        (1000.0, 1.01, True),
    ],
)
def test_a_clock_that_was_set_is_told(length_s: float, step_s: float, told: bool) -> None:
    found = _found(
        change_windows(
            FOURTH,
            end_monotonic_s=AFTER + length_s,
            end_boottime_s=AFTER + length_s + 5000,
            end_utc=later(ANSWER.start_utc, length_s + step_s),
        )
    )
    assert [(each["severity"], each["repeat"]) for each in found] == [("warn", 4)] * told
    assert all(each["stepped_s"] == pytest.approx(step_s, abs=1e-6) for each in found)
    assert all(f"was set by {step_s:+.1f} s" in each["found"] for each in found)


def test_times_of_day_with_and_without_a_zone_say_nothing_of_the_clock() -> None:
    assert _found(change_windows(FOURTH, end_utc="2025-06-01T15:00:00")) == []


TICK: dict[str, Any] = {"tick_s": 0.125, "tick_spread_s": 0.0625, "longest_gap_s": 0.25}


@pytest.mark.parametrize(
    ("counter", "period_s", "bound_s"),
    [
        # Five ticks, drawn out by their spread, and the longer of gap and sampling period.
        (TICK, 0.125, 1.1875),
        (TICK | {"longest_gap_s": 0.0}, 0.125, 1.0625),
        (TICK | {"longest_gap_s": 0.0}, 0.5, 1.4375),
        # A trace of few samples says nothing of how often the meter looked.
        (TICK | {"longest_gap_s": 0.0}, 1.0, 1.9375),
        (TICK | {"longest_gap_s": 0.0}, 60.0, 1.9375),
        (TICK | {"tick_spread_s": None}, 0.125, 0.875),
        (TICK | {"tick_s": 0.25, "tick_spread_s": 0.0}, 0.125, 1.5),
        # Where the tick was not found out it is taken for 0.1 s.
        (TICK | {"tick_s": None, "tick_spread_s": None}, 0.125, 0.75),
    ],
)
def test_a_counter_may_stand_still_for_five_ticks_and_a_look(
    counter: dict[str, Any], period_s: float, bound_s: float
) -> None:
    for still_s, told in ((bound_s, False), (bound_s + 2**-10, True)):
        evidence = change_counter(FOURTH, **counter, longest_still_s=still_s)(good_evidence())
        assert evidence.trace is not None
        found = findings(replace(evidence, trace=replace(evidence.trace, period_s=period_s)), CHECK)
        assert [(each["severity"], each["repeat"]) for each in found] == [("fail", 4)] * told
        tick_s = counter["tick_s"] or 0.1
        assert all(f"expected a tick every {tick_s:.2g} s" in each["found"] for each in found)


@pytest.mark.parametrize("sampled", [True, False])
def test_a_sampling_period_that_is_not_told_is_a_tenth_of_a_second(sampled: bool) -> None:
    evidence = good_evidence()
    assert evidence.trace is not None
    evidence = replace(evidence, trace=replace(evidence.trace, period_s=None) if sampled else None)
    for still_s, told in ((0.72, False), (0.73, True)):
        still = change_counter(FOURTH, tick_s=0.125, tick_spread_s=None, longest_gap_s=0.0, longest_still_s=still_s)
        assert len(findings(still(evidence), CHECK)) == told


def _stepped(*steps: tuple[float, float]) -> Change:
    """A trace of ten seconds after the start of repeat 4: the time [s] and the rise [J] from sample to sample."""
    times = list(accumulate((seconds for seconds, _ in steps), initial=AFTER + 10))
    counter_mj = list(accumulate((1000 * joules for _, joules in steps), initial=1e6))
    return _sampled(DeviceTrace(times, counter_mj=counter_mj))


def _sampled(samples: DeviceTrace) -> Change:
    """The only samples that there are."""
    return lambda evidence: replace(evidence, trace=PowerTrace({NVML_GPU: samples}, 0.1))


def _limit(limit_w: float) -> Change:
    return change_states(lambda _: True, power_limit_w=limit_w)


def _tick(tick_s: float | None) -> Change:
    return change_counter(lambda _: True, tick_s=tick_s, longest_still_s=0.0)


@pytest.mark.parametrize(
    ("changes", "steps", "step_j", "most_j"),
    [
        # 1.5 times what the limit allows for in the time between two samples, and in a tick.
        ([_tick(0.5)], [(0.5, 1050.0)], None, None),
        ([_tick(0.5)], [(0.5, 1051.0)], 1051.0, 1050.0),
        ([_tick(0.5)], [(0.1, 50.0), (0.5, 1051.0), (0.1, 50.0)], 1051.0, 1050.0),
        ([_tick(0.5), _limit(350.0)], [(0.5, 526.0)], 526.0, 525.0),
        # The slowest tick of all windows, for nobody knows when the counter ticked last.
        ([change_counter(of_phase("generate", 7), tick_s=0.5)], [(0.5, 1040.0)], None, None),
        ([change_counter(of_phase("generate", 7), tick_s=0.5)], [(0.5, 1060.0)], 1060.0, 1050.0),
        # Where it was not found out it is taken for 0.1 s.
        ([_tick(None)], [(0.5, 625.0)], None, None),
        ([_tick(None)], [(0.5, 635.0)], 635.0, 630.0),
        # A counter that stands still between ticks, or hardly rises, has not jumped.
        ([_tick(0.5)], [(0.5, 0.0), (0.5, 0.5), (0.5, 2000.0), (0.5, 0.0)], 2000.0, 1050.0),
        ([_tick(0.125), _limit(2.0)], [(0.125, 0.5), (0.125, 0.9)], 0.9, 0.75),
        ([], [(1e-5, 105.06)], 105.06, 105.0105),
        # Of one sample, and of none, nothing can be told.
        ([], [], None, None),
    ],
)
def test_a_counter_may_not_rise_by_more_than_its_limit_allows_for(
    changes: list[Change], steps: list[tuple[float, float]], step_j: float | None, most_j: float | None
) -> None:
    found = _found(*changes, _stepped(*steps))
    if step_j is None:
        assert found == []
        return
    (jump,) = found
    assert (jump["severity"], jump["phase"], jump["repeat"]) == ("fail", "generate", 4)
    assert (jump["step_j"], jump["most_j"]) == (pytest.approx(step_j), pytest.approx(most_j))
    assert jump["found"].startswith(f"the counter of {NVML_GPU} jumped by {step_j:.0f} J within ")
    assert f"at most {most_j:.0f} J" in jump["found"]


def test_a_trace_without_the_counter_tells_of_no_jump() -> None:
    assert _found(_sampled(DeviceTrace([AFTER, AFTER + 1], [400.0, 400.0]))) == []


def test_a_counter_that_went_back_once_between_two_rises_is_found() -> None:
    (back,) = _found(_stepped((0.1, 40.0), (0.1, -1.0), (0.1, 40.0)))
    assert (back["severity"], back["repeat"]) == ("fail", 4)
    assert back["found"].startswith(f"the counter of {NVML_GPU} went backwards")


def test_without_a_known_limit_only_a_counter_that_goes_back_is_wrong() -> None:
    assert _found(without(states=None), _stepped((0.1, 1e6), (0.1, 0.0))) == []
    (back,) = _found(without(states=None), _stepped((0.1, 1e6), (0.1, -1.0), (0.1, 40.0)))
    assert "went backwards" in back["found"]


@pytest.mark.parametrize(
    ("first_s", "second_s", "repeat"),
    [(AFTER - 0.05, AFTER + 0.05, 4), (END - 0.05, END + 0.05, 4), (END + 1, END + 1.1, None)],
)
@pytest.mark.parametrize("step_mj", [-1000.0, 1e6])
def test_a_break_is_told_of_the_window_that_holds_a_part_of_it(
    first_s: float, second_s: float, repeat: int | None, step_mj: float
) -> None:
    (found,) = _found(_sampled(DeviceTrace([first_s, second_s], counter_mj=[1e6, 1e6 + step_mj])))
    assert found.get("repeat") == repeat
    place = "" if repeat == 4 else "between windows: "
    assert found["found"].startswith(f"{place}the counter of {NVML_GPU} ")


def test_a_driver_that_was_not_told_once_did_not_change() -> None:
    assert _found(change_states(lambda s: s.when == "end", driver=None)) == []


def test_a_counter_that_was_not_read_in_one_window_is_told() -> None:
    unread = change_windows(FOURTH, readings=())(good_evidence())
    for evidence, severity in ((unread, "fail"), (unofficial(unread), "warn")):
        (found,) = findings(evidence, CHECK)
        assert (found["severity"], found["cannot_be_judged"]) == (severity, True)
        assert "was not recorded in repeat 4, phase generate" in found["found"]


@pytest.mark.parametrize(("reads", "failed", "severity"), [(600, 599, "warn"), (600, 600, "fail"), (0, 0, None)])
def test_a_counter_is_lost_where_every_read_failed(reads: int, failed: int, severity: str | None) -> None:
    found = _found(change_counter(FOURTH, reads=reads, failed_reads=failed))
    assert [each["severity"] for each in found] == ([severity] if severity else [])


def test_what_was_not_recorded_has_a_mend_of_its_own() -> None:
    check = check_of(change_readings(GENERATE, counter=None)(good_evidence()), CHECK)
    assert check.mends == ("Measure with scenario.meters=[nvml,codecarbon]",)
