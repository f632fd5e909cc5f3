"""`scorekit rate`: give stars to scores."""

from __future__ import annotations

import argparse
from pathlib import Path

from scorekit.commands import edition_choice


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "scores",
        metavar="SCORE",
        type=Path,
        nargs="+",
        help="a score.json, a run folder, a results folder, a log of another tool, or a folder with such below it",
    )
    edition_choice.add_edition(parser, local="to rate the scores among themselves")
    parser.add_argument(
        "--rule",
        metavar="RULE",
        help="equal_width (official), rank_quintile or log_width (default: the edition's own; by another one no star "
        "is official)",
    )
    parser.add_argument(
        "--explain", action="store_true", help="say why each star is given, and what energy would change it"
    )
    parser.add_argument("--json", action="store_true", help="print the ratings as a JSON array")


def run(options: argparse.Namespace) -> int:
    """Rate the scores."""
    from scorekit.verbs import rate

    return rate.rate(
        options.scores,
        edition=options.edition,
        as_json=options.json,
        rule=options.rule,
        folder=options.editions,
        explained=options.explain,
    )
