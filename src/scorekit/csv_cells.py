"""Cells of CSV files: how a value is written, and that a spreadsheet takes no text for a formula; pure.

Names come from strangers' logs, and spreadsheets run a text that begins like a formula. A number is none, also a
negative one: it stays a number.
"""

from __future__ import annotations

import re
from typing import Any, Final

FORMULA: Final = r"^[=+\-@\t\r]"
"""How a text begins that a spreadsheet may take for a formula; read alike by Python and by RE2 (Arrow)."""
_FORMULA: Final = re.compile(FORMULA)


def cell(value: Any) -> str:
    """A value as a cell: as `plain`, and a ' before a text that a spreadsheet would take for a formula."""
    text = plain(value)
    return harmless(text) if isinstance(value, str | list | tuple) else text


def plain(value: Any) -> str:
    """A value as text: numbers in full, yes or no, times as ISO 8601, lists with semicolons, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ";".join(map(str, value))
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: a ' stands before one that begins like it."""
    return f"'{text}" if _FORMULA.match(text) else text
