"""Python's own programs, pip, make, and the modules of this repository."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import re
from pathlib import Path
from typing import Any, NoReturn

from tests.documentation.lines import Program
from tests.documentation.pages import ROOT
from tests.documentation.taken.wrong import Bench, Words, WrongCommandError, exists, extras, refuse_unless


class _ParsedError(BaseException):
    """The words of a program were taken; its work does not begin."""


def python(program: Program, _bench: Bench) -> None:
    """`python -m MODULE ...`, `python -c TEXT`, `python FILE`."""
    words = list(program.words)
    if words[0] == "-c":
        compile(words[1], "<a page's python -c>", "exec")
    elif words[:2] == ["-m", "pytest"]:
        _pytest(words[2:])
    elif words[:2] in (["-m", "venv"], ["-m", "zipfile"]):
        refuse_unless(len(words) == {"venv": 3, "zipfile": 5}[words[1]], "words of a module of Python's own")
    elif words[0] == "-m":
        _module(words[1], words[2:])
    else:
        exists(words[0])


def _pytest(words: Words) -> None:
    for word in words:
        path, _, test = word.partition("::")
        if path.endswith(".py") or "/" in path:
            exists(path)
            refuse_unless(not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), f"no test {word}")


def _module(name: str, words: Words) -> None:
    """A module of this repository: its parser takes the words; one without a parser is given none."""
    refuse_unless((ROOT / name.partition(".")[0]).is_dir(), f"{name} is no module of this repository")
    refuse_unless(importlib.util.find_spec(name) is not None, f"there is no module {name}")
    package = (ROOT / name.replace(".", "/")).is_dir()
    module: Any = importlib.import_module(f"{name}.__main__" if package else name)
    if "parse_args(" not in Path(module.__file__).read_text(encoding="utf-8"):
        refuse_unless(not words and hasattr(module, "main"), f"{name} takes no words")
        return
    parser: Any = argparse.ArgumentParser
    parse, error = parser.parse_args, parser.error

    def parsed(self: Any, _args: Any = None, namespace: Any = None) -> NoReturn:
        parse(self, list(words), namespace)
        raise _ParsedError

    def refused(self: Any, message: str) -> NoReturn:
        if re.search(r"invalid choice: '[A-Z]+'", message):
            raise _ParsedError  # a name that stands for one of the choices
        raise WrongCommandError(f"{self.prog}: {message}")

    parser.parse_args, parser.error = parsed, refused
    try:
        module.main()
    except _ParsedError:
        return
    finally:
        parser.parse_args, parser.error = parse, error
    raise WrongCommandError(f"{name} did not parse its command line")


def make(program: Program, _bench: Bench) -> None:
    """`make TARGET`."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    for word in program.words:
        refuse_unless(bool(re.search(rf"^{re.escape(word)}:", text, flags=re.MULTILINE)), f"no target {word}")


def pip(program: Program, _bench: Bench) -> None:
    """`pip install ...`: files and extras are there."""
    command, *words = program.words
    refuse_unless(command == "install", f"pip {command}")
    left = iter(words)
    for word in left:
        if word == "-c":
            exists(next(left))
        elif word.startswith("./"):
            exists(word)
        elif found := re.fullmatch(r"(?:scorekit|\.)\[([\w,]+)\]", word):
            extras(found[1])
        else:
            refuse_unless(word in ("-e", "-U", "--no-deps", "scorekit", ".") or "==" in word, f"pip install {word}")
