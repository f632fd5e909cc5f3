"""Branches of the pure middle that the unit tests run: `python -m scripts.coverage`, or `make coverage`; takes minutes.

The pure middle is what the import contract `pure` in pyproject.toml names. Every module of it should have at least
GOAL percent of its branches run, and the middle as a whole must. What processes that tests start run is not counted.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).parents[1]
DATA: Final = ROOT / "build" / "coverage"
GOAL: Final = 90.0
"""Percent of the branches."""
ASIDE: Final = (
    "container", "measuring", "publish/charts", "publish/site", "sweep", "tiny", "validation", "test_*_benchmark.py",
    "test_*_page.py", "test_benchmarks.py", "test_compare_launchers.py", "test_kubernetes.py",
)  # fmt: skip
"""Of tests/unit: what tests other parts, and of the middle only what its own tests run too."""


class Row(NamedTuple):
    """The branches of one module.

    Attributes:
        module: its dotted name.
        branches: how many it has.
        covered: how many were run.
        missing: those that were not, from line to line; a line below 0 is the function's end.
        lines: lines that were not run.
    """

    module: str
    branches: int
    covered: int
    missing: Sequence[tuple[int, int]]
    lines: Sequence[int]

    @property
    def percent(self) -> float:
        """Of its branches; 100 where it has none."""
        return 100.0 * self.covered / self.branches if self.branches else 100.0


def pure_middle(project: dict[str, Any]) -> list[str]:
    """Modules and packages that the contract `pure` names."""
    (contract,) = (each for each in project["tool"]["importlinter"]["contracts"] if each["id"] == "pure")
    modules: list[str] = contract["source_modules"]
    return modules


def belongs(module: str, middle: Sequence[str]) -> bool:
    """Whether a module is one of the middle, or lies in a package of it."""
    return any(module == name or module.startswith(f"{name}.") for name in middle)


def main() -> int:
    """Run the tests, and tell of each module."""
    parser = argparse.ArgumentParser(prog="python -m scripts.coverage", description=__doc__.partition("\n")[0])
    parser.add_argument("tests", nargs="*", help="tests to run (default: those of tests/unit that run the middle)")
    parser.add_argument("--no-run", action="store_true", help="only tell what the last run found")
    parser.add_argument("--missing", action="store_true", help="list the branches that were not run")
    options = parser.parse_args()
    middle = pure_middle(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    if not options.no_run and (code := _run(options.tests)):
        print(f"the tests failed with code {code}; no figures", file=sys.stderr)
        return code
    rows = sorted((row for row in _rows() if belongs(row.module, middle)), key=lambda row: (row.percent, row.module))
    whole = Row("the pure middle", sum(row.branches for row in rows), sum(row.covered for row in rows), (), ())
    print(f"{'module':58} {'branches':>8} {'run':>6} {'percent':>8} {'lines not run':>14}")
    for row in (*rows, whole):
        lines = sum(len(each.lines) for each in rows) if row is whole else len(row.lines)
        print(f"{row.module:58} {row.branches:8} {row.covered:6} {row.percent:8.1f} {lines:14}")
        if options.missing and (row.missing or row.lines):
            print("    " + ", ".join(f"{start}->{end}" for start, end in row.missing))
            print("    lines " + ", ".join(map(str, row.lines)))
    below = [row.module for row in rows if row.percent < GOAL]
    if below:
        print(f"below {GOAL:g} %: {', '.join(below)}")
    return 0 if whole.percent >= GOAL else 1


def _run(tests: Sequence[str]) -> int:
    DATA.mkdir(parents=True, exist_ok=True)
    aside = [f"--ignore-glob={ROOT / 'tests' / 'unit' / name}" for name in ASIDE]
    command = [sys.executable, "-m", "coverage", "run", f"--data-file={DATA / 'data'}", "-m", "pytest", "-q"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    chosen = list(tests) or ["tests/unit", *aside]
    return subprocess.run([*command, *chosen], cwd=ROOT, env=environment, check=False).returncode


def _rows() -> Iterator[Row]:
    import coverage

    found = coverage.Coverage(data_file=str(DATA / "data"), config_file=str(ROOT / "pyproject.toml"))
    found.load()
    report = DATA / "report.json"
    # What it prints to stdout tells where the file is, and nothing that anybody needs.
    out, sys.stdout = sys.stdout, io.StringIO()
    try:
        found.json_report(outfile=str(report))
    finally:
        sys.stdout = out
    for name, file in json.loads(report.read_text(encoding="utf-8"))["files"].items():
        parts = Path(name).with_suffix("").parts
        module = ".".join(parts[parts.index("scorekit") :]).removesuffix(".__init__")
        summary = file["summary"]
        yield Row(
            module,
            summary["num_branches"],
            summary["covered_branches"],
            [(start, end) for start, end in file["missing_branches"]],
            file["missing_lines"],
        )


if __name__ == "__main__":
    sys.exit(main())
