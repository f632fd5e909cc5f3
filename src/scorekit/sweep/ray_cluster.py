"""The Ray cluster of a sweep: one that runs, or one of this machine alone, started for as long as it is needed."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from scorekit.errors import LauncherError, MissingExtraError, UsageError

ADDRESS: Final = "RAY_ADDRESS"
LOCAL: Final = "local"
_KNOCK_S: Final = 10.0
_OBJECT_STORE_BYTES: Final = 100 * 1024 * 1024
"""Jobs pass on configs and a line of text; the least that Ray takes is somewhat less."""
_QUIET: Final = {
    # Nothing phones home.
    "RAY_USAGE_STATS_ENABLED": "0",
    # What measures has the same priority as without Ray.
    "RAY_worker_niceness": "0",
}


@dataclass(frozen=True, slots=True)
class Need:
    """What a job takes of a node.

    Attributes:
        gpus: whole GPUs.
        cpus: CPUs by Ray's count.
    """

    gpus: int
    cpus: float

    def fits(self, resources: Mapping[str, float]) -> bool:
        """Whether a node with these resources could run it, were it empty."""
        return resources.get("GPU", 0.0) >= self.gpus and resources.get("CPU", 0.0) >= self.cpus

    def __str__(self) -> str:
        return (f"{self.gpus} GPU{'s' * (self.gpus != 1)} and " if self.gpus else "") + f"{self.cpus:g} CPUs"


def require() -> None:
    """Raises MissingExtraError where Ray is not installed; without the seconds that its import takes."""
    for package in ("ray", "cloudpickle"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "ray")


@contextlib.contextmanager
def connected(address: str | None, init: Mapping[str, Any]) -> Iterator[None]:
    """Be a driver of a cluster, which is joined, or started here, for as long as the block lasts.

    What was started here ends with the block, or with this process, however that ends; a cluster that was joined goes
    on. A process that is a driver already stays one.

    Args:
        address: `auto` or HOST:PORT of a cluster that runs; None takes RAY_ADDRESS, and starts Ray where that is not
            set; `local` starts it in any case.
        init: further arguments of ray.init.

    Raises:
        MissingExtraError: Ray is not installed.
        UsageError: the address cannot be used, or ray.init does not take the arguments.
        LauncherError: there is no such cluster, or Ray does not start.
    """
    require()
    wanted = address or os.environ.get(ADDRESS) or LOCAL
    if "://" in wanted:
        raise UsageError(
            f"the Ray address {wanted} is a remote client's, whose jobs cannot be waited for over a broken line",
            mend="start the sweep on a machine of the cluster: hydra.launcher.address=auto",
        )
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    if ray.is_initialized():
        yield
        return
    # What Ray tells of its nodes it prints to stdout, which is for results.
    with contextlib.redirect_stdout(sys.stderr):
        _init(wanted, init)
        try:
            yield
        finally:
            ray.shutdown()


def _init(wanted: str, init: Mapping[str, Any]) -> None:
    import ray

    here = {"include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES} if wanted == LOCAL else {}
    try:
        if wanted not in (LOCAL, "auto"):
            _knock(wanted)
        ray.init(**{"address": wanted, "log_to_driver": False, "logging_level": "ERROR", **here, **init})
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"Ray does not take these settings: {error}", mend="change hydra.launcher.address or hydra.launcher.init"
        ) from error
    except Exception as error:
        # Of a cluster that is too busy to answer, Ray raises nothing more special.
        raise LauncherError(
            f"Ray cannot be started here: {error}"
            if wanted == LOCAL
            else f"there is no Ray cluster at {wanted}, or it does not answer: {error}",
            mend="`ray status` tells of a cluster that runs; hydra.launcher.address=local starts one on this machine",
        ) from error


def _knock(address: str) -> None:
    """Raises OSError where nobody listens, which Ray takes minutes to find out, and ValueError for no address."""
    host, _, port = address.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()):
        raise ValueError(f"the address {address} is neither auto, local nor HOST:PORT")
    socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK_S).close()


def nodes() -> list[Mapping[str, float]]:
    """The resources of every node that lives, as they are when nothing runs there."""
    import ray

    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def room(need: Need, resources: list[Mapping[str, float]]) -> int:
    """How many such jobs could run at once."""
    return sum(
        int(min(each.get("CPU", 0.0) // max(need.cpus, 0.01), each.get("GPU", 0.0) // need.gpus if need.gpus else 1e6))
        for each in resources
        if need.fits(each)
    )
