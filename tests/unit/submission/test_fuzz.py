"""Damaged submissions: none is accepted, none breaks the one that reads it, none leaves its place."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from scorekit.submission.verify import UNEXPECTED
from tests.unit.submission.made import codes, judge
from tests.unit.submission.mutations import mutated

COUNT = 300


def test_mutations_are_the_same_each_time_and_are_damage(content: bytes) -> None:
    for seed in range(20):
        how, damaged = mutated(content, seed)
        assert mutated(content, seed) == (how, damaged)
        assert damaged != content, how


def test_no_damaged_submission_is_accepted_or_breaks_the_reader(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    readable = 0
    for seed in range(COUNT):
        how, damaged = mutated(content, seed)
        verdict = judge(damaged)
        assert verdict.verdict != "accepted", how
        assert [reason for reason in verdict.reasons if reason.weight != "note"], how
        assert UNEXPECTED not in codes(verdict), how
        readable += verdict.readable
    assert COUNT / 10 < readable < COUNT, "some damage is to reach the evidence, and some must not"
    assert os.listdir(tmp_path) == []


def test_a_bomb_costs_no_memory(content: bytes) -> None:
    from tests.unit.submission.made import raw_zip

    bomb = raw_zip([("runs/1/windows.jsonl", bytes(80 * 1024**2))])
    tracemalloc.start()
    assert judge(bomb).verdict == "refused"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 * 1024**2
