"""What the portal keeps: a database by URL, blobs by content hash, and an audit log that can only grow.

    storage = Storage(Database(url), Blobs(folder))
    with storage.database.begin() as connection: ...

Nothing here knows what a submission is for; that is the ledger's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from scorekit.portal.storage.blobs import Blobs
from scorekit.portal.storage.database import Database, UnreachableError

__all__ = ["Blobs", "Database", "Storage", "UnreachableError", "utc_now"]


def utc_now() -> datetime:
    """The time of this machine, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Storage:
    """Where everything lies.

    Attributes:
        database: rows.
        blobs: what was handed in, by its sha256.
        now: the time, in UTC; of this machine unless a test sets it.
    """

    database: Database
    blobs: Blobs
    now: Callable[[], datetime] = utc_now
