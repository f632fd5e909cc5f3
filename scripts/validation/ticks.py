"""How often a GPU's energy counter and its power reading change, and what it takes at rest: watched through NVML alone.

python -m scripts.validation.ticks FILE [--seconds 8] [--gpu 0] [--load cuda]

Writes what it found as JSON. No CUDA context is opened here: with `--load` a process of its own multiplies matrices.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from scorekit.measuring import driver

READ_EVERY_S: Final = 0.001
_LOAD: Final = """
import sys, torch
one = torch.randn(8192, 8192, device=sys.argv[1], dtype=torch.float16)
torch.cuda.synchronize()
print("ready", flush=True)
while True:
    for _ in range(20):
        one @ one
    torch.cuda.synchronize()
"""
"""Ends by a signal only, as do all of the session that this runs in."""

Series = Sequence[tuple[float, float]]
"""Times [s] and what was read then."""


def changes(series: Series) -> list[float]:
    """Times at which a new value was first seen; the first value is no change."""
    return [later[0] for earlier, later in itertools.pairwise(series) if later[1] != earlier[1]]


def rhythm(series: Series) -> dict[str, Any]:
    """How far apart the changes lie.

    Args:
        series: in the order in which it was read.

    Returns:
        Number of changes, median and the middle nine tenths of the times between them, and of the times between
        reads, which is how far any of them may be off [ms]; None where there were too few.
    """
    seen = changes(series)
    gaps = [1000 * (later - earlier) for earlier, later in itertools.pairwise(seen)]
    reads = [1000 * (later[0] - earlier[0]) for earlier, later in itertools.pairwise(series)]
    low, high = _middle(gaps)
    return {
        "changes": len(seen),
        "median_ms": statistics.median(gaps) if gaps else None,
        "from_ms": low,
        "to_ms": high,
        "read_every_ms": statistics.median(reads) if reads else None,
    }


def _middle(values: Sequence[float]) -> tuple[float | None, float | None]:
    if len(values) < 2:
        return None, None
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    return cuts[0], cuts[-1]


def mean_power_w(counter: Series) -> float | None:
    """Mean power between the first and the last change of a counter in mJ; None where it changed less than twice."""
    seen = changes(counter)
    if len(seen) < 2:
        return None
    at = dict(counter)
    return (at[seen[-1]] - at[seen[0]]) / 1000 / (seen[-1] - seen[0])


def watch(gpu: int, seconds: float) -> dict[str, Any]:
    """Read counter and power as often as can be for some seconds.

    Raises:
        HardwareError: NVML cannot be used.
    """
    counter: list[tuple[float, float]] = []
    power: list[tuple[float, float]] = []
    with driver.session() as pynvml:
        handle = pynvml.nvmlDeviceGetHandleByIndex(gpu)
        end_s = time.monotonic() + seconds
        while (now_s := time.monotonic()) < end_s:
            counter.append((now_s, float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle))))
            power.append((time.monotonic(), float(pynvml.nvmlDeviceGetPowerUsage(handle))))
            time.sleep(READ_EVERY_S)
    return {
        "seconds": seconds,
        "counter": rhythm(counter),
        "power": rhythm(power),
        "counter_w": mean_power_w(counter),
        "power_w": statistics.fmean(milliwatts for _, milliwatts in power) / 1000,
    }


@contextlib.contextmanager
def load(device: str) -> Iterator[None]:
    """Keep a GPU busy within the block.

    Raises:
        RuntimeError: the process that was to do it ended.
    """
    command = [sys.executable, "-c", _LOAD, device]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            if process.stdout.readline().strip() != "ready":
                raise RuntimeError(
                    f"nothing could be computed on {device}: its process ended with code {process.wait()}"
                )
            # Power takes a second to be what it is, and its reading another.
            time.sleep(2)
            yield
        finally:
            process.kill()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.validation.ticks", description=__doc__.partition("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--gpu", type=int, default=0)
    parser.add_argument("--load", metavar="DEVICE", help="watch the GPU busy, too")
    options = parser.parse_args(argv)
    found = {"at_rest": watch(options.gpu, options.seconds)}
    if options.load:
        with load(options.load):
            found["busy"] = watch(options.gpu, options.seconds)
    options.file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
