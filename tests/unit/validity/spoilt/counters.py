"""Counters that broke, that tick too slowly, or that were not read; windows too short for their ticks."""

from __future__ import annotations

from tests.evidence import (
    at,
    change_counter,
    change_facts,
    change_readings,
    change_states,
    change_trace,
    change_windows,
    of_phase,
)
from tests.unit.validity.spoilt.changes import AFTER, BUT_FIRST, FOURTH, GENERATE, Case, change_length

CASES: list[Case] = [
    ("counter_unbroken", change_counter(FOURTH, decreased=True), "fail", "repeat 4, phase generate: .* backwards"),
    ("counter_unbroken", change_counter(FOURTH, longest_still_s=3.0), "fail", "repeat 4, .* stood still for 3.0 s"),
    ("counter_unbroken", change_counter(FOURTH, failed_reads=600), "fail", "could not be read once"),
    (
        "counter_unbroken",
        change_counter(FOURTH, failed_reads=20, longest_gap_s=2.0, longest_still_s=2.1),
        "warn",
        "repeat 4, phase generate: .* could not be read 20 of 600 times, for up to 2.0 s",
    ),
    (
        "counter_unbroken",
        change_trace("counter_mj", lambda t, v: v if t < AFTER else v - 1e6),
        "fail",
        "repeat 4.*back",
    ),
    ("counter_unbroken", change_states(lambda s: s.when == "end", driver="580.1"), "fail", "from 570.0 to 580.1"),
    (
        "counter_unbroken",
        change_windows(FOURTH, end_boottime_s=at("generate", 4).end_monotonic_s + 5030),
        "fail",
        "repeat 4, phase generate: the machine slept for 30.0 s",
    ),
    (
        "counter_unbroken",
        change_windows(FOURTH, end_utc="2025-06-01T11:00:00.000+00:00"),
        "warn",
        "repeat 4, phase generate: the wall clock was set by -",
    ),
    ("counter_unbroken", change_readings(lambda _: True, counter=None), "fail", "was not recorded"),
    ("counter_unbroken", change_readings(BUT_FIRST, counter=None), "fail", "recorded in repeat 1, phase generate, rep"),
    ("counter_unbroken", change_counter(FOURTH, longest_still_s=0.7), "fail", "repeat 4, .* stood still for 0.7 s"),
    ("counter_unbroken", change_counter(FOURTH, longest_still_s=0.55), "none", ""),
    (
        "counter_unbroken",
        change_trace("counter_mj", lambda t, v: v if t < AFTER + 10 else v + 500e3),
        "fail",
        "repeat 4, phase generate: the counter of .* jumped by 540 J within 0.10 s, expected at most 210 J",
    ),
    (
        "window_length",
        change_length(FOURTH, 4.0),
        "fail",
        "repeat 4, phase generate: lasts 4.00 s, 40 ticks.* at least 100",
    ),
    ("window_length", change_length(FOURTH, 30.0), "warn", "repeat 4, phase generate: lasts 30.0 s, expected 60 s"),
    (
        "window_length",
        lambda e: change_length(of_phase("preprocess", 3), 1.0)(
            change_readings(of_phase("preprocess", 3), standard_uncertainty_wh=0.03)(e)
        ),
        "fail",
        "repeat 3, phase preprocess: lasts 1.000 s .10 ticks., which leaves 0.8%",
    ),
    (
        "window_length",
        lambda e: change_facts(run={"runs": 9})(
            change_length(of_phase("preprocess", 3), 1.0)(
                change_readings(of_phase("preprocess", 3), standard_uncertainty_wh=0.03)(e)
            )
        ),
        "warn",
        "repeat 3, phase preprocess: lasts 1.000 s .* leaves 0.8%",
    ),
    (
        "window_length",
        lambda e: change_facts(run={"runs": 9})(
            change_length(of_phase("preprocess", 3), 1.0)(
                change_readings(of_phase("preprocess", 3), standard_uncertainty_wh=0.3)(e)
            )
        ),
        "fail",
        "repeat 3, phase preprocess: lasts 1.000 s .* leaves 8.*%",
    ),
    ("window_length", change_readings(lambda _: True, counter=None), "fail", "cannot be judged"),
    ("window_length", change_readings(BUT_FIRST, counter=None), "fail", "not recorded in repeat 1, phase generate"),
    ("counter_tick", change_counter(FOURTH, tick_s=None), "fail", "repeat 4, .* could not be calibrated"),
    ("counter_tick", change_counter(FOURTH, tick_s=0.5), "fail", "repeat 4, .* every 0.500 s, expected at most 0.15"),
    ("counter_tick", change_readings(GENERATE, counter=None), "fail", "cannot be judged"),
    ("counter_tick", change_readings(BUT_FIRST, counter=None), "fail", "not recorded in repeat 1, phase generate"),
]
