"""Counters whose clock is set or slewed, and one that was never read."""

from __future__ import annotations

from scorekit.records import CounterEvidence
from scorekit.validity import judge
from tests.evidence import at, change_readings, change_windows, check_of, good_evidence
from tests.unit.validity.spoilt.changes import FOURTH, GENERATE


def test_a_clock_that_is_slewed_is_no_step() -> None:
    window = at("generate", 4)
    slow = change_windows(FOURTH, end_utc=window.end_utc.replace("+00:00", "").rstrip("0") + "+00:00")
    assert check_of(slow(good_evidence()), "counter_unbroken").passed is True
    minutes = change_windows(FOURTH, end_monotonic_s=window.end_monotonic_s + 0.4, end_boottime_s=None)
    assert check_of(minutes(good_evidence()), "counter_unbroken").passed is True


def test_counter_evidence_of_no_read_at_all_is_judged() -> None:
    empty = CounterEvidence(
        tick_s=None, ticks_seen=0, before_start=(), after_start=(), before_end=(), after_end=(), decreased=False,
        failed_reads=0, reads=0, longest_gap_s=0.0, longest_still_s=0.0,
    )  # fmt: skip
    validity = judge(change_readings(GENERATE, counter=empty)(good_evidence()))
    assert {check.name for check in validity.failures} == {"counter_tick", "window_length"}
