"""The bare job of benchmarks/job_overhead, `python -m benchmarks.bare_job [FILE]`: imports what measures, and ends.

That is what a measuring process has imported when its scenario begins: torch, transformers, datasets, optimum-benchmark
with its PyTorch backend, scorekit's scenario, and Hydra with the configs of both. What is imported later, CodeCarbon
among it, is a part of measuring. A FILE is told when the job began and when it had imported, in s since 1970.

What of it is scorekit's and what it measures by is on both sides then. So the imports have a row of their own, beside
those libraries alone that no job of this task can do without, whoever wrote it (`import_libraries`).
"""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path
from typing import Final

LIBRARIES: Final = (
    ("torch", ()),
    ("datasets", ()),
    # transformers imports what is asked of it, and no sooner.
    ("transformers", ("AutoConfig", "AutoTokenizer", "AutoModelForSequenceClassification")),
)
"""Modules, and what is asked of them."""


def import_stack() -> tuple[float, float]:
    """Import all that measures; returns when that began and when it was done, in s since 1970."""
    begun_s = time.time()
    from scorekit.measuring import configs

    configs.register()
    from scorekit.measuring import launcher

    launcher.import_stack()
    return begun_s, time.time()


def import_libraries() -> None:
    """Import the libraries alone."""
    for name, parts in LIBRARIES:
        module = importlib.import_module(name)
        for part in parts:
            getattr(module, part)


if __name__ == "__main__":
    begun, imported = import_stack()
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(f"{begun!r} {imported!r}\n", encoding="utf-8")
