"""Prints what adaptive repeats cost beside ten official ones, in measured seconds for the same uncertainty.

python -m benchmarks.cost [--trials N] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.cost import trials


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=400, help="seeded runs of each trace model")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every ratio to FILE")
    options = parser.parse_args(argv)
    done = [trials.run(noise, options.trials) for noise in trials.MODELS]
    if options.json:
        options.json.write_text(json.dumps(trials.as_json(done), indent=2) + "\n", encoding="utf-8")
    print(f"Measured seconds of adaptive repeats to those of ten official ones; goal: at most {trials.GOAL:g}.\n")
    print(trials.table(done))
    given = sum(one.as_given.verdict == "yes" for one in done)
    true = sum(one.as_true.verdict == "yes" for one in done)
    percent = sum(one.to_one_percent.verdict == "yes" for one in done)
    print(
        f"\ngoal met on {given} of {len(done)} models for the half-width as given, on {true} as it is true; "
        f"{percent} with both to 1 %: at most {trials.ONE_PERCENT_GOAL:g}, where theirs holds"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
