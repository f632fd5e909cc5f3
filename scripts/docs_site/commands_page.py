"""The page of all commands with every argument, from the parsers that the command line itself uses."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import cache
from typing import Final

from scripts.docs_site.markdown import plain, table

from scorekit import bench, cli
from scorekit.measuring import configs

_INTRODUCTION: Final = f"""\
# Commands

Made from the command line's own parsers. Each command tells the same by `--help`. Results go to standard output,
messages to standard error. Exit codes:
{cli.EXIT_CODES}.
"""
_BENCH: Final = """\
Its arguments are Hydra's: the name of a config, and settings of it as SETTING=VALUE. [Task configs](tasks.md) shows
each config with all that it sets.
"""


def page() -> str:
    """The whole page."""
    overview = table(
        ("command", "what it does", "extra"),
        [
            (f"[`scorekit {verb}`](#{anchor(f'scorekit {verb}')})", plain(command.summary), command.extra or "")
            for verb, command in cli.VERBS.items()
        ],
    )
    return "\n\n".join([_INTRODUCTION, overview, *(part for verb in cli.VERBS for part in _command(verb))]) + "\n"


def anchor(name: str) -> str:
    """Of a command's heading on the page."""
    return name.replace(" ", "-")


@cache
def nested() -> frozenset[str]:
    """Commands of commands: `results add`, ..."""
    return frozenset(
        f"{verb} {name}"
        for verb in cli.VERBS
        if verb != "bench"
        for action in _nested(cli.parser(verb))
        for name in action.choices
    )


def _command(verb: str) -> Iterator[str]:
    if verb == "bench":
        yield from ("## scorekit bench", _sentence(cli.VERBS[verb].summary), _BENCH)
        tasks = "\n".join(f"  {name}" for name in configs.names(configs.builtin_folder()))
        yield f"```text\n{bench.USAGE.format(tasks=tasks)}```"
        return
    yield from _parser(cli.parser(verb), 2)


def _parser(parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
    yield f"{'#' * level} {parser.prog}"
    if parser.description:
        yield plain(parser.description)
    formatter = argparse.HelpFormatter(parser.prog, width=100)
    actions = parser._actions
    formatter.add_usage(parser.usage, actions, parser._mutually_exclusive_groups)
    yield f"```text\n{formatter.format_help().strip()}\n```"
    of_commands = _nested(parser)
    rows = [
        (_name(formatter, action), _meaning(formatter, action))
        for action in actions
        if action not in of_commands and action.help is not argparse.SUPPRESS and action.dest != "help"
    ]
    if rows:
        yield table(("argument", "meaning"), rows)
    if parser.epilog:
        yield plain(parser.epilog)
    for action in of_commands:
        for child in dict.fromkeys(action.choices.values()):
            yield from _parser(child, level + 1)


def _nested(parser: argparse.ArgumentParser) -> list[argparse._SubParsersAction[argparse.ArgumentParser]]:
    return [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]


def _name(formatter: argparse.HelpFormatter, action: argparse.Action) -> str:
    told = formatter._format_action_invocation(action)
    return ", ".join(f"`{part}`" for part in told.split(", ")) if action.option_strings else f"`{told}`"


def _meaning(formatter: argparse.HelpFormatter, action: argparse.Action) -> str:
    told = plain(formatter._expand_help(action)) if action.help else ""
    choices = [str(choice) for choice in action.choices or ()]
    if action.metavar and choices and not all(choice in told for choice in choices):
        told += f" (one of {', '.join(choices)})"
    return f"{told} (required)" if action.required and action.option_strings else told


def _sentence(summary: str) -> str:
    return plain(f"{summary[0].upper()}{summary[1:]}.")
