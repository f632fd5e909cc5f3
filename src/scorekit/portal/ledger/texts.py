"""Texts of strangers made fit for a database.

PostgreSQL keeps no NUL, and neither database half a surrogate pair.
"""

from __future__ import annotations


def plain(text: str) -> str:
    """A text without control characters but for line breaks and tabs; what cannot be written is a question mark."""
    kept = "".join(sign for sign in text if sign.isprintable() or sign in "\n\t" or sign.isspace())
    return kept.encode("utf-8", "replace").decode("utf-8").replace("\0", "")
