"""CPU time of the waiting parent while its child measures: our process launcher beside optimum-benchmark's.

Each launch is made by a fresh interpreter that runs this module, since optimum-benchmark's launcher changes the start
method of its whole process. The child's work is to sleep, and to read the clock of its parent's CPU time before and
after it: so imports and the start of the child do not count.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Literal

from benchmarks.comparison import Comparison, Goal
from benchmarks.program import ROOT

GOAL = Goal(2.0, on="ours")
"""Percent of one core."""

Who = Literal["ours", "theirs"]


def measure(rounds: int, sleep_s: float) -> Comparison:
    """Launch by both side by side: what is measured is CPU time, which neither takes from the other.

    Args:
        rounds: launches of each.
        sleep_s: how long each child works.

    Returns:
        CPU time of the parents in percent of one core.
    """
    with ThreadPoolExecutor(2) as pool:
        both = partial(pool.map, partial(_launch, sleep_s=sleep_s), ("ours", "theirs"))
        turns = [tuple(both()) for _ in range(rounds)]
    return Comparison(
        key="parent_cpu",
        what="CPU of the parent while the child measures",
        reference="optimum-benchmark's launcher",
        unit="% of a core",
        ours=tuple(ours for ours, _ in turns),
        theirs=tuple(theirs for _, theirs in turns),
        goal=GOAL,
    )


def work(sleep_s: float, result: str) -> Any:
    """What the child does: write the parent's CPU time to the file `result`, in percent of the time slept."""
    from optimum_benchmark import BenchmarkReport

    clock = _cpu_clock(os.getppid())
    wall, cpu = time.monotonic(), time.clock_gettime(clock)
    time.sleep(sleep_s)
    wall, cpu = time.monotonic() - wall, time.clock_gettime(clock) - cpu
    Path(result).write_text(json.dumps(100 * cpu / wall), encoding="utf-8")
    return BenchmarkReport()


def _cpu_clock(pid: int) -> int:
    """The POSIX clock of another process's CPU time; it counts ns, where /proc counts hundredths of a second."""
    clock = ctypes.c_int()
    error = ctypes.CDLL(None).clock_getcpuclockid(ctypes.c_int(pid), ctypes.byref(clock))
    if error:
        raise OSError(error, os.strerror(error))
    return clock.value


def _launch(who: Who, sleep_s: float) -> float:
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "percent"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "LOG_TO_FILE": "0", "LOG_LEVEL": "ERROR"}
        done = subprocess.run(
            [sys.executable, "-m", __name__, who, str(sleep_s), str(result)],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode or not result.is_file():
            raise SystemExit(f"the launch by {who} failed:\n{done.stdout}{done.stderr}")
        return float(json.loads(result.read_text(encoding="utf-8")))


def _main(who: Who, sleep_s: float, result: str) -> None:
    if who == "ours":
        from scorekit.measuring.launcher import ProcessLauncher
        from scorekit.measuring.settings import ProcessSettings

        launcher: Any = ProcessLauncher(ProcessSettings())
    else:
        from optimum_benchmark import ProcessConfig
        from optimum_benchmark.launchers.process.launcher import ProcessLauncher as TheirLauncher

        launcher = TheirLauncher(ProcessConfig())
    launcher.launch(work, [sleep_s, result])


if __name__ in ("__main__", "__mp_main__"):
    # The spawned child imports this module too before it unpickles anything: optimum-benchmark's own child would
    # else fail on transformers 5.
    from scorekit.measuring import bridge

    bridge.apply()

if __name__ == "__main__":
    _main(sys.argv[1], float(sys.argv[2]), sys.argv[3])  # type: ignore[arg-type]
