"""Requests of measurements of open models: the form, the list, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from scorekit import tasks
from scorekit.portal.ledger import decisions, desk, jobs, requests
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.refusals import TooMuchError, WrongContentError
from scorekit.portal.web.access import Posted, page_actor, portal_of, posted
from scorekit.portal.web.pages import paging, wording
from scorekit.portal.web.pages.fields import Fault, text_of
from scorekit.portal.web.pages.paging import Paging
from scorekit.portal.web.rendering import redirect, render

router: Final = APIRouter()
FIELDS: Final = ("model", "revision", "task", "model_class", "note")
CLASSES: Final = {"A": "A: up to 20 billion parameters", "B": "B: up to 66 billion", "C": "C: more"}


@router.get("/requests")
def listed(request: Request, actor: Annotated[Actor, Depends(page_actor("submit"))], page: str = "1") -> Response:
    """The form, and every request, the newest first."""
    return _page(request, actor, paging.number(page), [], {})


@router.post("/requests")
async def ask(request: Request, sent: Annotated[Posted, Depends(posted("submit"))]) -> Response:
    """Ask for a measurement; what is asked for already is shown."""
    return await run_in_threadpool(_ask, request, sent)


@router.get("/requests/{request_id}")
def one(request: Request, request_id: str, actor: Annotated[Actor, Depends(page_actor("submit"))]) -> Response:
    """What became of a request."""
    storage = portal_of(request).storage
    found = requests.find(storage, request_id)
    job = jobs.of_request(storage, found.id)
    submission_id = None if job is None else desk.submission_of_job(storage, job.id)
    return render(
        request,
        "request.html",
        title=f"Request for {found.model}",
        section="requests",
        wanted=found,
        task_title=wording.task_title(found.task),
        word=wording.REQUEST[found.state],
        decision=decisions.find(storage, "request", found.id),
        job=job,
        job_word=None if job is None else wording.JOB[job.state],
        is_mine=found.account_id == actor.account_id,
        submission_id=submission_id if actor.may("operate") else None,
    )


def _ask(request: Request, sent: Posted) -> Response:
    given = {field: text_of(sent, field) for field in FIELDS}
    faults = _faults(given)
    if not faults:
        try:
            found = requests.ask(
                portal_of(request).storage, sent.actor, given["model"], given["task"],
                revision=given["revision"] or None, model_class=given["model_class"] or None, note=given["note"],
            )  # fmt: skip
        except (TooMuchError, WrongContentError) as error:
            faults = [Fault(_field_of(error, given), error.message, error.mend or "")]
        else:
            return redirect(request, f"/requests/{found.id}")
    return _page(request, sent.actor, 1, faults, given)


def _faults(given: Mapping[str, str]) -> list[Fault]:
    """What can be said of each field by itself, all at once."""
    faults = []
    if not given["model"]:
        faults.append(Fault("model", "The model is not named", "Write its name on the Hub, e.g. openai-community/gpt2"))
    task = tasks.TASKS.get(given["task"])
    if task is None:
        faults.append(Fault("task", "No task is chosen", "Choose one of the list"))
    elif (task.cohort in tasks.CLASSED_COHORTS) != bool(given["model_class"]):
        faults.append(
            Fault("model_class", "This task has no classes", "Choose none")
            if given["model_class"]
            else Fault("model_class", "This task has classes of size, and none is chosen", "Choose A, B or C")
        )
    if len(given["note"]) > requests.MOST_NOTE:
        faults.append(Fault("note", f"The note has {len(given['note']):,} signs", f"At most {requests.MOST_NOTE:,}"))
    return faults


def _field_of(error: TooMuchError | WrongContentError, given: Mapping[str, str]) -> str:
    """The field that a refusal is about: messages begin with what was given."""
    for field in ("revision", "model"):
        if given[field] and error.message.startswith(repr(given[field][:80])):
            return field
    return ""


def _page(request: Request, actor: Actor, page: int, faults: Sequence[Fault], given: Mapping[str, str]) -> Response:
    found, count = requests.listed(portal_of(request).storage, offset=paging.offset(page), limit=paging.LENGTH)
    return render(
        request,
        "requests.html",
        status=422 if faults else 200,
        title="Not asked for yet: requests" if faults else "Requests",
        section="requests",
        rows=[
            (one, wording.task_title(one.task), wording.REQUEST[one.state], one.account_id == actor.account_id)
            for one in found
        ],
        paging=Paging(page, count, "Pages of requests"),
        tasks=[
            (name, wording.task_title(name), tasks.TASKS[name].cohort in tasks.CLASSED_COHORTS) for name in tasks.TASKS
        ],
        classes=CLASSES,
        errors=faults,
        given={field: given.get(field, "") for field in FIELDS},
        most_note=requests.MOST_NOTE,
    )
