"""Accounts and tokens as an operator of the machine looks at them, and the end of an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update

from scorekit.portal.ledger.people import SYSTEM
from scorekit.portal.ledger.refusals import NotThereError
from scorekit.portal.storage import Storage, audit
from scorekit.portal.storage.tables import accounts, sessions, tokens


@dataclass(frozen=True, slots=True)
class Account:
    """An account.

    Attributes:
        id: of it.
        name: as it is shown.
        role: submitter, operator or worker.
        from_hugging_face: whether its person logs in there.
        created_at: since when it is there.
        closed_at: since when it lets nobody in; None for one that is open.
    """

    id: str
    name: str
    role: str
    from_hugging_face: bool
    created_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Token:
    """A token, without its secret, which nobody knows but its holder.

    Attributes:
        id: of it.
        account_id: whose it is.
        name: of the account.
        role: of the account.
        label: by which people know it.
        scopes: what it is for.
        created_at: since when it is there.
        expires_at: when it ends.
        revoked_at: since when it does not hold any more; None for one that was not revoked.
    """

    id: str
    account_id: str
    name: str
    role: str
    label: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


def listed(storage: Storage) -> list[Account]:
    """Every account, the oldest first."""
    with storage.database.read() as connection:
        rows = connection.execute(select(accounts).order_by(accounts.c.created_at, accounts.c.id)).all()
    return [
        Account(row.id, row.name, row.role, row.external_id is not None, row.created_at, row.disabled_at)
        for row in rows
    ]


def tokens_listed(storage: Storage) -> list[Token]:
    """Every token that was made, the oldest first."""
    asked = (
        select(tokens, accounts.c.name, accounts.c.role)
        .join(accounts, accounts.c.id == tokens.c.account_id)
        .order_by(tokens.c.created_at, tokens.c.id)
    )
    with storage.database.read() as connection:
        rows = connection.execute(asked).all()
    return [
        Token(
            row.id, row.account_id, row.name, row.role, row.label, tuple(row.scopes.split()), row.created_at,
            row.expires_at, row.revoked_at,
        )
        for row in rows
    ]  # fmt: skip


def close(storage: Storage, account_id: str) -> None:
    """Let nobody in by an account any more: its tokens and sessions end. What it has handed in stays.

    Raises:
        NotThereError: there is none, or it is closed.
    """
    now = storage.now()
    with storage.database.begin() as connection:
        changed = connection.execute(
            update(accounts)
            .where(accounts.c.id == account_id, accounts.c.disabled_at.is_(None))
            .values(disabled_at=now)
        )
        if changed.rowcount != 1:
            raise NotThereError(
                f"there is no open account {account_id[:40]}", mend="see: scorekit portal account list --data DIR"
            )
        connection.execute(
            update(tokens)
            .where(tokens.c.account_id == account_id, tokens.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        connection.execute(delete(sessions).where(sessions.c.account_id == account_id))
        audit.append(connection, now, SYSTEM, "account.close", account_id)
