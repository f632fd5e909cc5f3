"""The operators' desk: what waits for them, the oldest first, and what the portal does by itself."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from scorekit.errors import ScorekitError
from scorekit.portal import publishing
from scorekit.portal.ledger import desk, jobs, publications, requests, sites, submissions
from scorekit.portal.ledger.people import Actor
from scorekit.portal.opened import Portal
from scorekit.portal.web.access import page_actor, portal_of
from scorekit.portal.web.pages import paging, wording
from scorekit.portal.web.pages.paging import Paging
from scorekit.portal.web.pages.submissions import row_of
from scorekit.portal.web.rendering import render

router: Final = APIRouter()
_COUNTED: Final = ("waiting", "received", "checking", "refused", "accepted", "declined")


@router.get("/desk")
def queues(
    request: Request, actor: Annotated[Actor, Depends(page_actor("operate"))], page: str = "1", asked: str = "1"
) -> Response:
    """What waits for an operator."""
    portal = portal_of(request)
    storage = portal.storage
    at, asked_at = paging.number(page), paging.number(asked)
    waiting, count = submissions.listed(
        storage,
        actor,
        everyone=True,
        state="waiting",
        offset=paging.offset(at),
        limit=paging.LENGTH,
        with_verdicts=True,
    )
    wanted, wanted_count = requests.listed(
        storage, state="waiting", offset=paging.offset(asked_at), limit=paging.LENGTH
    )
    names = desk.names_of(storage, [*(one.account_id for one in waiting), *(one.account_id for one in wanted)])
    counts = submissions.counts(storage)
    build = sites.latest(storage)
    return render(
        request,
        "desk.html",
        title="Desk",
        section="desk",
        waiting=[(row_of(one), names.get(one.account_id, "")) for one in waiting],
        paging=Paging(at, count, "Pages of submissions that wait", {"asked": str(asked_at)}),
        requests=[(one, wording.task_title(one.task), names.get(one.account_id, "")) for one in wanted],
        requests_paging=Paging(asked_at, wanted_count, "Pages of requests that wait", {"page": str(at)}, "asked"),
        counts=[(wording.SUBMISSION[state].of_many, counts.get(state, 0)) for state in _COUNTED],
        job_counts=[(wording.JOB[state].of_many, count) for state, count in sorted(jobs.counts(storage).items())],
        jobs=[(job, wording.task_title(job.task), wording.JOB[job.state]) for job in desk.open_jobs(storage)],
        build=build,
        build_word=None if build is None else wording.SITE[build.state],
        unpublished=publications.pending_count(storage),
        edition=edition_name(portal),
        verdicts=wording.VERDICT,
    )


def edition_name(portal: Portal) -> str:
    """The edition that the portal judges by; empty where its file cannot be read."""
    try:
        return publishing.current_edition(portal).name
    except ScorekitError:
        return ""
