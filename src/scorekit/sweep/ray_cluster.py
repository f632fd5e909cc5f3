"""The Ray cluster of a sweep: the one that runs, or one of this machine, started for as long as this process lives."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from scorekit.errors import LauncherError, MissingExtraError, UsageError

ADDRESS: Final = "RAY_ADDRESS"
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
    if importlib.util.find_spec("ray") is None:
        raise MissingExtraError("ray", "ray")


def connect(address: str | None, init: Mapping[str, Any]) -> None:
    """Join a cluster, or start Ray here; a second call takes what the first has found.

    What was started here ends with this process, however that ends; a cluster that was joined goes on.

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
    wanted = address or os.environ.get(ADDRESS) or "local"
    if "://" in wanted:
        raise UsageError(
            f"the Ray address {wanted} is a remote client's, whose jobs cannot be waited for over a broken line",
            mend="start the sweep on a machine of the cluster: hydra.launcher.address=auto",
        )
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    if ray.is_initialized():
        return
    here = {"include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES} if wanted == "local" else {}
    try:
        ray.init(**{"address": wanted, "log_to_driver": False, "logging_level": "ERROR", **here, **init})
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"Ray does not take these settings: {error}", mend="change hydra.launcher.address or hydra.launcher.init"
        ) from error
    except (ConnectionError, TimeoutError, RuntimeError, OSError) as error:
        raise LauncherError(
            f"Ray cannot be started here: {error}"
            if wanted == "local"
            else f"there is no Ray cluster at {wanted}: {error}",
            mend="`ray status` tells of a cluster that runs; hydra.launcher.address=local starts one on this machine",
        ) from error


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
