"""Holds the ratios of ours to their floors to the stored ones; ends with code 1 when one is 1.5 times as large.

python -m benchmarks.guard [--only KEY ...] [--store]

Ratios are of CPU time and of counts, in turns, and the least of each side counts. One that is beyond the limit is
looked at again until it is not, at most so many times: other programs do not make a regression. Code 2 says that what
is stored is of another Python, so that nothing was looked at.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.guard.turns import Found, judge
from benchmarks.guard.works import WORKS

STORED = Path(__file__).parents[1] / "stored_ratios.json"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
_STORING_TURNS = 15
_STORING_ROUNDS = 3


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.guard", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", metavar="KEY", choices=list(WORKS), action="append", help=f"of {', '.join(WORKS)}")
    parser.add_argument("--store", action="store_true", help=f"measure with more turns, and write {STORED.name}")
    options = parser.parse_args(argv)
    keys = options.only or list(WORKS)
    stored = read_stored()
    if not options.store and (other := stored_python()) not in (None, PYTHON):
        # Each Python is quicker than the one before in some works and not in others.
        print(f"NOT CHECKED: what is stored is of Python {other}, and this is {PYTHON}: --store first", file=sys.stderr)
        return 2
    begun, cpu = time.monotonic(), time.process_time()
    if options.store:
        rounds = [list(look(keys, {}, _STORING_TURNS)) for _ in range(_STORING_ROUNDS)]
        ratios = {one[0].key: statistics.median(each.ratio for each in one) for one in zip(*rounds, strict=True)}
        write_stored({**stored, **ratios})
        return 0
    found = []
    for one in look(keys, stored):
        print(line(one), flush=True)
        found.append(one)
    print(f"{time.monotonic() - begun:.0f} s, {time.process_time() - cpu:.0f} s of CPU")
    faults = [one.fault for one in found if one.fault]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def line(found: Found) -> str:
    """One row as text."""
    beside = "" if found.times_stored is None else f"{found.times_stored:.2f} x the stored {found.stored:.3g}, "
    took = "" if found.ours_s is None else f"{found.ours_s * 1e3:.1f} ms, {found.turns} turns, "
    return f"{found.key:18} {found.ratio:8.3f}  {beside}{took}{found.what} to {found.reference}"


def look(keys: Sequence[str], stored: dict[str, float], turns: int | None = None) -> Iterator[Found]:
    """Prepare each row, and hold it to what is stored; with `turns`, exactly so many of them."""
    with tempfile.TemporaryDirectory(prefix="scorekit-guard-") as scratch:
        for key in keys:
            folder = Path(scratch) / key
            folder.mkdir()
            row = WORKS[key](folder)
            # What was made beforehand is not to be gone through by the collector in each turn.
            gc.collect()
            gc.freeze()
            yield judge(row, stored.get(key), turns, turns) if turns else judge(row, stored.get(key))


def read_stored() -> dict[str, float]:
    """The stored ratios by key; none where nothing is stored."""
    if not STORED.exists():
        return {}
    return dict(json.loads(STORED.read_text(encoding="utf-8"))["ratios"])


def stored_python() -> str | None:
    """The Python that the stored ratios are of; None where nothing is stored."""
    return str(json.loads(STORED.read_text(encoding="utf-8"))["python"]) if STORED.exists() else None


def write_stored(ratios: dict[str, float]) -> None:
    """Write them, in the order of the works, with what wrote them."""
    document = {
        "written_by": "python -m benchmarks.guard --store",
        "python": PYTHON,
        "ratios": {key: round(ratios[key], 4) for key in WORKS if key in ratios},
    }
    STORED.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
