"""When the site has to be built again; several wishes become one build."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from scorekit.portal.ledger.texts import plain
from scorekit.portal.storage import Storage, audit
from scorekit.portal.storage.tables import sites


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


def wanted(storage: Storage) -> int | None:
    """The newest wish that has not been done; a build begun now does all before it too. None where there is none."""
    with storage.database.read() as connection:
        return connection.execute(
            select(sites.c.number).where(sites.c.state == "wanted").order_by(sites.c.number.desc()).limit(1)
        ).scalar_one_or_none()


def built(storage: Storage, number: int, error: str | None = None) -> None:
    """Keep how a build ended, for every wish up to a number."""
    now = storage.now()
    state = "built" if error is None else "failed"
    with storage.database.begin() as connection:
        connection.execute(
            update(sites)
            .where(sites.c.number <= number, sites.c.state == "wanted")
            .values(state=state, state_at=now, message=None if error is None else plain(error))
        )
        audit.append(connection, now, "portal", f"site.{state}", str(number))


def latest(storage: Storage) -> SiteBuild | None:
    """The newest wish, and what came of it."""
    with storage.database.read() as connection:
        row = connection.execute(select(sites).order_by(sites.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else SiteBuild(**row._mapping)
