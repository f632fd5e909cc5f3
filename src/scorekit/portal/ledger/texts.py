"""Texts of strangers made fit for a database, and for those who read them.

PostgreSQL keeps no NUL, neither database half a surrogate pair, and nobody should be led by signs that cannot be seen.
"""

from __future__ import annotations


def plain(text: str) -> str:
    """A text of printable signs, spaces, line breaks and tabs; all else is left out."""
    return "".join(_sign(sign) for sign in text)


def _sign(sign: str) -> str:
    if sign.isprintable() or sign in "\n\t":
        return sign
    return " " if sign.isspace() and sign != "\r" else ""
