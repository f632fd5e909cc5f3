"""`scorekit submit`: a submission handed in at a portal."""

from __future__ import annotations

import argparse
from pathlib import Path

from scorekit.commands.attestation import add_clauses


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = (
        "The token comes from SCOREKIT_TOKEN in the environment. What breaks off goes on where it was: start the same "
        "command again. Exit codes with --wait: 0 accepted by the checks, 3 refused or for a person to look at, 1 not "
        "readable."
    )
    parser.add_argument("submission", metavar="FILE", type=Path, help="a zip that `scorekit pack` wrote")
    parser.add_argument("--portal", metavar="URL", required=True, help="address of the portal")
    add_clauses(parser)
    parser.add_argument("--wait", action="store_true", help="wait for the verdict of the portal's checks, and print it")
    parser.add_argument(
        "--wait-at-most", metavar="S", type=float, default=900.0, help="for --wait, in seconds (default: %(default)g)"
    )
    parser.add_argument(
        "--no-check", action="store_true", help="do not look first if the file can be read as a submission"
    )
    parser.add_argument(
        "--insecure", action="store_true", help="let the token travel in the clear, by http:// to another machine"
    )
    parser.add_argument("--json", action="store_true", help="print what the portal tells as JSON")


def run(options: argparse.Namespace) -> int:
    """Hand in the submission."""
    from scorekit.verbs import submission

    return submission.submit(options)
