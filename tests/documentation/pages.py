"""The pages that people read, and the blocks of each, as a reader of Markdown sees them.

A block that is fenced says by a word what it is; one that is indented holds commands. Every command is run by a test,
and so is every block of Python, but for those with a comment right above them, which no reader sees:

    <!-- not run: gpu, hub -->       needs what a test has not; the reasons are a closed list
    <!-- run in: README.md -->       the same commands stand in that page, and are run there
    <!-- usage -->                   tells the shape of a command, with [options] and a|b

The first is all that may stand above Python. A block of text right below one shows what that prints.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt

ROOT: Final = Path(__file__).parents[2]

REASONS: Final = {
    "gpu": "it needs a GPU",
    "docker engine": "it needs an engine for containers",
    "cluster": "it needs a cluster",
    "server": "it measures a server that is no part of scorekit",
    "hub": "it takes a model, a data set or a file from the Hub",
    "network": "it talks to another machine, or installs from one",
    "system": "it changes the machine that it runs on",
    "long": "it takes minutes",
    "interactive": "it goes on until somebody ends it",
}
"""Why a block of commands or of Python may be not run; there is no other reason."""

INDENTED: Final = "indented"
PYTHON: Final = "python"
TYPED: Final = frozenset({"console", "bash", "sh", INDENTED})
"""Languages of blocks that hold commands: console with a `$ ` before each and what they print, the others without."""
SHOWN: Final = frozenset(
    {"text", PYTHON, "json", "toml", "yaml", "ini", "html", "csv", "dockerfile", "caddyfile", "markdown", "mermaid"}
)
"""Languages of blocks that nobody types into a shell."""

_MARKDOWN = MarkdownIt("commonmark").enable("table")
_MARK = re.compile(r"<!-- (not run: .+|run in: \S+|usage) -->")
_HEADED = re.compile(r"^(?:!!!|\?\?\?\+?|===\+?!?) ")
"""Boxes and tabs of MkDocs: what follows is indented, and is no code for it."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a page.

    Attributes:
        page: the page's path below the repository.
        line: number of its first line within the fence, from 1.
        language: the word after the fence; empty for none; INDENTED for a block without a fence.
        text: what stands in it, without the fence.
        mark: what a comment right above it says of its commands; None where none does.
        heading: the last heading of the second level before it; empty before the first.
        right_below: whether nothing stands between it and the block before.
    """

    page: str
    line: int
    language: str
    text: str
    mark: str | None = None
    heading: str = ""
    right_below: bool = False

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return f"{self.page}:{self.line}"

    @property
    def usage(self) -> bool:
        """Whether it shows the shape of commands, and none to type."""
        return self.mark == "usage"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not run; none where it is."""
        return self._told("not run")

    @property
    def run_in(self) -> tuple[str, ...]:
        """The page in which the same commands are run; none where they are run in this one."""
        return self._told("run in")

    @property
    def run(self) -> bool:
        """Whether its commands are typed when this page is tested."""
        return self.language in TYPED and self.mark is None

    def _told(self, kind: str) -> tuple[str, ...]:
        said, _, what = (self.mark or "").partition(":")
        return tuple(one.strip() for one in what.split(",")) if said == kind else ()


def pages() -> list[str]:
    """Every page, by its path below the repository."""
    named = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "benchmarks/README.md"]
    found = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("README.md")]
    return [name for name in named if (ROOT / name).exists()] + sorted(str(path.relative_to(ROOT)) for path in found)


def blocks(page: str) -> list[Block]:
    """All blocks of a page, in its order."""
    return list(blocks_of((ROOT / page).read_text(encoding="utf-8"), page))


def blocks_of(text: str, page: str, first_line: int = 0, heading: str = "") -> Iterator[Block]:
    """The blocks of a text.

    Args:
        text: Markdown.
        page: that it is, or is a part of.
        first_line: how many lines of the page come before it.
        heading: that it stands under.
    """
    lines = text.splitlines()
    mark: str | None = None
    above = ""
    tokens = _MARKDOWN.parse(text)
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and token.tag == "h2" and following is not None:
            heading = following.content
        if token.type == "html_block":
            found = _MARK.fullmatch(token.content.strip())
            mark = found[1] if found else None
            above = token.type
            continue
        if token.type in ("fence", "code_block"):
            assert token.map is not None
            start = first_line + token.map[0]
            if token.type == "fence":
                language = token.info.partition(" ")[0].strip("{}.")
                yield Block(page, start + 2, language, token.content, mark, heading, above == "fence")
            elif _HEADED.match(_line_before(lines, token.map[0])):
                yield from blocks_of(token.content, page, start, heading)
            else:
                yield Block(page, start + 1, INDENTED, token.content, mark, heading)
        mark, above = None, token.type


def _line_before(lines: list[str], start: int) -> str:
    """The last line above that is not empty, without its indentation."""
    return next((line.strip() for line in reversed(lines[:start]) if line.strip()), "")


def spans(page: str) -> list[str]:
    """What stands between backticks within the sentences and tables of a page."""
    found = []
    for token in _MARKDOWN.parse((ROOT / page).read_text(encoding="utf-8")):
        found += [child.content for child in token.children or () if child.type == "code_inline"]
    return found
