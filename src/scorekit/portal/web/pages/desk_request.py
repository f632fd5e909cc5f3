"""One request at the desk, and the decision about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from scorekit.portal.ledger import decisions, desk, jobs, requests
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.refusals import TooLateError, WrongContentError
from scorekit.portal.web.access import Posted, page_actor, portal_of, posted
from scorekit.portal.web.pages import wording
from scorekit.portal.web.pages.fields import CHOICES, Fault, text_of
from scorekit.portal.web.rendering import redirect, render

router: Final = APIRouter()


@router.get("/desk/requests/{request_id}")
def wanted(request: Request, request_id: str, _actor: Annotated[Actor, Depends(page_actor("operate"))]) -> Response:
    """The request, and the form of the decision."""
    return _page(request, request_id, [], "")


@router.post("/desk/requests/{request_id}")
async def decide(request: Request, request_id: str, sent: Annotated[Posted, Depends(posted("operate"))]) -> Response:
    """Accept or refuse it, with a reason."""
    return await run_in_threadpool(_decide, request, request_id, sent)


def _decide(request: Request, request_id: str, sent: Posted) -> Response:
    decision, reason = CHOICES.get(sent.text("decision")), text_of(sent, "reason")
    if decision is None:
        fault = Fault("decision-accept", "Neither accepted nor refused", "Choose one")
        return _page(request, request_id, [fault], reason, 422)
    try:
        decisions.decide_request(portal_of(request).storage, sent.actor, request_id, decision, reason)
    except WrongContentError as error:
        fault = Fault("reason", error.message, error.mend or "")
        return _page(request, request_id, [fault], reason, 422, decision)
    except TooLateError as error:
        fault = Fault("", f"Your decision was not taken: {error.message}", error.mend or "")
        return _page(request, request_id, [fault], reason, 409, decision)
    return redirect(request, f"/desk/requests/{request_id}")


def _page(
    request: Request, request_id: str, faults: Sequence[Fault], reason: str, status: int = 200, chosen: str = ""
) -> Response:
    storage = portal_of(request).storage
    found = requests.find(storage, request_id)
    decision = decisions.find(storage, "request", found.id)
    job = jobs.of_request(storage, found.id)
    names = desk.names_of(storage, [found.account_id, *([] if decision is None else [decision.account_id])])
    return render(
        request,
        "desk_request.html",
        status=status,
        title=f"{'Not done: ' if faults else ''}Request {found.id[:8]} at the desk",
        section="desk",
        wanted=found,
        task_title=wording.task_title(found.task),
        word=wording.REQUEST[found.state],
        decision=decision,
        names=names,
        job=job,
        job_word=None if job is None else wording.JOB[job.state],
        submission_id=None if job is None else desk.submission_of_job(storage, job.id),
        errors=faults,
        reason=reason,
        chosen=chosen,
        most_reason=decisions.MOST_REASON,
    )
