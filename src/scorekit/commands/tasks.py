"""`scorekit tasks`: list the tasks and what the protocol asks of them."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("--json", action="store_true", help="print the tasks as a JSON array")


def run(options: argparse.Namespace) -> int:
    """List the tasks."""
    from scorekit.verbs import tasks

    return tasks.tasks(as_json=options.json)
