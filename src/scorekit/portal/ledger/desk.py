"""What operators look at beside a submission: who it is of, what that account handed in before, and the audit log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, select

from scorekit.portal.storage import Storage
from scorekit.portal.storage.audit import Entry
from scorekit.portal.storage.tables import accounts, audit, decisions, jobs, requests, submissions


@dataclass(frozen=True, slots=True)
class Past:
    """Something that an account handed in, and what became of it.

    Attributes:
        submission_id: of it.
        state: as the ledger has it.
        received_at: when it was handed in.
        reason: of the operator who decided; None where nobody did.
    """

    submission_id: str
    state: str
    received_at: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job that is not done.

    Attributes:
        id: of it.
        request_id: of the request that it is for.
        model, task: what is to be measured.
        state: queued, leased or failed.
        attempts: so far.
        worker: that has it, or had it last; None where none did.
        lease_until: when it is given to another, unless its worker is heard of.
        last_error: of the attempt before.
        created_at: when the request was accepted.
    """

    id: str
    request_id: str
    model: str
    task: str
    state: str
    attempts: int
    worker: str | None
    lease_until: datetime | None
    last_error: str | None
    created_at: datetime


def names_of(storage: Storage, account_ids: Iterable[str]) -> dict[str, str]:
    """The names of accounts, by their ids; those that there are."""
    wanted = sorted(set(account_ids))
    with storage.database.read() as connection:
        rows = connection.execute(select(accounts.c.id, accounts.c.name).where(accounts.c.id.in_(wanted))).all()
    return {row.id: row.name for row in rows}


def past_of(storage: Storage, account_id: str, but: str, limit: int = 10) -> list[Past]:
    """What an account has handed in beside one submission, the newest first."""
    asked = (
        select(submissions.c.id, submissions.c.state, submissions.c.received_at, decisions.c.reason)
        .outerjoin(decisions, and_(decisions.c.kind == "submission", decisions.c.subject_id == submissions.c.id))
        .where(submissions.c.account_id == account_id, submissions.c.id != but)
        .order_by(submissions.c.received_at.desc(), submissions.c.id)
        .limit(limit)
    )
    with storage.database.read() as connection:
        return [Past(row.id, row.state, row.received_at, row.reason) for row in connection.execute(asked)]


def submission_of_job(storage: Storage, job_id: str) -> str | None:
    """Id of the submission of what was measured for a job; None where there is none yet."""
    with storage.database.read() as connection:
        return connection.execute(select(submissions.c.id).where(submissions.c.job_id == job_id)).scalar_one_or_none()


def request_of_job(storage: Storage, job_id: str) -> str | None:
    """Id of the request that a job was made for; None where there is no such job."""
    with storage.database.read() as connection:
        return connection.execute(select(jobs.c.request_id).where(jobs.c.id == job_id)).scalar_one_or_none()


def open_jobs(storage: Storage, limit: int = 25) -> list[QueuedJob]:
    """Jobs that wait or are worked on, the oldest first."""
    asked = (
        select(jobs, requests.c.model, requests.c.task)
        .join(requests, requests.c.id == jobs.c.request_id)
        .where(jobs.c.state.in_(("queued", "leased")))
        .order_by(jobs.c.created_at, jobs.c.id)
        .limit(limit)
    )
    with storage.database.read() as connection:
        return [
            QueuedJob(
                row.id, row.request_id, row.model, row.task, row.state, row.attempts, row.worker, row.lease_until,
                row.last_error, row.created_at,
            )
            for row in connection.execute(asked)
        ]  # fmt: skip


def audit_lines(
    storage: Storage, *, subject: str | None = None, offset: int = 0, limit: int = 50
) -> tuple[list[Entry], int]:
    """Lines of the audit log, the newest first, and how many there are.

    Args:
        storage: of the portal.
        subject: only those about it.
        offset: how many are left out at the beginning.
        limit: how many at most.
    """
    wanted = select(audit)
    if subject is not None:
        wanted = wanted.where(audit.c.subject == subject)
    with storage.database.read() as connection:
        count = connection.execute(select(func.count()).select_from(wanted.subquery())).scalar_one()
        rows = connection.execute(wanted.order_by(audit.c.number.desc()).offset(offset).limit(limit)).all()
    return [Entry(**row._mapping) for row in rows], count
