"""What ends the reading of a log though no reader expected it: an error of that log, so that others are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from scorekit.errors import LogError, ScorekitError


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
        told = " ".join(str(error).split())[:200]
        raise LogError(
            f"{label} cannot be worked with: {type(error).__name__}{': ' if told else ''}{told}",
            mend="restore it from a copy, or leave it out; if nothing is wrong with it, this is a fault of scorekit: "
            "please report it",
        ) from error
