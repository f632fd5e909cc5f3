"""Uploads in pieces: announce a file, send it piece by piece from the offset that the portal tells, then hand it in."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from scorekit.portal.ledger import uploads
from scorekit.portal.ledger.appending import appending
from scorekit.portal.ledger.holding import held
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.refusals import TooLateError
from scorekit.portal.opened import Portal
from scorekit.portal.web.access import bearer
from scorekit.portal.web.answers import Problem, refusal
from scorekit.portal.web.api.models import ID_PATTERN, MOST_BYTES, UploadAnnounced, UploadTold
from scorekit.portal.web.api.receiving import WRONG_TYPE, in_threads, opened, pour, require_length, require_type

MOST_PIECE_BYTES: Final = 16 * 1024**2
"""Of one request; what does not fit is sent by the next."""
OFFSET: Final = "Upload-Offset"
OCTETS: Final = "application/octet-stream"
_OFFSET_TOLD: Final[dict[str, Any]] = {
    OFFSET: {"description": "Bytes that are on the portal's disk.", "schema": {"type": "integer", "minimum": 0}}
}

router = APIRouter(tags=["uploads"])
Submitting = Annotated[Actor, Depends(bearer("submit"))]
Opened = Annotated[Portal, Depends(opened)]
UploadId = Annotated[str, Path(pattern=ID_PATTERN, description="Of the upload.")]


@router.post("/uploads", status_code=201, summary="Announce a file, or go on with it")
def announce(told: UploadAnnounced, response: Response, actor: Submitting, portal: Opened) -> UploadTold:
    """Begin an upload. Of a file that was announced before and is not complete, that upload is the answer, with the
    offset where it goes on.
    """
    found = uploads.announce(
        portal.storage, portal.settings.parts, actor, told.size_bytes, told.sha256,
        portal.settings.limits.packed_bytes, a_day_bytes=portal.settings.account_bytes_a_day,
    )  # fmt: skip
    response.headers[OFFSET] = str(found.offset)
    return UploadTold.of(found)


@router.get("/uploads/{upload_id}", name="look_at_upload", summary="Ask where an upload goes on")
def look(upload_id: UploadId, response: Response, actor: Submitting, portal: Opened) -> UploadTold:
    """Tell how much of a file has come."""
    found = uploads.find(portal.storage, portal.settings.parts, actor, upload_id)
    response.headers[OFFSET] = str(found.offset)
    return UploadTold.of(found)


@router.patch(
    "/uploads/{upload_id}",
    status_code=204,
    response_class=Response,
    summary="Send a piece",
    responses={
        204: {"description": "The piece is on the portal's disk.", "headers": _OFFSET_TOLD},
        409: {"model": Problem, "description": "The upload goes on elsewhere, or not at all.", "headers": _OFFSET_TOLD},
        **WRONG_TYPE,
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": f"The bytes from the offset on, at most {MOST_PIECE_BYTES} of them.",
            "content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def append(
    request: Request,
    upload_id: UploadId,
    upload_offset: Annotated[int, Header(alias=OFFSET, ge=0, le=MOST_BYTES, description="Where the piece begins.")],
    actor: Submitting,
    portal: Opened,
) -> Response:
    """Append to an upload. A piece that breaks off stays as far as it came: ask for the offset, and go on there."""
    require_type(request, OCTETS)
    require_length(request, MOST_PIECE_BYTES, "a piece")
    parts = portal.settings.parts
    upload = await run_in_threadpool(uploads.find, portal.storage, parts, actor, upload_id)
    try:
        async with in_threads(appending(parts, upload, upload_offset)) as piece:
            await pour(request, piece.write, MOST_PIECE_BYTES, "a piece", then=lambda: None)
    except TooLateError as error:
        found = await run_in_threadpool(uploads.find, portal.storage, parts, actor, upload_id)
        answer = refusal(request, error)
        answer.headers[OFFSET] = str(found.offset)
        return answer
    return Response(status_code=204, headers={OFFSET: str(piece.offset)})


@router.delete("/uploads/{upload_id}", status_code=204, response_class=Response, summary="Give an upload up")
def give_up(upload_id: UploadId, actor: Submitting, portal: Opened) -> Response:
    """Forget what has come of a file that is not complete; nothing happens to one that was handed in."""
    parts = portal.settings.parts
    found = uploads.find(portal.storage, parts, actor, upload_id)
    if found.state != "complete":
        with held(uploads.part_of(parts, found.id)):
            uploads.give_up(portal.storage, parts, found)
    return Response(status_code=204)
