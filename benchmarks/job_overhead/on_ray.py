"""Jobs on a Ray cluster of this machine: the bare one, and the moments of a sweep's."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from benchmarks import bare_job
from benchmarks.job_overhead.jobs import Engine, Marks, Timed
from scorekit.errors import install_line


def lacking() -> str | None:
    """What brings Ray, where this machine has none."""
    return None if importlib.util.find_spec("ray") else f"Ray is not installed; {install_line('ray')}"


@contextlib.contextmanager
def started() -> Iterator[Engine]:
    """A Ray cluster, which this process has joined."""
    from scripts import chaos_ray

    # Both jobs with the same priority, whatever else runs on the machine.
    os.environ.update(RAY_worker_niceness="0")
    with chaos_ray.started() as cluster:
        os.environ.update(cluster.environment())
        from scorekit.sweep import ray_cluster

        with ray_cluster.connected(None, {}):
            yield Engine("ray", _bare, _marked)


def _bare() -> Timed:
    import ray

    task = ray.remote(num_cpus=1, max_calls=1)(bare_job.import_stack)
    handed_s = time.time()
    begun_s, imported_s = ray.get(task.remote())
    return Timed(time.time() - handed_s, begun_s - handed_s, ready_s=imported_s - begun_s)


@contextlib.contextmanager
def _marked(marks: Marks) -> Iterator[None]:
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
