"""The bare job of benchmarks/job_overhead.py, `python -m benchmarks.bare_job [FILE]`: imports what measures, and ends.

That is what a job of this task cannot do without, whoever wrote it: torch, datasets, and the classes of transformers
that load its model and tokens. Nothing of scorekit is among it, nor what scorekit measures by (optimum-benchmark,
Hydra): else their imports would be on both sides, and could grow without being seen. A FILE is told when the job began
and when it had imported, in s since 1970.
"""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path
from typing import Final

STACK: Final = (
    ("torch", ()),
    ("datasets", ()),
    # transformers imports what is asked of it, and no sooner.
    ("transformers", ("AutoConfig", "AutoTokenizer", "AutoModelForSequenceClassification")),
)
"""Modules, and what is asked of them."""


def import_stack() -> tuple[float, float]:
    """Import it all; returns when that began and when it was done, in s since 1970."""
    begun_s = time.time()
    for name, parts in STACK:
        module = importlib.import_module(name)
        for part in parts:
            getattr(module, part)
    return begun_s, time.time()


if __name__ == "__main__":
    begun, imported = import_stack()
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(f"{begun!r} {imported!r}\n", encoding="utf-8")
