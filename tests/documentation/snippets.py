"""The Python of a page: its blocks are run one after the other as one program, in the order in which they stand there.

A block of text right below one shows what it prints; a line `...` in it stands for lines that are left out.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import CodeType
from typing import Final

from tests.documentation.pages import PYTHON, ROOT, Block

_LEFT_OUT: Final = "..."


def run_all(blocks: Sequence[Block], names: Mapping[str, object]) -> dict[str, object]:
    """Run the Python of a page, but for blocks that say why they are not run.

    Args:
        blocks: all blocks of the page, in its order.
        names: what the program uses and does not make.

    Returns:
        The program's names at its end.

    Raises:
        AssertionError: a block prints something else than the page shows, or has a mark that is none for Python.
        Exception: whatever a block raises; its traceback leads to the line of the page.
    """
    program: dict[str, object] = {"__name__": "__main__", **names}
    for block, below in pairwise([*blocks, None]):
        if block is None or block.language != PYTHON or block.reasons:
            continue
        assert block.mark is None, f"{block.place}: above Python stands nothing but `not run: REASON`"
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(_compiled(block), program)
        if below is not None and below.right_below and below.language == "text":
            told = f"{below.place} shows\n{below.text}\nand what is printed is\n{printed.getvalue()}"
            assert is_shown(printed.getvalue(), below.text), told
    return program


def is_shown(printed: str, sample: str) -> bool:
    """Whether a sample of an output shows it: line by line, without blanks at their ends."""
    lines = (line.rstrip() for line in sample.splitlines())
    pattern = "".join(r"(?:.*\n)*" if line == _LEFT_OUT else rf"{re.escape(line)} *\n" for line in lines)
    return re.fullmatch(pattern, printed) is not None


def _compiled(block: Block) -> CodeType:
    # As many lines above it as in the page, for tracebacks; and nothing of this module's own __future__.
    text = "\n" * (block.line - 1) + block.text
    return compile(text, str(ROOT / block.page), "exec", dont_inherit=True)
