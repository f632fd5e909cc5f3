"""How long `scorekit --help` takes, beside the bare start of the same interpreter."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.comparison import Comparison, Goal

GOAL = Goal(8.0)
_WARM_UPS = 2


def measure(pairs: int) -> Comparison:
    """Start both in turn.

    Args:
        pairs: how often; two more are for nothing, so that the files are in the page cache.

    Returns:
        Wall times in ms.
    """
    commands = ([str(_program()), "--help"], [sys.executable, "-c", "pass"])
    turns = [tuple(_start(command) for command in commands) for _ in range(_WARM_UPS + pairs)][_WARM_UPS:]
    return Comparison(
        key="help_startup",
        what="start of scorekit --help",
        reference="python -c pass",
        unit="ms",
        ours=tuple(ours[0] * 1e3 for ours, _ in turns),
        theirs=tuple(floor[0] * 1e3 for _, floor in turns),
        goal=GOAL,
        cpu_ratios=tuple(ours[1] / floor[1] for ours, floor in turns),
    )


def _program() -> Path:
    found = shutil.which("scorekit", path=str(Path(sys.executable).parent))
    if found is None:
        raise SystemExit("the program scorekit is not installed beside this Python: pip install -e .")
    return Path(found)


def _start(command: list[str]) -> tuple[float, float]:
    """Wall and CPU time of one process in s."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with code {process.returncode}")
    return wall, usage.ru_utime + usage.ru_stime
