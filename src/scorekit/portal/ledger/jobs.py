"""The queue of measurements: a worker leases a job, keeps it by its heartbeat, and ends it with a submission.

A worker that falls silent loses the job to the next one; so a job may run more than once. What it measured enters by a
submission that names job and lease, and of those exactly one is taken (`submissions.receive`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, ScalarSelect, func, or_, select, update

from scorekit.messages import counted
from scorekit.portal.ledger.people import SYSTEM, Actor, new_id
from scorekit.portal.ledger.refusals import NotAllowedError, TooLateError, TooManyJobsError
from scorekit.portal.ledger.texts import plain
from scorekit.portal.settings import JOBS_AN_ACCOUNT
from scorekit.portal.storage import Storage, audit
from scorekit.portal.storage.tables import accounts, jobs, requests

LEASE: Final = timedelta(seconds=90)
"""How long a worker may be silent; it beats every 20 s."""
MOST_ATTEMPTS: Final = 5
_FIRST_WAIT: Final = timedelta(seconds=30)
_LONGEST_WAIT: Final = timedelta(hours=1)
_MOST_ERROR: Final = 4000
_MOST_NAME: Final = 300


@dataclass(frozen=True, slots=True)
class Job:
    """A job as its worker gets it.

    Attributes:
        id: of it.
        lease: that it holds; empty where nobody holds it.
        attempt: number of this attempt, from 1.
        lease_until: when the lease runs out, unless a heartbeat comes.
        model, revision, task, model_class: what to measure.
        state: queued, leased, done or failed.
        last_error: of the attempt before.
    """

    id: str
    lease: str
    attempt: int
    lease_until: datetime | None
    model: str
    revision: str | None
    task: str
    model_class: str | None
    state: str
    last_error: str | None


def take(
    storage: Storage, actor: Actor, worker: str, lasts: timedelta = LEASE, *, most: int = JOBS_AN_ACCOUNT
) -> Job | None:
    """The oldest job that is free, for a time; None where there is none.

    Args:
        storage: of the portal.
        actor: with the scope of workers.
        worker: name of the worker, for people.
        lasts: how long it may be silent.
        most: jobs that the account may hold.

    Raises:
        NotAllowedError: the token is not for this.
        TooManyJobsError: the account holds as many as it may.
    """
    _may_work(actor)
    now = storage.now()
    lease = new_id()
    free = or_(
        (jobs.c.state == "queued") & (jobs.c.not_before <= now),
        (jobs.c.state == "leased") & (jobs.c.lease_until <= now),
    )
    with storage.database.begin() as connection:
        if connection.execute(select(_held(connection, now, actor))).scalar_one() >= most:
            raise TooManyJobsError(
                f"the workers of this account hold {counted(most, 'job')}, as many as they may",
                mend="wait until one of them has ended, or ask the portal's operator for a token of another account",
            )
        silent = []
        while (row := _first(connection, free)) is not None and row.attempts >= MOST_ATTEMPTS:
            # Its last worker fell silent, as those before did.
            _fail(connection, now, row.id, row.request_id, row.last_error or "its workers fell silent")
            silent.append(row.id)
        if row is not None:
            connection.execute(
                update(jobs)
                .where(jobs.c.id == row.id)
                .values(
                    state="leased", state_at=now, attempts=row.attempts + 1, lease=lease, lease_until=now + lasts,
                    holder=actor.account_id, worker=plain(worker)[:_MOST_NAME],
                )
            )  # fmt: skip
        for job_id in silent:
            audit.append(connection, now, SYSTEM, "job.fail", job_id)
        if row is None:
            return None
        audit.append(connection, now, actor.account_id, "job.take", row.id, {"attempt": row.attempts + 1})
        return _job(_row(connection, row.id))


def beat(
    storage: Storage, actor: Actor, job_id: str, lease: str, lasts: timedelta = LEASE, *, most: int = JOBS_AN_ACCOUNT
) -> datetime:
    """Keep a job for longer; one whose lease ran out only while the account holds fewer than it may.

    Returns:
        Until when.

    Raises:
        TooLateError: the lease ran out and another has the job, or it is done: stop working on it.
    """
    _may_work(actor)
    now = storage.now()
    until = now + lasts
    with storage.database.begin() as connection:
        may_hold = or_(jobs.c.lease_until > now, _held(connection, now, actor) < most)
        changed = connection.execute(
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.state == "leased", jobs.c.lease == lease, may_hold)
            .values(lease_until=until)
        )
        if changed.rowcount != 1:
            raise TooLateError("the job was given to another worker, or is done", mend="stop, and take another job")
    return until


def give_back(storage: Storage, actor: Actor, job_id: str, lease: str, error: str, *, again: bool) -> str:
    """End an attempt without a result.

    Args:
        storage: of the portal.
        actor: with the scope of workers.
        job_id: of the job.
        lease: that the worker holds.
        error: what went wrong, for people.
        again: whether another attempt may do better; it comes later after each.

    Returns:
        The state of the job: queued or failed.

    Raises:
        TooLateError: as `beat`.
    """
    _may_work(actor)
    now = storage.now()
    with storage.database.begin() as connection:
        row = connection.execute(
            select(jobs).where(jobs.c.id == job_id, jobs.c.state == "leased", jobs.c.lease == lease).with_for_update()
        ).one_or_none()
        if row is None:
            raise TooLateError("the job was given to another worker, or is done", mend="take another job")
        if not again or row.attempts >= MOST_ATTEMPTS:
            _fail(connection, now, job_id, row.request_id, error)
            audit.append(connection, now, actor.account_id, "job.fail", job_id)
            return "failed"
        wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (row.attempts - 1))
        connection.execute(
            update(jobs)
            .where(jobs.c.id == job_id)
            .values(
                state="queued", state_at=now, not_before=now + wait, lease=None, lease_until=None,
                last_error=plain(error)[-_MOST_ERROR:],
            )
        )  # fmt: skip
        audit.append(connection, now, actor.account_id, "job.give_back", job_id, {"attempt": row.attempts})
    return "queued"


def of_request(storage: Storage, request_id: str) -> Job | None:
    """The job of a request; None where it has not been accepted."""
    with storage.database.read() as connection:
        row = connection.execute(_SELECT.where(jobs.c.request_id == request_id)).one_or_none()
    return None if row is None else _job(row)


def counts(storage: Storage) -> dict[str, int]:
    """How many jobs are in each state."""
    with storage.database.read() as connection:
        rows = connection.execute(select(jobs.c.state, func.count()).group_by(jobs.c.state)).all()
    return {row[0]: row[1] for row in rows}


_SELECT: Final = select(
    jobs, requests.c.model, requests.c.revision, requests.c.task, requests.c.model_class
).join(requests, requests.c.id == jobs.c.request_id)  # fmt: skip


def _held(connection: Connection, now: datetime, actor: Actor) -> ScalarSelect[int]:
    """How many jobs the workers of an account hold; until the transaction ends they take no other."""
    connection.execute(select(accounts.c.id).where(accounts.c.id == actor.account_id).with_for_update(key_share=True))
    held = jobs.alias("held")
    return (
        select(func.count())
        .select_from(held)
        .where(held.c.state == "leased", held.c.holder == actor.account_id, held.c.lease_until > now)
        .scalar_subquery()
    )


def _first(connection: Connection, free: ColumnElement[bool]) -> Row[Any] | None:
    return connection.execute(
        select(jobs).where(free).order_by(jobs.c.created_at, jobs.c.id).limit(1).with_for_update(skip_locked=True)
    ).one_or_none()


def _fail(connection: Connection, now: datetime, job_id: str, request_id: str, error: str) -> None:
    connection.execute(
        update(jobs)
        .where(jobs.c.id == job_id)
        .values(state="failed", state_at=now, lease=None, lease_until=None, last_error=plain(error)[-_MOST_ERROR:])
    )
    connection.execute(
        update(requests).where(requests.c.id == request_id).values(state="failed", state_at=now, open_key=None)
    )


def _may_work(actor: Actor) -> None:
    if not actor.may("work"):
        raise NotAllowedError("this token is not for a worker", mend="scorekit portal token make --role worker")


def _row(connection: Connection, job_id: str) -> Row[Any]:
    return connection.execute(_SELECT.where(jobs.c.id == job_id)).one()


def _job(row: Row[Any]) -> Job:
    return Job(
        row.id, row.lease or "", row.attempts, row.lease_until, row.model, row.revision, row.task, row.model_class,
        row.state, row.last_error,
    )  # fmt: skip
