"""`scorekit edition`: gather, freeze, compare and question the editions that stars are given in."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from scorekit.commands.edition_choice import add_editions_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the commands of the command."""
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    gather = _command(commands, "import", "gather members into a draft: NAME.draft.json", _import)
    gather.add_argument(
        "sources",
        metavar="SOURCE",
        nargs="+",
        help="a folder of official CSV files, one CSV file, a results folder, or space:ORG/NAME or dataset:ORG/NAME of "
        "the Hub (with @REVISION behind it for another than main)",
    )
    gather.add_argument("--name", metavar="NAME", required=True, help="of the edition, e.g. 2026-01")
    gather.add_argument("--date", metavar="DATE", help="of publication, e.g. 2026-01 or 2026-01-31 (default: today)")
    gather.add_argument("--hardware", metavar="NAME", help="on which it was measured (default: the protocol's GPU)")
    gather.add_argument(
        "--skip-faulty", action="store_true", help="leave out rows that are wrong, and name them in the edition"
    )
    frozen = _command(commands, "freeze", "make a draft final: NAME.json, read-only and with its own hash", _freeze)
    frozen.add_argument("name", metavar="NAME", help="of the draft")
    frozen.add_argument("--rule", metavar="RULE", help="that makes the thresholds (default: equal_width, official)")
    _command(commands, "list", "list all editions", _list)
    shown = _command(commands, "show", "print an edition's thresholds, sources and notes", _show)
    shown.add_argument("name", metavar="NAME")
    shown.add_argument("--members", action="store_true", help="list every member with its star too")
    compared = _command(commands, "diff", "tell who moved between two editions, and what stretched the ranges", _diff)
    compared.add_argument("before", metavar="A")
    compared.add_argument("after", metavar="B")
    asked = _command(commands, "sensitivity", "tell which stars would change if each member were removed", _sensitivity)
    asked.add_argument("name", metavar="NAME")
    written = _command(commands, "export", "write an edition's members as CSV", _export, as_json=False)
    written.add_argument("name", metavar="NAME")
    written.add_argument(
        "target", metavar="TARGET", type=Path, help="FILE.csv for all tasks, or a folder for one official file a task"
    )


def _command(commands: Any, name: str, summary: str, action: Any, *, as_json: bool = True) -> argparse.ArgumentParser:
    found: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}."
    )
    found.set_defaults(action=action)
    add_editions_folder(found, "editions")
    if as_json:
        found.add_argument("--json", action="store_true", help="print JSON")
    return found


def _import(options: argparse.Namespace) -> int:
    from scorekit.verbs import edition

    hardware = {} if options.hardware is None else {"hardware": options.hardware}
    return edition.import_edition(
        options.sources,
        name=options.name,
        folder=options.editions,
        date=options.date,
        skip_faulty=options.skip_faulty,
        as_json=options.json,
        **hardware,
    )


def _freeze(options: argparse.Namespace) -> int:
    from scorekit.verbs import edition

    return edition.freeze(options.name, folder=options.editions, rule=options.rule, as_json=options.json)


def _list(options: argparse.Namespace) -> int:
    from scorekit.verbs import edition

    return edition.list_editions(folder=options.editions, as_json=options.json)


def _show(options: argparse.Namespace) -> int:
    from scorekit.verbs import edition

    return edition.show(options.name, folder=options.editions, with_members=options.members, as_json=options.json)


def _diff(options: argparse.Namespace) -> int:
    from scorekit.verbs import edition

    return edition.diff(options.before, options.after, folder=options.editions, as_json=options.json)


def _sensitivity(options: argparse.Namespace) -> int:
    from scorekit.verbs import edition

    return edition.sensitivity(options.name, folder=options.editions, as_json=options.json)


def _export(options: argparse.Namespace) -> int:
    from scorekit.verbs import edition

    return edition.export(options.name, options.target, folder=options.editions)
