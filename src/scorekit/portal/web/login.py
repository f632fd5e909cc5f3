"""Login by a token and logout. Who logs in is told by the token; which browser, by a cookie that the form repeats.

The form's own cookie is against logins that another site makes: by them somebody would hand in as somebody else.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse

from scorekit.portal.ledger import people
from scorekit.portal.ledger.people import Actor, MadeSession
from scorekit.portal.ledger.refusals import NotAllowedError
from scorekit.portal.web import access
from scorekit.portal.web.access import Posted, page_visitor, portal_of, posted, same_secret
from scorekit.portal.web.addresses import local, root_of
from scorekit.portal.web.rendering import redirect, render

router: Final = APIRouter()
FORM_COOKIE: Final = "scorekit_login"
_FORM_LASTS_S: Final = 3600
_FIELDS: Final = ("token", "csrf", "next")


@router.get("/login")
def show(
    request: Request,
    visitor: Annotated[Actor | None, Depends(page_visitor)],
    next: str = "/",  # noqa: A002 - as links have it
) -> Response:
    """The form; whoever is logged in already goes on."""
    if visitor is not None:
        return redirect(request, local(next))
    return _form(request, local(next))


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Open a session for who has a token that holds."""
    form = await request.form(max_files=0, max_fields=len(_FIELDS))
    token, csrf, wanted = (value if isinstance(value := form.get(name), str) else "" for name in _FIELDS)
    kept = request.cookies.get(FORM_COOKIE, "")
    if not kept or not same_secret(kept, csrf):
        raise NotAllowedError(
            "this form is not of a page of this browser", mend="load the login page again; it needs cookies"
        )
    access.refuse_other_sites(request)
    request.app.state.limits.take_login(request.scope)
    return await run_in_threadpool(_log_in, request, token.strip(), local(wanted))


@router.post("/logout")
def log_out(request: Request, sent: Annotated[Posted, Depends(posted())]) -> Response:  # noqa: ARG001 - it was checked
    """End the session."""
    portal = portal_of(request)
    people.close_session(portal.storage, request.cookies[access.COOKIE])
    answer = redirect(request, "/login")
    access.drop_session(answer, portal.settings)
    return answer


def begin_session(request: Request, actor: Actor, path: str) -> Response:
    """Give a browser a new session, end the one it had, and go on."""
    portal = portal_of(request)
    made: MadeSession = people.open_session(portal.storage, actor)
    if before := request.cookies.get(access.COOKIE):
        people.close_session(portal.storage, before)
    answer = redirect(request, path)
    access.set_session(answer, portal, made)
    answer.delete_cookie(FORM_COOKIE, path=f"{root_of(portal.settings)}/login")
    return answer


def _log_in(request: Request, token: str, path: str) -> Response:
    actor = access.known(request, token)
    if actor is None:
        return _form(request, path, error="This token does not hold: it is unknown, revoked or over.", status=401)
    return begin_session(request, actor, path)


def _form(request: Request, path: str, *, error: str | None = None, status: int = 200) -> HTMLResponse:
    settings = portal_of(request).settings
    # The one that is there stays: other tabs hold it too.
    kept = request.cookies.get(FORM_COOKIE, "")
    secret = kept if 32 <= len(kept) <= 64 and kept.isascii() else secrets.token_urlsafe(32)
    answer = render(
        request, "login.html", status=status, title="Log in", section="login", next=path, form_csrf=secret, error=error
    )
    answer.set_cookie(
        FORM_COOKIE, secret, max_age=_FORM_LASTS_S, path=f"{root_of(settings)}/login", httponly=True, samesite="strict",
        secure=settings.is_secure,
    )  # fmt: skip
    return answer
