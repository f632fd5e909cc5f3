"""A portal for pictures: a server in a thread of this process, in a folder of its own, until the block ends."""

from __future__ import annotations

import datetime
import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn

from scorekit.portal import opened
from scorekit.portal.ledger import people
from scorekit.portal.opened import Portal
from scorekit.portal.settings import settings
from scorekit.portal.web.access import COOKIE
from scorekit.portal.web.app import create_app

_PATIENCE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Visited:
    """A portal that answers.

    Attributes:
        url: its address, without a slash at its end.
        cookie: name and value by which a submitter, who is made up, is logged in.
    """

    url: str
    cookie: tuple[str, str]


@contextmanager
def running(data: Path) -> Iterator[Visited]:
    """A portal in a new folder, at a free port of this machine."""
    # Its journal is for operators.
    with socket.socket() as listening, redirect_stderr(io.StringIO()):
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        wanted = settings(data, public_url=url, environment={})
        opened.migrate(wanted)
        portal = Portal.open(wanted)
        started = threading.Event()

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                started.set()

        server = Server(uvicorn.Config(create_app(portal), log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            if not started.wait(_PATIENCE_S):
                raise TimeoutError("the portal for pictures did not start")
            account = people.make_account(portal.storage, "Ada Lovelace", "submitter")
            token = people.make_token(portal.storage, account, "pictures", datetime.timedelta(days=1))
            actor = people.actor_of_token(portal.storage, token.secret)
            if actor is None:
                raise RuntimeError("a new token lets nobody in")
            yield Visited(url, (COOKIE, people.open_session(portal.storage, actor).secret))
        finally:
            server.should_exit = True
            thread.join(_PATIENCE_S)
            portal.close()
