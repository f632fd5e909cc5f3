"""The first page: what this is, how to hand in, and what becomes public."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from scorekit.portal.ledger.people import Actor
from scorekit.portal.web.access import page_visitor, portal_of
from scorekit.portal.web.rendering import render
from scorekit.publish.site import files

router: Final = APIRouter()


@router.get("/")
def home(request: Request, _visitor: Annotated[Actor | None, Depends(page_visitor)]) -> Response:
    """The first page; anybody may see it."""
    settings = portal_of(request).settings
    return render(
        request,
        "home.html",
        title="Hand in a measurement",
        section="home",
        public_url=settings.public_url,
        has_site=files.is_site(settings.site),
    )
