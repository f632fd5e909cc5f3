"""The bare job of benchmarks/job_overhead.py, `python -m benchmarks.bare_job [FILE]`: imports what measures, and ends.

That is what a measuring process has imported when its scenario begins: torch, transformers, datasets, optimum-benchmark
with its PyTorch backend, scorekit's scenario, and Hydra with the configs of both. What is imported later, CodeCarbon
among it, is a part of measuring. A FILE is told when the job began, in s since 1970.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path


def import_stack() -> float:
    """Import it all; returns when that began, in s since 1970."""
    begun_s = time.time()
    from scorekit.measuring import configs

    configs.register()
    from scorekit.measuring import launcher

    launcher.import_stack()
    return begun_s


if __name__ == "__main__":
    begun = import_stack()
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(f"{begun!r}\n", encoding="utf-8")
