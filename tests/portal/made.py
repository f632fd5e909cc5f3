"""Submissions on their way through the ledger, with verdicts of a real one."""

from __future__ import annotations

import hashlib
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from scorekit import submission
from scorekit.portal.ledger import checks, decisions, submissions
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.submissions import Submission
from scorekit.portal.opened import Portal
from scorekit.portal.storage import Storage
from scorekit.records import Verdict
from scorekit.submission.clauses import CLAUSES
from tests.evidence import good_evidence
from tests.unit.submission.made import judge, request, thinned, write_run

ACCEPTED = {clause.name: clause.sha256 for clause in CLAUSES}
"""What is said by one who accepts every clause."""


@cache
def real() -> tuple[bytes, Verdict]:
    """An official submission, and the verdict on it."""
    with tempfile.TemporaryDirectory() as folder:
        run = write_run(Path(folder) / "run", thinned(good_evidence()))
        content = submission.pack([run], request()).content
    return content, judge(content)


def verdict(number: int = 0, word: str = "accepted", runs: int = 1) -> Verdict:
    """A verdict on measurements that are others for each number."""
    _, found = real()
    (run,) = found.runs
    assert run.score is not None
    assert run.evidence is not None
    made = [
        run.model_copy(
            update={
                "folder": f"runs/{place}",
                "score": run.score.model_copy(update={"model": f"org/model-{number}-{place}"}),
                "evidence": run.evidence.model_copy(update={"sha256": digest(f"{number}/{place}".encode())}),
            }
        )
        for place in range(1, runs + 1)
    ]
    return found.model_copy(update={"verdict": word, "runs": () if word == "refused" else tuple(made)})


def digest(content: bytes) -> str:
    """Its sha256."""
    return hashlib.sha256(content).hexdigest()


def hand_in(portal: Portal, actor: Actor, content: bytes = b"a submission", **more: Any) -> Submission:
    """A file that has wholly come, received."""
    part = portal.settings.parts / f"{digest(content)[:8]}{actor.account_id}.part"
    part.write_bytes(content)
    return submissions.receive(portal.storage, part, actor, digest(content), len(content), ACCEPTED, **more)


def checked(portal: Portal, actor: Actor, number: int = 0, word: str = "accepted", runs: int = 1) -> Submission:
    """One that was received and checked."""
    received = hand_in(portal, actor, f"submission {number} {word}".encode())
    lease = checks.take_to_check(portal.storage)
    assert lease is not None
    assert lease.submission.id == received.id
    checks.finish_check(portal.storage, lease, verdict(number, word, runs))
    return submissions.find(portal.storage, actor, received.id)


def accepted(portal: Portal, actor: Actor, operator: Actor, number: int = 0, runs: int = 1) -> Submission:
    """One that was received, checked and accepted."""
    found = checked(portal, actor, number, runs=runs)
    decisions.decide_submission(portal.storage, operator, found.id, "accept", "as it should be")
    return submissions.find(portal.storage, actor, found.id)


def actions(storage: Storage, subject: str | None = None) -> list[str]:
    """What the audit log tells, in its order."""
    from scorekit.portal.storage import audit

    with storage.database.read() as connection:
        return [entry.action for entry in audit.entries(connection, subject)]
