"""Submissions: handed in by an upload or in one request, and looked at."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from scorekit.portal.ledger import decisions, publications, submissions, uploads
from scorekit.portal.ledger.holding import held
from scorekit.portal.ledger.people import Actor, new_id
from scorekit.portal.ledger.refusals import NotThereError, WrongContentError
from scorekit.portal.ledger.submissions import Submission
from scorekit.portal.opened import Portal
from scorekit.portal.web.access import bearer
from scorekit.portal.web.addresses import API, root_of
from scorekit.portal.web.api.models import (
    ID_PATTERN,
    SHA256_PATTERN,
    ClauseTold,
    State,
    SubmissionList,
    SubmissionMade,
    SubmissionTold,
)
from scorekit.portal.web.api.receiving import (
    WRONG_TYPE,
    Part,
    end_arriving,
    opened,
    pour,
    require_account,
    require_length,
    require_type,
)
from scorekit.portal.web.api.summaries import publications_told, summaries
from scorekit.submission.clauses import CLAUSES

ZIP: Final = "application/zip"
_THE_FILE: Final = "a submission"
_LOCATION: Final[dict[str, Any]] = {
    "Location": {"description": "Where to look at it in the API.", "schema": {"type": "string"}}
}
MOST_LISTED: Final = 200
_WAIT_S: Final = 2.0
"""For a call before this one that hands in the same upload, and whose answer was lost."""
_MOST_OFFSET: Final = 1_000_000_000

router = APIRouter(tags=["submissions"])
Submitting = Annotated[Actor, Depends(bearer("submit"))]
Opened = Annotated[Portal, Depends(opened)]
SubmissionId = Annotated[str, Path(pattern=ID_PATTERN, description="Of the submission.")]
Offset = Annotated[int, Query(ge=0, le=_MOST_OFFSET, description="How many are left out at the beginning.")]
Limit = Annotated[int, Query(ge=1, le=MOST_LISTED, description="How many at most.")]
ClauseHash = Annotated[
    str, Query(pattern=SHA256_PATTERN, description="sha256 of the text of the clause that is accepted.")
]


@router.get("/clauses", summary="What is accepted on handing in")
def clauses() -> tuple[ClauseTold, ...]:
    """The three clauses, in their present words. No token is needed."""
    return tuple(ClauseTold.of(clause) for clause in CLAUSES)


@router.post(
    "/submissions",
    status_code=201,
    summary="Hand in what was uploaded",
    responses={201: {"description": "It is kept, and will be checked.", "headers": _LOCATION}},
)
def hand_in(told: SubmissionMade, response: Response, actor: Submitting, portal: Opened) -> SubmissionTold:
    """Complete an upload: it is hashed, and acknowledged when it is on the portal's disk. The same file from the same
    account is the same submission, however often it is handed in.
    """
    job = None if told.job is None or told.lease is None else (told.job, told.lease)
    accepted = told.clauses.model_dump()
    parts, storage = portal.settings.parts, portal.storage
    upload = uploads.find(storage, parts, actor, told.upload)
    if upload.state == "complete":
        return _told(response, portal, submissions.find_same(storage, actor, upload.sha256))
    if upload.state != "open":
        raise NotThereError("the upload was given up", mend="announce it again")
    submissions.require_clauses(accepted)
    part = uploads.part_of(parts, upload.id)
    with held(part, _WAIT_S):
        upload = uploads.find(storage, parts, actor, told.upload)
        if upload.state == "complete":
            # By the one who was waited for.
            return _told(response, portal, submissions.find_same(storage, actor, upload.sha256))
        uploads.check(storage, parts, upload)
        found = submissions.receive(
            storage, part, actor, upload.sha256, upload.size_bytes, accepted, upload_id=upload.id, job=job
        )
    return _told(response, portal, found)


@router.post(
    "/submissions/file",
    status_code=201,
    summary="Hand in a file in one request",
    responses={201: {"description": "It is kept, and will be checked.", "headers": _LOCATION}, **WRONG_TYPE},
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "The file as `scorekit pack` wrote it.",
            "content": {ZIP: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def hand_in_file(
    request: Request,
    response: Response,
    public_data: ClauseHash,
    integrity: ClauseHash,
    representation: ClauseHash,
    actor: Submitting,
    portal: Opened,
    sha256: Annotated[
        str | None, Query(pattern=SHA256_PATTERN, description="Of the file, as the sender has it; checked where given.")
    ] = None,
) -> SubmissionTold:
    """Hand in a file that is the body of the request. It is acknowledged when it is on the portal's disk; what breaks
    off before is gone, so that large files had better come by an upload.
    """
    accepted = {"public_data": public_data, "integrity": integrity, "representation": representation}
    submissions.require_clauses(accepted)
    most_bytes = portal.settings.limits.packed_bytes
    require_type(request, ZIP, "application/octet-stream")
    require_length(request, most_bytes, _THE_FILE)
    part = Part(uploads.part_of(portal.settings.parts, new_id()), allow=lambda: require_account(request, actor))
    try:
        return await pour(
            request,
            part.write,
            most_bytes,
            _THE_FILE,
            then=lambda: _told(response, portal, _receive(portal, part, actor, accepted, sha256)),
        )
    except BaseException:
        # pour has waited for its threads.
        part.give_up()
        raise
    finally:
        end_arriving(request)


@router.get("/submissions", name="list_submissions", summary="List your submissions")
def listed(
    actor: Submitting,
    portal: Opened,
    state: Annotated[State | None, Query(description="Only those in this state.")] = None,
    sha256: Annotated[str | None, Query(pattern=SHA256_PATTERN, description="Only that of this file.")] = None,
    offset: Offset = 0,
    limit: Limit = 50,
) -> SubmissionList:
    """Your submissions, the newest first."""
    if sha256 is not None:
        return _of_file(portal, actor, sha256, state, offset)
    found, total = submissions.listed(portal.storage, actor, state=state, offset=offset, limit=limit)
    return SubmissionList(items=summaries(portal, found), total=total)


@router.get("/submissions/{submission_id}", name="look_at_submission", summary="Look at a submission")
def look(submission_id: SubmissionId, response: Response, actor: Submitting, portal: Opened) -> SubmissionTold:
    """A submission with its verdict and what became of it, for who handed it in and for operators."""
    return _told(response, portal, submissions.find(portal.storage, actor, submission_id))


def _receive(portal: Portal, part: Part, actor: Actor, accepted: dict[str, str], sha256: str | None) -> Submission:
    if part.size_bytes == 0:
        raise WrongContentError("the file is empty", mend="pack it again: scorekit pack")
    if sha256 is not None and part.sha256 != sha256:
        raise WrongContentError(
            f"what came has the sha256 {part.sha256[:12]}..., and {sha256[:12]}... was announced", mend="send it again"
        )
    part.finish()
    return submissions.receive(portal.storage, part.path, actor, part.sha256, part.size_bytes, accepted)


def _of_file(portal: Portal, actor: Actor, sha256: str, state: str | None, offset: int) -> SubmissionList:
    try:
        found = submissions.find_same(portal.storage, actor, sha256)
    except NotThereError:
        return SubmissionList(items=(), total=0)
    if state is not None and found.state != state:
        return SubmissionList(items=(), total=0)
    return SubmissionList(items=() if offset else summaries(portal, [found]), total=1)


def _told(response: Response, portal: Portal, found: Submission) -> SubmissionTold:
    response.headers["Location"] = f"{root_of(portal.settings)}{API}/submissions/{found.id}"
    page = f"{portal.settings.public_url}submissions/{found.id}"
    if found.state in ("received", "checking"):
        return SubmissionTold.of(found, page)
    return SubmissionTold.of(
        found,
        page,
        decisions.find(portal.storage, "submission", found.id),
        publications_told(portal, publications.of_submission(portal.storage, found.id)),
    )
