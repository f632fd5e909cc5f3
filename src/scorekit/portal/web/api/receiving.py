"""The body of a request on its way to the disk, while it comes: the event loop reads, threads write.

Nothing waits for the disk in the event loop, and no file is closed while a thread still writes to it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from anyio import CancelScope
from fastapi import HTTPException, Request
from fastapi.concurrency import run_in_threadpool

from scorekit.errors import BundleError
from scorekit.portal.ledger import arriving, room
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.refusals import TooMuchError
from scorekit.portal.opened import Portal
from scorekit.portal.web.access import portal_of
from scorekit.portal.web.answers import Problem

PIECE_BYTES: Final = 512 * 1024
"""What a thread is given to write at once; a smaller piece costs more in handing over than in writing."""
WRONG_TYPE: Final[dict[int | str, dict[str, Any]]] = {
    415: {"model": Problem, "description": "The body is of a type that is not taken here."}
}
T = TypeVar("T")


class Part:
    """A file that comes in one request: written, counted and hashed as it comes.

    Args:
        path: where it is written, from the first byte on; there must be no such file.
        allow: called before that byte, in the thread that writes it; raises where it is not to be taken.
    """

    def __init__(self, path: Path, allow: Callable[[], None] | None = None) -> None:
        self.path = path
        self._allow = allow
        self.size_bytes = 0
        self._hash = hashlib.sha256()
        self._descriptor: int | None = None

    @property
    def sha256(self) -> str:
        """Of what has come."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Take some more bytes.

        Raises:
            BundleError: the disk has too little room left.
            As `allow`.
        """
        if self._descriptor is None:
            if self._allow is not None:
                self._allow()
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        room.require_disk(self._descriptor)
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]
        self._hash.update(data)
        self.size_bytes += len(data)

    def finish(self) -> None:
        """Return when all of it is on the disk."""
        if self._descriptor is not None:
            os.fsync(self._descriptor)
            self._close()

    def give_up(self) -> None:
        """Remove what has come; nothing happens to a file that has gone its way since."""
        self._close()
        self.path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def require_type(request: Request, *types: str) -> None:
    """Whether a body is of a type that is taken.

    Raises:
        HTTPException: it is not.
    """
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if found not in types:
        raise HTTPException(415, f"a body of {' or '.join(types)} is taken, and this one is of another type")


def require_length(request: Request, most_bytes: int, what: str) -> None:
    """Whether a body is not larger than is allowed, as its sender says; one that does not say it is counted.

    Raises:
        TooMuchError: it is larger.
    """
    told = request.headers.get("content-length", "")
    if told.isascii() and told.isdecimal() and int(told[:20]) > most_bytes:
        raise TooMuchError(
            f"{what} has at most {most_bytes:,} bytes, and {int(told[:20]):,} are announced", mend=_SMALLER
        )


def require_account(request: Request, actor: Actor) -> None:
    """Whether an account may hand in a body of this length today; one whose length is not told counts as the largest.

    It counts from now on, until `end_arriving`.

    Raises:
        TooMuchError: it may not.
    """
    end_arriving(request)
    portal = portal_of(request)
    told = request.headers.get("content-length", "")
    most_bytes = portal.settings.limits.packed_bytes
    size_bytes = min(int(told[:20]), most_bytes) if told.isascii() and told.isdecimal() else most_bytes
    request.state.coming = arriving.begin(
        portal.storage, actor.account_id, size_bytes, portal.settings.account_bytes_a_day
    )


def end_arriving(request: Request) -> None:
    """What came of a request is in the database, or will not be; nothing happens where nothing was to come."""
    coming: arriving.Coming | None = getattr(request.state, "coming", None)
    if coming is not None:
        coming.end()


async def opened(request: Request) -> Portal:
    """The portal that is asked; a dependency that needs no thread."""
    return portal_of(request)


async def pour(request: Request, take: Callable[[bytes], None], most_bytes: int, what: str, then: Callable[[], T]) -> T:
    """Hand the body of a request on, piece by piece, to a function that writes it, in threads and in order.

    Args:
        request: whose body it is.
        take: writes a piece.
        most_bytes: that may come.
        what: the body is, for people.
        then: called after the last piece, in the thread that wrote it.

    Returns:
        What `then` does.

    Raises:
        TooMuchError: more came; what came before was handed on, but for the last piece.
        BundleError: it could not be written.
        ClientDisconnect: the sender has gone.
        As `then`.
    """
    held: list[bytes] = []
    held_bytes = come_bytes = 0
    working: asyncio.Task[Any] | None = None

    def end(rest: bytes) -> T:
        if rest:
            take(rest)
        return then()

    try:
        async for chunk in request.stream():
            come_bytes += len(chunk)
            if come_bytes > most_bytes:
                raise TooMuchError(f"{what} has at most {most_bytes:,} bytes, and more came", mend=_SMALLER)
            held.append(chunk)
            held_bytes += len(chunk)
            if held_bytes >= PIECE_BYTES:
                # One piece is written while the next one comes.
                if working is not None:
                    await asyncio.shield(working)
                working = asyncio.create_task(run_in_threadpool(take, b"".join(held)))
                held, held_bytes = [], 0
        if working is not None:
            await asyncio.shield(working)
        ending = working = asyncio.create_task(run_in_threadpool(end, b"".join(held)))
        return await asyncio.shield(ending)
    except OSError as error:
        raise BundleError(
            f"what came could not be written: {error.strerror or error}", mend="look at the disk of the portal's data"
        ) from error
    finally:
        if working is not None:
            with CancelScope(shield=True):
                await asyncio.wait((working,))
            if not working.cancelled():
                working.exception()


@asynccontextmanager
async def in_threads(manager: AbstractContextManager[T]) -> AsyncIterator[T]:
    """A context manager that waits for the disk, entered and left in threads; left in any case."""
    entered = await run_in_threadpool(manager.__enter__)
    try:
        yield entered
    except BaseException as error:
        with CancelScope(shield=True):
            await run_in_threadpool(manager.__exit__, type(error), error, error.__traceback__)
        raise
    with CancelScope(shield=True):
        await run_in_threadpool(manager.__exit__, None, None, None)


_SMALLER: Final = "send it in smaller pieces, or pack fewer runs in one file: scorekit pack"
