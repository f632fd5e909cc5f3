"""What ends the reading or judging of a log though nobody expected it: an error of that log, and others are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from scorekit.errors import LogError, ScorekitError
from scorekit.messages import DEBUG, say_traceback


@contextmanager
def told_of(label: str) -> Iterator[None]:
    """Tell any error within as one of a log: whatever stands in it, it must not end the reading of all others.

    Args:
        label: what messages call the log.

    Raises:
        LogError: instead of any error that is none of ours. MemoryError stays: it is the machine's.
    """
    try:
        yield
    except (ScorekitError, MemoryError):
        raise
    except Exception as error:
        say_traceback()
        raise LogError(
            f"{label} cannot be worked with: {_told(error)}",
            mend="restore it from a copy, or leave it out; if nothing is wrong with it, this is a fault of scorekit: "
            f"please report it with what {DEBUG}=1 prints",
        ) from error


@contextmanager
def judging(label: str) -> Iterator[None]:
    """The same for what is done with a log that has been read: the checks and the score."""
    try:
        yield
    except (ScorekitError, MemoryError):
        raise
    except Exception as error:
        say_traceback()
        raise LogError(
            f"{label} was read, and could not be judged: {_told(error)}",
            mend=f"this is a fault of scorekit, and the files are whole: please report it with what {DEBUG}=1 prints",
        ) from error


def _told(error: Exception) -> str:
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}{': ' if text else ''}{text}"
