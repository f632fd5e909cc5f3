"""Headers of every answer: what a browser may do with it, and with which host's name it may be asked for at all."""

from __future__ import annotations

from typing import Final

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scorekit.portal.settings import Settings
from scorekit.portal.web.addresses import host_of, is_api, root_of, route_path
from scorekit.portal.web.answers import Problem, problem
from scorekit.publish.site import files

PAGES_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
API_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_FEATURES: Final = (
    "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer", "microphone", "midi",
    "payment", "usb",
)  # fmt: skip
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
_YEAR_S: Final = 365 * 24 * 3600


class HeaderMiddleware:
    """Adds the headers to every answer; stands outermost."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._root = root_of(settings)
        self._everywhere = {
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _FEATURES),
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        if settings.is_secure:
            self._everywhere["Strict-Transport-Security"] = f"max-age={_YEAR_S}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Whether or not what stands before the portal took it away from the path.
        scope["root_path"] = self._root
        is_site = route_path(scope).startswith("/site/")
        policy = API_POLICY if is_api(scope) else files.POLICY if is_site else PAGES_POLICY

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._everywhere.items():
                    headers[name] = value
                # Labels are made to be shown on other sites; nothing else is.
                headers["Cross-Origin-Resource-Policy"] = "cross-origin" if is_site else "same-origin"
                headers.setdefault("Content-Security-Policy", policy)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers)


class HostMiddleware:
    """Refuses a host's name that is neither the portal's nor the loopback's: another's that was made to lead here."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        host = host_of(settings)
        self._hosts = _LOOPBACK | {f"[{host}]" if ":" in host else host}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] == "http" and not self._is_ours(scope):
            told = Problem(error="wrong_host", message="this host's name is not the portal's", mend="use its own name")
            await problem(Request(scope, receive), 400, told)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        named = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"]
        if len(named) != 1:
            return False
        host, _, port = named[0].rpartition(":")
        return (host if port.isdecimal() and host else named[0]) in self._hosts
