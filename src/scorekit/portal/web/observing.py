"""Every request gets a number, a line in the journal and a place in the metrics; what nobody expected becomes a 500."""

from __future__ import annotations

import secrets
import time
from typing import Final

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scorekit.portal import journal, metrics
from scorekit.portal.web.addresses import API, OPENAPI, route_path
from scorekit.portal.web.answers import UNEXPECTED, problem
from scorekit.portal.web.bodies import takes_file

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""All others are one, or a stranger could make as many as there are words."""
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LEFT: Final = 499
"""Told of a client that left before its answer began; a number that proxies use too."""


class ObserveMiddleware:
    """Nothing goes by it, and no error goes beyond it; only the headers stand around it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and tell of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        began = time.perf_counter()
        status = _LEFT
        come_bytes = 0

        async def counted() -> Message:
            nonlocal come_bytes
            message = await receive()
            come_bytes += len(message.get("body", b""))
            return message

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], (b"x-request-id", request_id.encode())]}
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except Exception as error:  # noqa: BLE001 - the last place where anything can be said about it
            journal.failure("unexpected", error, request_id=request_id)
            if status == _LEFT:
                await problem(Request(scope), 500, UNEXPECTED)(scope, receive, noted)
        finally:
            if scope["method"] not in _READING and status < 400:
                _wake(scope)
            if takes_file(scope):
                metrics.UPLOAD_BYTES.inc(come_bytes)
            duration_s = time.perf_counter() - began
            method = scope["method"] if scope["method"] in _METHODS else "other"
            route = _template(scope)
            metrics.requested(method, route, status, duration_s)
            journal.tell(
                "request", request=request_id, method=method, route=route, status=status,
                duration_ms=round(duration_s * 1000, 1),
            )  # fmt: skip


def _wake(scope: Scope) -> None:
    """Something came in or was decided: what works beside the server need not find it by looking."""
    background = getattr(scope["app"].state, "background", None)
    if background is not None:
        background.wake()


def _template(scope: Scope) -> str:
    """The route as it is written, never with what stands in it."""
    path = getattr(scope.get("route"), "path", None)
    if not isinstance(path, str):
        return OPENAPI if route_path(scope) == OPENAPI else "none"
    # A router's route does not know below which path the router stands.
    return f"{API}{path}" if route_path(scope).startswith(f"{API}/") and not path.startswith(f"{API}/") else path
