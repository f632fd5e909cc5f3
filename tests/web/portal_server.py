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
from typing import Any

import uvicorn
from playwright.sync_api import Browser, Page

from scorekit.portal import opened
from scorekit.portal.ledger import people
from scorekit.portal.ledger.people import Actor
from scorekit.portal.opened import Portal
from scorekit.portal.settings import settings
from scorekit.portal.web.access import COOKIE
from scorekit.portal.web.app import create_app
from tests.web.conftest import watched

_LONGEST_START_S = 60.0
_ANSWERED = "console: Failed to load resource: the server responded with a status of 4"


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
                assert thread.is_alive(), "the server ended"
                assert time.monotonic() - began < _LONGEST_START_S, "the server did not start"
                time.sleep(0.01)
            yield Running(portal, url)
        finally:
            server.should_exit = True
            thread.join(_LONGEST_START_S)
            portal.close()


@contextmanager
def visiting(browser: Browser, place: Running, actor: Actor | None = None, **how: Any) -> Iterator[Page]:
    """A page of a browser in which somebody is logged in; its end fails on whatever no page may do.

    Args:
        browser: that opens it.
        place: the portal.
        actor: who is logged in; None for nobody.
        how: as `watched` has it.
    """
    with watched(browser, f"{place.url}/", **how) as (page, complaints):
        if actor is not None:
            page.context.add_cookies([{"name": COOKIE, "value": place.session(actor), "url": place.url}])
        yield page
        if how.get("scripts", True):
            complaints += page.evaluate("window.policyViolations || []")
        # The browser logs the status of a page that tells what is wrong; that is what it is for.
        assert [told for told in complaints if not told.startswith(_ANSWERED)] == []
