"""Login with an account at Hugging Face, by OpenID Connect; only where the operator set it up.

huggingface_hub's own routes are not used: outside of a Space they let everybody in as whoever the machine is logged in
as; they go on to any address that a link names, and leave the access token readable in a cookie. What it reads out of
an answer is used. The token is thrown away at once, and of the account its number and name are kept.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.middleware.sessions import SessionMiddleware

from scorekit.errors import MissingExtraError
from scorekit.portal import journal
from scorekit.portal.ledger import people
from scorekit.portal.ledger.refusals import NotAllowedError
from scorekit.portal.settings import OAUTH_ID, OAUTH_SECRET, Settings
from scorekit.portal.web.access import portal_of
from scorekit.portal.web.addresses import local, root_of
from scorekit.portal.web.answers import Problem, problem
from scorekit.portal.web.login import begin_session

router: Final = APIRouter()
SECRET: Final = "SCOREKIT_PORTAL_SECRET"  # noqa: S105 - the name of a variable
"""By which the cookie of a login on its way is signed; without it one is derived from the secret of the client."""
PROVIDER: Final = "OPENID_PROVIDER_URL"
COOKIE: Final = "scorekit_handshake"
_HUGGING_FACE: Final = "https://huggingface.co"
_LASTS_S: Final = 600
_TIMEOUT_S: Final = 15.0
_MOST_NAME: Final = 300


def install(app: FastAPI, settings: Settings, environment: Mapping[str, str] = os.environ) -> None:
    """Add the routes of the login, and the short-lived cookie of a login on its way.

    Raises:
        MissingExtraError: a package that it needs is not installed.
    """
    app.state.oauth = provider(environment)
    app.include_router(router, include_in_schema=False)
    secret = environment.get(SECRET) or f"scorekit portal {environment.get(OAUTH_SECRET, '')}"
    app.add_middleware(
        SessionMiddleware, secret_key=hashlib.sha256(secret.encode()).hexdigest(), session_cookie=COOKIE,
        max_age=_LASTS_S, path=f"{root_of(settings)}/oauth", same_site="lax", https_only=settings.is_secure,
    )  # fmt: skip


def provider(environment: Mapping[str, str], **client: Any) -> Any:
    """Hugging Face, or what the environment names in its place, as a client of OpenID Connect.

    Args:
        environment: OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET, OPENID_PROVIDER_URL.
        client: further arguments of the HTTP client.
    """
    try:
        from authlib.integrations.starlette_client import OAuth
    except ImportError as error:
        raise MissingExtraError(error.name or "authlib", "portal") from error
    address = environment.get(PROVIDER, _HUGGING_FACE).rstrip("/")
    return OAuth().register(
        name="huggingface",
        client_id=environment[OAUTH_ID],
        client_secret=environment[OAUTH_SECRET],
        client_kwargs={"scope": "openid profile", "code_challenge_method": "S256", "timeout": _TIMEOUT_S, **client},
        server_metadata_url=f"{address}/.well-known/openid-configuration",
    )


@router.get("/oauth/huggingface/login")
async def begin(request: Request, next: str = "/") -> Response:  # noqa: A002 - as links have it
    """Send a browser to Hugging Face."""
    from httpx2 import HTTPError

    settings = portal_of(request).settings
    request.app.state.limits.take_login(request.scope)
    request.session.clear()
    request.session["next"] = local(next)
    try:
        answer: Response = await request.app.state.oauth.authorize_redirect(
            request, f"{settings.public_url}oauth/huggingface/callback"
        )
    except (HTTPError, RuntimeError, ValueError) as error:
        return _not_reached(request, error)
    return answer


@router.get("/oauth/huggingface/callback")
async def end(request: Request) -> Response:
    """Let in whom Hugging Face names.

    Raises:
        NotAllowedError: it names nobody, or the answer is to no question of this browser.
    """
    from authlib.common.errors import AuthlibBaseError
    from httpx2 import HTTPError
    from joserfc.errors import JoseError

    request.app.state.limits.take_login(request.scope)
    path = local(request.session.get("next"))
    try:
        answer: dict[str, Any] = dict(await request.app.state.oauth.authorize_access_token(request))
    except (AuthlibBaseError, JoseError) as error:
        journal.failure("oauth", error, request_id=request.state.request_id)
        request.session.clear()
        raise NotAllowedError("the login at Hugging Face was not finished", mend="log in again") from error
    except (HTTPError, RuntimeError, ValueError) as error:
        return _not_reached(request, error)
    found = _who(request, answer)
    request.session.clear()
    if found is None:
        raise NotAllowedError("Hugging Face named no account", mend="log in again")
    return await run_in_threadpool(_let_in, request, *found, path)


def _who(request: Request, answer: dict[str, Any]) -> tuple[str, str] | None:
    """Number and name of the account of an answer."""
    from huggingface_hub import parse_huggingface_oauth

    # It reads the answer from the session; what it needs no more is gone from there before the cookie is written.
    request.session["oauth_info"] = {"expires_at": time.time(), **answer}
    info = parse_huggingface_oauth(request)
    if info is None or not info.user_info.sub:
        return None
    name = info.user_info.preferred_username or info.user_info.name or "unnamed"
    return str(info.user_info.sub), str(name)[:_MOST_NAME]


def _let_in(request: Request, number: str, name: str, path: str) -> Response:
    actor = people.actor_of_external(portal_of(request).storage, f"huggingface:{number}"[:_MOST_NAME], name)
    return begin_session(request, actor, path)


def _not_reached(request: Request, error: Exception) -> Response:
    journal.failure("oauth", error, request_id=request.state.request_id)
    told = Problem(error="unreachable", message="Hugging Face cannot be reached just now", mend="log in by a token")
    return problem(request, 503, told)
