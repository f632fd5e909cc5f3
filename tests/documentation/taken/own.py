"""The command line of scorekit: the parser of each command takes it, and Hydra composes what is measured."""

from __future__ import annotations

import argparse
import importlib
import re
from typing import NoReturn

from scorekit import cli
from tests.documentation.lines import Program
from tests.documentation.taken.wrong import Bench, Words, WrongCommandError, refuse_unless

_SETTING = re.compile(r"[+~]*[a-z_]+(?:\.\w+)+(?==)")
"""The name in SETTING=VALUE; what chooses a group, as hydra/launcher=ray, is none."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise WrongCommandError(f"{self.prog}: {message}")


def words(typed: Words, bench: Bench) -> None:
    """Look at what follows `scorekit`."""
    verb, *rest = typed
    if verb in ("--help", "--version"):
        refuse_unless(not rest, f"scorekit {verb} {rest}")
        return
    refuse_unless(verb in cli.VERBS, f"there is no command {verb}")
    if verb == "bench":
        bench.append(rest)
        return
    parser = _Parser(prog=f"scorekit {verb}", add_help=False)
    importlib.import_module(f"scorekit.commands.{verb}").add_arguments(parser)
    options = parser.parse_args([word for word in rest if word != "--help"] if rest != ["--help"] else [])
    if verb == "sweep":
        # Its settings are those of the bench that each job is.
        named = ["--config-name", options.task or "text_generation", "backend.model=ORG/NAME"]
        bench.append([*named, f"hydra/launcher={options.launcher}", *options.hydra])


def scorekit(program: Program, bench: Bench) -> None:
    """`scorekit VERB ...`."""
    words(program.words, bench)


def composed(bench: Bench) -> list[list[str]]:
    """The words of `scorekit bench` that show configs in which every setting of every line stands once.

    Lines of one config are shown together, and of a line with several values of a setting the first: composing takes
    the better part of a second.
    """
    together: dict[tuple[str, ...], dict[str, str]] = {}
    for line in bench:
        if "--help" in line:
            continue
        several = any(word in ("-m", "--multirun") for word in line)
        words = [word for word in line if word not in ("-m", "--multirun", "hydra/launcher=local")]
        options = tuple(word for word in words if not _SETTING.match(word))
        for word in words:
            if found := _SETTING.match(word):
                value = word.partition(",")[0] if several else word
                together.setdefault(options, {}).setdefault(found[0], value)
    return [["bench", *options, *settings.values(), "--cfg", "job"] for options, settings in together.items()]


def options_there(verb: str, typed: Words) -> None:
    """Refuse options, and commands of a command, that are not there; all else may be missing."""
    if verb == "bench":
        return
    parser = _Parser(prog=f"scorekit {verb}", add_help=True)
    importlib.import_module(f"scorekit.commands.{verb}").add_arguments(parser)
    left = list(typed)
    while nested := [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]:
        if not left or left[0].startswith("-"):
            return
        refuse_unless(left[0] in nested[0].choices, f"scorekit {verb} has no {left[0]}")
        parser = nested[0].choices[left.pop(0)]
    for word in left:
        if word.startswith("-") and word != "-":
            name = word.partition("=")[0]
            refuse_unless(name in parser._option_string_actions, f"scorekit {verb} has no {name}")
