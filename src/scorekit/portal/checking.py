"""Checking what was handed in: one submission after the other, each in a confined process, by the terms of today.

What a stranger's file does to the process that reads it is its refusal. What fails on our side (the database is away, a
blob cannot be fetched) is nobody's fault but ours, and is tried again. A submission with which the checker itself has
ended several times is refused without being read once more.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
from pathlib import Path
from typing import Final

from sqlalchemy.exc import InterfaceError, OperationalError

from scorekit import submission
from scorekit.errors import ScorekitError
from scorekit.portal import journal, metrics, publishing
from scorekit.portal.ledger import checks, desk, requests
from scorekit.portal.ledger.refusals import TooLateError
from scorekit.portal.ledger.requests import MeasurementRequest
from scorekit.portal.ledger.submissions import Submission
from scorekit.portal.opened import Portal
from scorekit.records import Terms, Verdict
from scorekit.submission.findings import refuse, review
from scorekit.submission.verify import verdict, with_reasons

_OURS: Final = (ScorekitError, OSError, OperationalError, InterfaceError)
"""What may fail on our side, and pass."""
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")


def check_one(portal: Portal) -> bool:
    """Check the submission that waits longest.

    Returns:
        Whether there was one.

    Raises:
        ScorekitError, OSError, OperationalError: something on our side failed; the submission is checked again when
            its lease has run out, and no attempt is counted.
    """
    lease = checks.take_to_check(portal.storage, portal.settings.check_lease)
    if lease is None:
        return False
    started = time.monotonic()
    found = lease.submission
    try:
        made = _given_up(found) if found.attempts > checks.MOST_CHECKS else judge(portal, found)
        made = checks.finish_check(portal.storage, lease, made)
    except TooLateError:
        journal.tell("submission.check_too_late", level="warning", submission=found.id)
        return True
    except _OURS:
        # A verdict that cannot be kept is no fault of the submission either.
        metrics.checked("failed", time.monotonic() - started)
        with contextlib.suppress(*_OURS):
            checks.postpone(portal.storage, lease)
        raise
    took_s = time.monotonic() - started
    metrics.checked(made.verdict, took_s)
    journal.tell("submission.check", submission=found.id, verdict=made.verdict, duration_ms=round(took_s * 1000, 1))
    return True


def judge(portal: Portal, found: Submission) -> Verdict:
    """The verdict on a submission, from a confined process.

    Raises:
        As `check_one`.
    """
    with tempfile.TemporaryDirectory(prefix="scorekit-") as folder:
        path = Path(folder) / "submission.zip"
        portal.storage.blobs.fetch(found.sha256, path)
        confinement = submission.Confinement(limits=portal.settings.limits)
        made = submission.verify_confined(path, terms(portal, found.id), confinement)
    asked = None if found.job_id is None else desk.request_of_job(portal.storage, found.job_id)
    return made if asked is None else _against_request(made, requests.find(portal.storage, asked))


def terms(portal: Portal, but: str) -> Terms:
    """By what a submission is judged now: the current edition, all results, and all submissions but itself.

    Args:
        portal: that is set up.
        but: id of the submission.
    """
    return submission.terms_for(
        publishing.current_edition(portal),
        results=publishing.known_results(portal),
        earlier=checks.earlier(portal.storage, but),
        allowed_signers=portal.settings.allowed_signers,
        now=portal.storage.now(),
    )


def _against_request(made: Verdict, asked: MeasurementRequest) -> Verdict:
    """The verdict on what a worker measured, held against what it was to measure: a person looks at what is another."""
    reasons = []
    for run in made.runs:
        if run.score is None:
            continue
        score = run.score
        measured = {
            "model": score.model, "task": score.task, "revision": score.model_revision, "class": score.model_class
        }  # fmt: skip
        wanted = {
            "model": asked.model, "task": asked.task, "revision": asked.revision or score.model_revision,
            "class": asked.model_class or score.model_class,
        }  # fmt: skip
        for what, value in measured.items():
            # A branch or tag is asked for by its name, and measured as the commit that it named.
            named = what == "revision" and not _COMMIT.fullmatch(wanted[what] or "")
            if value != wanted[what] and not named:
                told = f"the {what} that was measured is {value!r}, and {wanted[what]!r} was asked for"
                reasons.append(review("not_as_asked", told, run.folder))
    return with_reasons(made, reasons)


def _given_up(found: Submission) -> Verdict:
    reason = refuse(
        "crashed",
        f"the portal's checker ended {checks.MOST_CHECKS} times while it checked this submission",
        None,
        "ask the operator of the portal, who may have it checked again",
    )
    made = verdict([reason], None, readable=False)
    return made.model_copy(update={"sha256": found.sha256, "size_bytes": found.size_bytes})
