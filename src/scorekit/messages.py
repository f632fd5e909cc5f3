"""Messages to people, on stderr: safe to print, whatever a stranger's file put into them."""

from __future__ import annotations

import os
import sys
from typing import Final

DEBUG: Final = "SCOREKIT_DEBUG"
"""The variable of the environment with which errors show a traceback."""


def printable(text: str) -> str:
    """Text without signs that could steer a terminal; line breaks stay."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "?" for sign in text)


def one_line(text: str) -> str:
    """The same on one line: a line break is replaced as well."""
    return printable(text).replace("\n", "?")


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun, which is plural but for one: 1 job, 2 jobs, 1,000 jobs."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def say(message: str, end: str = "\n") -> None:
    """Print a message to stderr at once."""
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    safe = printable(message).encode(encoding, "backslashreplace").decode(encoding)
    print(safe, end=end, file=sys.stderr, flush=True)


def warn_line(message: str) -> None:
    """Print a warning on one line."""
    say_line(f"warning: {message}")


def say_error(error: Exception) -> None:
    """Print an error, and how to mend it."""
    say(f"error: {error}")


def say_traceback() -> None:
    """Print where the error that is being handled comes from, if the environment asks for that."""
    if os.environ.get(DEBUG):
        # Only now: it takes as long to import as all that a command needs at first.
        import traceback

        say(traceback.format_exc(), end="")


def say_line(message: str) -> None:
    """Print one line: a line break, which stands in a stranger's name at most, is replaced as well."""
    say(one_line(message))
