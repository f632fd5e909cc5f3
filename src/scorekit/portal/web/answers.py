"""Why something was not done, as an answer: JSON for programs, a page for people, and nothing of what is inside.

NoLoginError       401   TooMuchError        413
NotAllowedError    403   WrongContentError   422
NotThereError      404   TooManyError        429
TooSlowError       408   TooManyJobsError    429
TooLateError       409   what cannot be kept
                         or reached          503
"""

from __future__ import annotations

import math
import urllib.parse
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from sqlalchemy.exc import InterfaceError, OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from scorekit.errors import BundleError, InputError
from scorekit.portal import journal
from scorekit.portal.ledger.refusals import (
    NotAllowedError,
    NotThereError,
    RefusalError,
    TooLateError,
    TooManyJobsError,
    TooMuchError,
    WrongContentError,
)
from scorekit.portal.web.addresses import is_api, route_path
from scorekit.portal.web.rendering import redirect, render


class NoLoginError(RefusalError):
    """Nobody is logged in, or the token does not hold."""


class TooManyError(RefusalError):
    """One address asks too often.

    Args:
        wait_s: after which it may ask again.
    """

    def __init__(self, wait_s: float) -> None:
        self.wait_s = max(1, math.ceil(wait_s))
        super().__init__("there were too many requests from this address", mend=f"try again in {self.wait_s} s")


class TooSlowError(RefusalError):
    """Nothing more of a request comes, or too slowly."""

    def __init__(self) -> None:
        super().__init__("nothing more came, or too little", mend="try again, by a connection that holds")


class Problem(BaseModel):
    """Why something was not done.

    Attributes:
        error: short name of it.
        message: what was expected and what was found.
        mend: the next thing to do.
    """

    error: str
    message: str
    mend: str | None = None


_REFUSED: Final[dict[type[RefusalError], tuple[int, str]]] = {
    NoLoginError: (401, "no_login"),
    NotAllowedError: (403, "not_allowed"),
    NotThereError: (404, "not_there"),
    TooSlowError: (408, "too_slow"),
    TooLateError: (409, "too_late"),
    TooMuchError: (413, "too_much"),
    WrongContentError: (422, "wrong_content"),
    TooManyError: (429, "too_many_requests"),
    TooManyJobsError: (429, "too_many_jobs"),
}
_OTHERS: Final = {400: "wrong_request", 404: "not_there", 405: "wrong_method", 413: "too_much", 415: "wrong_content"}
_TITLES: Final = {
    401: "You are not logged in", 403: "Not allowed", 404: "There is no such page", 408: "Too slow",
    409: "Too late", 413: "Too much", 422: "Something is wrong in what was sent", 429: "Too many requests",
    500: "Something went wrong", 503: "Not just now",
}  # fmt: skip
"""What heads the page for people."""
PROBLEMS: Final[dict[int | str, dict[str, object]]] = {
    status: {"model": Problem, "description": HTTPStatus(status).phrase}
    for status in (400, 401, 403, 404, 409, 413, 422, 429, 503)
}
"""Answers that every route of the API may give, for its description."""
UNREACHABLE: Final = Problem(
    error="unreachable",
    message="the portal cannot reach what it keeps just now; nothing was lost",
    mend="try again in a minute",
)
UNEXPECTED: Final = Problem(
    error="unexpected",
    message="something went wrong in the portal, and its operator can read what",
    mend="try again; tell the operator the request's number, if it stays so",
)


def install(app: FastAPI) -> None:
    """Let every error of a route be answered so."""
    app.add_exception_handler(RefusalError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _of_framework)
    app.add_exception_handler(ClientDisconnect, _gone)
    for kind in (InputError, BundleError, OperationalError, InterfaceError):
        app.add_exception_handler(kind, _unreachable)


def refusal(request: Request, error: RefusalError) -> Response:
    """The answer to a refusal."""
    status, code = next(
        (found for kind in type(error).__mro__ if (found := _REFUSED.get(kind))),
        (HTTPStatus.BAD_REQUEST.value, "refused"),
    )
    if isinstance(error, NoLoginError) and not is_api(request.scope) and request.method in {"GET", "HEAD"}:
        query = f"?{request.url.query}" if request.url.query else ""
        wanted = urllib.parse.quote(f"{route_path(request.scope)}{query}", safe="/")
        return redirect(request, f"/login?next={wanted}")
    headers = {}
    if isinstance(error, TooManyError):
        headers["Retry-After"] = str(error.wait_s)
    if isinstance(error, NoLoginError):
        headers["WWW-Authenticate"] = "Bearer"
    return problem(request, status, Problem(error=code, message=error.message, mend=error.mend), headers)


def problem(request: Request, status: int, told: Problem, headers: dict[str, str] | None = None) -> Response:
    """A problem as an answer: JSON for a program, a page for people."""
    answer: Response
    if is_api(request.scope):
        answer = JSONResponse(told.model_dump(), status)
    else:
        answer = render(
            request, "refusal.html", status=status, title=_TITLES.get(status, HTTPStatus(status).phrase), code=status,
            problem=told,
            request_id=getattr(request.state, "request_id", ""),
        )  # fmt: skip
    answer.headers.update(headers or {})
    return answer


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusalError)
    return refusal(request, error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem(request, 422, Problem(error="wrong_content", message=_places(error), mend=_SEE))


async def _of_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, RefusalError):
        # What the framework makes of a body that was cut off while it was read.
        return refusal(request, error.__cause__)
    if isinstance(error.__cause__, ClientDisconnect):
        return await _gone(request, error)
    code = _OTHERS.get(error.status_code, "wrong_request")
    if error.status_code == 404:
        told = Problem(
            error=code,
            message="there is nothing at this address",
            mend="look for a slip in the address, or begin at the first page",
        )
    else:
        told = Problem(error=code, message=str(error.detail)[:300], mend=_SEE if is_api(request.scope) else None)
    return problem(request, error.status_code, told, dict(error.headers or {}))


async def _unreachable(request: Request, error: Exception) -> Response:
    journal.failure("unreachable", error, request_id=getattr(request.state, "request_id", ""), tell_message=True)
    return problem(request, 503, UNREACHABLE, {"Retry-After": "60"})


async def _gone(_request: Request, _error: Exception) -> Response:
    # Nobody reads it; it says in the log that this was no fault of ours.
    return Response(status_code=400)


_SEE: Final = "see the description of the API: /api/v1/openapi.json"


def _places(error: RequestValidationError) -> str:
    """What is wrong with a request, and where; never what was sent."""
    told = [
        f"{'.'.join(str(part) for part in found['loc'])[:100]}: {found['msg'][:200]}" for found in error.errors()[:5]
    ]
    return "; ".join(told) or "the request is not of the expected form"
