"""`scorekit sweep ARGS` whose jobs write a run at once: `python -m tests.e2e.ray_sweep ARGS`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from scorekit import bench, cli
from tests.e2e import ray_app


def measure_and_score(config: Any, _start_folder: Path, _tell: bench.Tell) -> int:
    from hydra.core.hydra_config import HydraConfig

    return ray_app.measure(config, Path(HydraConfig.get().runtime.output_dir))


if __name__ == "__main__":
    bench.measure_and_score = measure_and_score
    sys.exit(cli.main(["sweep", *sys.argv[1:]]))
