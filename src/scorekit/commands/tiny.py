"""`scorekit tiny`: write tiny models and datasets to try every task with."""

from __future__ import annotations

import argparse
from pathlib import Path

from scorekit.errors import EXIT_DONE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where to write the models and datasets")
    parser.add_argument("--task", metavar="T", action="append", help="a task; may be repeated (default: all)")
    parser.add_argument("--samples", metavar="N", type=int, help="rows of each dataset")
    parser.add_argument("--size", choices=("tiny", "small"), help="size of the models (default: tiny)")
    parser.add_argument("--seed", metavar="N", type=int, help="seed of the weights and of the data")


def run(options: argparse.Namespace) -> int:
    """Write them, and print the settings that name them."""
    from scorekit.measuring.tiny import write_tiny
    from scorekit.messages import say

    # What is not given is left to the function's own defaults.
    given = {name: getattr(options, name) for name in ("samples", "size", "seed")}
    asked = {name: value for name, value in given.items() if value is not None}
    made = write_tiny(options.folder, tasks=options.task, report=say, **asked)
    for task, found in made.items():
        print(f"{task}: backend.model={found.model} scenario.dataset_name={found.dataset}")
    return EXIT_DONE
