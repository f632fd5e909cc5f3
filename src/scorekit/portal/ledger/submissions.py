"""Submissions: received, checked (checks.py), and then refused or waiting for an operator (decisions.py).

    received ─▶ checking ─▶ refused
                   │  ▲
                   │  └── (lease ran out: taken again)
                   └─────▶ waiting ─▶ accepted | declined

A submission is acknowledged when its blob and its row are on the disk, and not before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from scorekit.errors import BundleError
from scorekit.portal.ledger.people import Actor, new_id
from scorekit.portal.ledger.refusals import NotAllowedError, NotThereError, TooLateError, WrongContentError
from scorekit.portal.storage import Storage, audit
from scorekit.portal.storage.tables import jobs, requests, submissions, uploads
from scorekit.records import Verdict
from scorekit.submission.clauses import CLAUSES


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission as the portal knows it.

    Attributes:
        id: of it.
        account_id: who handed it in.
        sha256: of its file.
        size_bytes: of its file.
        state: as above.
        received_at: when it was acknowledged.
        state_at: since when it is in its state.
        attempts: how often it was taken to be checked.
        job_id: of a measurement that a worker made.
        word: of the verdict: accepted, needs review or refused; None until the checks are done.
        verdict: of the checks; None until they are done, and in lists that do not ask for it.
    """

    id: str
    account_id: str
    sha256: str
    size_bytes: int
    state: str
    received_at: datetime
    state_at: datetime
    attempts: int
    job_id: str | None
    word: str | None
    verdict: Verdict | None


def receive(
    storage: Storage,
    part: Path,
    actor: Actor,
    sha256: str,
    size_bytes: int,
    clauses: Mapping[str, str],
    *,
    upload_id: str | None = None,
    job: tuple[str, str] | None = None,
) -> Submission:
    """Take in a file that has wholly come; it is acknowledged when this returns.

    The same file from the same account is the same submission.

    Args:
        storage: of the portal.
        part: the file, synced; it becomes the blob.
        actor: who hands it in.
        sha256: of the file, as worked out here.
        size_bytes: of the file.
        clauses: sha256 of the text of each clause that was accepted, by its name.
        upload_id: of the upload that it came by.
        job: id and lease of the job that it was measured for.

    Raises:
        WrongContentError: a clause was not accepted in its present words, or the file was handed in before and not for
            this job.
        NotAllowedError: a job is named, and the account is no worker's.
        TooLateError: the job has been done, or was given to another; or what came was given up meanwhile.
        BundleError: the blob could not be stored.
    """
    require_clauses(clauses)
    if job is not None and not actor.may("work"):
        raise NotAllowedError("only a worker hands in what was measured for a job", mend="leave the job out")
    if job is not None:
        # Before the file is a blob: an upload that is refused then stays whole, and is not sent anew for nothing.
        _require_job(storage, actor, sha256, job)
    try:
        storage.blobs.put(part, sha256)
    except BundleError as error:
        if part.exists():
            raise
        raise TooLateError("what came was given up meanwhile", mend="announce it again, and send it anew") from error
    try:
        return _receive(storage, actor, sha256, size_bytes, clauses, upload_id, job)
    except IntegrityError:
        # Two of the same at once, in PostgreSQL: the other one was first, and is found now.
        return _receive(storage, actor, sha256, size_bytes, clauses, upload_id, job)


def _receive(
    storage: Storage,
    actor: Actor,
    sha256: str,
    size_bytes: int,
    clauses: Mapping[str, str],
    upload_id: str | None,
    job: tuple[str, str] | None,
) -> Submission:
    now = storage.now()
    with storage.database.begin() as connection:
        if upload_id is not None:
            connection.execute(update(uploads).where(uploads.c.id == upload_id).values(state="complete", state_at=now))
        known = connection.execute(_SAME, {"account": actor.account_id, "hash": sha256}).one_or_none()
        if known is not None:
            if job is not None:
                _require_its_job(known, job)
            return from_row(known)
        if job is not None:
            _finish_job(connection, now, job)
        made = Submission(
            new_id(), actor.account_id, sha256, size_bytes, "received", now, now, 0, job and job[0], None, None
        )
        row = {
            "id": made.id,
            "account_id": made.account_id,
            "sha256": sha256,
            "size_bytes": size_bytes,
            "clauses": json.dumps({clause.name: clauses[clause.name] for clause in CLAUSES}, sort_keys=True),
            "job_id": made.job_id,
            "state": made.state,
            "received_at": now,
            "state_at": now,
            "attempts": 0,
        }
        connection.execute(_ADD, row)
        if job is not None:
            audit.append(connection, now, actor.account_id, "job.done", job[0])
        audit.append(connection, now, actor.account_id, "submission.receive", made.id, {"sha256": sha256})
        return made


_ADD: Final = insert(submissions)
_SAME: Final = select(submissions).where(
    submissions.c.account_id == bindparam("account"), submissions.c.sha256 == bindparam("hash")
)


def require_clauses(clauses: Mapping[str, str]) -> None:
    """Whether every clause was accepted.

    Raises:
        WrongContentError: one was not, or in other words than today's.
    """
    for clause in CLAUSES:
        if clauses.get(clause.name) != clause.sha256:
            raise WrongContentError(
                f"the clause '{clause.name}' was not accepted in its present words",
                mend="read and accept all three clauses",
            )


def find_same(storage: Storage, actor: Actor, sha256: str) -> Submission:
    """The submission of a file of an account.

    Raises:
        NotThereError: there is none.
    """
    with storage.database.read() as connection:
        row = connection.execute(_SAME, {"account": actor.account_id, "hash": sha256}).one_or_none()
    if row is None:
        raise NotThereError("there is no such submission", mend="hand the file in")
    return from_row(row)


def find(storage: Storage, actor: Actor, submission_id: str) -> Submission:
    """A submission, for the account that handed it in and for operators.

    Raises:
        NotThereError: there is none that this account may know of.
    """
    with storage.database.read() as connection:
        row = connection.execute(select(submissions).where(submissions.c.id == submission_id)).one_or_none()
    if row is None or not (actor.may("operate") or row.account_id == actor.account_id):
        raise NotThereError("there is no such submission", mend="look at its address; it is shown to who handed it in")
    return from_row(row)


def listed(
    storage: Storage,
    actor: Actor,
    *,
    everyone: bool = False,
    state: str | None = None,
    offset: int = 0,
    limit: int = 50,
    with_verdicts: bool = False,
) -> tuple[list[Submission], int]:
    """Submissions, the newest first; those that wait for an operator by their age.

    Args:
        storage: of the portal.
        actor: who asks.
        everyone: those of all accounts, for an operator.
        state: only those in it.
        offset: how many are left out at the beginning.
        limit: how many at most.
        with_verdicts: whether their verdicts are read too, each of which may be large.

    Returns:
        Them, and how many there are altogether.
    """
    wanted = select(submissions.c.id)
    if not (everyone and actor.may("operate")):
        wanted = wanted.where(submissions.c.account_id == actor.account_id)
    if state is not None:
        wanted = wanted.where(submissions.c.state == state)
    order = submissions.c.received_at if state == "waiting" else submissions.c.received_at.desc()
    with storage.database.read() as connection:
        count = connection.execute(select(func.count()).select_from(wanted.subquery())).scalar_one()
        # Which ones first: sorted with their verdicts, all verdicts of the list would be read for one page of it.
        ids = connection.execute(wanted.order_by(order, submissions.c.id).offset(offset).limit(limit)).scalars().all()
        columns = [column for column in submissions.c if with_verdicts or column is not submissions.c.verdict_json]
        rows = connection.execute(select(*columns).where(submissions.c.id.in_(ids))).all()
    found = {row.id: from_row(row) for row in rows}
    return [found[submission_id] for submission_id in ids], count


def counts(storage: Storage) -> dict[str, int]:
    """How many submissions are in each state."""
    with storage.database.read() as connection:
        rows = connection.execute(select(submissions.c.state, func.count()).group_by(submissions.c.state)).all()
    return {row[0]: row[1] for row in rows}


def _require_job(storage: Storage, actor: Actor, sha256: str, job: tuple[str, str]) -> None:
    """Whether a file may be handed in for a job, as it looks before the transaction that decides it."""
    with storage.database.read() as connection:
        known = connection.execute(_SAME, {"account": actor.account_id, "hash": sha256}).one_or_none()
        if known is not None:
            _require_its_job(known, job)
        elif connection.execute(select(jobs.c.id).where(_is_held(job))).one_or_none() is None:
            raise _not_held()


def _require_its_job(known: Row[Any], job: tuple[str, str]) -> None:
    if known.job_id != job[0]:
        raise WrongContentError(
            f"this file was handed in before, as submission {known.id}, and not for this job",
            mend="hand in what was measured for the job",
        )


def _is_held(job: tuple[str, str]) -> ColumnElement[bool]:
    return and_(jobs.c.id == job[0], jobs.c.state == "leased", jobs.c.lease == job[1])


def _not_held() -> TooLateError:
    return TooLateError("the job has been done, or was given to another worker", mend="take another job")


def _finish_job(connection: Connection, now: datetime, job: tuple[str, str]) -> None:
    """A job is done by the submission of what was measured for it; the caller tells the audit log."""
    changed = connection.execute(
        update(jobs).where(_is_held(job)).values(state="done", state_at=now, lease=None, lease_until=None)
    )
    if changed.rowcount != 1:
        raise _not_held()
    request_id = connection.execute(select(jobs.c.request_id).where(jobs.c.id == job[0])).scalar_one()
    connection.execute(
        update(requests).where(requests.c.id == request_id).values(state="measured", state_at=now, open_key=None)
    )


def from_row(row: Row[Any]) -> Submission:
    """A row of the table, with its verdict or without, as a submission."""
    text = row._mapping.get("verdict_json")
    return Submission(
        id=row.id,
        account_id=row.account_id,
        sha256=row.sha256,
        size_bytes=row.size_bytes,
        state=row.state,
        received_at=row.received_at,
        state_at=row.state_at,
        attempts=row.attempts,
        job_id=row.job_id,
        word=row.verdict,
        verdict=None if text is None else Verdict.model_validate_json(text),
    )
