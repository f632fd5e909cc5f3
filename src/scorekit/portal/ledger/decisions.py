"""Decisions of operators: one for each submission and request, whoever decides first; the other is told so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import Connection, insert, select, true, update
from sqlalchemy.exc import IntegrityError

from scorekit.portal.ledger.people import Actor, new_id
from scorekit.portal.ledger.refusals import NotAllowedError, NotThereError, TooLateError, WrongContentError
from scorekit.portal.ledger.sites import want
from scorekit.portal.ledger.texts import plain
from scorekit.portal.storage import Storage, audit
from scorekit.portal.storage.tables import decisions, jobs, publications, requests, submissions
from scorekit.records import Verdict

Choice = Literal["accept", "refuse"]
Kind = Literal["submission", "request"]
MOST_REASON: Final = 2000


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided."""

    kind: str
    subject_id: str
    account_id: str
    decision: str
    reason: str
    decided_at: datetime


def decide_submission(
    storage: Storage, actor: Actor, submission_id: str, choice: Choice, reason: str, *, seen: datetime | None = None
) -> Decision:
    """Accept or refuse a submission that waits. What is accepted is on its way to be published.

    Args:
        storage: of the portal.
        actor: who decides.
        submission_id: of the submission.
        choice: what is decided.
        reason: why, for who handed it in.
        seen: its `state_at` when the operator looked at it: a check since then has made another verdict, which nobody
            has seen. None for whatever the verdict is.

    Raises:
        NotAllowedError: the account is no operator's.
        WrongContentError: no reason is given, or nothing that is accepted could be published.
        NotThereError: there is no such submission.
        TooLateError: it has been decided, it is not checked yet, it was checked again since it was seen, or its
            measurement is published already.
    """
    now = _may_decide(storage, actor, reason)
    state = "accepted" if choice == "accept" else "declined"
    as_seen = true() if seen is None else submissions.c.state_at == seen
    try:
        with storage.database.begin() as connection:
            changed = connection.execute(
                update(submissions)
                .where(submissions.c.id == submission_id, submissions.c.state == "waiting", as_seen)
                .values(state=state, state_at=now)
            )
            if changed.rowcount != 1:
                _why_not(connection, "submission", submission_id)
            if choice == "accept":
                _publish_soon(connection, now, submission_id)
            return _keep(connection, now, actor, "submission", submission_id, choice, reason)
    except IntegrityError as error:
        # In PostgreSQL: another submission of the same measurement was accepted at this moment.
        raise TooLateError(
            "another submission of this measurement has just been accepted",
            mend="look at it again, and refuse this one",
        ) from error


def decide_request(storage: Storage, actor: Actor, request_id: str, choice: Choice, reason: str) -> Decision:
    """Accept or refuse a request that waits. What is accepted is in the queue of the workers.

    Raises:
        As `decide_submission`.
    """
    now = _may_decide(storage, actor, reason)
    with storage.database.begin() as connection:
        values: dict[str, object] = (
            {"state": "queued"} if choice == "accept" else {"state": "declined", "open_key": None}
        )
        changed = connection.execute(
            update(requests)
            .where(requests.c.id == request_id, requests.c.state == "waiting")
            .values(state_at=now, **values)
        )
        if changed.rowcount != 1:
            _why_not(connection, "request", request_id)
        if choice == "accept":
            connection.execute(
                insert(jobs).values(
                    id=new_id(), request_id=request_id, state="queued", attempts=0, not_before=now, created_at=now,
                    state_at=now,
                )
            )  # fmt: skip
        return _keep(connection, now, actor, "request", request_id, choice, reason)


def find(storage: Storage, kind: Kind, subject_id: str) -> Decision | None:
    """What was decided; None where nothing was."""
    with storage.database.read() as connection:
        row = connection.execute(
            select(decisions).where(decisions.c.kind == kind, decisions.c.subject_id == subject_id)
        ).one_or_none()
    return None if row is None else Decision(**row._mapping)


def _may_decide(storage: Storage, actor: Actor, reason: str) -> datetime:
    if not actor.may("operate"):
        raise NotAllowedError("only an operator decides", mend="log in with an operator's token")
    if not plain(reason).strip():
        raise WrongContentError("a decision needs its reason", mend="write why, in a sentence")
    if len(reason) > MOST_REASON:
        raise WrongContentError(f"the reason has {len(reason):,} signs", mend=f"write at most {MOST_REASON:,}")
    return storage.now()


def _publish_soon(connection: Connection, now: datetime, submission_id: str) -> None:
    """Every run that has a score is to be published; a measurement that is published already ends it all."""
    text = connection.execute(select(submissions.c.verdict_json).where(submissions.c.id == submission_id)).scalar_one()
    verdict = Verdict.model_validate_json(text)
    scored = [(run.evidence.sha256, run.folder) for run in verdict.runs if run.score and run.evidence]
    if not scored:
        raise WrongContentError("no run of this submission has a score", mend="refuse it")
    # In one order, so that two decisions on the same measurements do not wait for each other.
    for evidence_sha256, folder in sorted(scored):
        known = connection.execute(
            select(publications.c.submission_id).where(publications.c.evidence_sha256 == evidence_sha256)
        ).scalar_one_or_none()
        if known is not None:
            raise TooLateError(
                f"the measurement of {folder} is that of submission {known}, which was accepted", mend="refuse this one"
            )
        connection.execute(
            insert(publications).values(
                submission_id=submission_id, folder=folder, evidence_sha256=evidence_sha256, decided_at=now
            )
        )
    want(connection, now, "a submission was accepted")


def _keep(
    connection: Connection, now: datetime, actor: Actor, kind: Kind, subject_id: str, choice: Choice, reason: str
) -> Decision:
    made = Decision(kind, subject_id, actor.account_id, choice, plain(reason).strip(), now)
    connection.execute(
        insert(decisions).values(
            kind=kind, subject_id=subject_id, account_id=actor.account_id, decision=choice, reason=made.reason,
            decided_at=now,
        )
    )  # fmt: skip
    audit.append(connection, now, actor.account_id, f"{kind}.{choice}", subject_id)
    return made


def _why_not(connection: Connection, kind: Kind, subject_id: str) -> None:
    table = submissions if kind == "submission" else requests
    state = connection.execute(select(table.c.state).where(table.c.id == subject_id)).scalar_one_or_none()
    if state is None:
        raise NotThereError(f"there is no such {kind}", mend="look at the desk")
    if state == "waiting":
        raise TooLateError(
            "it was checked again since you looked at it", mend="look at its new verdict, and decide then"
        )
    raise TooLateError(f"this {kind} does not wait for a decision: it is {state}", mend="look at it again")
