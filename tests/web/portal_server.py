"""A portal that runs for browser tests: a server in a thread, a database in a file, and people who are let in."""

from __future__ import annotations

import datetime
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from scorekit.portal import opened
from scorekit.portal.ledger import people
from scorekit.portal.ledger.people import Actor
from scorekit.portal.opened import Portal
from scorekit.portal.settings import settings
from scorekit.portal.web.app import create_app

_LONGEST_START_S = 60.0


@dataclass
class Running:
    """A portal that answers.

    Attributes:
        portal: the same, from within.
        url: its address, without a slash at its end.
    """

    portal: Portal
    url: str

    def actor(self, role: people.Role, name: str) -> Actor:
        """A new account, let in."""
        found = people.actor_of_token(self.portal.storage, self.token(role, name))
        assert found is not None
        return found

    def token(self, role: people.Role, name: str) -> str:
        """The token of a new account."""
        account = people.make_account(self.portal.storage, name, role)
        return people.make_token(self.portal.storage, account, "browser", datetime.timedelta(days=1)).secret

    def session(self, actor: Actor) -> str:
        """What the cookie of a browser holds that has logged in."""
        return people.open_session(self.portal.storage, actor).secret


@contextmanager
def running(data: Path) -> Iterator[Running]:
    """A portal in a folder, at a free port of this machine, until the block ends."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        wanted = settings(data, public_url=url, requests_a_minute=100_000, environment={})
        opened.migrate(wanted)
        portal = Portal.open(wanted)
        server = uvicorn.Server(uvicorn.Config(create_app(portal), log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            began = time.monotonic()
            while not server.started:
                assert thread.is_alive() and time.monotonic() - began < _LONGEST_START_S, "the server did not start"
                time.sleep(0.01)
            yield Running(portal, url)
        finally:
            server.should_exit = True
            thread.join(_LONGEST_START_S)
            portal.close()
