"""When the site has to be built again; several wishes become one build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, insert, select, update

from scorekit.portal.ledger.texts import plain
from scorekit.portal.storage import Storage, audit
from scorekit.portal.storage.tables import sites

_AT_ONCE: Final = 10_000
"""Wishes that one build does; those beyond become another, for a statement takes only so many numbers."""


@dataclass(frozen=True, slots=True)
class SiteBuild:
    """A build of the site: wanted, built or failed, since when, and why it failed."""

    number: int
    reason: str
    state: str
    message: str | None
    wanted_at: datetime
    state_at: datetime


def want(connection: Connection, now: datetime, reason: str) -> None:
    """Have the site built again, in the transaction that makes it necessary."""
    connection.execute(insert(sites).values(reason=reason, state="wanted", wanted_at=now, state_at=now))


def wanted(storage: Storage) -> list[int]:
    """The wishes that have not been done, the oldest first; a build begun now does all of them."""
    with storage.database.read() as connection:
        return list(
            connection.execute(
                select(sites.c.number).where(sites.c.state == "wanted").order_by(sites.c.number).limit(_AT_ONCE)
            ).scalars()
        )


def built(storage: Storage, numbers: Sequence[int], error: str | None = None) -> None:
    """Keep how a build ended, for the wishes that were there when it began.

    Not for all up to the newest: in PostgreSQL a wish may have a smaller number and be kept later than another, and
    what it is about was not seen by that build.
    """
    now = storage.now()
    state = "built" if error is None else "failed"
    with storage.database.begin() as connection:
        connection.execute(
            update(sites)
            .where(sites.c.number.in_(numbers), sites.c.state == "wanted")
            .values(state=state, state_at=now, message=None if error is None else plain(error))
        )
        audit.append(connection, now, "portal", f"site.{state}", str(numbers[-1]))


def latest(storage: Storage) -> SiteBuild | None:
    """The newest wish, and what came of it."""
    with storage.database.read() as connection:
        row = connection.execute(select(sites).order_by(sites.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else SiteBuild(**row._mapping)
