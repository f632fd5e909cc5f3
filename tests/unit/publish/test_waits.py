"""No browser test waits by a string that is no function: the pages' own policy forbids evaluating it a second time."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_waits_are_functions() -> None:
    files = [*(ROOT / "tests" / "web").glob("*.py"), *(ROOT / "benchmarks").glob("*.py")]
    assert len(files) > 10
    for path in files:
        waits = re.findall(r"wait_for_function\(\s*f?[\"'](.{5})", path.read_text(encoding="utf-8"))
        assert [start for start in waits if not start.startswith("()")] == [], path.name
