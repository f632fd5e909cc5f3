"""What a request brings while it comes, and what an answer brings while it goes: how large, how silent and how slow."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from starlette.types import Message, Receive, Scope, Send

from scorekit.portal.ledger.refusals import TooMuchError
from scorekit.portal.settings import Settings
from scorekit.portal.web.addresses import API, route_path
from scorekit.portal.web.answers import TooSlowError

MOST_BODY_BYTES: Final = 64 * 1024
"""Of every request that hands in no file."""
AROUND_A_FILE_BYTES: Final = 64 * 1024
"""What a form may have beside its file."""
LONGEST_SILENCE_S: Final = 30.0
"""Between two pieces of what is sent."""
LEAST_BYTES_A_SECOND: Final = 1024
"""On average, after a first minute: who sends less keeps a place that others need."""
_FIRST_S: Final = 60.0
_now: Final = time.monotonic


class NotReadError(Exception):
    """A client takes nothing of its answer."""


def takes_file(scope: Scope) -> bool:
    """Whether a request hands in a file, or a piece of one."""
    path, method = route_path(scope), scope["method"]
    return (method == "POST" and path in {"/submit", f"{API}/submissions/file"}) or (
        method == "PATCH" and path.startswith(f"{API}/uploads/")
    )


def most_of(scope: Scope, settings: Settings) -> int:
    """How many bytes the body of a request may have."""
    return settings.limits.packed_bytes + AROUND_A_FILE_BYTES if takes_file(scope) else MOST_BODY_BYTES


def check_announced(length: str, most: int) -> None:
    """Refuse what says itself that it is too large.

    Args:
        length: the header Content-Length; empty where there is none.
        most: bytes that are taken.

    Raises:
        TooMuchError: it is.
    """
    if length.isdecimal() and int(length[:20]) > most:
        raise _too_much(most)


def watched(receive: Receive, most: int) -> Receive:
    """The body of a request, which is refused where it becomes too large, falls silent or is too slow.

    Raises:
        TooMuchError, TooSlowError: when it is read.
    """
    come = 0
    ended = False
    began = _now()

    async def watched() -> Message:
        nonlocal come, ended
        if ended:
            # What waits here now waits for the client to leave, and may do so for as long as the answer takes.
            return await receive()
        left_s = began + _FIRST_S + come / LEAST_BYTES_A_SECOND - _now()
        if left_s <= 0:
            raise TooSlowError
        try:
            async with asyncio.timeout(min(LONGEST_SILENCE_S, left_s)):
                message = await receive()
        except TimeoutError as error:
            raise TooSlowError from error
        ended = message["type"] != "http.request" or not message.get("more_body", False)
        come += len(message.get("body", b""))
        if come > most:
            raise _too_much(most)
        return message

    return watched


def impatient(send: Send) -> Send:
    """An answer, which is given up where nobody takes it.

    Raises:
        NotReadError: when it is sent.
    """

    async def impatient(message: Message) -> None:
        try:
            async with asyncio.timeout(LONGEST_SILENCE_S):
                await send(message)
        except TimeoutError as error:
            raise NotReadError from error

    return impatient


def _too_much(most: int) -> TooMuchError:
    return TooMuchError(f"the request is larger than the {most:,} bytes that are taken here", mend="send less at once")
