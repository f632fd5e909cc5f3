"""Jobs on a Slurm cluster of this machine: the bare one, and the moments of a sweep's."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final
from unittest import mock

from benchmarks.job_overhead.jobs import Engine, Marks, Timed
from benchmarks.program import ROOT

_LOOK_S: Final = 0.1


def lacking() -> str | None:
    """What of Slurm this machine has not, and what brings it; None where all is there."""
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


@contextlib.contextmanager
def started() -> Iterator[Engine]:
    """A Slurm cluster; this process is on its machine that submits jobs."""
    from tests.slurm import cluster as clusters

    with clusters.started() as cluster:
        os.environ.update(cluster.environment())
        yield Engine("slurm", partial(_bare, cluster.folder), _marked, ["hydra.launcher.partition=low"])


def _bare(folder: Path) -> Timed:
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
def _marked(marks: Marks) -> Iterator[None]:
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
