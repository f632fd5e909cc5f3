"""Prints how fast scorekit is beside a floor or peer, and ends with code 1 when a goal is missed.

python -m benchmarks.speed [--quick] [--json FILE]
"""

from __future__ import annotations

import os
import sys

from benchmarks import parent_cpu, peers, program, startup
from benchmarks.program import say


def main(argv: list[str] | None = None) -> int:
    parser = program.parser("speed", __doc__, "fewer runs, for CI: about a minute instead of minutes")
    options = parser.parse_args(argv)
    os.environ.update(program.ONE_THREAD_OFFLINE)
    quick = options.quick
    rows = []
    say("start-up ...")
    rows += startup.measure(pairs=15 if quick else 31, peer_pairs=1 if quick else 5, say=say)
    say("launchers ...")
    rows.append(parent_cpu.measure(rounds=1 if quick else 5, sleep_s=2 if quick else 5))
    say("passes ...")
    # Imported late: it loads torch, which the two above do not need.
    from benchmarks import pass_overhead

    passed = pass_overhead.measure(passes=5 if quick else 15, explain=not quick)
    folder = peers.ai_energy_benchmarks(say)
    if folder is not None:
        passed.append(pass_overhead.ai_energy_benchmarks(folder, passes=1 if quick else 5))
    rows[:0] = passed
    return program.conclude(rows, quick=quick, file=options.json)


if __name__ == "__main__":
    sys.exit(main())
