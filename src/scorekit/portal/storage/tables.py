"""The tables of the portal, as SQLAlchemy Core has them; migrations bring a database to this form.

Times are text, ISO 8601 in UTC with microseconds: the same in SQLite and PostgreSQL, and in the order of time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect

ID_DIGITS: Final = 32
_SHA256: Final = 64
_NAME: Final = 300
_TIME: Final = 27


class UtcTime(TypeDecorator[datetime]):
    """A time with its zone, kept as text of one width."""

    impl = String(_TIME)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Into the database; a time without a zone is a fault of ours."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without its zone")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Out of the database, in UTC."""
        return None if value is None else datetime.fromisoformat(value)


class Id(TypeDecorator[str]):
    """An id of ours, or the short name of a part of the portal.

    Ids come from addresses that strangers type. What cannot be one (NUL, which PostgreSQL does not take, for one) is
    the id of nothing.
    """

    impl = String(ID_DIGITS)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Into the database."""
        return value if value is None or (value.isascii() and value.isalnum()) else ""


METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _id() -> Column[str]:
    return Column("id", Id, primary_key=True)


def _time(name: str, *, optional: bool = False) -> Column[datetime]:
    return Column(name, UtcTime, nullable=optional)


accounts: Final = Table(
    "accounts",
    METADATA,
    _id(),
    Column("name", String(_NAME), nullable=False),
    Column("role", String(16), nullable=False),
    Column(
        "external_id", String(_NAME), unique=True, comment="Of Hugging Face; NULL of accounts that an operator made."
    ),
    _time("created_at"),
    _time("disabled_at", optional=True),
    _one_of("role", "submitter", "operator", "worker"),
)

tokens: Final = Table(
    "tokens",
    METADATA,
    _id(),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("label", String(_NAME), nullable=False),
    Column("secret_sha256", String(_SHA256), nullable=False, unique=True),
    Column("scopes", String(_NAME), nullable=False, comment="Words between spaces: submit, operate, work."),
    _time("created_at"),
    _time("expires_at"),
    _time("revoked_at", optional=True),
)

sessions: Final = Table(
    "sessions",
    METADATA,
    Column("secret_sha256", String(_SHA256), primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("token_id", ForeignKey("tokens.id"), comment="Whose end is the session's end too."),
    Column("csrf", String(_SHA256), nullable=False),
    _time("created_at"),
    _time("expires_at"),
)

uploads: Final = Table(
    "uploads",
    METADATA,
    _id(),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", String(_SHA256), nullable=False, comment="As the sender says; checked when all of it is there."),
    Column("state", String(16), nullable=False),
    _time("created_at"),
    _time("state_at"),
    _one_of("state", "open", "complete", "given up"),
)

submissions: Final = Table(
    "submissions",
    METADATA,
    _id(),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("sha256", String(_SHA256), nullable=False, index=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column(
        "clauses", Text, nullable=False, comment="JSON: the clauses accepted on handing in, with their texts' sha256."
    ),
    Column("job_id", ForeignKey("jobs.id"), unique=True, comment="Of what a worker measured."),
    Column("state", String(16), nullable=False),
    _time("received_at"),
    _time("state_at"),
    Column("attempts", Integer, nullable=False, comment="How often it was taken to be checked."),
    Column("lease", Id, comment="Of the process that checks it now."),
    _time("lease_until", optional=True),
    Column("verdict", String(16)),
    Column("verdict_json", Text),
    UniqueConstraint("account_id", "sha256"),
    Index("ix_submissions_state_received_at", "state", "received_at"),
    Index("ix_submissions_received_at", "received_at"),
    Index("ix_submissions_account_id_received_at", "account_id", "received_at"),
    _one_of("state", "received", "checking", "refused", "waiting", "accepted", "declined"),
)

prints: Final = Table(
    "prints",
    METADATA,
    Column("submission_id", ForeignKey("submissions.id"), primary_key=True),
    Column("folder", String(16), primary_key=True),
    Column("model", String(_NAME)),
    Column("evidence_json", Text, nullable=False),
)
"""By what the measurements of submissions are known again."""

requests: Final = Table(
    "requests",
    METADATA,
    _id(),
    Column("account_id", ForeignKey("accounts.id"), nullable=False, index=True),
    Column("model", String(_NAME), nullable=False),
    Column("revision", String(_NAME)),
    Column("task", String(64), nullable=False),
    Column("model_class", String(1)),
    Column("note", Text, nullable=False),
    Column("open_key", String(_SHA256), unique=True, comment="Of model, revision, task and class while it is open."),
    Column("state", String(16), nullable=False, index=True),
    _time("created_at"),
    _time("state_at"),
    _one_of("state", "waiting", "declined", "queued", "measured", "failed"),
)

decisions: Final = Table(
    "decisions",
    METADATA,
    Column("kind", String(16), primary_key=True),
    Column("subject_id", Id, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("decision", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    _time("decided_at"),
    _one_of("kind", "submission", "request"),
    _one_of("decision", "accept", "refuse"),
)

jobs: Final = Table(
    "jobs",
    METADATA,
    _id(),
    Column("request_id", ForeignKey("requests.id"), nullable=False, unique=True),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    _time("not_before"),
    Column("lease", Id),
    _time("lease_until", optional=True),
    Column("holder", Id, comment="Account of the worker that has it."),
    Column("worker", String(_NAME)),
    Column("last_error", Text),
    _time("created_at"),
    _time("state_at"),
    Index("ix_jobs_state_not_before", "state", "not_before"),
    _one_of("state", "queued", "leased", "done", "failed"),
)

publications: Final = Table(
    "publications",
    METADATA,
    Column("submission_id", ForeignKey("submissions.id"), primary_key=True),
    Column("folder", String(16), primary_key=True),
    Column("evidence_sha256", String(_SHA256), nullable=False, unique=True, comment="A measurement is published once."),
    Column("result_path", String(_NAME), comment="Below the results folder; NULL until it lies there."),
    _time("decided_at"),
    _time("published_at", optional=True),
)

editions: Final = Table(
    "editions",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("content_sha256", String(_SHA256), nullable=False),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    _time("published_at"),
)

sites: Final = Table(
    "sites",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("reason", String(_NAME), nullable=False),
    Column("state", String(16), nullable=False),
    Column("message", Text, comment="Why it could not be built."),
    _time("wanted_at"),
    _time("state_at"),
    _one_of("state", "wanted", "built", "failed"),
)

audit: Final = Table(
    "audit",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    _time("at"),
    Column("actor", Id, nullable=False, comment="Of an account, or the name of a part of the portal."),
    Column("action", String(64), nullable=False),
    Column("subject", String(_SHA256), nullable=False, index=True),
    Column("details", Text, nullable=False, comment="JSON; no names, addresses or secrets."),
    Column("previous_sha256", String(_SHA256), nullable=False),
    Column("sha256", String(_SHA256), nullable=False),
)

audit_head: Final = Table(
    "audit_head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    Column("sha256", String(_SHA256), nullable=False),
    CheckConstraint("id = 1", name="one"),
)
"""The end of the audit log, in one row that a transaction locks before it adds to it."""
