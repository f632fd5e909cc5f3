"""`scorekit card`: the block for a model card."""

from __future__ import annotations

import argparse

from scorekit.commands.label import add_subject, read_facts, write
from scorekit.errors import EXIT_DONE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_subject(parser)


def run(options: argparse.Namespace) -> int:
    """Make the block."""
    from scorekit.publish.label.model_card import card

    write(options.output, card(read_facts(options)).encode("utf-8"))
    return EXIT_DONE
