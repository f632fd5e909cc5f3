"""What every benchmark is as a program: where it runs, what it can be told, what it tells, and how it ends."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.comparison import Comparison, as_json, table

ROOT: Final = Path(__file__).resolve().parents[1]
"""Of the checkout: processes that import from benchmarks/ and tests/ start there."""
CACHE: Final = ROOT / ".cache"
"""What is fetched once, and what benchmarks found."""
ONE_THREAD_OFFLINE: Final[Mapping[str, str]] = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
"""Tiny models gain nothing from threads; everything is on this disk. Libraries read these when they are imported."""


def say(text: str) -> None:
    """Tell how it goes on: standard output is for what was found."""
    print(text, file=sys.stderr, flush=True)


def parser(name: str, doc: str | None, quick: str) -> argparse.ArgumentParser:
    """What every benchmark can be told: --quick and --json FILE.

    Args:
        name: of the module in benchmarks/.
        doc: its docstring, whose first paragraph is shown.
        quick: what --quick makes of it.
    """
    made = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=(doc or "").partition("\n\n")[0])
    made.add_argument("--quick", action="store_true", help=quick)
    made.add_argument("--json", metavar="FILE", type=Path, help="write every run to FILE")
    return made


def conclude(
    comparisons: Sequence[Comparison],
    *,
    quick: bool,
    file: Path | None,
    notes: Iterable[str] = (),
    left_out: Sequence[str] = (),
    **facts: Any,
) -> int:
    """Write every run to a file, print the table, and tell which goals were missed.

    Args:
        comparisons: all of the benchmark.
        quick: whether the runs were too short to judge what is close, so that only what is clear misses its goal.
        file: of the JSON; None where none was asked for.
        notes: what is told below the table.
        left_out: what did not run, and why: told below the notes, and in the file.
        facts: what else is to be known about the run, beside the machine.

    Returns:
        The exit code: 1 where a goal was missed.
    """
    if file is not None:
        machine = {"python": platform.python_version(), "machine": platform.machine(), "cores": os.cpu_count()}
        document = as_json(
            comparisons, quick=quick, load_1min=os.getloadavg()[0], left_out=left_out, **machine, **facts
        )
        file.write_text(document, encoding="utf-8")
    print("\n".join([table(comparisons), *notes, *(f"left out: {what}" for what in left_out)]))
    unmet = ("no",) if quick else ("no", "unclear")
    missed = [row.what.strip() for row in comparisons if row.verdict in unmet]
    if missed:
        say(f"goal missed: {'; '.join(missed)}")
    return 1 if missed else 0
