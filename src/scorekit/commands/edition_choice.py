"""Options that name an edition and the folder of those that were frozen here, for several commands."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from scorekit.records import Edition

LOCAL: Final = "local"
"""In the place of an edition's name: none, and stars among the scores that are given."""


def add_edition(parser: argparse.ArgumentParser, what: str = "a published edition", local: str = "for none") -> None:
    """Add --edition, which may be `local`, and --editions.

    Args:
        parser: of the command.
        what: which edition is meant.
        local: what `local` is for.
    """
    parser.add_argument(
        "--edition", metavar="NAME", help=f"{what} (default: the newest built-in one), or {LOCAL} {local}"
    )
    add_editions_folder(parser)


def add_editions_folder(parser: argparse.ArgumentParser, which: str = "frozen editions") -> None:
    """Add --editions.

    Args:
        parser: of the command.
        which: what lies there.
    """
    parser.add_argument(
        "--editions",
        metavar="DIR",
        type=Path,
        default=Path("editions"),
        help=f"where {which} lie beside the built-in ones (default: %(default)s)",
    )


def chosen_edition(options: argparse.Namespace) -> Edition | None:
    """The edition that the options name, the newest built-in one where they name none; None for `local`.

    Raises:
        UsageError, InputError: there is no such edition, or it cannot be read.
    """
    from scorekit import editions

    if options.edition == LOCAL:
        return None
    return editions.find(options.edition or editions.LATEST, options.editions)
