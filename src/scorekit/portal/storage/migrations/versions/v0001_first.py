"""The first tables of the portal. What stands here is never changed; a later version stands beside it.

`tables.py` tells what each table and column is for.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.String(32)
_SHA256 = sa.String(64)
_NAME = sa.String(300)
_TIME = sa.String(27)
_WORD = sa.String(16)


def upgrade() -> None:
    """Make every table, the first end of the audit log, and what keeps the log from being changed."""
    _people()
    _requests()
    _submissions()
    _publications()
    _audit()


def _column(name: str, kind: Any, *, optional: bool = False, comment: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=optional, comment=comment)


def _one_of(table: str, column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}"))


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"))


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def _people() -> None:
    op.create_table(
        "accounts",
        _column("id", _ID),
        _column("name", _NAME),
        _column("role", _WORD),
        _column(
            "external_id", _NAME, optional=True, comment="Of Hugging Face; NULL of accounts that an operator made."
        ),
        _column("created_at", _TIME),
        _column("disabled_at", _TIME, optional=True),
        _key("accounts", "id"),
        _unique("accounts", "external_id"),
        _one_of("accounts", "role", "submitter", "operator", "worker"),
    )
    op.create_table(
        "tokens",
        _column("id", _ID),
        _column("account_id", _ID),
        _column("label", _NAME),
        _column("secret_sha256", _SHA256),
        _column("scopes", _NAME, comment="Words between spaces: submit, operate, work."),
        _column("created_at", _TIME),
        _column("expires_at", _TIME),
        _column("revoked_at", _TIME, optional=True),
        _key("tokens", "id"),
        _refers("tokens", "account_id", "accounts"),
        _unique("tokens", "secret_sha256"),
    )
    _index("tokens", "account_id")
    op.create_table(
        "sessions",
        _column("secret_sha256", _SHA256),
        _column("account_id", _ID),
        _column("token_id", _ID, optional=True, comment="Whose end is the session's end too."),
        _column("csrf", _SHA256),
        _column("created_at", _TIME),
        _column("expires_at", _TIME),
        _key("sessions", "secret_sha256"),
        _refers("sessions", "account_id", "accounts"),
        _refers("sessions", "token_id", "tokens"),
    )


def _requests() -> None:
    op.create_table(
        "requests",
        _column("id", _ID),
        _column("account_id", _ID),
        _column("model", _NAME),
        _column("revision", _NAME, optional=True),
        _column("task", sa.String(64)),
        _column("model_class", sa.String(1), optional=True),
        _column("note", sa.Text()),
        _column("open_key", _SHA256, optional=True, comment="Of model, revision, task and class while it is open."),
        _column("state", _WORD),
        _column("created_at", _TIME),
        _column("state_at", _TIME),
        _key("requests", "id"),
        _refers("requests", "account_id", "accounts"),
        _unique("requests", "open_key"),
        _one_of("requests", "state", "waiting", "declined", "queued", "measured", "failed"),
    )
    _index("requests", "account_id")
    _index("requests", "state")
    op.create_table(
        "jobs",
        _column("id", _ID),
        _column("request_id", _ID),
        _column("state", _WORD),
        _column("attempts", sa.Integer()),
        _column("not_before", _TIME),
        _column("lease", _ID, optional=True),
        _column("lease_until", _TIME, optional=True),
        _column("worker", _NAME, optional=True),
        _column("last_error", sa.Text(), optional=True),
        _column("created_at", _TIME),
        _column("state_at", _TIME),
        _key("jobs", "id"),
        _refers("jobs", "request_id", "requests"),
        _unique("jobs", "request_id"),
        _one_of("jobs", "state", "queued", "leased", "done", "failed"),
    )
    _index("jobs", "state", "not_before")
    op.create_table(
        "decisions",
        _column("kind", _WORD),
        _column("subject_id", _ID),
        _column("account_id", _ID),
        _column("decision", _WORD),
        _column("reason", sa.Text()),
        _column("decided_at", _TIME),
        _key("decisions", "kind", "subject_id"),
        _refers("decisions", "account_id", "accounts"),
        _one_of("decisions", "kind", "submission", "request"),
        _one_of("decisions", "decision", "accept", "refuse"),
    )


def _submissions() -> None:
    op.create_table(
        "uploads",
        _column("id", _ID),
        _column("account_id", _ID),
        _column("size_bytes", sa.BigInteger()),
        _column("sha256", _SHA256, comment="As the sender says; checked when all of it is there."),
        _column("state", _WORD),
        _column("created_at", _TIME),
        _column("state_at", _TIME),
        _key("uploads", "id"),
        _refers("uploads", "account_id", "accounts"),
        _one_of("uploads", "state", "open", "complete", "given up"),
    )
    _index("uploads", "account_id")
    op.create_table(
        "submissions",
        _column("id", _ID),
        _column("account_id", _ID),
        _column("sha256", _SHA256),
        _column("size_bytes", sa.BigInteger()),
        _column("clauses", sa.Text(), comment="JSON: the clauses accepted on handing in, with their texts' sha256."),
        _column("job_id", _ID, optional=True, comment="Of what a worker measured."),
        _column("state", _WORD),
        _column("received_at", _TIME),
        _column("state_at", _TIME),
        _column("attempts", sa.Integer(), comment="How often it was taken to be checked."),
        _column("lease", _ID, optional=True, comment="Of the process that checks it now."),
        _column("lease_until", _TIME, optional=True),
        _column("verdict", _WORD, optional=True),
        _column("verdict_json", sa.Text(), optional=True),
        _key("submissions", "id"),
        _refers("submissions", "account_id", "accounts"),
        _refers("submissions", "job_id", "jobs"),
        _unique("submissions", "job_id"),
        _unique("submissions", "account_id", "sha256"),
        _one_of("submissions", "state", "received", "checking", "refused", "waiting", "accepted", "declined"),
    )
    _index("submissions", "sha256")
    _index("submissions", "state", "received_at")
    op.create_table(
        "prints",
        _column("submission_id", _ID),
        _column("folder", _WORD),
        _column("model", _NAME, optional=True),
        _column("evidence_json", sa.Text()),
        _key("prints", "submission_id", "folder"),
        _refers("prints", "submission_id", "submissions"),
    )


def _publications() -> None:
    op.create_table(
        "publications",
        _column("submission_id", _ID),
        _column("folder", _WORD),
        _column("evidence_sha256", _SHA256, comment="A measurement is published once."),
        _column("result_path", _NAME, optional=True, comment="Below the results folder; NULL until it lies there."),
        _column("decided_at", _TIME),
        _column("published_at", _TIME, optional=True),
        _key("publications", "submission_id", "folder"),
        _refers("publications", "submission_id", "submissions"),
        _unique("publications", "evidence_sha256"),
    )
    op.create_table(
        "editions",
        _column("name", sa.String(64)),
        _column("content_sha256", _SHA256),
        _column("account_id", _ID),
        _column("published_at", _TIME),
        _key("editions", "name"),
        _refers("editions", "account_id", "accounts"),
    )
    op.create_table(
        "sites",
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=True),
        _column("reason", _NAME),
        _column("state", _WORD),
        _column("message", sa.Text(), optional=True, comment="Why it could not be built."),
        _column("wanted_at", _TIME),
        _column("state_at", _TIME),
        _key("sites", "number"),
        _one_of("sites", "state", "wanted", "built", "failed"),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
        _column("at", _TIME),
        _column("actor", _ID, comment="Of an account, or the name of a part of the portal."),
        _column("action", sa.String(64)),
        _column("subject", _SHA256),
        _column("details", sa.Text(), comment="JSON; no names, addresses or secrets."),
        _column("previous_sha256", _SHA256),
        _column("sha256", _SHA256),
        _key("audit", "number"),
    )
    _index("audit", "subject")
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        _column("number", sa.Integer()),
        _column("sha256", _SHA256),
        _key("audit_head", "id"),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_one")),
    )
    op.bulk_insert(head, [{"id": 1, "number": 0, "sha256": "0" * 64}])
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{what.lower()} BEFORE {what} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit log can only grow'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log can only grow'; END $$"
    )
    for what in ("UPDATE", "DELETE", "TRUNCATE"):
        op.execute(
            f"CREATE TRIGGER audit_no_{what.lower()} BEFORE {what} ON audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()"
        )
