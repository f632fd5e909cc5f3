"""How a command is refused, and what every look at one needs."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence

from tests.documentation.lines import Program
from tests.documentation.pages import ROOT

Words = Sequence[str]
Bench = list[list[str]]
"""The words of every `scorekit bench` that was met, which Hydra has to compose."""
Look = Callable[[Program, Bench], None]


class WrongCommandError(AssertionError):
    """A command that would not do what the page says."""


def refuse_unless(right: bool, message: str) -> None:
    """Refuse a command unless something holds."""
    if not right:
        raise WrongCommandError(message)


def exists(path: str) -> None:
    """Refuse a path that the repository does not have."""
    refuse_unless((ROOT / path).exists(), f"{path} is not in the repository")


def extras(named: str) -> None:
    """Refuse extras that pyproject.toml does not have; several stand between commas."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    missing = set(named.split(",")) - project["optional-dependencies"].keys()
    refuse_unless(not missing, f"there is no extra {', '.join(sorted(missing))}")


def options(words: Words, known: Mapping[str, int], *, first: bool = False) -> tuple[dict[str, list[str]], list[str]]:
    """Options that are known, with what follows them; and the other words.

    Args:
        words: of a program.
        known: its options, and whether a word follows (1) or none (0).
        first: whether options stand before all other words, as of a program that starts another.
    """
    given: dict[str, list[str]] = {}
    rest: list[str] = []
    left = iter(words)
    for word in left:
        name, sign, value = word.partition("=")
        if not word.startswith("-") or word == "-":
            rest.append(word)
            if first:
                break
        elif name not in known:
            raise WrongCommandError(f"option {word}")
        else:
            given.setdefault(name, [])
            if known[name]:
                given[name].append(value if sign else next(left))
    return given, [*rest, *left]
