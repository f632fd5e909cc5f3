"""One submission at the desk: its evidence beside what is known, and the decision about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from scorekit.moments import utc_of
from scorekit.portal import publishing
from scorekit.portal.ledger import checks, decisions, desk, publications, submissions
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.refusals import TooLateError, WrongContentError
from scorekit.portal.web.access import Posted, page_actor, portal_of, posted
from scorekit.portal.web.pages import wording
from scorekit.portal.web.pages.evidence import examine
from scorekit.portal.web.pages.fields import CHOICES, Fault, text_of
from scorekit.portal.web.rendering import redirect, render

router: Final = APIRouter()
_MOST_LINES: Final = 50
_CHECKED_AGAIN: Final = ("waiting", "refused")


@router.get("/desk/submissions/{submission_id}")
def evidence(request: Request, submission_id: str, actor: Annotated[Actor, Depends(page_actor("operate"))]) -> Response:
    """The evidence, and the form of the decision."""
    return _page(request, actor, submission_id, [], "")


@router.post("/desk/submissions/{submission_id}")
async def decide(request: Request, submission_id: str, sent: Annotated[Posted, Depends(posted("operate"))]) -> Response:
    """Accept or refuse it, with a reason."""
    return await run_in_threadpool(_decide, request, submission_id, sent)


@router.post("/desk/submissions/{submission_id}/again")
async def again(request: Request, submission_id: str, sent: Annotated[Posted, Depends(posted("operate"))]) -> Response:
    """Have it checked again, by what is known today."""
    return await run_in_threadpool(_again, request, submission_id, sent)


def _decide(request: Request, submission_id: str, sent: Posted) -> Response:
    storage = portal_of(request).storage
    decision, reason = CHOICES.get(sent.text("decision")), text_of(sent, "reason")
    if decision is None:
        fault = Fault("decision-accept", "Neither accepted nor refused", "Choose one")
        return _page(request, sent.actor, submission_id, [fault], reason, 422)
    submissions.find(storage, sent.actor, submission_id)
    try:
        decisions.decide_submission(storage, sent.actor, submission_id, decision, reason, seen=_seen(sent))
    except WrongContentError as error:
        fault = Fault("reason", error.message, error.mend or "")
        return _page(request, sent.actor, submission_id, [fault], reason, 422, decision)
    except TooLateError as error:
        fault = Fault("", f"Your decision was not taken: {error.message}", error.mend or "")
        return _page(request, sent.actor, submission_id, [fault], reason, 409, decision)
    return redirect(request, f"/desk/submissions/{submission_id}")


def _seen(sent: Posted) -> datetime | None:
    """Which verdict the form was beside."""
    text = sent.text("seen")
    seen = utc_of(text)
    if text and seen is None:
        raise WrongContentError("the form does not tell which verdict it is about", mend="load the page again")
    return seen


def _again(request: Request, submission_id: str, sent: Posted) -> Response:
    storage = portal_of(request).storage
    submissions.find(storage, sent.actor, submission_id)
    try:
        checks.check_again(storage, sent.actor, submission_id)
    except TooLateError as error:
        fault = Fault("", f"It is not checked again: {error.message}", error.mend or "")
        return _page(request, sent.actor, submission_id, [fault], "", 409)
    return redirect(request, f"/desk/submissions/{submission_id}")


def _page(
    request: Request, actor: Actor, submission_id: str, faults: Sequence[Fault], reason: str, status: int = 200,
    chosen: str = "",
) -> Response:  # fmt: skip
    portal = portal_of(request)
    storage = portal.storage
    found = submissions.find(storage, actor, submission_id)
    decision = decisions.find(storage, "submission", found.id)
    verdict = found.verdict
    edition, no_edition = publishing.edition_or_why(portal)
    lines, count = desk.audit_lines(storage, subject=found.id, limit=_MOST_LINES)
    published = publications.of_submission(storage, found.id)
    word = wording.of_submission(found.state, public=publications.is_public(published))
    names = desk.names_of(
        storage,
        [found.account_id, *([] if decision is None else [decision.account_id]), *(line.actor for line in lines)],
    )
    return render(
        request,
        "desk_submission.html",
        status=status,
        title=f"{'Not done: ' if faults else ''}Submission {found.id[:8]} at the desk",
        section="desk",
        submission=found,
        word=word,
        verdict=verdict,
        verdict_word=None if verdict is None else wording.VERDICT[verdict.verdict],
        signed_word=None if verdict is None else wording.SIGNED[verdict.signed.state],
        reasons=[] if verdict is None else wording.by_weight(verdict),
        told_codes=[] if verdict is None else [reason.code for reason in verdict.reasons],
        runs=[] if verdict is None else [examine(run, edition) for run in verdict.runs],
        edition=edition,
        no_edition=no_edition,
        decision=decision,
        names=names,
        job_request=None if found.job_id is None else desk.request_of_job(storage, found.job_id),
        past=[(one, wording.SUBMISSION[one.state]) for one in desk.past_of(storage, found.account_id, found.id)],
        lines=[(line, json.loads(line.details)) for line in lines],
        line_count=count,
        published=published,
        may_check_again=found.state in _CHECKED_AGAIN,
        errors=faults,
        reason=reason,
        chosen=chosen,
        most_reason=decisions.MOST_REASON,
    )
