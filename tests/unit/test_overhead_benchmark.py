"""The overhead benchmark's own method: which turn has a window, and what is made of the turns."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from benchmarks import overhead
from benchmarks.overhead import Turn


class Meter:
    def __init__(self, name: str, seen: list[str]) -> None:
        self.name, self.seen = name, seen

    def open(self, window: str) -> None:
        self.seen.append(f"open {self.name}")

    def close(self) -> None:
        self.seen.append(f"close {self.name}")

    def readings(self) -> tuple[Any, ...]:
        return ()

    def cost(self) -> Any:
        return SimpleNamespace(cpu_s=0.01, window_s=20.0)

    def stop(self) -> None:
        self.seen.append(f"stop {self.name}")


def test_turns_alternate_and_no_meter_lives_while_there_is_no_window() -> None:
    seen: list[str] = []

    def make() -> list[Meter]:
        return [Meter("a", seen), Meter("b", seen)]

    on, off, sampler = overhead.pairs(lambda: seen.append("work"), make, 2)
    window = ["open b", "open a", "work", "close a", "close b", "stop a", "stop b"]
    # The first pair is for nothing; then each is first once. Beside a thread that only sleeps it is done once more.
    window.append("work")
    assert seen == [*window, "work", "work", *window, *window, "work"]
    assert len(on) == len(off) == 2
    assert [ours for ours, _ in sampler] == [pytest.approx(0.05)] * 2
    assert all(floor >= 0 for _, floor in sampler)


def test_meters_are_stopped_when_the_work_fails() -> None:
    seen: list[str] = []

    def broken() -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        overhead.pairs(broken, lambda: [Meter("a", seen)], 1)
    assert seen[-1] == "stop a"


def test_rows_hold_wall_ratio_and_what_was_taken() -> None:
    on = [Turn(10.1, 5.1, others_s=0.02, edges_s=0.0101)]
    off = [Turn(10.0, 5.0)]
    wall, taken, sampler = overhead.rows(("nvml",), on, off, [(0.08, 0.04)])
    assert wall.ratios == pytest.approx((1.01,))
    assert wall.cpu_ratios == pytest.approx((1.02,))
    assert wall.verdict == "no"
    assert taken.ours == pytest.approx((100 * 0.0301 / 10.1,))
    assert taken.verdict == "yes"
    assert sampler.verdict == "yes"
    assert sampler.ratios == pytest.approx((2.0,))
    # The sampler is one, whatever stands beside it.
    assert len(overhead.rows(("nvml", "codecarbon"), on, off, [(0.08, 0.04)])) == 2


@pytest.mark.parametrize("walls_s", [(9.0, 10.0, 14.0, 8.0), (9.0, 9.5, 9.9, 8.0)])
def test_wall_time_on_a_busy_machine_is_shown_and_judged_neither_well_nor_badly(walls_s: tuple[float, ...]) -> None:
    on = [Turn(wall_s, 5.0) for wall_s in walls_s]
    wall, taken, _ = overhead.rows(("nvml",), on, [Turn(10.0, 5.0)] * 4, [(0.08, 0.04)] * 4)
    assert wall.goal is not None
    assert wall.verdict == "unclear"
    assert "too busy" in wall.as_json()["noise"]
    assert taken.verdict == "yes"


def test_a_median_is_known_as_well_as_its_values_scatter_little() -> None:
    # The middle half of a normal distribution of standard deviation 0.01 is 0.01349 wide: 1.2533 * 0.01 / sqrt(9).
    values = [1 + 0.01349 * (place - 4) / 4 for place in range(9)]
    assert overhead.error_of_median(values) == pytest.approx(0.004178, rel=1e-3)


def test_a_thread_that_only_sleeps_takes_next_to_nothing_and_ends() -> None:
    before = threading.active_count()
    assert 0 <= overhead.asleep_percent(lambda: time.sleep(0.3)) < 50
    assert threading.active_count() == before


def test_a_turn_counts_opening_and_closing() -> None:
    found = overhead.windowed(lambda: None, [Meter("a", [])])
    assert 0 <= found.edges_s <= found.wall_s
    assert overhead.plain(lambda: None).edges_s == 0
