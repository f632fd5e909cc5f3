"""`scorekit parse`: energies and scores from logs of any format."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "paths",
        metavar="PATH",
        type=Path,
        nargs="+",
        help="a run, a log of another tool, a folder with such below it, or a zip or tar.gz of any of these",
    )
    parser.add_argument(
        "--format",
        dest="form",
        choices=("table", "json", "jsonl", "csv", "parquet"),
        help="how the results are written (default: by the name of -o, else a table)",
    )
    parser.add_argument("--json", dest="form", action="store_const", const="json", help="the same as --format json")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, help="write the results to FILE")
    parser.add_argument(
        "--allow-invalid",
        action="store_true",
        help="score a run with failed checks too; its score says that it is not valid, and why",
    )
    parser.add_argument(
        "--read-only", action="store_true", help="write no checks and scores into run folders, as is done otherwise"
    )


def run(options: argparse.Namespace) -> int:
    """Read the logs."""
    from scorekit.verbs import parse

    return parse.parse(
        options.paths,
        form=options.form,
        output=options.output,
        allow_invalid=options.allow_invalid,
        read_only=options.read_only,
    )
