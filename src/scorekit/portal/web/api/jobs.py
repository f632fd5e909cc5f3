"""The queue of measurements, for workers: take a job, keep it, and hand in what was measured, or give it back.

What was measured is handed in as a submission that names the job and its lease.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from scorekit.portal.ledger import jobs
from scorekit.portal.ledger.people import Actor
from scorekit.portal.opened import Portal
from scorekit.portal.web.access import bearer
from scorekit.portal.web.api.models import ID_PATTERN
from scorekit.portal.web.api.models_queue import Beat, BeatTold, GivenBack, GivenBackTold, JobTold, JobWanted
from scorekit.portal.web.api.receiving import opened

router = APIRouter(tags=["jobs"])
Working = Annotated[Actor, Depends(bearer("work"))]
Opened = Annotated[Portal, Depends(opened)]
JobId = Annotated[str, Path(pattern=ID_PATTERN, description="Of the job.")]


@router.post(
    "/jobs/take",
    name="take_job",
    summary="Take a job",
    response_model=JobTold,
    responses={204: {"description": "There is no job that is free."}},
)
def take(told: JobWanted, actor: Working, portal: Opened) -> JobTold | Response:
    """The oldest job that is free, for a time; it goes to another when no heartbeat comes. While the workers of the
    account hold as many as they may the answer is 429.
    """
    settings = portal.settings
    found = jobs.take(portal.storage, actor, told.worker, settings.job_lease, most=settings.jobs_an_account)
    return Response(status_code=204) if found is None else JobTold.of(found)


@router.post("/jobs/{job_id}/beat", name="keep_job", summary="Keep a job")
def beat(job_id: JobId, told: Beat, actor: Working, portal: Opened) -> BeatTold:
    """Keep a job for longer. After 409 another has it: stop working on it."""
    settings = portal.settings
    until = jobs.beat(portal.storage, actor, job_id, told.lease, settings.job_lease, most=settings.jobs_an_account)
    return BeatTold(lease_until=until)


@router.post("/jobs/{job_id}/give-back", name="give_job_back", summary="Give a job back")
def give_back(job_id: JobId, told: GivenBack, actor: Working, portal: Opened) -> GivenBackTold:
    """End an attempt without a result; another comes later, unless that would do no better."""
    state = jobs.give_back(portal.storage, actor, job_id, told.lease, told.error, again=told.again)
    return GivenBackTold(state=state)
