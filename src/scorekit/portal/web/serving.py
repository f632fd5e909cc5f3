"""One process that serves a portal: uvicorn, with the work in the background beside it, until it is asked to stop."""

from __future__ import annotations

import asyncio
import importlib
import logging
import re
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from scorekit.errors import UsageError
from scorekit.portal import journal
from scorekit.portal.opened import Portal
from scorekit.portal.settings import Settings
from scorekit.portal.web.app import create_app

MOST_CONNECTIONS: Final = 512
HEADERS_S: Final = 15.0
"""In which all headers of a request must have come."""
KEEP_ALIVE_S: Final = 15
_SHUTDOWN_S: Final = 25
_BACKLOG: Final = 256
_ANY_PORT: Final = re.compile(r"^(https?://[^/]+:)0/")
_LARGEST_HEADERS_BYTES: Final = 32 * 1024


def serve(settings: Settings, host: str, port: int, *, background: bool = True) -> None:
    """Serve a portal until SIGTERM or Ctrl-C; requests that are on their way are answered first.

    Args:
        settings: how it is set up; `scorekit portal migrate` made its database.
        host: address to listen at.
        port: 0 for any that is free.
        background: whether submissions are checked and published by this process too.

    Raises:
        UsageError: the port cannot be had, the database is missing, or of another version.
        InputError: the database cannot be reached.
    """
    with _listen(host, port) as listening:
        known = _known_as(settings, listening.getsockname()[1])
        with Portal.open(known) as portal:
            _announce(known, listening)
            _take_over_logging()
            server = Server(config(create_app(portal, lifespan=_lifespan(portal, background))))
            server.run(sockets=[listening])
    if not server.started:
        raise UsageError("the portal did not start", mend="read the lines above")


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that waits for the headers of a request only so long; uvicorn's own would wait for ever."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Go on to wait while the headers are not whole."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._end_wait()
        elif self._waiting is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing comes any more."""
        self._end_wait()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(HEADERS_S, self.transport.close)

    def _end_wait(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


class Server(uvicorn.Server):
    """Ends where it is asked to, and is done then; uvicorn's own would die of the signal after all."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals that ask to end, while it runs."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def config(app: FastAPI) -> uvicorn.Config:
    """How uvicorn serves: so many connections at most, so long at most, and without telling what it is."""
    return uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        # Who asks is found out in limits.py, from proxies that the operator named.
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        backlog=_BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=_SHUTDOWN_S,
        h11_max_incomplete_event_size=_LARGEST_HEADERS_BYTES,
    )


def _lifespan(portal: Portal, background: bool) -> Any:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        running = None
        if background:
            module = importlib.import_module("scorekit.portal.background")
            running = app.state.background = await asyncio.to_thread(module.start, portal)
        journal.tell("started")
        try:
            yield
        finally:
            if running is not None:
                await asyncio.to_thread(running.stop)
            journal.tell("stopped")

    return lifespan


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise UsageError(f"{port} is no port", mend="choose one with --port 8080")
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        made = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise UsageError(
            f"{host}, port {port} cannot be had: {error.strerror or error}", mend="choose others with --host and --port"
        ) from error
    return made


def _known_as(settings: Settings, port: int) -> Settings:
    """The settings with the port that was found, where the address says that any will do."""
    return replace(settings, public_url=_ANY_PORT.sub(rf"\g<1>{port}/", settings.public_url))


def _announce(settings: Settings, listening: socket.socket) -> None:
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    sys.stderr.write(
        f"The portal listens at http://{shown}:{port}/ and is known as {settings.public_url}\n"
        f"To get in: scorekit portal token make --data {settings.data} --name YOU --role operator\n"
    )
    sys.stderr.flush()


def _take_over_logging() -> None:
    """What libraries log goes to the journal, without what they put into their messages."""
    root = logging.getLogger()
    root.handlers[:] = [journal.Handler()]
    root.setLevel(logging.WARNING)
