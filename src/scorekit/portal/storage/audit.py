"""The audit log: what was done, by whom, in a chain in which every entry holds the hash of the one before it.

It is written in the transaction of what it tells of: nothing is done without a line, and no line tells of what was not
done. Triggers of the database refuse to change or remove a line; the chain shows it where somebody did so all the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, insert, select, update

from scorekit.portal.storage.tables import audit, audit_head

BEGINNING: Final = "0" * 64
"""What the first entry has in place of the hash before it."""


_AT_ONCE: Final = 1000
"""Lines that are in memory while the log is read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log; names as in the table."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: str
    previous_sha256: str
    sha256: str


def append(
    connection: Connection,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, str | int | bool | None] | None = None,
) -> None:
    """Add a line, in the caller's transaction, of which it is the last statement that may wait for another's.

    Whoever adds a line holds the end of the log until the transaction ends. If it waited for a row then, the holder of
    that row could be waiting for the end of the log, and neither would go on.

    Args:
        connection: in a transaction that may write.
        at: the time.
        actor: id of an account, or the name of a part of the portal.
        action: what was done, e.g. `submission.accept`.
        subject: id of what it was done to.
        details: what else is to be known; no names of people, no secrets.
    """
    head = connection.execute(_HEAD).one()
    text = json.dumps(details or {}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    number = head.number + 1
    found = digest(number, at, actor, action, subject, text, head.sha256)
    line = {
        "number": number,
        "at": at,
        "actor": actor,
        "action": action,
        "subject": subject,
        "details": text,
        "previous_sha256": head.sha256,
        "sha256": found,
    }
    connection.execute(_ADD, line)
    connection.execute(_MOVE, {"number": number, "sha256": found})


# Every step of the portal writes a line: making these statements anew each time would take longer than running them.
_HEAD: Final = select(audit_head).where(audit_head.c.id == 1).with_for_update()
_ADD: Final = insert(audit)
_MOVE: Final = update(audit_head).where(audit_head.c.id == 1)


def entries(connection: Connection, subject: str | None = None, *, after: int = 0) -> Iterator[Entry]:
    """The log, or the lines about one subject, in their order, from the one after a number on."""
    asked = select(audit).where(audit.c.number > after).order_by(audit.c.number)
    if subject is not None:
        asked = asked.where(audit.c.subject == subject)
    for row in connection.execute(asked.execution_options(yield_per=_AT_ONCE)):
        yield Entry(**row._mapping)


def newest(connection: Connection, subject: str | None = None, before: int | None = None) -> Iterator[Entry]:
    """The log from its end, or the lines about one subject.

    Args:
        connection: in a transaction.
        subject: id of what they are about; None for all.
        before: only lines with smaller numbers, to go on where one has stopped.
    """
    asked = select(audit).order_by(audit.c.number.desc())
    if subject is not None:
        asked = asked.where(audit.c.subject == subject)
    if before is not None:
        asked = asked.where(audit.c.number < before)
    for row in connection.execute(asked.execution_options(yield_per=_AT_ONCE)):
        yield Entry(**row._mapping)


def first_break(connection: Connection) -> str | None:
    """What is wrong with the chain at its first fault; None for a whole one."""
    previous, number = BEGINNING, 0
    for entry in entries(connection):
        number += 1
        if entry.number != number:
            return f"entry {number} is missing: after it stands {entry.number}"
        if entry.previous_sha256 != previous:
            return f"entry {number} does not follow the one before it"
        found = digest(
            entry.number, entry.at, entry.actor, entry.action, entry.subject, entry.details, entry.previous_sha256
        )
        if found != entry.sha256:
            return f"entry {number} was changed"
        previous = entry.sha256
    head = head_of(connection)
    if head is None:
        return "the end of the log is not kept any more"
    if head != (number, previous):
        return f"the log ends at entry {number}, and its end as it is kept is {head[0]}"
    return None


def head_of(connection: Connection) -> tuple[int, str] | None:
    """Number and sha256 of the last line; who keeps them elsewhere can tell later that none was taken off the end."""
    row = connection.execute(select(audit_head).where(audit_head.c.id == 1)).one_or_none()
    return None if row is None else (row.number, row.sha256)


def digest(number: int, at: datetime, actor: str, action: str, subject: str, details: str, previous: str) -> str:
    """sha256 of a line, over all it tells and the hash before it."""
    told = [number, at.astimezone(UTC).isoformat(timespec="microseconds"), actor, action, subject, details, previous]
    return hashlib.sha256(json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
