"""Options of who hands in, and of the three clauses that are accepted one by one: for `pack`, `submit` and `worker`."""

from __future__ import annotations

import argparse


def add_submitter(parser: argparse.ArgumentParser, name: str, organisation: str, *, required: bool = False) -> None:
    """Add the options of who hands in.

    Args:
        parser: of the command.
        name: what its option --name is for.
        organisation: what its option --organisation is for.
        required: whether a name has to be given; where not, it is asked for on a terminal.
    """
    parser.add_argument("--name", metavar="NAME", required=required, help=name)
    parser.add_argument("--organisation", metavar="NAME", help=organisation)
    parser.add_argument("--contact", metavar="TEXT", help="where you can be reached, e.g. an e-mail address")


def add_clauses(
    parser: argparse.ArgumentParser,
    told: str = "Each clause is asked for on a terminal, or accepted by its own option (texts: docs/submissions.md).",
    representation: str = "the model is the one in production",
) -> None:
    """Add the options that accept a clause each; `accepted` of the options has the names of those that were given.

    Args:
        parser: of the command.
        told: what stands above them.
        representation: which model it is that was measured.
    """
    group = parser.add_argument_group("attestation", told)
    for name, summary in (
        ("public_data", "the energy figures become public"),
        ("integrity", "the logs are true and unaltered"),
        ("representation", representation),
    ):
        group.add_argument(
            f"--accept-{name.replace('_', '-')}",
            dest="accepted",
            action="append_const",
            const=name,
            default=[],
            help=summary,
        )
