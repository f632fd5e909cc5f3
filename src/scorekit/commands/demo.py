"""`scorekit demo`: measure, parse and rate every task with tiny models."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "folder",
        metavar="FOLDER",
        type=Path,
        nargs="?",
        default=Path("demo"),
        help="where to work (default: demo)",
    )
    parser.add_argument("--task", metavar="T", action="append", help="a task; may be repeated (default: all)")


def run(options: argparse.Namespace) -> int:
    """Run the demo."""
    from scorekit import demo

    return demo.main(options.folder, options.task)
