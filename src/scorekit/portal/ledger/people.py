"""Accounts, their tokens, and the sessions of browsers. Of every secret only its hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import Connection, Row, String, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from scorekit.portal.ledger.refusals import NotThereError
from scorekit.portal.ledger.texts import plain
from scorekit.portal.storage import Storage, audit
from scorekit.portal.storage.tables import accounts, sessions, tokens

Role = Literal["submitter", "operator", "worker"]
Scope = Literal["submit", "operate", "work"]

SCOPES: Final[dict[Role, tuple[Scope, ...]]] = {
    "submitter": ("submit",),
    "operator": ("submit", "operate"),
    "worker": ("submit", "work"),
}
"""What each role may do; a token may be given less."""
TOKEN_MARK: Final = "sk_"  # noqa: S105 - no secret, but what secrets begin with
"""What tokens begin with, so that one that leaks is found for what it is."""
SESSION: Final = timedelta(hours=12)
LONGEST: Final = timedelta(days=366)
MOST_NAME: Final = 300
"""Signs of a name; what is longer is cut."""
SYSTEM: Final = "portal"
"""Who acts where nobody does."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks.

    Attributes:
        account_id: of the account.
        name: as it is shown.
        role: of the account.
        scopes: what may be done now.
        token_id: by which it was let in; None for a login at Hugging Face.
    """

    account_id: str
    name: str
    role: Role
    scopes: frozenset[Scope]
    token_id: str | None = None

    def may(self, scope: Scope) -> bool:
        """Whether something may be done."""
        return scope in self.scopes


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A token as it is told once, and never again."""

    id: str
    account_id: str
    secret: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class MadeSession:
    """A session as its browser is told of it."""

    secret: str
    csrf: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """A session that holds."""

    actor: Actor
    csrf: str
    expires_at: datetime


def new_id() -> str:
    """An id that nobody guesses."""
    return secrets.token_hex(16)


def sha256_of(secret: str) -> str:
    """What is kept of a secret: it has 256 random bits, so that its bare hash tells nothing of it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def make_account(storage: Storage, name: str, role: Role, *, external_id: str | None = None) -> str:
    """Make an account.

    Returns:
        Its id.
    """
    with storage.database.begin() as connection:
        return _make_account(connection, storage.now(), name, role, external_id)


def make_token(
    storage: Storage, account_id: str, label: str, lasts: timedelta, scopes: Iterable[Scope] | None = None
) -> MadeToken:
    """Make a token of an account.

    Args:
        storage: of the portal.
        account_id: whose it is.
        label: by which people know it.
        lasts: at most a year.
        scopes: what it is for; all that the account's role may do where None.

    Raises:
        NotThereError: there is no such account, or it may do none of that.
    """
    now = storage.now()
    secret = TOKEN_MARK + secrets.token_urlsafe(32)
    with storage.database.begin() as connection:
        account = _account(connection, account_id)
        role: Role = account.role
        allowed = [scope for scope in SCOPES[role] if scopes is None or scope in scopes]
        if not allowed:
            raise NotThereError(f"a {role} may do none of that", mend=f"choose of: {', '.join(SCOPES[role])}")
        made = MadeToken(new_id(), account_id, secret, now + min(lasts, LONGEST))
        connection.execute(
            insert(tokens).values(
                id=made.id,
                account_id=account_id,
                label=plain(label)[:MOST_NAME],
                secret_sha256=sha256_of(secret),
                scopes=" ".join(allowed),
                created_at=now,
                expires_at=made.expires_at,
            )
        )
        audit.append(
            connection, now, SYSTEM, "token.make", made.id, {"account": account_id, "scopes": " ".join(allowed)}
        )
    return made


def revoke_token(storage: Storage, token_id: str) -> None:
    """End a token, and every session that came of it.

    Raises:
        NotThereError: there is none, or it has been revoked.
    """
    now = storage.now()
    with storage.database.begin() as connection:
        changed = connection.execute(
            update(tokens).where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None)).values(revoked_at=now)
        )
        if changed.rowcount != 1:
            raise NotThereError(
                f"there is no token {token_id} that holds", mend="see: scorekit portal token list --data DIR"
            )
        connection.execute(delete(sessions).where(sessions.c.token_id == token_id))
        audit.append(connection, now, SYSTEM, "token.revoke", token_id)


def actor_of_token(storage: Storage, secret: str) -> Actor | None:
    """Who a token is of; None for one that does not hold."""
    now = storage.now()
    with storage.database.read() as connection:
        row = connection.execute(_TOKEN, {"secret": sha256_of(secret), "now": now}).one_or_none()
    if row is None:
        return None
    return Actor(row.account_id, row.name, row.role, frozenset(row.scopes.split()), row.id)


# Every request asks one of the two: making these statements anew each time would take longer than running them.
_SECRET: Final = bindparam("secret", type_=String)
_NOW: Final = bindparam("now", type_=tokens.c.expires_at.type)
_TOKEN: Final = (
    select(tokens, accounts.c.name, accounts.c.role)
    .join(accounts, accounts.c.id == tokens.c.account_id)
    .where(
        tokens.c.secret_sha256 == _SECRET,
        tokens.c.revoked_at.is_(None),
        tokens.c.expires_at > _NOW,
        accounts.c.disabled_at.is_(None),
    )
)
_SESSION_OF: Final = (
    select(sessions, accounts.c.name, accounts.c.role, tokens.c.scopes)
    .join(accounts, accounts.c.id == sessions.c.account_id)
    .outerjoin(tokens, tokens.c.id == sessions.c.token_id)
    .where(
        sessions.c.secret_sha256 == _SECRET,
        sessions.c.expires_at > _NOW,
        accounts.c.disabled_at.is_(None),
        tokens.c.revoked_at.is_(None),
    )
)


def open_session(storage: Storage, actor: Actor) -> MadeSession:
    """A session for a browser; it ends with the token that it came of."""
    now = storage.now()
    made = MadeSession(secrets.token_urlsafe(32), secrets.token_urlsafe(32), now + SESSION)
    with storage.database.begin() as connection:
        if actor.token_id is not None:
            ends = connection.execute(select(tokens.c.expires_at).where(tokens.c.id == actor.token_id)).scalar_one()
            made = MadeSession(made.secret, made.csrf, min(made.expires_at, ends))
        ended = select(sessions.c.secret_sha256).where(sessions.c.expires_at <= now).with_for_update(skip_locked=True)
        connection.execute(delete(sessions).where(sessions.c.secret_sha256.in_(ended)))
        connection.execute(
            insert(sessions).values(
                secret_sha256=sha256_of(made.secret),
                account_id=actor.account_id,
                token_id=actor.token_id,
                csrf=made.csrf,
                created_at=now,
                expires_at=made.expires_at,
            )
        )
        audit.append(connection, now, actor.account_id, "session.open", actor.account_id)
    return made


def session_of(storage: Storage, secret: str) -> Session | None:
    """The session of a browser; None where there is none that holds."""
    now = storage.now()
    with storage.database.read() as connection:
        row = connection.execute(_SESSION_OF, {"secret": sha256_of(secret), "now": now}).one_or_none()
    if row is None:
        return None
    role: Role = row.role
    scopes = frozenset(SCOPES[role] if row.scopes is None else row.scopes.split())
    return Session(Actor(row.account_id, row.name, role, scopes, row.token_id), row.csrf, row.expires_at)


def close_session(storage: Storage, secret: str) -> None:
    """End a session."""
    with storage.database.begin() as connection:
        connection.execute(delete(sessions).where(sessions.c.secret_sha256 == sha256_of(secret)))


def actor_of_external(storage: Storage, external_id: str, name: str) -> Actor:
    """Who has logged in at Hugging Face; an account of a submitter is made the first time.

    Raises:
        NotThereError: the account was closed.
    """
    try:
        return _known_or_new(storage, external_id, name)
    except IntegrityError:
        # In PostgreSQL: the same person logged in twice at once, and the other login made the account.
        return _known_or_new(storage, external_id, name)


def _known_or_new(storage: Storage, external_id: str, name: str) -> Actor:
    with storage.database.begin() as connection:
        row = connection.execute(select(accounts).where(accounts.c.external_id == external_id)).one_or_none()
        if row is None:
            account_id = _make_account(connection, storage.now(), name, "submitter", external_id)
            return Actor(account_id, name, "submitter", frozenset(SCOPES["submitter"]))
        if row.disabled_at is not None:
            raise NotThereError("this account was closed", mend="ask the operator of the portal")
        role: Role = row.role
        return Actor(row.id, row.name, role, frozenset(SCOPES[role]))


def _make_account(connection: Connection, now: datetime, name: str, role: Role, external_id: str | None) -> str:
    account_id = new_id()
    connection.execute(
        insert(accounts).values(
            id=account_id, name=plain(name)[:MOST_NAME], role=role, external_id=external_id, created_at=now
        )
    )
    audit.append(connection, now, SYSTEM, "account.make", account_id, {"role": role})
    return account_id


def _account(connection: Connection, account_id: str) -> Row[tuple[object, ...]]:
    row = connection.execute(
        select(accounts).where(accounts.c.id == account_id, accounts.c.disabled_at.is_(None))
    ).one_or_none()
    if row is None:
        raise NotThereError(
            f"there is no account {account_id[:40]}", mend="see: scorekit portal account list --data DIR"
        )
    return row
