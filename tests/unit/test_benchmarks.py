"""The benchmarks' own method: who takes which turn and what is judged; and that a pass fetches what datasets gives."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchmarks import comparison, program, timing
from benchmarks.comparison import Comparison, Goal
from benchmarks.timing import Took
from benchmarks.turns import Turns

from scorekit.editions import FEBRUARY_2025
from scorekit.records import Terms


def compare(ratios: tuple[float, ...], goal: Goal | None) -> Comparison:
    return Comparison("key", "what", "floor", "s", ours=ratios, theirs=(1.0,) * len(ratios), goal=goal)


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        ((1.00, 1.01, 1.01, 1.05, 1.06), "yes"),
        ((1.00, 1.01, 1.03, 1.05, 1.06), "unclear"),
        ((1.00, 1.03, 1.03, 1.05, 1.06), "no"),
        ((1.03,), "no"),
    ],
)
def test_a_goal_is_missed_when_three_of_four_runs_are_beyond_it(ratios: tuple[float, ...], verdict: str) -> None:
    assert compare(ratios, Goal(1.02)).verdict == verdict
    assert compare(ratios, None).verdict is None


def test_ratios_are_of_the_same_turn() -> None:
    found = Comparison("key", "what", "floor", "s", ours=(1.0, 4.0), theirs=(1.0, 2.0))
    assert found.ratios == (1.0, 2.0)


def test_works_alternate_and_turns_for_nothing_are_not_told() -> None:
    done: list[str] = []

    def work(name: str) -> int:
        done.append(name)
        return len(done)

    ours, theirs = timing.in_turns(lambda: work("ours"), lambda: work("floor"), 3)
    assert done == ["floor", "ours", "ours", "floor", "floor", "ours", "ours", "floor"]
    assert (ours, theirs) == ([3, 6, 7], [4, 5, 8])


def test_a_time_is_of_one_thing_and_a_clock_that_stands_still_makes_a_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    wall_s = iter((10.0, 16.0))
    monkeypatch.setattr("time.perf_counter", lambda: next(wall_s))
    monkeypatch.setattr("time.process_time_ns", lambda: 5)
    done: list[int] = []
    assert timing.took(lambda: done.append(1), repeats=3, of=2) == Took(1.0, pytest.approx(1e-9 / 6))
    assert done == [1, 1, 1]


def test_turns_become_wall_times_and_ratios_of_cpu_times() -> None:
    goal = Goal(9.0)
    found = Comparison.of_turns("key", "what", "floor", "ms", [Took(2.0, 0.5)], [Took(1.0, 2.0)], goal)
    assert (found.ours, found.theirs, found.ratios, found.cpu_ratios) == ((2000.0,), (1000.0,), (2.0,), (0.25,))
    assert found.goal == goal


def test_verifying_and_the_index_take_turns_with_their_floors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from benchmarks import results_index, verify

    done: list[str] = []
    monkeypatch.setattr("scorekit.submission.verify_bytes", lambda *_: done.append("ours"))
    monkeypatch.setattr(verify, "floor", lambda _: done.append("floor"))
    row = verify.compared("key", "what", b"", Terms(edition=FEBRUARY_2025, now_utc=verify.NOW.isoformat()), 2)
    assert done == ["floor", "ours", "ours", "floor", "floor", "ours"]
    assert (len(row.ours), len(row.theirs), row.goal) == (2, 2, verify.GOAL)
    done.clear()
    monkeypatch.setattr(results_index, "build_index", lambda _: done.append("ours"))
    monkeypatch.setattr(results_index, "read_all", lambda _: done.append("floor"))
    results_index.rebuilds({5_000: tmp_path}, rounds=2)
    assert done == ["floor", "ours", "ours", "floor"]


def test_a_goal_on_ours_leaves_the_ratio_out() -> None:
    found = Comparison("key", "what", "peer", "%", ours=(0.5,), theirs=(0.1,), goal=Goal(2.0, on="ours"))
    assert found.verdict == "yes"


def test_table_and_json_tell_the_same() -> None:
    rows = [compare((1.0, 1.03, 1.05), Goal(1.02)), compare((1.0,), None)]
    lines = comparison.table(rows).splitlines()
    assert len(lines) == 4
    assert "1.030" in lines[2]
    assert "<= 1.02" in lines[2]
    document = json.loads(comparison.as_json(rows, quick=True))
    assert document["quick"] is True
    assert document["left_out"] == []
    assert [row["met"] for row in document["comparisons"]] == ["unclear", None]
    assert document["comparisons"][0]["ratio_median"] == 1.03


@pytest.mark.parametrize(("quick", "missed"), [(True, "clear"), (False, "near; clear")])
def test_a_benchmark_ends_with_its_table_and_the_goals_that_it_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], quick: bool, missed: str
) -> None:
    near, clear = compare((1.0, 1.03, 1.05), Goal(1.02)), compare((2.0,), Goal(1.02))
    rows = [replace(near, what="  near"), replace(clear, what="clear"), compare((9.0,), None)]
    file = tmp_path / "runs.json"
    left_out = ["the peer: it is not here"]
    assert program.conclude(rows, quick=quick, file=file, notes=["more of it"], left_out=left_out, seconds=2) == 1
    told = capsys.readouterr()
    assert told.out == f"{comparison.table(rows)}\nmore of it\nleft out: the peer: it is not here\n"
    assert told.err == f"goal missed: {missed}\n"
    document = json.loads(file.read_text(encoding="utf-8"))
    assert (document["quick"], document["seconds"], len(document["comparisons"])) == (quick, 2, 3)
    assert document["left_out"] == left_out
    assert program.conclude([rows[2]], quick=quick, file=None) == 0
    assert not capsys.readouterr().err


def test_loops_do_every_sample_once_before_and_after_the_pass_in_turn() -> None:
    done: list[tuple[str, int]] = []

    def loop(name: str) -> Any:
        return lambda samples: done.extend((name, number) for number in samples)

    turns = Turns([f"row {number}" for number in range(7)], {"bare": loop("bare"), "other": loop("other")})

    def measured_pass() -> tuple[float, float]:
        begun = time.monotonic()
        for number in range(len(turns)):
            assert turns[number : number + 1] == [f"row {number}"]
            done.append(("pass", number))
        return begun, time.monotonic()

    found = turns.around(measured_pass)
    names = [name for index, (name, _) in enumerate(done) if index == 0 or done[index - 1][0] != name]
    assert names == ["bare", "other", "pass", "other", "bare", "other", "pass", "other", "bare"]
    for name in ("bare", "other", "pass"):
        assert [number for who, number in done if who == name] == list(range(7))
    assert len(found.slices) == len(found.loops["bare"]) == len(found.loops["other"]) == 4


@pytest.mark.transformers
@pytest.mark.parametrize("size", [1, 2, 3])
def test_fetched_rows_are_those_of_datasets(size: int) -> None:
    import datasets
    import torch

    from scorekit.measuring.passes import TokenRows, rows_of

    features = datasets.Features(
        {"input_ids": datasets.List(datasets.Value("int32")), "attention_mask": datasets.List(datasets.Value("int8"))}
    )
    ids = [[1, 2, 3], [2**31 - 1, -1, 0], [7], []]
    rows = {"input_ids": ids, "attention_mask": [[1] * len(row) for row in ids]}
    # Several record batches, as a long dataset has on disk, of which some rows were chosen.
    part = datasets.Dataset.from_dict(rows, features=features)
    dataset = datasets.concatenate_datasets([part, part, part]).select([8, 0, 1, 5, 2, 6, 3]).with_format("torch")
    found = rows_of(dataset)
    assert isinstance(found, TokenRows)
    assert len(found) == len(dataset)
    for start in range(0, len(dataset), size):
        ours, theirs = found[start : start + size], dataset[start : start + size]
        assert list(ours) == list(theirs)
        for name, expected in theirs.items():
            if isinstance(expected, torch.Tensor) and expected.numel():
                assert torch.equal(ours[name], expected)
                assert ours[name].dtype == expected.dtype
            else:
                assert [row.tolist() for row in ours[name]] == [row.tolist() for row in expected]


def test_what_holds_more_than_tokens_stays_with_datasets() -> None:
    import datasets

    from scorekit.measuring.passes import rows_of

    for columns in (
        {"prompt": ["a cat", "a dog"]},
        {"pixel_values": [[[0.5, 0.5]], [[0.1, 0.2]]]},
        {"input_values": [[0.5, 0.5], [0.1]]},
        {"input_ids": [[1, 2], [3]], "pixel_values": [[[0.5]], [[0.1]]]},
        {"input_ids": [[1, 2], None]},
        {"input_ids": [[1, 2], [None]]},
    ):
        dataset = datasets.Dataset.from_dict(columns)
        assert rows_of(dataset) is dataset


def test_a_fetched_row_is_the_callers_own() -> None:
    import datasets

    from scorekit.measuring.passes import rows_of

    found = rows_of(datasets.Dataset.from_dict({"input_ids": [[1, 2, 3]]}))
    found[0:1]["input_ids"].zero_()
    assert found[0:1]["input_ids"].tolist() == [[1, 2, 3]]
