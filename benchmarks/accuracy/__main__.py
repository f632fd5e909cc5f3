"""Prints how near scorekit and its peers come to an exact energy; ends with code 1 when scorekit misses a goal.

python -m benchmarks.accuracy [--quick] [--rows KEY,KEY] [--without-zeus] [--without-ai-energy-benchmarks] [--json FILE]
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from benchmarks import peers, program
from benchmarks.accuracy import observations, runs
from benchmarks.accuracy.rows import ROWS
from benchmarks.program import say

FULL_S = (60, 2, 10, 2) * 5
QUICK_S = (2, 10, 2)
AI_ENERGY_BENCHMARKS_S = (2, 10) * 5
"""Of ai_energy_benchmarks, whose windows come after the others', in processes of its own environment."""


def main(argv: list[str] | None = None) -> int:
    parser = program.parser("accuracy", __doc__, "few and short windows, for CI: about a minute")
    parser.add_argument("--rows", metavar="KEY,KEY", help=f"only these of {', '.join(row.key for row in ROWS)}")
    parser.add_argument("--without-zeus", action="store_true", help="leave Zeus out, which pip would have to fetch")
    parser.add_argument("--without-ai-energy-benchmarks", action="store_true", help="leave it out for the same reason")
    parser.add_argument("--seed", type=int, default=1, help="of the phases of windows and traces")
    options = parser.parse_args(argv)
    keys = options.rows.split(",") if options.rows else [row.key for row in ROWS]
    tools = ["scorekit", "codecarbon", "optimum-benchmark"]
    zeus = None if options.without_zeus else peers.zeus_folder(say)
    if zeus is not None:
        tools.append("zeus")
    seen = runs.observe(keys, QUICK_S if options.quick else FULL_S, tools, zeus, options.seed, say)
    programs = None if options.without_ai_energy_benchmarks else peers.ai_energy_benchmarks(say)
    if programs is not None:
        windows_s = (2, 10) if options.quick else AI_ENERGY_BENCHMARKS_S
        seen += runs.observe_ai_energy_benchmarks(keys, windows_s, programs / "python", options.seed, say)
    # A quick run has too few windows to say who is closer.
    made = observations.lines(seen, compare=not options.quick)
    if options.json:
        document = {"quick": options.quick, "observations": [asdict(one) for one in seen]}
        options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    print("Absolute error in percent of the exact energy, mean / worst over the windows.\n")
    print(observations.table(made))
    missed = [(line, fault) for line in made for fault in line.faults]
    for line, fault in missed:
        say(f"goal missed: {line.what}, {line.window_s:g} s: {fault}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
