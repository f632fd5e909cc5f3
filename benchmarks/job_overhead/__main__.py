"""Prints what a job of a sweep costs beside its measuring, over the engine's bare job; ends with code 1 above the goal.

python -m benchmarks.job_overhead [--engine slurm|ray] [--quick] [--json FILE]

A job is timed as its engine's user sees it: from the moment before it is handed to the engine (sbatch, ray.remote)
until the engine has it no more (Slurm: it has left the queue; Ray: its result is there). Of a sweep's job that is what
`scorekit sweep` of one tiny model hands over; what its run says was measuring is taken off: from the beginning of the
scenario, which opens the meters, loads dataset and model, warms up and measures, to the end of the last window. What
remains is the engine's own time, starting Python, importing, composing and checking the config, making the measuring
process, sealing and scoring the run, and telling the engine.

The bare job is benchmarks/bare_job.py, handed to the same cluster, in turns: the same Python imports what a measuring
process has imported, once, and ends. With Ray it is a task in a worker of its own (max_calls=1): in a worker that has
imported it all before, there would be nothing to import. How long a measuring process imports, beside the libraries
alone that such a job cannot do without, stands in a row of its own, without a cluster.

The clusters are those of the tests, two nodes on this machine, and one job at a time is on them. An engine that is not
on this machine is left out, and told; where it was asked for by --engine, or none is there, that is a failure.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Final

from benchmarks import program
from benchmarks.comparison import Comparison
from benchmarks.job_overhead import costs, on_ray, on_slurm, sweeps
from benchmarks.job_overhead.jobs import Timed
from benchmarks.timing import in_turns

ENGINES: Final[Mapping[str, ModuleType]] = {"slurm": on_slurm, "ray": on_ray}


def main(argv: list[str] | None = None) -> int:
    parser = program.parser("job_overhead", __doc__, "fewer turns, for CI")
    parser.add_argument("--engine", choices=ENGINES, action="append", help="only this one (default: all that are here)")
    options = parser.parse_args(argv)
    # Ended before its time, it ends the cluster too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    engines = options.engine or list(ENGINES)
    left_out = {name: lack for name in engines if (lack := ENGINES[name].lacking()) is not None}
    if left_out and (options.engine or len(left_out) == len(engines)):
        raise SystemExit("; ".join(left_out.values()))
    count = 2 if options.quick else 5
    rows: list[Comparison] = []
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix="scorekit-jobs-") as scratch:
        os.environ.update(HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1")
        model, settings = sweeps.tiny_settings(Path(scratch))
        for name in (each for each in engines if each not in left_out):
            with ENGINES[name].started() as engine:
                sweep = partial(sweeps.swept, engine, Path(scratch), model, settings)
                ours, theirs = turns(sweep, engine.bare, count)
            rows += costs.compared(name, ours, theirs)
            notes += costs.told(name, ours, theirs)
        rows.append(costs.imports(count))
    reasons = [f"{name} ({lack})" for name, lack in left_out.items()]
    return program.conclude(rows, quick=options.quick, file=options.json, notes=notes, left_out=reasons)


def turns(sweep: Callable[[int], Timed], bare: Callable[[], Timed], count: int) -> tuple[list[Timed], list[Timed]]:
    """Jobs of sweeps, which are told their number, and bare jobs: each first in every second turn.

    The first turn is for nothing: it finds files that were not read before, and Ray without workers.
    """
    numbers = itertools.count()
    return in_turns(lambda: sweep(next(numbers)), bare, count)


if __name__ == "__main__":
    sys.exit(main())
