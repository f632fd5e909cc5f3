"""Ray for scripts/chaos_sweep.py: a cluster of two nodes on this machine, whose workers, jobs and nodes are killed."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
NODES = ("0", "1")


class Ray:
    """The cluster.

    Args:
        process: of tests/e2e/ray_nodes.py.
        variables: of its drivers.
    """

    def __init__(self, process: subprocess.Popen[str], variables: dict[str, str]) -> None:
        self._process, self._variables = process, variables
        # A node that was lost is soon there again.
        self.words = ["hydra.launcher.node_wait_s=600"]

    def environment(self) -> dict[str, str]:
        return self._variables

    def job_processes(self) -> list[psutil.Process]:
        """Ray's workers that have a job, what that is a copy of, the jobs' own processes, and the measuring ones."""
        found = []
        for each in psutil.Process(self._process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                line = " ".join(each.cmdline())
                if _has_a_job(each, line) or "multiprocessing.spawn" in line or _works(line):
                    found.append(each)
        return found

    def lose_node(self, dice: random.Random) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        node = dice.choice(NODES)
        self._process.stdin.write(f"{node}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline().strip() == node, "the node did not come back"


def _has_a_job(process: psutil.Process, line: str) -> bool:
    if "scorekit.sweep.ray_server" not in line:
        return False
    # A copy is called as what it is a copy of.
    parent = process.parent()
    return bool(process.children()) or (
        parent is not None and "scorekit.sweep.ray_server" in " ".join(parent.cmdline())
    )


def _works(line: str) -> bool:
    # A worker is called by its job; Ray's agents (ray::RuntimeEnvAgent), with which a node ends, are not.
    return line.startswith("ray::") and ": model-" in line


@contextlib.contextmanager
def started() -> Iterator[Ray]:
    variables = {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
        "RAY_AUTH_TOKEN": uuid.uuid4().hex,
        "RAY_USAGE_STATS_ENABLED": "0",
        # Workers with the priority of all else here, by which jobs are not late on a busy machine.
        "RAY_worker_niceness": "0",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.ray_nodes", *NODES],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, "the cluster did not start"
        yield Ray(process, {**variables, "RAY_ADDRESS": address})
