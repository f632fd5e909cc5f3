"""Prints how long the index of the results store takes to build, and a query on it, and ends with code 1 when a goal
is missed.

python -m benchmarks.results_index [--quick] [--json FILE] [--folder DIR]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks import program
from benchmarks.comparison import Comparison, Goal
from benchmarks.timing import Took, in_order, in_turns, took
from scorekit import store
from scorekit.records import Conditions, Fault, Figure, PhaseEnergy, Reason, Result, Source
from scorekit.store import files, index, names

SIZES = (1_000, 10_000, 100_000)
QUICK_SIZES = (200, 1_000, 2_000)
LINEAR = Goal(1.5)
"""Time of one result in the largest folder, relative to the smallest: 1 is linear."""
QUERY = Goal(100.0, on="ours")
SQL = (
    "SELECT task, model_class, count(*) AS results, median(wh_per_1000_queries) AS wh_per_1000_queries FROM results "
    "WHERE hardware LIKE 'NVIDIA H100%' AND domain = 'gpu' GROUP BY ALL ORDER BY ALL"
)
_TASKS = ("text_generation", "summarization", "question_answering", "text_classification", "image_classification")
_HARDWARE = ("NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB", "NVIDIA L4")
_WARM_UPS = 2
_PHASES = ("load_model", "preprocess", "prefill", "decode")


def main(argv: list[str] | None = None) -> int:
    parser = program.parser("results_index", __doc__, "small folders, for CI: seconds instead of minutes")
    parser.add_argument("--folder", metavar="DIR", type=Path, help="where the folders are made for a while")
    options = parser.parse_args(argv)
    sizes = QUICK_SIZES if options.quick else SIZES
    with tempfile.TemporaryDirectory(dir=options.folder) as made:
        folders = {size: Path(made) / str(size) for size in sizes}
        for size, folder in folders.items():
            program.say(f"writing {size:,} results ...")
            write_results(folder, size)
        program.say("indexes ...")
        rows = [*rebuilds(folders, rounds=2 if options.quick else 5)]
        program.say("queries ...")
        # A query on a small index says nothing of the goal, which is an absolute time.
        rows += [query(folders[sizes[-1]], *((9, None) if options.quick else (31, QUERY)))]
        rows += [fresh(folders[sizes[-1]], runs=9 if options.quick else 31)]
    return program.conclude(rows, quick=options.quick, file=options.json)


def rebuilds(folders: dict[int, Path], rounds: int) -> list[Comparison]:
    """Building each index from nothing, in turn with reading and hashing the same files and no more.

    Returns:
        One row a folder, in microseconds a result; the last one relative to the smallest folder.
    """
    taken: dict[int, list[Took]] = {size: [] for size in folders}
    floors: dict[int, list[Took]] = {size: [] for size in folders}
    for number in range(rounds):
        for size, folder in folders.items():
            # A small folder is built as often as the large one has results, up to a second's worth.
            times = max(1, min(10, 5_000 // size))
            for into, work in in_order(((floors, read_all), (taken, build_index)), number):
                into[size].append(took(partial(work, folder), times, of=size))
    found = [
        Comparison.of_turns(
            key=f"build_{size}",
            what=f"index of {size:,} results, each",
            reference="open, read, hash",
            unit="us",
            ours=taken[size],
            theirs=floors[size],
            scale=1e6,
        )
        for size in folders
    ]
    small, large = min(folders), max(folders)
    # In CPU time: the two are minutes apart, in which other programs come and go.
    linear = Comparison(
        key="linear",
        what=f"CPU of a result among {large:,}",
        reference=f"among {small:,}",
        unit="us",
        ours=tuple(one.cpu_s * 1e6 for one in taken[large]),
        theirs=tuple(one.cpu_s * 1e6 for one in taken[small]),
        goal=LINEAR,
    )
    return [*found, linear]


def query(folder: Path, runs: int, goal: Goal | None) -> Comparison:
    """A query on a fresh index, from the path of the folder to the answer, in turn with a bare read of the file."""
    path = folder / index.INDEX
    _settle(folder)
    turns = in_turns(
        partial(took, lambda: store.open(folder).query_table(SQL)),
        partial(took, lambda: pq.read_table(path)),
        runs,
        _WARM_UPS,
    )
    return Comparison.of_turns("query", "query on the largest index", "bare pyarrow read of it", "ms", *turns, goal)


def fresh(folder: Path, runs: int) -> Comparison:
    """To see that an index is fresh, in turn with listing the folders."""
    turns = in_turns(
        partial(took, lambda: files.folders(folder)), partial(took, lambda: _list(folder)), runs, warm_ups=0
    )
    return Comparison.of_turns("fresh", "seeing that it is fresh", "listing its files", "ms", *turns)


def write_results(folder: Path, count: int) -> None:
    """Make a results folder. Without syncing each file, which `scorekit results add` does."""
    base = _result()
    for number in range(count):
        task = _TASKS[number % len(_TASKS)]
        energy_kwh = 0.001 + number * 1e-6
        result = base.model_copy(
            update={
                "model": f"org-{number % 97}/model-{number}",
                "task": task,
                "cohort": task,
                "model_class": "ABC"[number % 3] if task == "text_generation" else None,
                "parameters": 1_000_000 + number,
                "hardware": _HARDWARE[number % len(_HARDWARE)],
                "energy_kwh": energy_kwh,
                "wh_per_1000_queries": energy_kwh * 1000,
                "domain": ("gpu", "cpu+ram")[number % 2],
            }
        )
        content = files.content_of(result)
        path = folder / names.relative_path(result, names.digest(content))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _result() -> Result:
    """A result as of a log with ten repeats and one fault."""
    figure = Figure(energy_kwh=0.002, wh_per_1000_queries=2.0, runs=10)
    return Result(
        model="org/model",
        task="summarization",
        cohort="summarization",
        hardware="NVIDIA H100 80GB HBM3",
        gpu_count=1,
        domain="gpu",
        origin="measured",
        meter="codecarbon",
        queries=1000,
        queries_from="config",
        conditions=Conditions(dataset="AIEnergyScore/x", dataset_fingerprint="0" * 16, batch_size=1, new_tokens=10),
        dtype="float16",
        published=figure,
        corrected=figure.model_copy(update={"runs": 9, "excluded_repeats": (4,)}),
        difference_percent=1.5,
        energy_kwh=0.002,
        wh_per_1000_queries=2.0,
        duration_s=31.5,
        phases=tuple(
            PhaseEnergy(
                phase=phase,
                counted=phase != "load_model",
                energy_kwh=0.0005,
                energy_kwh_by_repeat=tuple(0.0005 + repeat * 1e-6 for repeat in range(10)),
                duration_s=7.8,
            )
            for phase in _PHASES
        ),
        faults=(Fault(code="lost_prefill", message="no energy in prefill", phase="prefill", repeat=4, spoils=True),),
        comparable=False,
        not_comparable_because=(Reason(code="foreign_log", message="read from another tool's log"),),
        source=Source(
            name="logs/model/benchmark_report.json",
            format="optimum-benchmark 0.6",
            files={"benchmark_report.json": "0" * 64, "benchmark_config.json": "1" * 64},
            measured_utc="2025-02-11T10:00:00Z",
            scorekit_version="0.1.0",
        ),
    )


def build_index(folder: Path) -> None:
    """The index, from nothing."""
    (folder / index.INDEX).unlink(missing_ok=True)
    store.open(folder, report=_quiet).build_index(full=True)


def read_all(folder: Path) -> None:
    """The floor: every file read and hashed."""
    for cohort in folder.iterdir():
        if cohort.is_dir():
            for path in cohort.iterdir():
                names.digest(path.read_bytes())


def _list(folder: Path) -> int:
    return sum(len(os.listdir(cohort)) for cohort in folder.iterdir() if cohort.is_dir())


def _settle(folder: Path) -> None:
    """Bring the index up to date as if nothing had been added for an hour: it relies on times that are past only."""
    past = time.time_ns() - 3_600_000_000_000
    for cohort in folder.iterdir():
        if cohort.is_dir():
            os.utime(cohort, ns=(past, past))
    store.open(folder, report=_quiet).build_index()


def _quiet(_: str) -> None:
    """Nothing is out of the ordinary here."""


if __name__ == "__main__":
    sys.exit(main())
