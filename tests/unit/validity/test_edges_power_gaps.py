"""Gaps in the samples, and traces of few of them, in the check of the counter against sampled power (6)."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from scorekit.records import Check
from scorekit.validity import DeviceTrace, Evidence, PowerTrace
from scorekit.validity.against_power import against_power
from tests.bundles import NVML_GPU
from tests.evidence import at, change_energy, change_trace, check_of, drop_samples, gain, good_evidence, unofficial
from tests.unit.validity.edges import is_idle, round_idle
from tests.unit.validity.spoilt.changes import AFTER, FOURTH, change_length

CHECK = "counter_agrees_with_power"
ANSWER = at("generate", 4)
READING = ANSWER.readings[0]


@pytest.mark.parametrize(
    ("gap_s", "open_j"),
    [
        # Of 60 s: 2 % of 18 kJ, an eighth of a second of 600 W at each edge, 72 J, and the gap at 600 W.
        (1.0, 360 + 150 + 72),
        (1.5, 360 + 150 + 72 + 1.5 * 600),
        (3.0, 360 + 150 + 72 + 3.0 * 600),
        (3.5, None),
    ],
)
def test_a_gap_of_a_twentieth_is_bridged_and_left_open(gap_s: float, open_j: float | None) -> None:
    times = [AFTER - 2 + 0.5 * number for number in range(129)]
    times = [t_s for t_s in times if not AFTER + 10 < t_s < AFTER + 10 + gap_s]
    trace = PowerTrace({NVML_GPU: DeviceTrace(times, [300.0] * len(times))}, 0.5)
    reading = READING.model_copy(update={"energy_wh": 5.0, "standard_uncertainty_wh": 0.01})
    found = against_power(replace(round_idle(good_evidence()), trace=trace), ANSWER, reading)
    if open_j is None:
        assert found is None
        return
    assert found is not None
    assert found.integral == pytest.approx(18_000.0)
    assert found.unseen == pytest.approx(0.0 if gap_s == 1.0 else gap_s * 600)
    assert (found.lowest, found.highest) == (pytest.approx(18_000 - open_j), pytest.approx(18_000 + open_j))


def test_what_a_gap_leaves_open_is_that_of_its_gpus_idle_power_and_limit() -> None:
    times = [AFTER - 2 + 0.5 * number for number in range(129) if not 24 < number < 28]
    trace = PowerTrace({NVML_GPU: DeviceTrace(times, [650.0] * len(times))}, 0.5)
    found = against_power(replace(round_idle(good_evidence()), trace=trace), ANSWER, READING)
    assert found is not None
    # From 100 W to 700 W, for two seconds.
    assert found.unseen == pytest.approx(2 * 600)


@pytest.mark.parametrize(
    ("samples", "why"), [(8, "the samples' lag explains"), (11, "the samples' lag and gaps explain")]
)
def test_what_is_allowed_for_is_told(samples: int, why: str) -> None:
    check = check_of(change_energy(FOURTH, 1.2)(_missed(samples)), CHECK)
    assert f"expected 2% and what {why}" in check.message


def test_a_window_of_two_seconds_is_not_too_short() -> None:
    evidence = change_trace("counter_mj", lambda _t, _v: math.nan)(change_length(FOURTH, 2.0)(good_evidence()))
    message = check_of(evidence, CHECK).message
    assert "shorter than" not in message
    assert message.count("in repeat 0, phase generate") == 1


@pytest.mark.parametrize("edge_s", [0.0, 60.0])
def test_over_an_edge_without_a_sample_in_the_second_before_it_nothing_is_said(edge_s: float) -> None:
    times = [AFTER - 2 + 0.25 * number for number in range(257)]
    for late_s, known in ((0.75, True), (1.0, True), (1.25, False)):
        kept = [t_s for t_s in times if not AFTER + edge_s - late_s < t_s < AFTER + edge_s + 0.75]
        trace = PowerTrace({NVML_GPU: DeviceTrace(kept, [300.0] * len(kept))}, 0.25)
        found = against_power(replace(round_idle(good_evidence()), trace=trace), ANSWER, READING)
        assert (found is not None) is known


def _missed(samples: int) -> Evidence:
    """The good run without some samples in a row of repeat 4, from 20 s after its start on."""
    return round_idle(drop_samples(AFTER + 19.95, AFTER + 19.95 + samples / 10)(good_evidence()))


@pytest.mark.parametrize(
    ("samples", "left_open_j"),
    [
        (8, None),
        # The time from the sample before to the sample after, at 600 W.
        (11, 1.2 * 600),
        (28, 2.9 * 600),
    ],
)
def test_a_gap_of_the_samples_does_not_make_a_long_window_invalid(samples: int, left_open_j: float | None) -> None:
    check = check_of(_missed(samples), CHECK)
    assert (check.passed, check.details["windows"]) == (True, 10)
    if left_open_j is None:
        assert "unseen_relative" not in check.details
        assert check.message.endswith("apart at most")
        return
    share = check.details["unseen_relative"]
    assert isinstance(share, float)
    # Of some 24.9 kJ around the window.
    assert share == pytest.approx(left_open_j / 24_900, rel=0.03)
    assert check.message.endswith(f"; what no sample tells of leaves up to {share:.1%} open")


@pytest.mark.parametrize(("official", "severity"), [(True, "fail"), (False, "warn")])
def test_a_gap_of_more_than_a_twentieth_cannot_be_judged(official: bool, severity: str) -> None:
    evidence = _missed(31)
    check = check_of(evidence if official else unofficial(evidence), CHECK)
    assert (check.passed, check.severity, check.details["windows"]) == (False, severity, 9)
    assert check.message.startswith(
        f"cannot be judged: {NVML_GPU}: power was not sampled for 3.2 s from 19.9 s after the window's start on, of "
        "which at most 3.0 s (5% of the window) can be bridged, in repeat 4, phase generate. See the run's log"
    )


def test_a_day_of_answering_bears_an_hour_without_samples() -> None:
    # A reasoning run has windows of a day each.
    day_s = 86_400.0
    times = [float(second) for second in range(-20, int(day_s) + 21)]
    answer = ANSWER.model_copy(
        update={
            "start_monotonic_s": 0.0,
            "end_monotonic_s": day_s,
            "readings": (READING.model_copy(update={"energy_wh": 400 * 24.0}),),
        }
    )

    def judged(gap_s: float) -> Check:
        kept = [t_s for t_s in times if not 40_000 < t_s < 40_000 + gap_s]
        powers = [400.0 if 0 <= t_s < day_s else 100.0 for t_s in kept]
        counters = [
            1000 * (100 * min(t_s, 0) + 400 * min(max(t_s, 0), day_s) + 100 * max(t_s - day_s, 0)) for t_s in kept
        ]
        idle = tuple(w for w in round_idle(good_evidence()).windows if is_idle(w))
        trace = PowerTrace({NVML_GPU: DeviceTrace(kept, powers, counters)}, 1.0)
        return check_of(replace(good_evidence(), windows=(answer, *idle), trace=trace), CHECK)

    assert judged(3600.0).passed is True
    assert judged(4320.0).passed is True
    check = judged(4321.0)
    assert (check.passed, check.severity) == (False, "fail")
    assert "for 4321.0 s from 40000.0 s after the window's start on, of which at most 4320.0 s" in check.message
    (mend,) = check.mends
    assert mend.startswith("See the run's log and the kernel's for what kept the sampler from reading then")


@pytest.mark.parametrize(("step", "jitter_s"), [(5, 0.1), (9, 0.15), (10, 0.0), (10, 0.0005), (10, 0.1)])
def test_a_thinned_trace_is_judged_also_where_samples_come_late(step: int, jitter_s: float) -> None:
    evidence = _thinned(good_evidence(), step, jitter_s)
    check = check_of(evidence, CHECK)
    assert check.passed is True, check.message
    assert check.details["windows"] == 10
    # And not for nothing: a counter that lost 6 % is found all the same.
    lost = check_of(_thinned(gain(0.94)(good_evidence()), step, jitter_s), CHECK)
    assert "from idle to idle around all windows together" in lost.message
    assert "cannot be judged" not in lost.message


def _thinned(evidence: Evidence, step: int, jitter_s: float) -> Evidence:
    """One of so many samples, each late by some part of the jitter, as its own power and counter then were."""
    assert evidence.trace is not None
    old = evidence.trace.devices[NVML_GPU]
    drawn = random.Random(7)
    kept = range(0, len(old.t_s) - step, step)
    late_s = [jitter_s * drawn.random() for _ in kept]

    def at(values: Sequence[float], number: int, by_s: float) -> float:
        return values[number] + (values[number + 1] - values[number]) * by_s / 0.1

    columns = {
        name: [at(getattr(old, name), number, by_s) for number, by_s in zip(kept, late_s, strict=True)]
        for name in ("t_s", "power_w", "counter_mj")
    }
    return replace(evidence, trace=PowerTrace({NVML_GPU: DeviceTrace(**columns)}, 0.1 * step))


def test_a_counter_that_was_not_sampled_has_a_mend_of_its_own() -> None:
    check = check_of(change_trace("counter_mj", lambda _t, _v: math.nan)(good_evidence()), CHECK)
    assert f"{NVML_GPU}: power and counter were not sampled together within 10 s before the window" in check.message
    assert check.mends == ("See with `scorekit doctor` what the GPU tells of itself, and measure again",)
