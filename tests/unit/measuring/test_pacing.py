"""What happens between windows, in virtual time: gaps, cool-downs, and how many passes a window gets."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.measuring import pacing
from scorekit.measuring.pacing import COOL_WITHIN_C, Pacer, pass_length_s, passes_for


class Room:
    """Time that passes only in sleep, and a GPU that cools in it."""

    def __init__(self, *celsius: int | None, falls_c_s: float = 1.0) -> None:
        self.celsius: list[int | None] = list(celsius)
        self.falls_c_s = falls_c_s
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def temperatures(self) -> Sequence[int | None]:
        fallen = int(sum(self.slept) * self.falls_c_s)
        return [None if value is None else value - fallen for value in self.celsius]

    def warm(self, *celsius: int | None) -> None:
        fallen = int(sum(self.slept) * self.falls_c_s)
        self.celsius = [None if value is None else value + fallen for value in celsius]


def pacer_of(room: Room, *, gap_s: float = 1.0, cool_down_s: float = 120.0, seed: int = 0) -> Pacer:
    return Pacer(gap_s, cool_down_s, room.temperatures, seed, room.sleep)


def test_gaps_are_even_between_nothing_and_the_longest() -> None:
    room = Room()
    pacer = pacer_of(room, gap_s=0.5)
    for _ in range(400):
        pacer.gap()
    assert 0 <= min(room.slept) < 0.02
    assert 0.48 < max(room.slept) <= 0.5
    assert sum(room.slept) / 400 == pytest.approx(0.25, abs=0.02)


def test_gaps_are_the_same_for_the_same_seed_and_take_nothing_from_other_random_numbers() -> None:
    rooms = [Room(), Room(), Room()]
    for room, seed in zip(rooms, (1, 1, 2), strict=True):
        random.seed(5)
        expected = random.random()
        random.seed(5)
        pacer_of(room, seed=seed).gap()
        assert random.random() == expected
    assert rooms[0].slept == rooms[1].slept != rooms[2].slept


def test_no_gap_is_no_sleep() -> None:
    room = Room()
    pacer_of(room, gap_s=0.0).gap()
    assert room.slept == []


def test_before_the_first_repeat_there_is_nothing_to_cool_to() -> None:
    room = Room(80)
    pacer_of(room).cool_down()
    assert room.slept == []


@pytest.mark.parametrize(("warmer", "waits"), [(COOL_WITHIN_C, 0), (COOL_WITHIN_C + 1, 1), (20, 17), (-10, 0)])
def test_it_waits_until_the_gpu_is_within_three_degrees_of_the_start(warmer: int, waits: int) -> None:
    room = Room(40)
    pacer = pacer_of(room)
    pacer.cool_down()
    room.warm(40 + warmer)
    pacer.cool_down()
    assert sum(room.slept) == waits
    assert room.temperatures()[0] <= 40 + max(COOL_WITHIN_C, warmer)


def test_the_reference_stays_that_of_the_first_repeat() -> None:
    room = Room(40)
    pacer = pacer_of(room)
    for _ in range(3):
        room.warm(50)
        pacer.cool_down()
    assert room.temperatures() == [50], "the first look was at 50 C"
    room.warm(58)
    pacer.cool_down()
    assert room.temperatures() == [53]


def test_the_warmest_of_several_gpus_decides_and_one_that_does_not_tell_is_left_out() -> None:
    room = Room(40, 60, None)
    pacer = pacer_of(room)
    pacer.cool_down()
    room.warm(40, 70, 99)
    pacer.cool_down()
    assert sum(room.slept) == 7
    room.warm(None, None, None)
    pacer.cool_down()
    assert sum(room.slept) == 7


def test_a_gpu_that_does_not_cool_is_told_and_the_run_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    room = Room(40, falls_c_s=0.0)
    pacer = pacer_of(room, cool_down_s=30)
    pacer.cool_down()
    room.warm(52)
    with caplog.at_level(logging.WARNING, logger="scorekit"):
        pacer.cool_down()
    assert sum(room.slept) == pytest.approx(30, abs=1)
    (told,) = caplog.messages
    assert "after 30 s the GPU is still 12 C warmer" in told


def test_a_cool_down_of_nothing_waits_for_nothing() -> None:
    room = Room(40)
    pacer = pacer_of(room, cool_down_s=0)
    pacer.cool_down()
    room.warm(90)
    pacer.cool_down()
    assert room.slept == []


@pytest.mark.parametrize(
    ("min_window_s", "pass_s", "passes"),
    [(10, 2.0, 6), (10, 20.0, 1), (10, 10.0, 2), (10, 10.6, 1), (0, 0.001, 1), (10, 0, 1), (60, 1e-9, 100_000)],
)
def test_passes_fill_the_window_with_a_little_to_spare(min_window_s: float, pass_s: float, passes: int) -> None:
    assert passes_for(min_window_s, pass_s) == passes


@given(st.floats(0.1, 600), st.floats(0.01, 1000))
def test_they_are_enough_and_never_more_than_one_too_many(min_window_s: float, pass_s: float) -> None:
    passes = passes_for(min_window_s, pass_s)
    assert passes * pass_s >= min_window_s or passes == 100_000
    assert passes == 1 or (passes - 1) * pass_s < 1.0501 * min_window_s


def pass_of(monkeypatch: pytest.MonkeyPatch, batch_s: Callable[[int], float], batches: int) -> tuple[float, list[str]]:
    """Length of a pass whose batches take their times, and what was done to find it."""
    clock = SimpleNamespace(now=0.0)
    done: list[str] = []
    monkeypatch.setattr(pacing, "time", SimpleNamespace(monotonic=lambda: clock.now))

    def call(number: int) -> None:
        done.append("call")
        clock.now += batch_s(number)

    def whole() -> None:
        done.append("pass")
        clock.now += sum(map(batch_s, range(batches)))

    found = pass_length_s(10, batches=batches, call=call, whole=whole, wait=lambda: done.append("wait"))
    return found, done


def test_a_long_pass_is_estimated_from_its_first_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    length_s, done = pass_of(monkeypatch, lambda _: 0.5, 1000)
    assert length_s == pytest.approx(500)
    assert done == ["call"] * 8 + ["wait"]


def test_a_short_one_is_timed_as_a_whole_for_its_first_batches_may_mislead(monkeypatch: pytest.MonkeyPatch) -> None:
    length_s, done = pass_of(monkeypatch, lambda number: 0.01 if number < 8 else 0.03, 100)
    assert length_s == pytest.approx(0.08 + 92 * 0.03)
    assert done == [*["call"] * 8, "wait", "pass", "wait"]


def test_one_of_few_batches_calls_no_batch_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    length_s, done = pass_of(monkeypatch, lambda number: (1.0, 2.0)[number], 2)
    assert length_s == pytest.approx(3)
    assert done.count("call") == 2


def test_devices_at_rest_are_measured_once_clocks_have_come_down(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []

    class Windows:
        def measure(self, phase: str, repeat: int | None, work: Callable[[], None]) -> None:
            told.append((phase, repeat))
            work()

    monkeypatch.setattr(pacing, "time", SimpleNamespace(sleep=told.append))
    pacing.rest(Windows(), "idle_before", 10.0)  # type: ignore[arg-type]
    assert told == [5.0, ("idle_before", None), 10.0]
