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

import argparse
import contextlib
import importlib.util
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from unittest import mock

import psutil

from benchmarks import bare_job, comparison
from benchmarks.comparison import Comparison, Goal
from scorekit import bundle
from scorekit.sweep import attempts

ROOT: Final = Path(__file__).parents[1]
TASK: Final = "text_classification"
ENGINES: Final = ("slurm", "ray")
LIMIT: Final = 1.25
_LOOK_S: Final = 0.1
_IMPORTS: Final = "from benchmarks import bare_job; bare_job.import_stack()"
_LIBRARIES: Final = "from benchmarks import bare_job; bare_job.import_libraries()"
_BEGINS: Final = re.compile(r"^(\S+ [\d:]+),(\d{3}) .*Allocating energy_star scenario$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Timed:
    """One job, in s.

    Attributes:
        wall_s: from its handing over until the engine had it no more.
        start_s: from its handing over until its process began.
        measuring_s: what of it was measuring.
        ready_s: from the beginning of its process until its scenario began; of a bare job, until it had imported.
        kept_s: from the end of its last window until its result was written; None for a bare job, like the next.
        noticed_s: from the end of its work until the sweep's driver knew of it.
    """

    wall_s: float
    start_s: float
    measuring_s: float = 0.0
    ready_s: float = 0.0
    kept_s: float | None = None
    noticed_s: float | None = None

    @property
    def cost_s(self) -> float:
        """What it cost beside its measuring."""
        return self.wall_s - self.measuring_s

    @property
    def before_s(self) -> float:
        """From its handing over until it measured, or a bare job had nothing more to do."""
        return self.start_s + self.ready_s

    @property
    def after_s(self) -> float:
        """From the end of that until the engine had it no more."""
        return self.cost_s - self.before_s


@dataclass(slots=True)
class Marks:
    """Moments of a job on its way, in s since 1970: engines tell theirs so."""

    handed_s: float = 0.0
    gone_s: float = 0.0
    noticed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine at work.

    Attributes:
        name: of its launcher.
        bare: does a bare job.
        marked: notes the moments of the one job that a sweep in this process hands over within the block.
        words: Hydra's settings of its launcher.
    """

    name: str
    bare: Callable[[], Timed]
    marked: Callable[[Marks], contextlib.AbstractContextManager[None]]
    words: Sequence[str] = field(default=())


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.job_overhead", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--engine", choices=ENGINES, action="append", help="only this one (default: all that are here)")
    parser.add_argument("--quick", action="store_true", help="fewer turns, for CI")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every run to FILE")
    options = parser.parse_args(argv)
    # Ended before its time, it ends the cluster too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    engines = options.engine or ENGINES
    left_out = {name: lack for name in engines if (lack := lacking(name)) is not None}
    if left_out and (options.engine or len(left_out) == len(engines)):
        raise SystemExit("; ".join(left_out.values()))
    count = 2 if options.quick else 5
    rows: list[Comparison] = []
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix="scorekit-jobs-") as scratch:
        os.environ.update(HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1")
        model, settings = tiny_settings(Path(scratch))
        for name in (each for each in engines if each not in left_out):
            with slurm() if name == "slurm" else ray() as engine:
                sweep = partial(_swept, engine, Path(scratch), model, settings)
                ours, theirs = turns(sweep, engine.bare, count)
            rows += compared(name, ours, theirs)
            notes += told(name, ours, theirs)
        rows.append(imports(count))
    reasons = [f"{name} ({lack})" for name, lack in left_out.items()]
    return comparison.conclude(rows, quick=options.quick, file=options.json, notes=notes, left_out=reasons)


def lacking(engine: str) -> str | None:
    """What of an engine this machine has not, and what brings it; None where all is there."""
    if engine == "ray":
        return None if importlib.util.find_spec("ray") else 'Ray is not installed: pip install "scorekit[ray]"'
    from tests.fake_nvml.build import NoCompilerError, build
    from tests.slurm import cluster as clusters

    # Jobs are accounted for nowhere here, so that neither slurmdbd nor a database is needed.
    missing = clusters.missing(accounting=False)
    if missing:
        return f"no {', '.join(missing)} on this machine: apt-get install slurmctld slurmd slurm-client munge"
    try:
        build()
    except NoCompilerError as error:
        return str(error)
    return None


def turns(sweep: Callable[[int], Timed], bare: Callable[[], Timed], count: int) -> tuple[list[Timed], list[Timed]]:
    """Jobs of sweeps, which are told their number, and bare jobs: each first in every second turn.

    The first turn is for nothing: it finds files that were not read before, and Ray without workers.
    """
    ours: list[Timed] = []
    theirs: list[Timed] = []
    for number in range(count + 1):
        for into, work in ((ours, partial(sweep, number)), (theirs, bare))[:: 1 if number % 2 else -1]:
            timed = work()
            if number:
                into.append(timed)
    return ours, theirs


def tiny_settings(scratch: Path) -> tuple[str, list[str]]:
    """A tiny model, and the settings of a short run of it."""
    from scorekit.measuring.tiny import tiny_paths, write_tiny

    write_tiny(scratch / "tiny", tasks=[TASK], samples=4)
    paths = tiny_paths(scratch / "tiny", TASK)
    settings = [
        *("backend.device=cpu", "backend.torch_dtype=float32", f"scenario.dataset_name={paths.dataset}"),
        *("scenario.num_samples=4", "scenario.runs=1", "scenario.warmup_runs=1"),
    ]
    return str(paths.model), settings


def _swept(engine: Engine, scratch: Path, model: str, settings: Sequence[str], number: int) -> Timed:
    """`scorekit sweep` of one model, driven by this process."""
    from scorekit import cli

    marks = Marks()
    runs = scratch / f"{engine.name}-{number}"
    told = runs.with_suffix(".txt")
    words = ["sweep", model, "--task", TASK, "--launcher", engine.name, "--runs", str(runs)]
    with told.open("w", encoding="utf-8") as out, contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(out))
        stack.enter_context(engine.marked(marks))
        code = cli.main([*words, "--hydra", *engine.words, *settings])
    if code:
        raise SystemExit(f"the sweep failed with code {code}: {told.read_text(encoding='utf-8')}")
    (job,) = runs.glob(f"{TASK}/*")
    (attempt,) = attempts.read(job)
    assert attempt.process_started_s is not None
    begun_s, ended_s = measuring(job / attempts.RUN)
    started_s = attempt.process_started_s + _boot_later_s()
    kept_s = (job / "attempt-1.json").stat().st_mtime
    return Timed(
        wall_s=marks.gone_s - marks.handed_s,
        start_s=started_s - marks.handed_s,
        measuring_s=ended_s - begun_s,
        ready_s=begun_s - started_s,
        kept_s=kept_s - ended_s,
        noticed_s=marks.noticed_s - kept_s,
    )


def _boot_later_s() -> float:
    """How much later the machine was booted than the whole second that starts of processes are counted from."""
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) - psutil.boot_time()


def measuring(run: Path) -> tuple[float, float]:
    """When the scenario of a run began and its last window ended, in s since 1970.

    Raises:
        SystemExit: the run's log does not tell when its scenario began.
    """
    from scorekit.logs import run_bundle

    begins = _BEGINS.search((run / bundle.LOG).read_text(encoding="utf-8"))
    if begins is None:
        raise SystemExit(f"{run / bundle.LOG} does not tell when the scenario began")
    # Logs tell the local time.
    begun = datetime.fromisoformat(begins[1]).astimezone(UTC).timestamp() + int(begins[2]) / 1000
    ended = max(datetime.fromisoformat(window.end_utc) for window in run_bundle.read_windows(run))
    return begun, ended.timestamp()


def compared(engine: str, ours: Sequence[Timed], theirs: Sequence[Timed]) -> list[Comparison]:
    """The row that is judged, and what it is made of: the engine's part, all before measuring, and all after it."""
    cost = Comparison(
        f"{engine}_job",
        f"a job on {engine} beside its measuring",
        "bare job",
        "s",
        tuple(each.cost_s for each in ours),
        tuple(each.cost_s for each in theirs),
        Goal(LIMIT),
    )
    parts: tuple[tuple[str, str, Callable[[Timed], float]], ...] = (
        ("start", f"  of it from handing over to start on {engine}", lambda job: job.start_s),
        ("before", "  of it from handing over to measuring, or until imported", lambda job: job.before_s),
        ("after", "  of it after that", lambda job: job.after_s),
    )
    return [
        cost,
        *(
            Comparison(f"{engine}_{key}", what, "bare job", "s", tuple(map(of, ours)), tuple(map(of, theirs)))
            for key, what, of in parts
        ),
    ]


def imports(count: int) -> Comparison:
    """How long a measuring process imports, beside the libraries: each in a process of its own, without any engine."""
    taken: dict[str, list[float]] = {_IMPORTS: [], _LIBRARIES: []}
    for number in range(count + 1):
        for code in (_IMPORTS, _LIBRARIES)[:: 1 if number % 2 else -1]:
            words = [
                sys.executable,
                "-c",
                f"import time; begun = time.monotonic(); {code}; print(time.monotonic() - begun)",
            ]
            done = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
            if number:
                taken[code].append(float(done.stdout.split()[-1]))
    ours, theirs = (tuple(each) for each in taken.values())
    beside = "torch, datasets, transformers alone"
    return Comparison("imports", "what a measuring process imports", beside, "s", ours, theirs)


def told(engine: str, ours: Sequence[Timed], theirs: Sequence[Timed]) -> list[str]:
    """Seconds of a job, for those who reckon how long a sweep takes."""
    added = [one.cost_s - bare.cost_s for one, bare in zip(ours, theirs, strict=True)]
    steps = {
        "handing over to start": [each.start_s for each in ours],
        "start to the beginning of measuring": [each.ready_s for each in ours],
        "end of measuring to the result written": [each.kept_s for each in ours],
        "end of the work to noticed by the sweep": [each.noticed_s for each in ours],
    }
    return [
        *(f"{engine}: {step} {_middle([each for each in given if each is not None])}" for step, given in steps.items()),
        f"{engine}: all of a job beside its measuring {_middle([each.cost_s for each in ours])}, "
        f"of which scorekit adds {_middle(added)} to the bare job",
        f"{engine}: what was taken off as measuring {_middle([each.measuring_s for each in ours])}",
    ]


def _middle(values: Sequence[float]) -> str:
    low, high = comparison.quartiles(values)
    return f"{statistics.median(values):.2f} s ({low:.2f} to {high:.2f})"


@contextlib.contextmanager
def slurm() -> Iterator[Engine]:
    """A Slurm cluster; this process is on its machine that submits jobs."""
    from tests.slurm import cluster as clusters

    with clusters.started() as cluster:
        os.environ.update(cluster.environment())
        yield Engine("slurm", partial(_bare_on_slurm, cluster.folder), _on_slurm, ["hydra.launcher.partition=low"])


def _bare_on_slurm(folder: Path) -> Timed:
    script, begun = folder / "bare.sh", folder / "bare.begun"
    begun.unlink(missing_ok=True)
    script.write_text(f"#!/bin/sh\nexec {sys.executable} -m benchmarks.bare_job {begun}\n", encoding="utf-8")
    words = [
        "sbatch",
        "--parsable",
        "--partition=low",
        "--gres=gpu:0",
        f"--output={folder}/bare.out",
        f"--chdir={ROOT}",
    ]
    handed_s = time.time()
    name = subprocess.run([*words, str(script)], capture_output=True, text=True, check=True).stdout.strip()
    gone_s = _gone([name])
    if not begun.exists():
        raise SystemExit(f"the bare job failed: {(folder / 'bare.out').read_text(encoding='utf-8')}")
    begun_s, imported_s = map(float, begun.read_text(encoding="utf-8").split())
    return Timed(gone_s - handed_s, begun_s - handed_s, ready_s=imported_s - begun_s)


def _gone(names: Sequence[str]) -> float:
    """When none of these jobs was in the queue any more."""
    from scorekit.sweep import slurm as queue

    while set(names) & set(queue.listing()):
        time.sleep(_LOOK_S)
    return time.time()


@contextlib.contextmanager
def _on_slurm(marks: Marks) -> Iterator[None]:
    from scorekit.sweep import slurm as engine
    from scorekit.sweep import slurm_jobs

    submit, wait = slurm_jobs.submit, engine.wait

    def submitting(*given: Any) -> Iterator[Any]:
        marks.handed_s = time.time()
        yield from submit(*given)

    def waiting(queue: Any, names: Any, *more: Any) -> None:
        def look() -> None:
            marks.gone_s = _gone(list(names))

        watch = threading.Thread(target=look)
        watch.start()
        wait(queue, names, *more)
        marks.noticed_s = time.time()
        watch.join()

    with mock.patch.object(slurm_jobs, "submit", submitting), mock.patch.object(engine, "wait", waiting):
        yield


@contextlib.contextmanager
def ray() -> Iterator[Engine]:
    """A Ray cluster, which this process has joined."""
    from scripts import chaos_ray

    # Both jobs with the same priority, whatever else runs on the machine.
    os.environ.update(RAY_worker_niceness="0")
    with chaos_ray.started() as cluster:
        os.environ.update(cluster.environment())
        from scorekit.sweep import ray_cluster

        with ray_cluster.connected(None, {}):
            yield Engine("ray", _bare_on_ray, _on_ray)


def _bare_on_ray() -> Timed:
    import ray as library

    task = library.remote(num_cpus=1, max_calls=1)(bare_job.import_stack)
    handed_s = time.time()
    begun_s, imported_s = library.get(task.remote())
    return Timed(time.time() - handed_s, begun_s - handed_s, ready_s=imported_s - begun_s)


@contextlib.contextmanager
def _on_ray(marks: Marks) -> Iterator[None]:
    from scorekit.sweep import ray_jobs

    run = ray_jobs.run

    def running(jobs: Any, retries: int, node_wait_s: float, begins: Callable[[Any], None]) -> Iterator[Any]:
        def beginning(job: Any) -> None:
            begins(job)
            marks.handed_s = time.time()

        for ended in run(jobs, retries, node_wait_s, beginning):
            marks.gone_s = marks.noticed_s = time.time()
            yield ended

    with mock.patch.object(ray_jobs, "run", running):
        yield


if __name__ == "__main__":
    sys.exit(main())
