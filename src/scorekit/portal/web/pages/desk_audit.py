"""The audit log, the newest lines first."""

from __future__ import annotations

import json
import re
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from scorekit.portal.ledger import desk
from scorekit.portal.ledger.people import Actor
from scorekit.portal.web.access import page_actor, portal_of
from scorekit.portal.web.pages import paging
from scorekit.portal.web.pages.paging import Paging
from scorekit.portal.web.rendering import render

router: Final = APIRouter()
_SUBJECT: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


@router.get("/desk/audit")
def log(
    request: Request, _actor: Annotated[Actor, Depends(page_actor("operate"))], page: str = "1", subject: str = ""
) -> Response:
    """What was done, by whom."""
    storage = portal_of(request).storage
    at = paging.number(page)
    about = subject if _SUBJECT.fullmatch(subject) else None
    lines, count = desk.audit_lines(storage, subject=about, offset=paging.offset(at), limit=paging.LENGTH)
    return render(
        request,
        "desk_audit.html",
        title="Audit log",
        section="audit",
        lines=[(line, json.loads(line.details)) for line in lines],
        names=desk.names_of(storage, [line.actor for line in lines]),
        subject=about,
        paging=Paging(at, count, "Pages of the audit log", {} if about is None else {"subject": about}),
    )
