"""Prints how long planning a large sweep and resuming a finished one take, and ends with code 1 when a goal is missed.

python -m benchmarks.sweep_planning [--quick] [--json FILE]
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from operator import attrgetter
from pathlib import Path

from tests import bundles

from benchmarks import program
from benchmarks.comparison import Comparison, Goal
from benchmarks.timing import in_turns, took
from scorekit import bundle, logs
from scorekit.records import ManifestEntry, SweepJob
from scorekit.sweep import attempts, done, lists, plan
from scorekit.sweep.entries import Entry
from scorekit.sweep.estimates import Earlier

PLAN_JOBS, PLAN_GOAL, PLAN_S = 10_000, Goal(20.0), Goal(10.0, on="ours")
RESUME_JOBS, RESUME_GOAL, RESUME_S = 1_000, Goal(4.5), Goal(5.0, on="ours")
"""How many jobs; the ratio to the floor that is held; and the CPU seconds that no machine should need."""


def main(argv: list[str] | None = None) -> int:
    options = program.parser("sweep_planning", __doc__, "fewer runs, for CI").parse_args(argv)
    runs = 5 if options.quick else 11
    with tempfile.TemporaryDirectory(prefix="scorekit-sweep-") as scratch:
        rows = [*planning(Path(scratch), PLAN_JOBS, runs), *resuming(Path(scratch), RESUME_JOBS, runs)]
    return program.conclude(rows, quick=options.quick, file=options.json)


def planning(folder: Path, jobs: int, runs: int) -> list[Comparison]:
    """From a CSV list to a saved plan with estimates from 1,000 results, in turn with writing the same JSON bare."""
    ours, floor = planning_works(folder, jobs)
    return _rows(
        "planning", f"planning {jobs:,} jobs", "json.dumps of the plan", (PLAN_GOAL, PLAN_S), ours, floor, runs
    )


def planning_works(folder: Path, jobs: int) -> tuple[Callable[[], None], Callable[[], None]]:
    """Planning, and writing what it gave."""
    listed = folder / "list.csv"
    lines = (f"org-{n % 97}/model-{n},{n % 3 + 1},A,text_generation,{10**9 + n}\n" for n in range(jobs))
    listed.write_text("model,priority,class,task,parameters\n" + "".join(lines), encoding="utf-8")
    earlier = [
        {"model": f"org-{n % 97}/model-{n}", "task": "text_generation", "cohort": "text_generation", "domain": "gpu",
         "parameters": 10**9 + n, "duration_s": 60.0, "queries": 1000, "gpu_count": 1}
        for n in range(0, jobs, 10)
    ]  # fmt: skip

    def ours() -> None:
        made = plan.build(lists.read([str(listed)]).entries, plan.Terms(("scenario.runs=3",)), Earlier(earlier))
        plan.save(made, folder / "plan.json")

    ours()
    content = json.loads((folder / "plan.json").read_text(encoding="utf-8"))

    def floor() -> None:
        (folder / "floor.json").write_text(json.dumps(content), encoding="utf-8")

    return ours, floor


def resuming(folder: Path, jobs: int, runs: int) -> list[Comparison]:
    """What has become of finished jobs, in turn with reading the same manifests and scores."""
    ours, floor = resuming_works(folder, jobs)
    what = f"resuming a finished sweep of {jobs:,}"
    return _rows("resuming", what, "reading its manifests and scores", (RESUME_GOAL, RESUME_S), ours, floor, runs)


def resuming_works(folder: Path, jobs: int) -> tuple[Callable[[], None], Callable[[], None]]:
    """Looking at finished jobs, and reading their files."""
    entries = [Entry(model=f"org/model-{n}", place="list", task="text_generation") for n in range(jobs)]
    made = plan.build(entries, plan.Terms(), Earlier())
    finished = folder / "runs"
    write_finished(finished, made.jobs)

    def ours() -> None:
        states = list(done.look(made.jobs, finished))
        assert all(state.state == "done" for state in states)

    def floor() -> None:
        for job in made.jobs:
            run = finished / plan.folder_of(job) / attempts.RUN
            json.loads((run / bundle.MANIFEST).read_bytes())
            json.loads((run / bundle.SCORE).read_bytes())

    return ours, floor


def write_finished(runs: Path, jobs: tuple[SweepJob, ...]) -> None:
    """Runs of all jobs: the same one, with the model's name in its score."""
    first = runs.parent / "first"
    bundles.write_bundle(first, bundles.environment(), bundles.official_windows())
    logs.write_validity(first, logs.read_validity(first))
    score = logs.read_score(first)
    logs.write_score(first, score)
    manifest = bundle.read_manifest(first)
    for job in jobs:
        run = runs / plan.folder_of(job) / attempts.RUN
        shutil.copytree(first, run)
        data = score.model_copy(update={"model": job.model}).model_dump_json(indent=2).encode() + b"\n"
        (run / bundle.SCORE).write_bytes(data)
        entry = ManifestEntry(sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))
        derived = {**manifest.derived, bundle.SCORE: entry}
        (run / bundle.MANIFEST).write_text(manifest.model_copy(update={"derived": derived}).model_dump_json())


def _rows(
    key: str,
    what: str,
    reference: str,
    goals: tuple[Goal, Goal],
    ours: Callable[[], None],
    floor: Callable[[], None],
    runs: int,
) -> list[Comparison]:
    """CPU time, which other programs disturb least, by its ratio and by itself; and wall time, to be read beside it."""
    mine, other = in_turns(partial(took, ours), partial(took, floor), runs, warm_ups=0)
    ratio, ceiling = goals
    return [
        Comparison(
            key=f"{key}_{kind}",
            what=f"{what}, {told}",
            reference=reference,
            unit="s",
            ours=tuple(map(time, mine)),
            theirs=tuple(map(time, other)),
            goal=goal,
        )
        for time, kind, told, goal in (
            (attrgetter("cpu_s"), "CPU", "CPU time", ratio),
            (attrgetter("cpu_s"), "CPU_s", "CPU seconds", ceiling),
            (attrgetter("wall_s"), "wall", "wall time", None),
        )
    ]


if __name__ == "__main__":
    sys.exit(main())
