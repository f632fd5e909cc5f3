"""`scorekit sweep`: measure many models, each once, and go on where it was cut off."""

from __future__ import annotations

import argparse
from pathlib import Path

_RUNS = "sweeps"
_RESULTS = "results"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "models",
        metavar="MODEL-or-LIST",
        nargs="*",
        help="Hub ids (ORG/NAME, ORG/NAME@REVISION), links, model folders; lists of them as .csv or .yaml",
    )
    parser.add_argument("--task", metavar="TASK", help="task of models that name none; of a list only its rows")
    parser.add_argument(
        "--class",
        dest="classes",
        metavar="CLASS",
        action="append",
        choices=("A", "B", "C"),
        default=[],
        help="only models that the list puts into this size class; may be given twice",
    )
    parser.add_argument(
        "--launcher",
        choices=("local", "slurm", "ray"),
        default="local",
        help="the Hydra launcher that runs the jobs: slurm or ray on a cluster; local, one after the other on this "
        "machine (default)",
    )
    parser.add_argument("--class-c-gpus", metavar="N", type=int, help="GPUs of a model of class C (default: all here)")
    parser.add_argument("--plan", metavar="FILE", type=Path, help="take the jobs of a saved plan")
    parser.add_argument("--save", metavar="FILE", type=Path, help="write the plan to FILE")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--plan-only", action="store_true", help="show the plan, and measure nothing")
    instead.add_argument(
        "--state",
        action="store_true",
        help="tell how far the plan is (without --plan: the one that was run last in --runs DIR), and measure nothing",
    )
    instead.add_argument(
        "--only-job",
        metavar="INDEX",
        type=int,
        help="measure one job of --plan FILE alone, by its index from 0: for indexed Jobs of Kubernetes and job arrays",
    )
    parser.add_argument("--json", action="store_true", help="with --plan-only or --state: print it as JSON")
    parser.add_argument(
        "--runs",
        metavar="DIR",
        type=Path,
        default=Path(_RUNS),
        help=f"where runs are kept; a sweep goes on in it (default: {_RUNS})",
    )
    parser.add_argument(
        "--results",
        metavar="DIR",
        type=Path,
        default=Path(_RESULTS),
        help="results folder: comparable results in it need not be measured again, and all help to estimate "
        f"(default: {_RESULTS})",
    )
    parser.add_argument(
        "--hardware", metavar="NAME", help="what results must be measured on (default: with local, this machine's GPU)"
    )
    parser.add_argument(
        "--hydra",
        metavar="SETTING=VALUE",
        nargs="+",
        action="extend",
        default=[],
        help="settings of every job, as of scorekit bench, and of the launcher (hydra.launcher.X=VALUE); give it last",
    )


def run(options: argparse.Namespace) -> int:
    """Do what the arguments ask for; returns the exit code."""
    from scorekit.verbs import sweep, sweep_job, sweep_state

    if options.state:
        return sweep_state.run(options)
    return sweep.run(options) if options.only_job is None else sweep_job.run(options)
