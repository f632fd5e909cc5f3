"""Holding what has come of an upload, so that one at a time appends to it, takes it in, or gives it up."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from scorekit.portal.ledger.refusals import TooLateError

_LOOK_AGAIN_S: Final = 0.05


@contextmanager
def held(part: Path, wait_s: float = 0.0) -> Iterator[None]:
    """Hold what has come of an upload until the block ends.

    Without this, what was checked could be given up before it is taken in, and another's bytes, written to the same
    name, would become the blob in its place.

    Args:
        part: its file; one that is not there is nothing to hold.
        wait_s: how long another who is at it is waited for, e.g. a call of the same sender that was cut off.

    Raises:
        TooLateError: another is at it.
    """
    try:
        descriptor = os.open(part, os.O_RDWR)
    except FileNotFoundError:
        # Nothing has come of it, or it has become a blob.
        yield
        return
    try:
        lock(descriptor, wait_s)
        if part.exists() and not _is_still(part, descriptor):
            raise TooLateError("the upload was given up, and written anew", mend="announce it again")
        yield
    finally:
        os.close(descriptor)


def lock(descriptor: int, wait_s: float = 0.0) -> None:
    """Hold an open file until it is closed.

    Args:
        descriptor: of what has come of an upload.
        wait_s: how long another who is at it is waited for.

    Raises:
        TooLateError: another is at it.
    """
    until = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= until:
                raise TooLateError(
                    "another piece of this upload is on its way, or it is being handed in",
                    mend="ask where it ends, and go on",
                ) from error
            time.sleep(_LOOK_AGAIN_S)
        else:
            return


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether a file that is open has its name still."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
