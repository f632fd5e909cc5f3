"""Prints how fast scorekit is beside a floor or peer, and ends with code 1 when a goal is missed.

python -m benchmarks.speed [--quick] [--json FILE]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from benchmarks import comparison, parent_cpu, peers, startup

# Tiny models gain nothing from threads; everything is on this disk. The libraries read these when they are imported.
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer runs, for CI: about a minute instead of minutes")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every run to FILE")
    options = parser.parse_args(argv)
    os.environ.update(_ENVIRONMENT)
    quick = options.quick
    rows = []
    _say("start-up ...")
    rows += startup.measure(pairs=15 if quick else 31, peer_pairs=1 if quick else 5, say=_say)
    _say("launchers ...")
    rows.append(parent_cpu.measure(rounds=1 if quick else 5, sleep_s=2 if quick else 5))
    _say("passes ...")
    # Imported late: it loads torch, which the two above do not need.
    from benchmarks import pass_overhead

    passed = pass_overhead.measure(passes=5 if quick else 15, explain=not quick)
    folder = peers.ai_energy_benchmarks(_say)
    if folder is not None:
        passed.append(pass_overhead.ai_energy_benchmarks(folder, passes=1 if quick else 5))
    rows[:0] = passed
    return comparison.conclude(rows, quick=quick, file=options.json)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
