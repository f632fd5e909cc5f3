"""Texts of the code as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def plain(text: str) -> str:
    """A text whose signs mean nothing in Markdown, but for code between backticks."""
    parts = " ".join(text.split()).split("`")
    # Of a backtick without a partner, what follows is no code.
    alone = [parts.pop()] if len(parts) % 2 == 0 else []
    told = "`".join(part if number % 2 else _escaped(part) for number, part in enumerate(parts))
    return told + "".join(f"\\`{_escaped(part)}" for part in alone)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(re.sub(r"(?<!\\)\|", r"\\|", cell) for cell in line) + " |" for line in lines)


def _escaped(text: str) -> str:
    return re.sub(r"([\\*_\[\]<|#~])", r"\\\1", text)
