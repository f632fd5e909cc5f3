"""`scorekit verify`: the verdict on a submission."""

from __future__ import annotations

import argparse
from pathlib import Path

from scorekit.commands.edition_choice import add_editions_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("submission", metavar="FILE", type=Path, help="a zip that `scorekit pack` wrote")
    keys = parser.add_mutually_exclusive_group()
    keys.add_argument(
        "--allowed-signers", metavar="FILE", type=Path, help="whose signatures hold, as ssh-keygen(1) has such a file"
    )
    keys.add_argument("--key", metavar="PUBKEY", type=Path, help="the one public SSH key whose signature holds")
    parser.add_argument("--edition", metavar="NAME", help="edition to judge by (default: the newest built-in one)")
    add_editions_folder(parser)
    parser.add_argument(
        "--results", metavar="DIR", type=Path, help="published results: neighbours, and what is not new"
    )
    parser.add_argument("--earlier", metavar="DIR", type=Path, help="folder with the zips of earlier submissions")
    parser.add_argument(
        "--no-sandbox", action="store_true", help="read it in this process, not in a confined one (for your own files)"
    )
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")


def run(options: argparse.Namespace) -> int:
    """Verify the submission."""
    from scorekit.verbs import submission

    return submission.verify(options)
