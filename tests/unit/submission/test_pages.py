"""What the page of submissions says is what the code does."""

from __future__ import annotations

from pathlib import Path

from scorekit.submission import CLAUSES, Confinement, clauses

PAGE = (Path(__file__).parents[3] / "docs" / "submissions.md").read_text(encoding="utf-8")


def test_the_clauses_stand_there_word_for_word() -> None:
    assert clauses.VERSION in PAGE
    for clause in CLAUSES:
        assert f"| `{clause.flag}` | {clause.title}. {clause.text} |" in PAGE


def test_the_limits_are_those_of_the_code() -> None:
    confined = Confinement()
    assert confined.memory_bytes == 1.5 * 1024**3
    assert (confined.cpu_s, confined.wall_s) == (120, 180)
    for told in ("memory 1.5 GiB", "120 s of", "killed after\n180 s"):
        assert told in PAGE
