"""When the clock of a measurement is read, when power at rest is, and of what the samples that are told late are."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

import scorekit
from scorekit.api import block
from scorekit.measuring import code_passes, pacing
from scorekit.records import Environment, Window
from scorekit.validity import Evidence
from tests.unit.api.conftest import Purse


class Device:
    """Something that works by itself: asking it for work takes no time to speak of, and its work comes one by one.

    Attributes:
        now_s: the time of whoever asks.
        waits: how often it was waited for.
    """

    def __init__(self) -> None:
        self.now_s = self._done_s = 100.0
        self.waits = 0

    def ask(self, takes_s: float) -> None:
        self.now_s += 0.001
        self._done_s = max(self._done_s, self.now_s) + takes_s

    def wait(self) -> None:
        self.waits += 1
        self.now_s = max(self.now_s, self._done_s)


@pytest.mark.parametrize(
    ("pass_s", "least_s", "count", "passes", "most_waits"),
    [(2.0, 10.0, 1, 5, 5), (0.01, 10.0, 1, 1000, 14), (2.0, 7.0, 3, 4, 2), (2.0, 5.0, 3, 3, 1), (2.0, 0.0, 2, 2, 1)],
)
def test_a_window_is_as_long_as_the_work_in_it_and_no_longer(
    monkeypatch: pytest.MonkeyPatch, pass_s: float, least_s: float, count: int, passes: int, most_waits: int
) -> None:
    device = Device()
    monkeypatch.setattr(code_passes, "time", SimpleNamespace(monotonic=lambda: device.now_s))
    made = code_passes.run_passes(lambda: device.ask(pass_s), count, least_s, device.wait)
    took_s = device.now_s - 100
    # By asking alone 10 s would hold 10,000 passes.
    assert made == pytest.approx(passes, rel=0.01)
    assert least_s <= took_s < max(least_s, count * pass_s) * 1.02 + pass_s
    # A device that is waited for after each pass idles in between.
    assert device.waits <= most_waits


def test_a_window_of_a_clock_that_stands_still_is_drawn_out_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100.0, 100.0, 100.0, 101.0])
    monkeypatch.setattr(code_passes, "time", SimpleNamespace(monotonic=lambda: next(times)))
    assert code_passes.run_passes(lambda: None, 3, 1, lambda: None) == 12


def test_the_devices_are_waited_for_before_the_clock_is_read(purse: Purse) -> None:
    told: list[str] = []

    def one_pass() -> None:
        told.append("pass")
        purse.take(0.2)

    scorekit.measure(one_pass, repeats=1, warmup=1, min_window_s=0, synchronize=lambda: told.append("wait"))
    # The warm-up; then the window from edge to edge, and within it the look at the clock.
    assert told == ["pass", "wait", "wait", "pass", "wait", "wait"]


def test_power_at_rest_is_that_of_code_that_has_warmed_up(purse: Purse, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def one_pass() -> None:
        told.append("pass")
        purse.take(0.2)

    def rest(idle_s: float) -> None:
        told.append(f"rest {idle_s}")
        purse.take(0.001)

    monkeypatch.setattr(pacing, "time", SimpleNamespace(sleep=rest))
    scorekit.measure(one_pass, repeats=2, warmup=2, min_window_s=0, idle_s=2)
    baseline = ["rest 1.0", "rest 2.0"]
    assert told == ["pass", "pass", *baseline, "pass", "pass", *baseline]
    told.clear()
    with scorekit.measure(idle_s=2) as found:
        one_pass()
        for _ in found.repeats(1):
            one_pass()
    assert told == [*baseline, "pass", "pass", *baseline]


def test_samples_that_are_told_late_are_those_of_every_repeat(purse: Purse, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[int | None] = []
    plain = block.evidence_of

    def evidence_of(environment: Environment, windows: Sequence[Window], *given: Any, **named: Any) -> Evidence:
        judged.extend(window.samples for window in windows)
        return plain(environment, windows, *given, **named)

    monkeypatch.setattr(block, "evidence_of", evidence_of)
    with scorekit.measure() as found:
        for number in found.repeats(20, target_ci=0.01):
            purse.take(0.2)
            if number == 1:
                found.samples = 200
    # By energies of unlike numbers of samples the interval would never be as wanted, nor would repeats agree.
    assert len(found.windows) == 3
    assert judged == [200] * 3
    assert found.wh_per_1000_samples == pytest.approx(1.5)
    assert next(check for check in found.checks if check.name == "repeats_agree").passed
    with scorekit.measure() as found:
        for _ in found.repeats(3):
            purse.take(0.2)
        found.samples = 100
    assert found.wh_per_1000_samples == pytest.approx(3.0)
    assert next(check for check in found.checks if check.name == "repeats_agree").passed
    assert found.valid
