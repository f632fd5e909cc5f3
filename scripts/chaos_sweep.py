"""Kill what a sweep on an engine is made of, at random moments, and end with code 1 when a result was lost or a job not
done: `python -m scripts.chaos_sweep --engine slurm|ray [--kills N] [--kind job --kind node --kind driver] [--models N]
[--every S] [--seed N]`, from the root of the repository.

Kills of all kinds, in random order, hit one sweep of tiny models, and another one where it is over before they are. A
sweep whose kills are over is run once more; then every job must be done, and whatever was a result before a kill must
still be that job's result, unchanged. Of each kind is told how many kills came while a job ran.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import psutil
from scripts import chaos_ray
from tests.slurm import cluster as slurm_cluster

from scorekit import bundle
from scorekit.errors import EXIT_DONE
from scorekit.measuring import gpu_lock
from scorekit.measuring.tiny import tiny_paths, write_tiny
from scorekit.records import SweepJob
from scorekit.sweep import attempts, done, driver, plan

TASK: Final = "text_classification"
KINDS: Final = ("job", "node", "driver")
_PATIENCE_S: Final = 6 * 3600.0
_DOWN_S: Final = 3.0
"""So long a node is away."""


class Engine(Protocol):
    """What is killed beside the driver."""

    words: list[str]

    def environment(self) -> dict[str, str]: ...

    def job_processes(self) -> list[psutil.Process]: ...

    def lose_node(self, dice: random.Random) -> None: ...


class Slurm:
    """A Slurm cluster on this machine."""

    def __init__(self, cluster: slurm_cluster.Cluster) -> None:
        self._cluster = cluster
        self.words = ["hydra.launcher.partition=low"]

    def environment(self) -> dict[str, str]:
        return self._cluster.environment()

    def job_processes(self) -> list[psutil.Process]:
        """The job's own and the measuring one; not Slurm's beside them."""
        return [process for process in self._cluster.processes() if _is_python(process)]

    def lose_node(self, dice: random.Random) -> None:
        node = dice.choice(slurm_cluster.NODES)
        self._cluster.kill_node(node)
        time.sleep(_DOWN_S)
        self._cluster.start_node(node)


@contextlib.contextmanager
def _slurm() -> Iterator[Engine]:
    with slurm_cluster.started() as cluster:
        yield Slurm(cluster)


ENGINES: Final[dict[str, Callable[[], contextlib.AbstractContextManager[Engine]]]] = {
    "ray": chaos_ray.started,
    "slurm": _slurm,
}


@dataclass
class Found:
    """What came of the kills."""

    kills: Counter[str] = field(default_factory=Counter)
    while_a_job_ran: Counter[str] = field(default_factory=Counter)
    sweeps: int = 0
    jobs: int = 0
    done_at_once: int = 0
    attempts: int = 0
    restarted: int = 0
    twice: int = 0
    faults: list[str] = field(default_factory=list)

    def summary(self) -> str:
        kinds = ", ".join(f"{number} of {kind} ({self.while_a_job_ran[kind]})" for kind, number in self.kills.items())
        return (
            f"kills (while a job ran): {kinds}\n{self.jobs} jobs in {self.sweeps} sweeps, {self.done_at_once} done "
            f"before the rerun and the others after it: {self.attempts} attempts, {self.restarted} begun again by the "
            f"engine, {self.twice} measured more than once; {len(self.faults)} faults"
            + "".join(f"\n  {fault}" for fault in self.faults)
        )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.chaos_sweep", description=__doc__.partition(":\n")[0])
    parser.add_argument("--engine", choices=sorted(ENGINES), required=True)
    parser.add_argument("--kills", metavar="N", type=int, default=20, help="of each kind (default: %(default)s)")
    parser.add_argument("--kind", choices=KINDS, action="append", help="what is killed (default: each)")
    parser.add_argument("--models", metavar="N", type=int, default=200, help="of a sweep (default: %(default)s)")
    parser.add_argument(
        "--every", metavar="S", type=float, default=30.0, help="mean of the random times between kills (default: 30)"
    )
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="of moments and victims")
    options = parser.parse_args(argv)
    # Ended before its time, it ends the cluster too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    dice = random.Random(options.seed)
    kinds = options.kills * (options.kind or list(KINDS))
    dice.shuffle(kinds)
    with tempfile.TemporaryDirectory() as made:
        # Whoever else measures on this machine is none of this sweep's business.
        os.environ[gpu_lock.FOLDER] = str(Path(made) / "locks")
        write_tiny(Path(made) / "tiny", samples=4)
        with ENGINES[options.engine]() as engine:
            found = chaos(Path(made), options.engine, engine, kinds, options.models, dice, options.every)
    print(found.summary(), flush=True)
    return 1 if found.faults else 0


def chaos(
    folder: Path, launcher: str, engine: Engine, kinds: list[str], models: int, dice: random.Random, every_s: float
) -> Found:
    """Sweeps until a kill of each of these kinds was made, in this order, at moments that come every so often."""
    found = Found()
    while kinds:
        place = folder / f"sweep-{found.sweeps}"
        found.sweeps += 1
        sweep = Sweep(place, launcher, engine, models, folder / "tiny")
        try:
            before: dict[str, tuple[Path, bytes]] = {}
            while sweep.process.poll() is None and kinds:
                time.sleep(dice.uniform(0.0, 2 * every_s))
                before.update(sweep.results())
                running = bool(engine.job_processes())
                if _kill(kinds[0], sweep, engine, dice):
                    kind = kinds.pop(0)
                    found.kills[kind] += 1
                    found.while_a_job_ran[kind] += running
                    print(f"{kind}{' while a job ran' if running else ''}; {len(before)} done", flush=True)
            sweep.process.wait(_PATIENCE_S)
            before.update(sweep.results())
            found.done_at_once += len(before)
            sweep.start()
            code = sweep.process.wait(_PATIENCE_S)
        finally:
            sweep.process.kill()
        if code != EXIT_DONE:
            found.faults.append(f"sweep {found.sweeps}: ended with code {code} after one rerun: {sweep.told()}")
        after = sweep.results()
        for job, result in before.items():
            if after.get(job) != result:
                found.faults.append(f"sweep {found.sweeps}: the result of {job} was lost or has changed")
        if len(after) != models:
            found.faults.append(f"sweep {found.sweeps}: {len(after)} of {models} jobs are done")
        found.jobs += models
        _count(sweep, found)
    return found


def _kill(kind: str, sweep: Sweep, engine: Engine, dice: random.Random) -> bool:
    """Kill something; whether there was something to kill."""
    if kind == "node":
        engine.lose_node(dice)
        return True
    if kind == "driver":
        if sweep.process.poll() is not None:
            return False
        sweep.process.send_signal(signal.SIGKILL)
        sweep.process.wait()
        sweep.start()
        return True
    victims = engine.job_processes()
    with contextlib.suppress(IndexError, psutil.NoSuchProcess):
        dice.choice(victims).kill()
        return True
    return False


def _count(sweep: Sweep, found: Found) -> None:
    for job in sweep.jobs():
        made = attempts.read(sweep.runs / plan.folder_of(job))
        found.attempts += len(made)
        found.restarted += sum(bool(each.restart_count) for each in made)
        accepted = done.accepted(sweep.runs / plan.folder_of(job), job)
        found.twice += accepted is not None and bool(accepted.others)


class Sweep:
    """A sweep of tiny models, and the process that drives it."""

    def __init__(self, folder: Path, launcher: str, engine: Engine, models: int, tiny: Path) -> None:
        folder.mkdir()
        self.runs, self._folder, self._engine = folder / "runs", folder, engine
        paths = tiny_paths(tiny, TASK)
        for number in range(models):
            (folder / f"model-{number}").symlink_to(paths.model)
        self._command = [
            *(sys.executable, "-m", "scorekit", "sweep", *(f"./model-{number}" for number in range(models))),
            *("--task", TASK, "--launcher", launcher, "--runs", str(self.runs), "--hydra", *engine.words),
            *("backend.device=cpu", "backend.torch_dtype=float32", f"scenario.dataset_name={paths.dataset}"),
            *("scenario.num_samples=2", "scenario.runs=1", "scenario.warmup_runs=1"),
        ]
        self.start()

    def start(self) -> None:
        variables = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", **self._engine.environment()}
        with (self._folder / "told.txt").open("ab") as out:
            self.process = subprocess.Popen(
                self._command, cwd=self._folder, env=variables, stdout=out, stderr=subprocess.STDOUT
            )

    def told(self) -> str:
        return (self._folder / "told.txt").read_text(encoding="utf-8", errors="replace")[-3000:]

    def jobs(self) -> list[SweepJob]:
        path = self.runs / driver.PLAN
        return list(plan.load(path).jobs) if path.exists() else []

    def results(self) -> dict[str, tuple[Path, bytes]]:
        """Of each job that is done: its run, and the file of its score."""
        found = {}
        for job in self.jobs():
            # A run that is whole and not scored yet is left to its job.
            accepted = done.accepted(self.runs / plan.folder_of(job), job, settle=False)
            if accepted is not None and accepted.run is not None:
                found[job.id] = (accepted.run, (accepted.run / bundle.SCORE).read_bytes())
        return found


def _is_python(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return "python" in Path(process.exe()).name
    return False


if __name__ == "__main__":
    sys.exit(main())
