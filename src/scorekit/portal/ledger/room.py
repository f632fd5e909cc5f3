"""How much one account may hand in, and what of the disk stays free for what the portal itself has to write.

Anybody with an account at Hugging Face may be a submitter. Without these two, one of them could fill the disk, and then
no decision of anybody could be kept.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, ScalarSelect, String, bindparam, func, select

from scorekit.errors import BundleError
from scorekit.portal.ledger.refusals import TooMuchError
from scorekit.portal.storage import Storage
from scorekit.portal.storage.tables import submissions, uploads

LEAST_FREE_BYTES: Final = 256 * 1024**2
"""Of the disk that uploads are written to: for the database, results and the site."""
_DAY: Final = timedelta(days=1)


def _sum_of(size_bytes: ColumnElement[int], *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.coalesce(func.sum(size_bytes), 0)).where(*conditions).scalar_subquery()


_ACCOUNT: Final = bindparam("account", type_=String)
_SINCE: Final = bindparam("since", type_=submissions.c.received_at.type)
# Made once: it is asked before anything is taken in, and making it takes longer than asking.
_KNOWN_BYTES: Final = select(
    _sum_of(submissions.c.size_bytes, submissions.c.account_id == _ACCOUNT, submissions.c.received_at > _SINCE)
    + _sum_of(uploads.c.size_bytes, uploads.c.account_id == _ACCOUNT, uploads.c.state == "open")
)
"""Bytes that an account has handed in since a time, or has announced."""


def require_disk(descriptor: int) -> None:
    """Whether the disk of an open file has room for more than the portal itself needs.

    Raises:
        BundleError: it has not; what came before is kept.
    """
    found = os.fstatvfs(descriptor)
    free_bytes = found.f_bavail * found.f_frsize
    if free_bytes < LEAST_FREE_BYTES:
        raise BundleError(
            f"the disk of the portal's data has {free_bytes:,} bytes left, expected {LEAST_FREE_BYTES:,} at least",
            mend="make room there; uploads go on where they broke off",
        )


def require_account(
    storage: Storage, account_id: str, size_bytes: int, a_day_bytes: int, coming_bytes: int = 0
) -> None:
    """Whether an account may hand in so much more today, beside what comes of it already.

    Raises:
        TooMuchError: it may not.
    """
    with storage.database.read() as connection:
        require_account_in(connection, storage.now(), account_id, size_bytes, a_day_bytes, coming_bytes)


def require_account_in(
    connection: Connection, now: datetime, account_id: str, size_bytes: int, a_day_bytes: int, coming_bytes: int
) -> None:
    """The same, in the caller's transaction."""
    kept_bytes = int(connection.execute(_KNOWN_BYTES, {"account": account_id, "since": now - _DAY}).scalar_one())
    known_bytes = kept_bytes + coming_bytes
    if known_bytes + size_bytes > a_day_bytes:
        raise TooMuchError(
            f"this account has handed in or announced {known_bytes:,} bytes since this time yesterday; with these "
            f"{size_bytes:,} it would be more than the {a_day_bytes:,} that are taken in a day",
            mend="hand the rest in tomorrow, or ask the operator of the portal",
        )
