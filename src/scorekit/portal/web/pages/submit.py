"""Handing in a submission: the form with its three clauses, and its file while it comes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from scorekit.portal.ledger import submissions, uploads
from scorekit.portal.ledger.people import Actor, new_id
from scorekit.portal.ledger.refusals import NotAllowedError, TooMuchError
from scorekit.portal.opened import Portal
from scorekit.portal.web.access import page_actor, portal_of, require_csrf
from scorekit.portal.web.api.receiving import end_arriving, pour, require_account
from scorekit.portal.web.pages.fields import Fault
from scorekit.portal.web.pages.upload_form import FILE, UploadForm
from scorekit.portal.web.rendering import redirect, render
from scorekit.submission import CLAUSES

router: Final = APIRouter()
_AROUND_BYTES: Final = 64 * 1024
"""Of a form, beside its file."""
_SUBMITTER: Final = page_actor("submit")


@router.get("/submit")
def form(request: Request, _actor: Annotated[Actor, Depends(_SUBMITTER)]) -> Response:
    """The form."""
    return _form(request, [], ())


@router.post("/submit")
async def hand_in(request: Request) -> Response:
    """Take the form; the submission is stored when this answers with its page."""
    portal = portal_of(request)
    actor = await run_in_threadpool(_SUBMITTER, request)
    most_bytes = portal.settings.limits.packed_bytes

    def allow(fields: dict[str, str]) -> None:
        require_csrf(request, fields.get("csrf"))
        require_account(request, actor)

    upload = UploadForm(
        request.headers.get("content-type", ""),
        uploads.part_of(portal.settings.parts, new_id()),
        most_bytes,
        allow,
    )
    try:
        return await pour(
            request,
            upload.write,
            most_bytes + _AROUND_BYTES,
            "a form",
            then=lambda: _answer(request, portal, actor, upload),
        )
    except BaseException:
        # pour has waited for its threads.
        upload.give_up()
        raise
    finally:
        end_arriving(request)


def _answer(request: Request, portal: Portal, actor: Actor, upload: UploadForm) -> Response:
    upload.finish()
    if isinstance(upload.refused, NotAllowedError):
        raise upload.refused
    accepted = {name: upload.fields[name] for clause in CLAUSES if (name := str(clause.name)) in upload.fields}
    faults = _faults(upload, accepted)
    if faults or upload.file is None:
        upload.give_up()
        # What somebody has ticked in these words need not be ticked again.
        ticked = [clause.name for clause in CLAUSES if accepted.get(clause.name) == clause.sha256]
        return _form(request, faults, ticked, 413 if isinstance(upload.refused, TooMuchError) else 422)
    file = upload.file
    found = submissions.receive(portal.storage, file.path, actor, file.sha256, file.size_bytes, accepted)
    return redirect(request, f"/submissions/{found.id}")


def _faults(upload: UploadForm, accepted: Mapping[str, str]) -> list[Fault]:
    """What is wrong with a form that came."""
    refused = upload.refused
    if refused is not None:
        return [Fault(FILE if isinstance(refused, TooMuchError) else "", refused.message, refused.mend or "")]
    faults = []
    if upload.file is None:
        faults.append(Fault(FILE, "No file was chosen, or it is empty", "Choose the zip that `scorekit pack` wrote"))
    for clause in CLAUSES:
        given = accepted.get(clause.name)
        if given is None:
            faults.append(Fault(clause.name, f"Not accepted: {clause.title}", "All three clauses are needed"))
        elif given != clause.sha256:
            faults.append(Fault(clause.name, "The clause was changed since the page was loaded", "Read it again"))
    if faults and upload.file is not None:
        faults.append(Fault(FILE, "The browser has let go of the file", "Choose the file again"))
    return faults


def _form(request: Request, faults: Sequence[Fault], ticked: Collection[str], status: int = 200) -> Response:
    return render(
        request,
        "submit.html",
        status=status,
        title=("Not handed in yet: " if faults else "") + "Hand in a submission",
        section="submit",
        clauses=CLAUSES,
        errors=faults,
        ticked=ticked,
        most_bytes=portal_of(request).settings.limits.packed_bytes,
    )
