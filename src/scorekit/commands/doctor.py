"""`scorekit doctor`: tell what is on this machine and what is in the way of a run."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = (
        "Ends with 1 where no run is possible, not even on the CPU; else with 0, whether a run can be official or not."
    )
    parser.add_argument("--config-name", metavar="TASK", help="the task that is thought of, as for scorekit bench")
    parser.add_argument(
        "--runs",
        metavar="DIR",
        type=Path,
        help="try the file system of a folder that sweeps of several machines are to write to; nothing is left in it",
    )
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")
    parser.add_argument("--torch", action="store_true", help="load torch and ask it for its GPUs, which takes seconds")


def run(options: argparse.Namespace) -> int:
    """Look at the machine."""
    from scorekit import doctor

    return doctor.main(
        config_name=options.config_name, as_json=options.json, ask_torch=options.torch, runs=options.runs
    )
