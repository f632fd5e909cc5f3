"""Bytes that come in one request, by account: counted from its beginning, so that several at once are not too many.

They are counted in this process. A row for each would cost as much as the rest of taking a small file in; and what is
refused only when it has come would leave its blob behind, of which nothing counts.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from scorekit.portal.ledger import room
from scorekit.portal.storage import Storage

_TURNS: Final = tuple(threading.Lock() for _ in range(64))
_CHANGING: Final = threading.Lock()
_COMING: Final[dict[str, int]] = {}


class Coming:
    """Bytes of an account that are on their way. Made by `begin`."""

    def __init__(self, account_id: str, size_bytes: int) -> None:
        self._account_id = account_id
        self._size_bytes = size_bytes
        _change(account_id, size_bytes)

    def end(self) -> None:
        """They are in the database now, or are not to come any more; done twice, it is done once."""
        size_bytes, self._size_bytes = self._size_bytes, 0
        _change(self._account_id, -size_bytes)


def begin(storage: Storage, account_id: str, size_bytes: int, a_day_bytes: int) -> Coming:
    """Count what is about to come, until it is ended.

    Args:
        storage: of the portal.
        account_id: whose it is.
        size_bytes: at most.
        a_day_bytes: that one account may hand in.

    Raises:
        TooMuchError: with all that comes of this account it would be more than that.
    """
    with counting(account_id) as coming_bytes:
        room.require_account(storage, account_id, size_bytes, a_day_bytes, coming_bytes)
        return Coming(account_id, size_bytes)


@contextmanager
def counting(account_id: str) -> Iterator[int]:
    """What comes of an account now. Until the block ends nothing more begins to come of it.

    It is told before the block looks into the database: what ends meanwhile is counted twice then, and never not at
    all.
    """
    with _TURNS[hash(account_id) % len(_TURNS)]:
        yield coming_bytes(account_id)


def coming_bytes(account_id: str) -> int:
    """What comes of an account at this moment."""
    return _COMING.get(account_id, 0)


def _change(account_id: str, by_bytes: int) -> None:
    with _CHANGING:
        left = _COMING.get(account_id, 0) + by_bytes
        if left:
            _COMING[account_id] = left
        else:
            _COMING.pop(account_id, None)
