"""`scorekit rate`: give stars to scores."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

_LOCAL: Final = "local"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "scores",
        metavar="SCORE",
        type=Path,
        nargs="+",
        help="a score.json, a run folder, or a folder with such below it",
    )
    parser.add_argument(
        "--edition",
        metavar="NAME",
        help=f"a published edition (default: the latest), or {_LOCAL} to rate the scores among themselves",
    )
    parser.add_argument("--json", action="store_true", help="print the ratings as a JSON array")


def run(options: argparse.Namespace) -> int:
    """Rate the scores."""
    from scorekit import verbs

    return verbs.rate(options.scores, edition=options.edition, as_json=options.json)
