"""Who asks, and whether they may: a token for programs, a session for browsers, never the one in place of the other.

A form that posts is taken only from a page of ours: it holds the session's csrf, which no other site can read, and the
browser must not say that another site sent it.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Request, Response, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import FormData

from scorekit.portal.ledger import people
from scorekit.portal.ledger.people import Actor, MadeSession, Scope, Session
from scorekit.portal.ledger.refusals import NotAllowedError
from scorekit.portal.opened import Portal
from scorekit.portal.settings import Settings
from scorekit.portal.web.addresses import root_of
from scorekit.portal.web.answers import NoLoginError

COOKIE: Final = "scorekit_session"
MOST_FIELDS: Final = 40
_LONGEST_SECRET: Final = 200
_SCHEME: Final = HTTPBearer(
    auto_error=False, scheme_name="token", description="A token that the operator made: scorekit portal token make"
)
_ONLY: Final[dict[Scope, str]] = {
    "submit": "this account may not hand in",
    "operate": "this is for operators",
    "work": "this is for workers",
}
_ROLE: Final[dict[Scope, str]] = {"submit": "submitter", "operate": "operator", "work": "worker"}


@dataclass(frozen=True, slots=True)
class Posted:
    """A form that a page of ours sent.

    Attributes:
        actor: who sent it.
        form: its fields; no files.
    """

    actor: Actor
    form: FormData

    def text(self, field: str) -> str:
        """A field's text; empty where it is missing."""
        value = self.form.get(field, "")
        return value if isinstance(value, str) else ""


def portal_of(request: Request) -> Portal:
    """The portal that is asked; a dependency too."""
    found: Portal = request.app.state.portal
    return found


def bearer(scope: Scope | None = None) -> Callable[..., Actor]:
    """A dependency of routes of the API: who asks, by the token of the header Authorization.

    Args:
        scope: what the token must be for; None for any token that holds.

    Raises:
        NoLoginError: there is no token, or it does not hold.
        NotAllowedError: it is not for this.
        TooManyError: too many that do not hold came from this address.
    """

    def let_in(
        request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Security(_SCHEME)] = None
    ) -> Actor:
        actor = actor_of(request, "" if given is None else given.credentials)
        return _allowed(actor, scope)

    return let_in


def actor_of(request: Request, secret: str) -> Actor:
    """Who a token is of.

    Raises:
        NoLoginError: it does not hold.
        TooManyError: too many that do not hold came from this address.
    """
    actor = known(request, secret)
    if actor is None:
        if secret:
            request.app.state.limits.take_login(request.scope)
        raise NoLoginError(
            "the token does not hold: it is unknown, revoked or over" if secret else "this needs a token",
            mend="send a token that holds, as `Authorization: Bearer sk_...`",
        )
    return actor


def known(request: Request, secret: str) -> Actor | None:
    """Who a token is of; None for one that does not hold."""
    looks_right = secret.startswith(people.TOKEN_MARK) and len(secret) <= _LONGEST_SECRET and secret.isascii()
    return people.actor_of_token(portal_of(request).storage, secret) if looks_right else None


def page_visitor(request: Request) -> Actor | None:
    """A dependency of pages that anybody may see: who is logged in."""
    session = _session(request)
    return None if session is None else session.actor


def page_actor(scope: Scope | None = None) -> Callable[[Request], Actor]:
    """A dependency of pages: who is logged in; others are sent to the login.

    Args:
        scope: what the account must be allowed; None for any.

    Raises:
        NoLoginError: nobody is logged in.
        NotAllowedError: the account may not see this.
    """

    def let_in(request: Request) -> Actor:
        session = _session(request)
        if session is None:
            raise NoLoginError("you are not logged in, or not any more", mend="log in, and try again")
        return _allowed(session.actor, scope)

    return let_in


def posted(scope: Scope | None = None) -> Callable[[Request], Awaitable[Posted]]:
    """A dependency of pages that take a form without files: who sent it, and its fields, once the csrf was found right.

    Raises:
        As `page_actor`; NotAllowedError: the form is not of a page of ours.
    """
    who = page_actor(scope)

    async def let_in(request: Request) -> Posted:
        actor = await run_in_threadpool(who, request)
        form = await request.form(max_files=0, max_fields=MOST_FIELDS)
        given = form.get("csrf")
        require_csrf(request, given if isinstance(given, str) else None)
        return Posted(actor, form)

    return let_in


def require_csrf(request: Request, given: str | None) -> None:
    """Whether what was posted comes from a page of this session; after `page_actor` or `posted` has found the session.

    Raises:
        NotAllowedError: it does not.
    """
    session: Session | None = getattr(request.state, "session", None)
    if session is None or not same_secret(session.csrf, given):
        raise NotAllowedError(
            "this form is not of a page of your session", mend="go back, load the page again, and send it anew"
        )
    refuse_other_sites(request)


def refuse_other_sites(request: Request) -> None:
    """Whether the browser says that another site sent a form; those that say nothing are taken at their csrf.

    Raises:
        NotAllowedError: it says so.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise NotAllowedError("another site sent this form", mend="use the pages of the portal itself")


def same_secret(kept: str, given: str | None) -> bool:
    """Whether two secrets are the same, in a time that tells nothing of where they differ."""
    return given is not None and hmac.compare_digest(kept.encode(), given.encode("utf-8", "replace"))


def set_session(response: Response, portal: Portal, made: MadeSession) -> None:
    """Give a browser its session: no script reads it, and no other site's form carries it."""
    lasts_s = int((made.expires_at - portal.storage.now()).total_seconds())
    response.set_cookie(
        COOKIE, made.secret, max_age=lasts_s, path=f"{root_of(portal.settings)}/", httponly=True, samesite="lax",
        secure=portal.settings.is_secure,
    )  # fmt: skip


def drop_session(response: Response, settings: Settings) -> None:
    """Have a browser forget its session."""
    response.delete_cookie(
        COOKIE, path=f"{root_of(settings)}/", httponly=True, samesite="lax", secure=settings.is_secure
    )


def _session(request: Request) -> Session | None:
    secret = request.cookies.get(COOKIE, "")
    found = people.session_of(portal_of(request).storage, secret) if 0 < len(secret) <= _LONGEST_SECRET else None
    request.state.session = found
    return found


def _allowed(actor: Actor, scope: Scope | None) -> Actor:
    if scope is not None and not actor.may(scope):
        raise NotAllowedError(
            _ONLY[scope],
            mend="ask the operator of the portal for a token that may, made by "
            f"`scorekit portal token make --data DIR --name NAME --role {_ROLE[scope]}`",
        )
    return actor
