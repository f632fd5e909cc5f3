"""`scorekit parse`: compute the score of measured runs."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "runs", metavar="RUN", type=Path, nargs="+", help="a run folder, or a folder with runs below it"
    )
    parser.add_argument(
        "--allow-invalid",
        action="store_true",
        help="score a run with failed checks too; its score says that it is not valid, and why",
    )
    parser.add_argument("--json", action="store_true", help="print the scores as a JSON array")


def run(options: argparse.Namespace) -> int:
    """Parse the runs."""
    from scorekit import verbs

    return verbs.parse(options.runs, as_json=options.json, allow_invalid=options.allow_invalid)
