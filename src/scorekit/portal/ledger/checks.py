"""Checks of submissions: a process takes one for a time, and keeps the verdict; one that dies loses it to the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select, update

from scorekit.portal.ledger.people import MOST_NAME, SYSTEM, Actor, new_id
from scorekit.portal.ledger.refusals import NotAllowedError, NotThereError, TooLateError
from scorekit.portal.ledger.submissions import Submission, from_row
from scorekit.portal.ledger.texts import plain
from scorekit.portal.storage import Storage, audit
from scorekit.portal.storage.tables import audit as log
from scorekit.portal.storage.tables import prints, submissions
from scorekit.records import Earlier, RunPrint, Verdict
from scorekit.submission.verify import against

CHECK_LEASE: Final = timedelta(minutes=5)
"""Longer than a confined process may take."""
MOST_CHECKS: Final = 3
"""What ends the checking process so often without a verdict is refused."""
_CHECKED: Final = "submission.check"
_KEEPING: Final = 0x5C0_8E_C8EC
"""Of PostgreSQL's advisory locks; taken before any row."""
_FAIR: Final = timedelta(hours=1)
"""For how long it counts against an account that others of it were checked."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to check one submission, for a time.

    Attributes:
        submission: that is checked.
        lease: of who checks it.
        audit_end: number of the audit log's last line when it was taken.
    """

    submission: Submission
    lease: str
    audit_end: int


def take_to_check(storage: Storage, lasts: timedelta = CHECK_LEASE) -> Lease | None:
    """The submission that is to be checked next, for a time; None where there is none.

    Accounts take turns: first comes one of the account of which fewest were checked lately, the oldest of them. Who
    hands in thousands of files delays nobody else.
    """
    now = storage.now()
    lease = new_id()
    free = or_(
        submissions.c.state == "received",
        (submissions.c.state == "checking") & (submissions.c.lease_until <= now),
    )
    lately = (
        select(submissions.c.account_id, func.count().label("checked"))
        .where(submissions.c.attempts > 0, submissions.c.state_at > now - _FAIR)
        .group_by(submissions.c.account_id)
        .subquery()
    )
    with storage.database.begin() as connection:
        row = connection.execute(
            select(submissions)
            .outerjoin(lately, lately.c.account_id == submissions.c.account_id)
            .where(free)
            .order_by(func.coalesce(lately.c.checked, 0), submissions.c.received_at, submissions.c.id)
            .limit(1)
            .with_for_update(skip_locked=True, of=submissions)
        ).one_or_none()
        if row is None:
            return None
        connection.execute(
            update(submissions)
            .where(submissions.c.id == row.id)
            .values(state="checking", state_at=now, attempts=row.attempts + 1, lease=lease, lease_until=now + lasts)
        )
        row = connection.execute(select(submissions).where(submissions.c.id == row.id)).one()
        end = audit.head_of(connection)
    return Lease(from_row(row), lease, 0 if end is None else end[0])


def postpone(storage: Storage, lease: Lease) -> None:
    """Leave a submission unchecked for a fault of ours: it is taken again when its lease has run out, and no attempt
    counts. Until then others are checked.
    """
    with storage.database.begin() as connection:
        connection.execute(
            update(submissions)
            .where(
                submissions.c.id == lease.submission.id,
                submissions.c.state == "checking",
                submissions.c.lease == lease.lease,
            )
            .values(attempts=submissions.c.attempts - 1, lease=None)
        )


def finish_check(storage: Storage, lease: Lease, verdict: Verdict) -> Verdict:
    """Keep the verdict on a submission.

    Of two copies of one measurement that are checked at the same moment, neither check knows of the other. So each
    verdict is held, in the transaction that keeps it, against the measurements whose checks have ended since its own
    began: the second one is told of the first.

    Returns:
        The verdict that was kept.

    Raises:
        TooLateError: the lease ran out, and another has taken it; nothing was changed.
    """
    now = storage.now()
    with storage.database.begin() as connection:
        if connection.dialect.name == "postgresql":
            # One verdict is kept after the other, as in SQLite; each sees all that were kept before it.
            connection.execute(select(func.pg_advisory_xact_lock(_KEEPING)))
        verdict = against(verdict, _checked_since(connection, lease))
        state = "refused" if verdict.verdict == "refused" else "waiting"
        changed = connection.execute(
            update(submissions)
            .where(
                submissions.c.id == lease.submission.id,
                submissions.c.state == "checking",
                submissions.c.lease == lease.lease,
            )
            .values(
                state=state,
                state_at=now,
                lease=None,
                lease_until=None,
                verdict=verdict.verdict,
                verdict_json=verdict.model_dump_json(),
            )
        )
        if changed.rowcount != 1:
            raise TooLateError("another has taken this submission to check it")
        connection.execute(delete(prints).where(prints.c.submission_id == lease.submission.id))
        for run in verdict.runs if state == "waiting" else ():
            if run.evidence is not None:
                connection.execute(
                    insert(prints).values(
                        submission_id=lease.submission.id,
                        folder=run.folder,
                        model=None if run.score is None else plain(run.score.model)[:MOST_NAME],
                        evidence_json=run.evidence.model_dump_json(),
                    )
                )
        audit.append(
            connection,
            now,
            SYSTEM,
            _CHECKED,
            lease.submission.id,
            {"verdict": verdict.verdict, "reasons": ", ".join(sorted({reason.code for reason in verdict.reasons}))},
        )
    return verdict


def earlier(storage: Storage, but: str) -> list[Earlier]:
    """The measurements of submissions that wait or were accepted, but for one.

    What was refused is not among them: it may be handed in mended.
    """
    with storage.database.read() as connection:
        return _measured(connection, submissions.c.id != but)


def _checked_since(connection: Connection, lease: Lease) -> list[Earlier]:
    """Measurements of submissions whose checks ended after one began; few, and those before were known to it."""
    ended = select(log.c.subject).where(
        log.c.number > lease.audit_end, log.c.action == _CHECKED, log.c.subject != lease.submission.id
    )
    since = connection.execute(ended.distinct()).scalars().all()
    return _measured(connection, submissions.c.id.in_(since)) if since else []


def _measured(connection: Connection, which: ColumnElement[bool]) -> list[Earlier]:
    asked = (
        select(prints)
        .join(submissions, submissions.c.id == prints.c.submission_id)
        .where(submissions.c.state.in_(("waiting", "accepted")), which)
        .order_by(prints.c.submission_id, prints.c.folder)
    )
    return [
        Earlier(
            name=f"submission {row.submission_id}, {row.folder}",
            model=row.model,
            evidence=RunPrint.model_validate_json(row.evidence_json),
        )
        for row in connection.execute(asked)
    ]


def check_again(storage: Storage, actor: Actor, submission_id: str) -> None:
    """Have a submission checked anew, e.g. by a newer edition.

    Raises:
        NotAllowedError: the account is no operator's.
        NotThereError: there is no such submission.
        TooLateError: it has been decided, or is being checked.
    """
    if not actor.may("operate"):
        raise NotAllowedError("only an operator has a submission checked again", mend="log in with an operator's token")
    now = storage.now()
    with storage.database.begin() as connection:
        changed = connection.execute(
            update(submissions)
            .where(submissions.c.id == submission_id, submissions.c.state.in_(("refused", "waiting")))
            .values(state="received", state_at=now, attempts=0, verdict=None, verdict_json=None)
        )
        if changed.rowcount != 1:
            found = connection.execute(select(submissions.c.state).where(submissions.c.id == submission_id)).scalar()
            if found is None:
                raise NotThereError("there is no such submission", mend="look at the desk")
            raise TooLateError(f"it cannot be checked again: it is {found}", mend="look at it again")
        audit.append(connection, now, actor.account_id, "submission.check_again", submission_id)
