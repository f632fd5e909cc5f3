"""Prints how long verifying submissions takes beside bare hashing and JSON parsing of the same bytes, and ends with
code 1 when the goal is missed.

python -m benchmarks.verify [--quick] [--json FILE]
"""

from __future__ import annotations

import datetime
import gc
import hashlib
import io
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pydantic_core import from_json

from benchmarks import program
from benchmarks.comparison import Comparison, Goal
from benchmarks.timing import in_turns, took
from scorekit import submission
from scorekit.editions import FEBRUARY_2025
from scorekit.records import Terms

GOAL = Goal(3.0)
RUNS, QUICK_RUNS = 31, 7
LENGTHS = (("short", 1), ("middle", 5), ("long", 20))
"""Minutes that each of ten repeats takes: a minute is the least that the protocol's checks let pass."""
NOW = datetime.datetime(2025, 6, 2, 13, 0, tzinfo=datetime.UTC)


def main(argv: list[str] | None = None) -> int:
    options = program.parser("verify", __doc__, "few turns, for CI: seconds").parse_args(argv)
    terms = Terms(edition=FEBRUARY_2025, now_utc=NOW.isoformat())
    rows = []
    with tempfile.TemporaryDirectory() as made:
        packed = submissions(Path(made))
        # What the tests' modules left in memory is not to be gone through by the collector within a turn.
        gc.collect()
        gc.freeze()
        for key, what, content in packed:
            assert submission.verify_bytes(content, terms).verdict != "refused"
            rows.append(compared(key, what, content, terms, QUICK_RUNS if options.quick else RUNS))
    note = "The floor unpacks, hashes and parses; verifying also makes 26 checks and the score, and compares the files."
    return program.conclude(rows, quick=options.quick, file=options.json, notes=[note])


def submissions(folder: Path, lengths: Sequence[tuple[str, int]] = LENGTHS) -> list[tuple[str, str, bytes]]:
    """The official run of the tests' evidence, the shortest there can be, and runs of larger models."""
    from tests import evidence
    from tests.unit.submission.made import request, thinned, write_run

    found = []
    for key, minutes in lengths:
        evidence.ANSWERING_S = 60.0 * minutes
        evidence.good_evidence.cache_clear()
        run = write_run(folder / key, thinned(evidence.good_evidence(), 1))
        what = f"verify a run of 10 x {minutes} min, power sampled 10 times a second"
        content = submission.pack([run], request()).content
        found.append((key, what, content))
    return found


def compared(key: str, what: str, content: bytes, terms: Terms, runs: int) -> Comparison:
    """Verifying and the floor in turns."""
    turns = in_turns(
        partial(took, lambda: submission.verify_bytes(content, terms)), partial(took, lambda: floor(content)), runs
    )
    return Comparison.of_turns(key, what, "unpack, hash, parse JSON", "ms", *turns, GOAL)


def floor(content: bytes) -> int:
    """Every file unpacked, hashed, and parsed as JSON or JSON lines."""
    hashlib.sha256(content).hexdigest()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            hashlib.sha256(data).hexdigest()
            for document in data.splitlines() if name.endswith(".jsonl") else [data]:
                from_json(document)
    return len(content)


if __name__ == "__main__":
    sys.exit(main())
