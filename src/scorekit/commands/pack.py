"""`scorekit pack`: runs into a submission."""

from __future__ import annotations

import argparse
from pathlib import Path

from scorekit.commands.attestation import add_clauses, add_submitter


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("runs", metavar="RUN", type=Path, nargs="+", help="a run folder")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="the zip to write")
    add_submitter(parser, "your name, or that of your team", "for whom you hand it in")
    add_clauses(parser)
    parser.add_argument(
        "--confidential",
        action="store_true",
        help="hand in the energy evidence with its times and counts of tokens, the given name (with --model-name), "
        "size class, dtype, quantisation and attention, and nothing else of the model; energies, name, class and "
        "conditions alone become public",
    )
    parser.add_argument("--model-name", metavar="NAME", help="the model's name as it may be published")
    parser.add_argument("--edition", metavar="NAME", help="edition to be rated in (default: the newest built-in one)")
    parser.add_argument("--allow-invalid", action="store_true", help="pack runs that fail a check all the same, marked")
    parser.add_argument("--sign", metavar="KEY", type=Path, help="sign with this SSH key (needs ssh-keygen)")
    parser.add_argument(
        "--date", metavar="TIME", help="time of packing, ISO 8601 with UTC offset (default: now): same time, same bytes"
    )
    parser.add_argument("--json", action="store_true", help="print what was packed as JSON")


def run(options: argparse.Namespace) -> int:
    """Pack the runs."""
    from scorekit.verbs import submission

    return submission.pack(options)
