"""Runs all benchmarks, each in a process of its own, and writes the report; ends with code 1 when something is amiss.

python -m benchmarks.report [--quick] [--only NAME ...] [--from FOLDER] [--out FOLDER]

Amiss is a benchmark that failed, one that was asked for and did not run, and a goal that is missed, or not shown to be
met, without a reason in reasons.yaml. One with its reason is told, here and at the top of the page, and is no fault:
code 0.

What each benchmark found is kept in .cache/bench (.cache/bench-quick for quick runs): the report can be written anew
from there (--from), and one benchmark can be run again (--only) beside what the others found before, there or in the
report.json that is replaced, each with its own date, commit and machine. REPORT.md and report.json are written after
every benchmark, in benchmarks/, so that a run that is cut off has its report; those of a quick run beside its files.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import yaml

from benchmarks.program import CACHE, ROOT, say
from benchmarks.report import gathered, page, running
from benchmarks.report.programs import NAMES, PROGRAMS
from scorekit.atomic import write_text

_HERE: Final = ROOT / "benchmarks"
REASONS: Final = _HERE / "reasons.yaml"
PAGE: Final = "REPORT.md"
DATA: Final = "report.json"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="short runs that only show that all works")
    parser.add_argument("--only", metavar="NAME", choices=NAMES, action="append", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--from", metavar="FOLDER", type=Path, dest="source", help="run nothing: what lies in FOLDER")
    parser.add_argument("--out", metavar="FOLDER", type=Path, help=f"where {PAGE} and {DATA} are written")
    options = parser.parse_args(argv)
    if options.source is not None:
        if options.only or options.quick:
            parser.error("--from runs nothing: it goes with neither --only nor --quick")
        if not options.source.is_dir():
            parser.error(f"{options.source} is not a folder: give one that an earlier run left, such as .cache/bench")
    folder = options.source or CACHE / ("bench-quick" if options.quick else "bench")
    out = options.out or (folder if options.quick or options.source else _HERE)
    for where in (folder, out):
        where.mkdir(parents=True, exist_ok=True)
    # A clone has the report, and not the files that it was made of.
    earlier = read_earlier(out / DATA, without=options.only) if options.only and not options.quick else None
    asked = [] if options.source else [one for one in PROGRAMS if not options.only or one.name in options.only]
    for number, program in enumerate(asked, 1):
        about = "" if options.quick else f", about {program.minutes:g} minutes"
        say(f"{number} of {len(asked)}: {program.name}{about} ...")
        told = running.run(program, folder, quick=options.quick)
        say(f"  {told['wall_s']:.0f} s" + (f"; failed: {told['failed']}" if told["failed"] else ""))
        write(gathered.gather(folder, earlier), out)
    return conclude(write(gathered.gather(folder, earlier), out), out, [program.name for program in asked])


def write(report: dict[str, Any], out: Path) -> dict[str, Any]:
    """REPORT.md and its data."""
    write_text(out / DATA, json.dumps(report, indent=1) + "\n")
    write_text(out / PAGE, page.render(report, read_reasons()))
    return report


def read_earlier(path: Path, without: Collection[str]) -> dict[str, Any] | None:
    """The report that is there, but for the benchmarks that are run again; None where there is none."""
    if not path.exists():
        return None
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {**report, "benchmarks": [one for one in report["benchmarks"] if one["name"] not in without]}


def read_reasons() -> page.Reasons:
    """Why goals are missed, as people wrote it down."""
    return dict(yaml.safe_load(REASONS.read_text(encoding="utf-8")) or {})


def conclude(report: dict[str, Any], out: Path, asked: Collection[str]) -> int:
    """Tell what was missed, and why, and where the report is.

    Args:
        report: of all benchmarks.
        out: the folder that it was written to.
        asked: names of the benchmarks that were to be run.

    Returns:
        The exit code: 1 where a benchmark failed, one that was asked for did not run, or a missed goal has no reason.
    """
    reasons = read_reasons()
    words = {"no": "goal missed", "unclear": "goal not shown to be met"}
    missed = [
        (f"{word}: {name}: {row['what']}", page.reason(reasons, name, row["key"]))
        for met, word in words.items()
        for name, row in page.goals(report["benchmarks"], met)
    ]
    unexplained = sum(why == page.NOT_EXPLAINED for _, why in missed)
    failed = [f"{one['name']} failed: {one['failed']}" for one in report["benchmarks"] if one["failed"] is not None]
    lacking = [f"{name} was asked for, and did not run" for name in report["not_run"] if name in asked]
    for line in (*(f"{what}: {why}" for what, why in missed), *failed, *lacking):
        print(line)
    print(
        f"{len(missed)} goals missed or unclear, {unexplained} of them not explained; {len(failed)} benchmarks failed, "
        f"{len(report['not_run'])} not run: {out / PAGE}"
    )
    return 1 if unexplained or failed or lacking else 0


if __name__ == "__main__":
    sys.exit(main())
