"""Pieces of uploads on their way to the disk.

A piece is on the disk before its offset is told to the sender, so that one that breaks off goes on where the portal
says, never where the sender thinks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scorekit.atomic import sync
from scorekit.errors import BundleError
from scorekit.portal.ledger import room
from scorekit.portal.ledger.holding import lock
from scorekit.portal.ledger.refusals import TooLateError, TooMuchError
from scorekit.portal.ledger.uploads import Upload, not_open, part_of


class Appending:
    """A piece of an upload on its way to the disk."""

    def __init__(self, descriptor: int, offset: int, size_bytes: int) -> None:
        self._descriptor = descriptor
        self._size_bytes = size_bytes
        self.offset = offset

    def write(self, data: bytes) -> None:
        """Take some more bytes.

        Raises:
            TooMuchError: there are more than were announced; those before are kept.
            BundleError: the disk is full, or cannot be written to.
        """
        if self.offset + len(data) > self._size_bytes:
            raise TooMuchError(
                f"more than the {self._size_bytes:,} bytes came that were announced", mend="announce it again"
            )
        room.require_disk(self._descriptor)
        view = memoryview(data)
        while view:
            try:
                written = os.write(self._descriptor, view)
            except OSError as error:
                raise BundleError(
                    f"what came could not be kept: {error.strerror or error}",
                    mend="go on later; what came before is kept",
                ) from error
            self.offset += written
            view = view[written:]

    def sync(self) -> None:
        """Return when all of it is on the disk."""
        os.fsync(self._descriptor)


@contextmanager
def appending(parts: Path, upload: Upload, offset: int) -> Iterator[Appending]:
    """Append to an upload; whatever ends it, what was written is synced and stays.

    Args:
        parts: folder of what has come of uploads.
        upload: an open one.
        offset: where the sender means to go on.

    Raises:
        TooLateError: that is not where it ends, or another sender is at it; the mend tells the offset.
    """
    if upload.state != "open":
        raise not_open(upload.state)
    descriptor = os.open(part_of(parts, upload.id), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        lock(descriptor)
        end = os.lseek(descriptor, 0, os.SEEK_END)
        if offset != end:
            raise TooLateError(f"the upload ends at {end}, not at {offset}", mend=f"go on at {end}")
        if end == 0:
            # The file may be new, and its name has to be on the disk as well.
            sync(parts)
        piece = Appending(descriptor, end, upload.size_bytes)
        try:
            yield piece
        finally:
            piece.sync()
    finally:
        os.close(descriptor)
