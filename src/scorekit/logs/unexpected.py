"""What ends the reading or judging of a log though nobody expected it: an error of that log, and others are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from scorekit.errors import LogError, ScorekitError
from scorekit.messages import DEBUG, say_traceback

_REPORT = f"please report it with what {DEBUG}=1 prints"


def told_of(label: str) -> AbstractContextManager[None]:
    """Tell any error within as one of a log: whatever stands in it, it must not end the reading of all others.

    Args:
        label: what messages call the log.

    Raises:
        LogError: instead of any error that is none of ours. MemoryError stays: it is the machine's.
    """
    return _instead(
        f"{label} cannot be worked with",
        "restore it from a copy, or leave it out; if nothing is wrong with it, this is a fault of scorekit: " + _REPORT,
    )


def judging(label: str) -> AbstractContextManager[None]:
    """The same for what is done with a log that has been read: the checks and the score."""
    return _instead(
        f"{label} was read, and could not be judged", "this is a fault of scorekit, and the files are whole: " + _REPORT
    )


@contextmanager
def _instead(message: str, mend: str) -> Iterator[None]:
    try:
        yield
    except (ScorekitError, MemoryError):
        raise
    except Exception as error:
        say_traceback()
        told = " ".join(str(error).split())[:200]
        raise LogError(f"{message}: {type(error).__name__}{': ' if told else ''}{told}", mend=mend) from error
