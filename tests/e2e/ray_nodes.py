"""A Ray cluster of several nodes on this host, for as long as stdin is open: `python -m tests.e2e.ray_nodes GPU ...`.

A node for each GPU that is named, and one before them that runs no jobs. The cluster's address comes on stdout. A GPU
on stdin kills the node that has it, and adds another one with it; that it is there is told by its name on stdout. The
nodes end with this process, however that ends.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from typing import Any

import psutil
from ray.cluster_utils import Cluster

OBJECT_STORE_BYTES = 80 * 1024 * 1024
# A node that is gone, and refuses to be asked, is found out within seconds; one that is slow has all the time.
SOON = {"health_check_period_ms": 500, "health_check_timeout_ms": 60000, "health_check_failure_threshold": 4}


def main(gpus: list[str]) -> None:
    # Sockets of Ray's lie in there, whose names must be short.
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
    os.environ["RAY_TMPDIR"] = folder
    # Ray writes the cluster's address into a folder that it does not make.
    os.mkdir(os.path.join(folder, "ray"))
    shared = {"object_store_memory": OBJECT_STORE_BYTES}
    cluster = Cluster()

    def add(gpu: str) -> Any:
        node = started(cluster, num_cpus=1, num_gpus=1, env_vars={"CUDA_VISIBLE_DEVICES": gpu}, **shared)
        for (each,) in node.all_processes.values():
            # Workers end with their raylet once it is gone for good, which a zombie is not.
            threading.Thread(target=each.process.wait, daemon=True).start()
        return node

    try:
        cluster.add_node(num_cpus=0, include_dashboard=False, _system_config=SOON, **shared)
        nodes = {gpu: add(gpu) for gpu in gpus}
        say(cluster.address)
        for line in sys.stdin:
            gpu = line.strip()
            cluster.remove_node(nodes[gpu], allow_graceful=False)
            nodes[gpu] = add(gpu)
            say(gpu)
    finally:
        cluster.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def started(cluster: Cluster, **options: Any) -> Any:
    """A further node. Ray gives each half a minute, in which one of a machine that is busy is not always there."""
    for _ in range(2):
        before = set(psutil.Process().children())
        try:
            return cluster.add_node(**options)
        except Exception:  # noqa: BLE001 - Ray raises nothing more special
            # What there is of the node must not join later.
            for each in set(psutil.Process().children()) - before:
                each.kill()
    return cluster.add_node(**options)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
