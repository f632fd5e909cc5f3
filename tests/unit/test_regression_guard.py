"""The regression guard: what it takes for a regression, and that nothing here is one.

The guard measures in CPU time of a process of its own, and looks again and again before it says that something is slow:
how busy the machine is does not fail it.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.guard import __main__ as program
from benchmarks.guard import turns
from benchmarks.guard.turns import LIMIT, Count, Pair, judge
from benchmarks.guard.works import WORKS

ROOT = Path(turns.__file__).parents[2]


def pair(ours: Iterator[float], floor: Iterator[float]) -> Pair:
    """Works that take what is told, by a clock that believes them."""
    return Pair("key", "a work", "its floor", lambda: next(ours), lambda: next(floor), lambda work: float(str(work())))


@pytest.mark.parametrize(("slower", "caught"), [(1.0, False), (1.45, False), (1.6, True), (2.0, True)])
def test_a_work_that_became_slower_is_caught_however_noisy_its_turns(slower: float, caught: bool) -> None:
    # Others add up to three times as much to either, in no rhythm that both share.
    noise = itertools.cycle([1.9, 1.0, 2.7, 1.2, 3.9, 1.1, 1.0])
    other = itertools.cycle([1.0, 2.2, 1.3, 1.7, 1.05])
    found = judge(
        pair((2 * slower * next(noise) for _ in itertools.count()), (next(other) for _ in itertools.count())), 2.0
    )
    assert found.ratio == pytest.approx(2 * slower)
    assert (found.fault is not None) is caught
    if found.fault is not None:
        assert f"{slower:.2f} x as slow as stored" in found.fault
        assert found.turns == turns.MOST_TURNS


def test_turns_go_on_until_a_quiet_one_has_come() -> None:
    ours = itertools.chain([9.0] * 13, itertools.repeat(1.0))
    found = judge(pair(ours, itertools.repeat(1.0)), 1.0)
    assert found.fault is None
    assert turns.TURNS < found.turns < turns.MOST_TURNS


def test_works_take_turns_and_each_is_first_in_every_second_one() -> None:
    done: list[str] = []

    def clock(work: turns.Work) -> float:
        work()
        return 1.0

    taken = turns.Turns()
    taken.take(Pair("key", "what", "floor", lambda: done.append("ours"), lambda: done.append("floor"), clock), 3)
    assert done == ["floor", "ours", "ours", "floor", "floor", "ours"]
    assert len(taken.ours) == len(taken.floor) == 3


def test_few_turns_that_are_not_clear_are_not_believed() -> None:
    floor = itertools.chain([1.5] * 10, itertools.repeat(1.0))
    found = judge(pair(itertools.repeat(2.0), floor), 1.0)
    assert found.fault is not None
    assert found.turns == turns.MOST_TURNS
    found = judge(pair(itertools.repeat(1.4), itertools.repeat(1.0)), 1.0)
    assert (found.fault, found.turns) == (None, turns.SURE_TURNS)


def test_a_work_that_really_does_more_is_caught() -> None:
    def work() -> object:
        return sorted(str(number) for number in range(20_000))

    def more() -> object:
        return [work() for _ in range(4)]

    good = judge(Pair("key", "what", "floor", work, work), 1.0)
    bad = judge(Pair("key", "what", "floor", more, work), 1.0, most=10)
    assert good.fault is None
    assert bad.fault is not None


def test_a_count_is_held_to_its_stored_ratio() -> None:
    row = Count("bytes", "bytes of a page", "its data", lambda: (200.0, 100.0))
    assert judge(row, 2.0).fault is None
    assert judge(row, 2.0 / (LIMIT + 0.01)).fault is not None
    assert "python -m benchmarks.guard --store" in (judge(row, None).fault or "")


def test_what_is_stored_is_what_is_looked_at() -> None:
    assert list(program.read_stored()) == list(WORKS)
    assert all(ratio > 0 for ratio in program.read_stored().values())


def test_storing_keeps_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "STORED", tmp_path / "stored.json")
    program.write_stored({"stars": 0.51236, "rating": 2.0})
    assert program.read_stored() == {"stars": 0.5124, "rating": 2.0}
    assert json.loads(program.STORED.read_text(encoding="utf-8"))["written_by"] == "python -m benchmarks.guard --store"


def test_ratios_of_another_python_are_held_against_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "STORED", tmp_path / "stored.json")
    program.write_stored({"stars": 0.5})
    monkeypatch.setattr(program, "PYTHON", "3.99")
    assert program.main(["--only", "stars"]) == 2
    assert "NOT CHECKED" in capsys.readouterr().err


@pytest.mark.skipif(program.stored_python() != program.PYTHON, reason="not applicable: ratios of another Python")
def test_nothing_is_half_as_slow_again_as_it_was() -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "benchmarks.guard"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
