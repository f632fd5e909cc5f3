"""`scorekit worker`: measures what a portal has been asked for."""

from __future__ import annotations

import argparse
from pathlib import Path

from scorekit.commands.attestation import add_clauses, add_submitter


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = (
        "The token, of the role worker, comes from SCOREKIT_TOKEN in the environment. SIGTERM or Ctrl-C ends the "
        "measurement and gives its job back. docs/operations.md tells what becomes of a job when a worker dies."
    )
    parser.add_argument("--portal", metavar="URL", required=True, help="address of the portal")
    add_submitter(parser, "who measures: your name, or that of your team", "for whom you measure", required=True)
    add_clauses(
        parser,
        "What is measured is handed in in your name: accept each clause for all of it (texts: docs/submissions.md).",
        "the model is the one on the Hub",
    )
    parser.add_argument(
        "--runs",
        metavar="DIR",
        type=Path,
        default=Path("worker"),
        help="folder of this worker alone: its runs, and the job that it has (default: %(default)s)",
    )
    parser.add_argument("--device", choices=("cuda", "cpu"), help="what is measured (default: the protocol's, cuda)")
    parser.add_argument(
        "--hydra",
        metavar="SETTING=VALUE",
        action="append",
        default=[],
        help="a setting for `scorekit bench`, e.g. hydra/launcher=submitit_slurm; may be given several times",
    )
    parser.add_argument("--sign", metavar="KEY", type=Path, help="sign what is handed in with this SSH key")
    parser.add_argument("--label", metavar="NAME", default="worker", help="name of this worker at the operators' desk")
    parser.add_argument("--once", action="store_true", help="end after one job, or when there is none")
    parser.add_argument(
        "--insecure", action="store_true", help="let the token travel in the clear, by http:// to another machine"
    )


def run(options: argparse.Namespace) -> int:
    """Work."""
    from scorekit.verbs import worker

    return worker.work(options)
