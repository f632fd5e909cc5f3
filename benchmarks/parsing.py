"""How fast logs are read: `logs.read_logs` over run folders, beside bare open and json.loads of the same files.

python -m benchmarks.parsing [--quick] [--json FILE]

Folders of optimum-benchmark (report, config and both together), and run folders of scorekit as an official run on a GPU
leaves them, whose every file is hashed and whose 26 checks are made; there the floor hashes, too, and reads the power
trace with pyarrow. Memory is the peak of a process of its own that reads them all and keeps none.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from benchmarks import program
from benchmarks.comparison import Comparison, Goal
from benchmarks.timing import in_turns

GOAL: Final = Goal(4.0)
OWN_GOAL: Final = Goal(8.5)
FLAT: Final = Goal(1.2)
"""Peak memory over all folders to that over a tenth of them."""


def write_foreign(folder: Path, count: int) -> None:
    """Write so many folders of optimum-benchmark, no two alike."""
    from tests.log_writers import optimum_benchmark

    files = optimum_benchmark.example()
    for number in range(count):
        run = folder / f"{number:05d}"
        run.mkdir(parents=True)
        for name, content in files.items():
            (run / name).write_bytes(content.replace(b"openai-community/gpt2", f"example/model-{number}".encode()))


def write_gpu_runs(folder: Path, count: int) -> None:
    """Write so many official runs on a GPU, no two alike.

    Each is ten repeats of a minute with NVML's and CodeCarbon's readings, the GPU's states and its power sampled ten
    times a second: the shortest that the protocol's checks let pass.
    """
    from tests import evidence
    from tests.unit.submission.made import thinned, write_run

    from scorekit import bundle, logs

    first = write_run(folder / f"{0:05d}", thinned(evidence.good_evidence(), 1))
    # Raises where a check fails.
    logs.read_score(first)
    facts = (first / bundle.ENVIRONMENT).read_bytes()
    for number in range(1, count):
        run = folder / f"{number:05d}"
        shutil.copytree(first, run)
        (run / bundle.ENVIRONMENT).write_bytes(facts.replace(b"example/model-1b", f"example/model-{number}".encode()))
        bundle.seal(run)


def read(folders: list[Path]) -> float:
    """Read the logs of some folders [s]."""
    from scorekit.logs import read_logs
    from scorekit.records import Result

    begun = time.perf_counter()
    count = sum(isinstance(found, Result) for found in read_logs(folders))
    took = time.perf_counter() - begun
    if count != len(folders):
        raise SystemExit(f"{count} results of {len(folders)} folders")
    return took


def floor(folders: list[Path]) -> float:
    """Open and json.loads of every JSON file of these folders [s]."""
    begun = time.perf_counter()
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if path.suffix in (".json", ".jsonl"):
                with path.open("rb") as file:
                    content = file.read()
                for line in content.splitlines() if path.suffix == ".jsonl" else (content,):
                    json.loads(line)
    return time.perf_counter() - begun


def hashing_floor(folders: list[Path]) -> float:
    """Every file of these folders read and hashed, JSON parsed, the power trace read as a table [s]."""
    import pyarrow
    from pyarrow import parquet

    begun = time.perf_counter()
    for folder in folders:
        for path in sorted(folder.iterdir()):
            content = path.read_bytes()
            hashlib.sha256(content).hexdigest()
            if path.suffix == ".parquet":
                parquet.read_table(pyarrow.BufferReader(content))
            elif path.suffix in (".json", ".jsonl"):
                for line in content.splitlines() if path.suffix == ".jsonl" else (content,):
                    json.loads(line)
    return time.perf_counter() - begun


def compare(
    key: str,
    what: str,
    folder: Path,
    turns: int,
    goal: Goal,
    bare: Callable[[list[Path]], float],
    reference: str,
) -> Comparison:
    """Both over the same folders in turn, in as many parts as there are turns."""
    folders = sorted(folder.iterdir())
    read(folders[:20])
    bare(folders[:20])
    size = len(folders) // turns
    parts = [folders[turn * size : (turn + 1) * size] for turn in range(turns)]
    mine, other = iter(parts), iter(parts)
    # The second to come finds the files in the page cache.
    ours, theirs = in_turns(
        lambda: 1e3 * read(next(mine)) / size, lambda: 1e3 * bare(next(other)) / size, turns, warm_ups=0
    )
    return Comparison(
        key=key,
        what=what,
        reference=reference,
        unit="ms a folder",
        ours=tuple(ours),
        theirs=tuple(theirs),
        goal=goal,
    )


def memory(folder: Path, count: int, runs: int) -> Comparison:
    """Peak memory of a process that reads all folders, beside one that reads a tenth of them, in turn [MiB]."""
    peaks: dict[int, list[float]] = {count: [], count // 10: []}
    for _ in range(runs):
        for most, found in peaks.items():
            command = [sys.executable, "-m", "benchmarks.parsing", "--peak", str(folder), str(most)]
            done = subprocess.run(command, capture_output=True, text=True, cwd=program.ROOT, check=True)
            found.append(float(done.stdout))
    return Comparison(
        key="parse_memory",
        what=f"peak memory over {count:,} folders",
        reference="over a tenth of them",
        unit="MiB",
        ours=tuple(peaks[count]),
        theirs=tuple(peaks[count // 10]),
        goal=FLAT,
    )


def _peak(folder: Path, count: int) -> None:
    read(sorted(folder.iterdir())[:count])
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def measure(count: int, runs: int, turns: int) -> Iterator[Comparison]:
    """All rows."""
    with tempfile.TemporaryDirectory() as name:
        foreign, own = Path(name) / "foreign", Path(name) / "own"
        write_foreign(foreign, count)
        write_gpu_runs(own, runs)
        what = f"{count:,} folders of optimum-benchmark"
        yield compare("parse_foreign", what, foreign, turns, GOAL, floor, "open and json.loads")
        yield memory(foreign, count, 5)
        what = f"{runs:,} GPU runs of scorekit, hashed and checked"
        yield compare("parse_own", what, own, turns, OWN_GOAL, hashing_floor, "read, hash, parse JSON and the trace")


def main(argv: list[str] | None = None) -> int:
    parser = program.parser("parsing", __doc__, "fewer folders, for CI")
    parser.add_argument("--peak", nargs=2, metavar=("FOLDER", "COUNT"), help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.peak:
        _peak(Path(options.peak[0]), int(options.peak[1]))
        return 0
    count, runs, turns = (500, 20, 5) if options.quick else (10_000, 100, 10)
    found = list(measure(count, runs, turns))
    return program.conclude(found, quick=options.quick, file=options.json)


if __name__ == "__main__":
    sys.exit(main())
