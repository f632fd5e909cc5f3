"""A Hydra app of a few seconds in the place of `scorekit bench`: `python -m tests.e2e.ray_app SETTING=VALUE ...`.

Its jobs write a run at once, or meet what the model's name says, on their first attempt.
"""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import hydra
import psutil
from hydra.core.hydra_config import HydraConfig

from scorekit import logs
from scorekit.errors import EXIT_INVALID, ModelError
from scorekit.measuring import gpu_lock
from scorekit.sweep import attempts, work
from tests import bundles

TASK = "text_generation"
SEEN = "seen.json"
SENT = "sent"
"""In a job's folder: it is about to wait until it is ended."""


def measure(config: Any, folder: Path) -> int:
    held = gpu_lock.names(config, os.environ)
    with gpu_lock.held(held, gpu_lock.WAIT_S, config.backend.model):
        made = attempts.read(folder.parent)
        seen = {
            "gpus": held,
            "device_ids": str(config.backend.device_ids),
            "threads": os.environ.get("OMP_NUM_THREADS"),
            "pid": os.getpid(),
        }
        (folder.parent / SEEN).write_text(json.dumps(seen), encoding="utf-8")
        if len(made) == 1:
            met = meets(config.backend.model.removeprefix("org/"), folder)
            if met is not None:
                return met
        told = bundles.environment(TASK, model={"name": config.backend.model})
        bundles.write_bundle(folder, told, bundles.official_windows())
        logs.write_validity(folder, logs.read_validity(folder))
        logs.write_score(folder, logs.read_score(folder))
    return 0


def meets(what: str, folder: Path) -> int | None:
    server = os.getppid()
    worker = psutil.Process(server).ppid()
    if what == "invalid":
        return EXIT_INVALID
    if what == "fills-its-disk":
        # A device that is always full.
        Path("/dev/full").write_bytes(b"a run")
    if what == "gone":
        raise ModelError("there is no model org/gone on the Hub, or it is private", mend="check the spelling")
    if what == "outlives-its-server":
        os.kill(server, signal.SIGKILL)
    victim = {
        "kills-itself": os.getpid(),
        "kills-its-worker": worker,
        "kills-its-node": psutil.Process(worker).ppid(),
        "waits": 0,
    }.get(what)
    if victim is None:
        return None
    if victim:
        os.kill(victim, signal.SIGKILL)
    (folder.parent / SENT).touch()
    while True:
        signal.pause()


@hydra.main(version_base=None, config_path=None, config_name=TASK)
def main(config: Any) -> int:
    folder = Path(HydraConfig.get().runtime.output_dir)
    return work.recorded(lambda: measure(config, folder), folder)


if __name__ == "__main__":
    main()
