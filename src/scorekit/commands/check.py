"""`scorekit check`: check whether the figures of measured runs can be true."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "runs", metavar="RUN", type=Path, nargs="+", help="a run folder, or a folder with runs below it"
    )
    parser.add_argument("--json", action="store_true", help="print the checks of each run as a JSON array")


def run(options: argparse.Namespace) -> int:
    """Check the runs."""
    from scorekit.verbs import check

    return check.check(options.runs, as_json=options.json)
