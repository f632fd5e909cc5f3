"""A Ray cluster of several nodes on this host, for as long as stdin is open: `python -m tests.e2e.ray_nodes GPU ...`.

A node for each GPU that is named, and one before them that runs no jobs. The cluster's address comes on stdout. The
nodes end with this process, however that ends.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading

from ray.cluster_utils import Cluster

OBJECT_STORE_BYTES = 80 * 1024 * 1024
# A node that is gone, and refuses to be asked, is found out within seconds; one that is slow has all the time.
SOON = {"health_check_period_ms": 500, "health_check_timeout_ms": 60000, "health_check_failure_threshold": 4}


def main(gpus: list[str]) -> None:
    # Sockets of Ray's lie in there, whose names must be short.
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
    shared = {"object_store_memory": OBJECT_STORE_BYTES, "temp_dir": folder}
    cluster = Cluster()
    try:
        cluster.add_node(num_cpus=0, include_dashboard=False, _system_config=SOON, **shared)
        for gpu in gpus:
            node = cluster.add_node(num_cpus=1, num_gpus=1, env_vars={"CUDA_VISIBLE_DEVICES": gpu}, **shared)
            for (each,) in node.all_processes.values():
                # Workers end with their raylet once it is gone for good, which a zombie is not.
                threading.Thread(target=each.process.wait, daemon=True).start()
        sys.stdout.write(f"{cluster.address}\n")
        sys.stdout.flush()
        sys.stdin.read()
    finally:
        cluster.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
