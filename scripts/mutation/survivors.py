"""What survived, as tests/mutation_survivors.md tells it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

_DECIDED: Final = ("killed", "timeout", "survived")
"""All else of mutmut's words says that no test ran, or that none came to its end."""
_LINE: Final = re.compile(r"^- `(?P<function>[\w.]+)`: `` (?P<before>.*?) `` → `` (?P<after>.*?) ``$")


class Survivor(NamedTuple):
    """A change that no test noticed.

    Attributes:
        function: with its module, and its class.
        before: the lines that were changed, joined.
        after: what they became.
    """

    function: str
    before: str
    after: str

    def line(self) -> str:
        """As tests/mutation_survivors.md has it."""
        return f"- `{self.function}`: `` {self.before} `` → `` {self.after} ``"


def known(page: str) -> dict[Survivor, str]:
    """The survivors of the page, each with the heading that tells why it is no fault."""
    found = {}
    heading = ""
    for line in page.splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif matched := _LINE.match(line):
            found[Survivor(*matched.group("function", "before", "after"))] = heading
    return found


def of_diff(function: str, diff: str) -> Survivor:
    """A survivor from the diff of its function."""
    lines = diff.splitlines()[2:]
    before, after = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
    return Survivor(function, before, after)


def undecided(results: Iterable[tuple[str, str, Path]]) -> list[str]:
    """Of mutants with their status and file: those that no test has run, or none to its end."""
    return sorted(f"- {name}: {status}" for name, status, _ in results if status not in _DECIDED)
