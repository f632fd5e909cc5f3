"""Jobs on a Ray cluster: handed over as there is room for them, waited for, and tried again where a node was lost.

Ray would try again by itself, but without an end where memory ran out; and no one would be told.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from scorekit.errors import HardwareError, LauncherError, ScorekitError
from scorekit.messages import say
from scorekit.sweep import attempts, ray_cluster, ray_worker
from scorekit.sweep.job_process import SAME_EVERYWHERE
from scorekit.sweep.ray_cluster import Need

_LOOK_S: Final = 2.0
_END_WITHIN_S: Final = 45.0
"""Jobs that are cancelled stop their measuring processes within this time."""
_AHEAD: Final = 4
"""So many jobs more than there is room for are with Ray, so that no node waits for the next."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job.

    Attributes:
        number: of it within its batch.
        name: for people.
        given: pickle of what its process is given.
        need: what it takes of a node.
        measures: whether it imports what measures.
        told: variables of its process.
    """

    number: int
    name: str
    given: bytes
    need: Need
    measures: bool = False
    told: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended, by the word of its process, or of Ray.

    Attributes:
        job: the job.
        returned: whether the task function returned.
        value: what it returned, or the error.
        lost: whether the process, its worker or its node was lost.
    """

    job: Job
    returned: bool
    value: Any
    lost: bool = False


@dataclass(slots=True)
class _Try:
    job: Job
    number: int
    nowhere_since_s: float | None = None
    """Since when no node could run it."""


def run(
    jobs: Iterator[Job], retries: int, node_wait_s: float, begins: Callable[[Job], None]
) -> Generator[Ended, None, None]:
    """Run jobs, and tell each that has ended, in the order in which they end.

    Args:
        jobs: taken as there is room.
        retries: how often a job is tried again whose process, worker or node was lost.
        node_wait_s: how long a job waits for a node that could run it, where the cluster has none.
        begins: called with each job before it is handed over.

    Raises:
        KeyboardInterrupt: after the jobs that run were told to end, and have.
    """
    import ray

    pending: dict[Any, _Try] = {}
    left = True
    try:
        while left or pending:
            while left and len(pending) < _most(pending):
                job = next(jobs, None)
                if job is None:
                    left = False
                    break
                begins(job)
                pending[_handed_over(job, 0)] = _Try(job, 0)
            if not pending:
                continue
            ready, _ = ray.wait(list(pending), num_returns=1, timeout=_LOOK_S)
            for reference in ready:
                tried = pending.pop(reference)
                ended = _ended(tried.job, reference)
                if ended.lost and tried.number < retries:
                    say(f"{tried.job.name}: {ended.value.message}; it is tried again")
                    pending[_handed_over(tried.job, tried.number + 1)] = _Try(tried.job, tried.number + 1)
                else:
                    yield ended
            if not ready:
                for reference in _nowhere(pending, node_wait_s):
                    tried = pending.pop(reference)
                    ray.cancel(reference)
                    yield Ended(tried.job, False, _no_node(tried.job.need))
    finally:
        if pending:
            _cancel(list(pending))


def _most(pending: Mapping[Any, _Try]) -> int:
    """How many jobs to have with Ray."""
    if not pending:
        return 1
    resources = ray_cluster.nodes()
    return _AHEAD + max(ray_cluster.room(tried.job.need, resources) for tried in pending.values())


def _handed_over(job: Job, restarts: int) -> Any:
    import ray

    # With GPUs, Ray would end the worker after each job, which may hold some of their memory. Ours never uses one, so
    # the next job need not wait for another worker.
    task = ray.remote(max_calls=0)(ray_worker.run).options(
        num_gpus=job.need.gpus,
        num_cpus=job.need.cpus,
        max_retries=0,
        scheduling_strategy="SPREAD",
        name=job.name,
    )
    return task.remote(job.given, {**job.told, attempts.RESTARTS: str(restarts)}, measures=job.measures)


def _ended(job: Job, reference: Any) -> Ended:
    import ray
    from ray import exceptions

    try:
        content, how = ray.get(reference)
    except exceptions.TaskCancelledError:
        return Ended(job, False, LauncherError("it was cancelled", mend="run the sweep again"))
    except exceptions.RayTaskError as error:
        # The worker could not even start the job's process.
        cause = error.cause if isinstance(error.cause, Exception) else error
        if isinstance(cause, ScorekitError):
            return Ended(job, False, cause)
        return Ended(
            job,
            False,
            LauncherError(
                f"a node of the Ray cluster cannot run jobs: {type(cause).__name__}: {_first_line(cause)}",
                mend=SAME_EVERYWHERE,
            ),
        )
    except exceptions.RayError as error:
        return Ended(job, False, _lost(f"its Ray worker or node was lost ({_first_line(error)})"), lost=True)
    if content is None:
        return Ended(job, False, _lost(f"its process {how}"), lost=True)
    try:
        returned, value = pickle.loads(content)  # noqa: S301 - from our own process
    except (EOFError, pickle.UnpicklingError):
        # It died while it wrote.
        return Ended(job, False, _lost(f"its process {how}"), lost=True)
    return Ended(job, returned, value)


def _nowhere(pending: Mapping[Any, _Try], node_wait_s: float) -> list[Any]:
    """The jobs that no node could run for too long."""
    resources, now_s = ray_cluster.nodes(), time.monotonic()
    found = []
    for reference, tried in pending.items():
        if any(tried.job.need.fits(each) for each in resources):
            tried.nowhere_since_s = None
        elif tried.nowhere_since_s is None:
            tried.nowhere_since_s = now_s
            if node_wait_s:
                say(f"{tried.job.name} waits for a node with {tried.job.need}")
        if tried.nowhere_since_s is not None and now_s - tried.nowhere_since_s >= node_wait_s:
            found.append(reference)
    return found


def _no_node(need: Need) -> ScorekitError:
    resources = ray_cluster.nodes()
    gpus = max((each.get("GPU", 0.0) for each in resources), default=0.0)
    cpus = max((each.get("CPU", 0.0) for each in resources), default=0.0)
    return HardwareError(
        f"no node of the Ray cluster has {need}; the largest have {gpus:g} GPUs and {cpus:g} CPUs",
        mend="`ray status` shows the nodes; hydra.launcher.node_wait_s=3600 waits for one that is to come",
    )


def _cancel(references: list[Any]) -> None:
    """Have jobs end in order: those that run are interrupted, and write that down."""
    import ray

    for reference in references:
        ray.cancel(reference)
    ray.wait(references, num_returns=len(references), timeout=_END_WITHIN_S)


def _lost(what: str) -> LauncherError:
    return LauncherError(what, mend="run the sweep again; it takes up where it was")


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
