"""Requests to measure an open model."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from scorekit.portal.ledger import decisions, jobs, requests
from scorekit.portal.ledger.people import Actor
from scorekit.portal.opened import Portal
from scorekit.portal.web.access import bearer
from scorekit.portal.web.api.models import ID_PATTERN
from scorekit.portal.web.api.models_queue import RequestList, RequestMade, RequestState, RequestTold
from scorekit.portal.web.api.receiving import opened
from scorekit.portal.web.api.submissions import Limit, Offset

router = APIRouter(tags=["requests"])
Opened = Annotated[Portal, Depends(opened)]


@router.post("/requests", status_code=201, name="make_request", summary="Ask for a measurement")
def ask(told: RequestMade, actor: Annotated[Actor, Depends(bearer("submit"))], portal: Opened) -> RequestTold:
    """Ask to have an open model measured. Where the same is asked for already, that request is the answer."""
    return RequestTold.of(
        requests.ask(
            portal.storage, actor, told.model, told.task,
            revision=told.revision, model_class=told.model_class, note=told.note,
        )
    )  # fmt: skip


@router.get("/requests", name="list_requests", summary="List requests")
def listed(
    actor: Annotated[Actor, Depends(bearer())],
    portal: Opened,
    state: Annotated[RequestState | None, Query(description="Only those in this state.")] = None,
    mine: Annotated[bool, Query(description="Only your own.")] = False,
    offset: Offset = 0,
    limit: Limit = 50,
) -> RequestList:
    """Requests of everybody, the newest first; those that wait, the oldest first."""
    found, total = requests.listed(
        portal.storage, state=state, account_id=actor.account_id if mine else None, offset=offset, limit=limit
    )
    return RequestList(items=tuple(RequestTold.of(one) for one in found), total=total)


@router.get("/requests/{request_id}", name="look_at_request", summary="Look at a request")
def look(
    request_id: Annotated[str, Path(pattern=ID_PATTERN, description="Of the request.")],
    _actor: Annotated[Actor, Depends(bearer())],
    portal: Opened,
) -> RequestTold:
    """A request, what was decided, and how far its measurement is."""
    found = requests.find(portal.storage, request_id)
    return RequestTold.of(
        found, jobs.of_request(portal.storage, found.id), decisions.find(portal.storage, "request", found.id)
    )
