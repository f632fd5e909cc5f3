"""The operator's desk: what waits, decisions, editions and the audit log."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query

from scorekit import editions
from scorekit.portal import publishing
from scorekit.portal.ledger import checks, decisions, submissions
from scorekit.portal.ledger.people import Actor
from scorekit.portal.opened import Portal
from scorekit.portal.storage import audit
from scorekit.portal.web.access import bearer
from scorekit.portal.web.api.models import (
    ID_PATTERN,
    AuditEntry,
    AuditLog,
    DecisionMade,
    DecisionTold,
    State,
    SubmissionDecided,
    SubmissionList,
    SubmissionSummary,
)
from scorekit.portal.web.api.models_editions import EditionList, EditionMade, EditionPreview, EditionTold
from scorekit.portal.web.api.receiving import opened
from scorekit.portal.web.api.submissions import Limit, Offset
from scorekit.portal.web.api.summaries import summaries

_MOST_NUMBER: Final = 2**53

router = APIRouter(prefix="/desk", tags=["desk"])
Operating = Annotated[Actor, Depends(bearer("operate"))]
Opened = Annotated[Portal, Depends(opened)]
SubmissionId = Annotated[str, Path(pattern=ID_PATTERN, description="Of the submission.")]


@router.get("/submissions", name="list_all_submissions", summary="List everybody's submissions")
def listed(
    actor: Operating,
    portal: Opened,
    state: Annotated[State | None, Query(description="Only those in this state.")] = None,
    offset: Offset = 0,
    limit: Limit = 50,
) -> SubmissionList:
    """Submissions of all accounts, the newest first; those that wait, the oldest first."""
    found, total = submissions.listed(portal.storage, actor, everyone=True, state=state, offset=offset, limit=limit)
    return SubmissionList(items=summaries(portal, found), total=total)


@router.post("/submissions/{submission_id}/decision", name="decide_submission", summary="Decide about a submission")
def decide(submission_id: SubmissionId, told: SubmissionDecided, actor: Operating, portal: Opened) -> DecisionTold:
    """Accept a submission that waits, which publishes it, or refuse it. Of two decisions the first one stands."""
    return DecisionTold.of(
        decisions.decide_submission(portal.storage, actor, submission_id, told.decision, told.reason, seen=told.seen)
    )


@router.post(
    "/submissions/{submission_id}/check",
    status_code=202,
    name="check_submission_again",
    summary="Have a submission checked anew",
)
def check_again(submission_id: SubmissionId, actor: Operating, portal: Opened) -> SubmissionSummary:
    """Have a submission that was not decided checked by the terms of today, e.g. those of a newer edition."""
    checks.check_again(portal.storage, actor, submission_id)
    return summaries(portal, [submissions.find(portal.storage, actor, submission_id)])[0]


@router.post("/requests/{request_id}/decision", name="decide_request", summary="Decide about a request")
def decide_request(
    request_id: Annotated[str, Path(pattern=ID_PATTERN, description="Of the request.")],
    told: DecisionMade,
    actor: Operating,
    portal: Opened,
) -> DecisionTold:
    """Accept a request that waits, which makes it a job for the workers, or refuse it."""
    return DecisionTold.of(decisions.decide_request(portal.storage, actor, request_id, told.decision, told.reason))


@router.get("/editions", name="list_editions", summary="List editions")
def list_editions(_actor: Operating, portal: Opened) -> EditionList:
    """Editions that come with scorekit and those that were frozen here, and by which of them the portal judges."""
    return EditionList(
        current=publishing.current_edition(portal).name,
        items=tuple(map(EditionTold.of, editions.usable(portal.settings.editions))),
    )


@router.get("/editions/preview", name="preview_edition", summary="Look at what a new edition would be")
def preview_edition(
    _actor: Operating,
    portal: Opened,
    rule: Annotated[
        str | None, Query(max_length=200, description="By which it would rate; none for the official one.")
    ] = None,
) -> EditionPreview:
    """All comparable results that are published now, of each model the newest. Nothing is written."""
    return EditionPreview.of(publishing.preview(portal, rule))


@router.post("/editions", status_code=201, name="publish_edition", summary="Publish an edition")
def publish_edition(told: EditionMade, actor: Operating, portal: Opened) -> EditionTold:
    """Freeze an edition of all comparable results for ever, judge by it from now on, and have site and labels built
    by it.
    """
    return EditionTold.of(publishing.publish_edition(portal, actor, told.name, told.rule, told.date, seen=told.seen))


@router.get("/audit", name="read_audit_log", summary="Read the audit log")
def read_audit(
    _actor: Operating,
    portal: Opened,
    subject: Annotated[
        str | None, Query(pattern="^[A-Za-z0-9._-]{1,64}$", description="Only lines about this: an id, or a name.")
    ] = None,
    after: Annotated[int, Query(ge=0, le=_MOST_NUMBER, description="Only lines with larger numbers.")] = 0,
    limit: Limit = 50,
) -> AuditLog:
    """Lines of the log in their order; each holds the hash of the one before it."""
    with portal.storage.database.read() as connection:
        found = list(islice(audit.entries(connection, subject, after=after), limit + 1))
    more = len(found) > limit
    shown = found[:limit]
    return AuditLog(items=tuple(AuditEntry.of(entry) for entry in shown), next=shown[-1].number if more else None)
