"""Browsers and programs that ask a portal, without a network between."""

from __future__ import annotations

import html
import re
from typing import Any

from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from scorekit.portal.ledger import people
from tests.portal.conftest import URL, token_of

CSRF = re.compile(r'name="csrf" value="([^"]*)"')


class Browser(TestClient):
    """A browser: it keeps cookies, follows no redirect by itself, and finds the csrf of a page.

    Args:
        app: the portal.
        base_url: where it thinks that the portal is.
        address: its own.
    """

    def __init__(self, app: FastAPI, base_url: str = URL, address: str = "192.0.2.7") -> None:
        super().__init__(app, base_url=base_url, follow_redirects=False, client=(address, 50000))
        self.asked = app

    def csrf_of(self, path: str) -> str:
        """The csrf of a form of a page."""
        found = CSRF.search(self.get(path).text)
        assert found is not None
        return html.unescape(found[1])

    def log_in(self, token: str, **fields: str) -> Response:
        """Log in by the form."""
        return self.post("/login", data={"csrf": self.csrf_of("/login"), "token": token, **fields})

    def log_in_as(self, role: people.Role, name: str | None = None) -> str:
        """Log in with a new account.

        Returns:
            Its token.
        """
        token = token_of(self.asked.state.portal, role, name)
        assert self.log_in(token).status_code == 303
        return token

    def send_form(self, path: str, **fields: str) -> Response:
        """Send a form with the csrf of this session."""
        return self.post(path, data={"csrf": self.csrf_of("/"), **fields})


def bearer(token: str) -> dict[str, str]:
    """The header of a program."""
    return {"Authorization": f"Bearer {token}"}


def cookies_of(response: Response) -> dict[str, dict[str, Any]]:
    """Cookies that an answer sets: by name, their value and attributes in small letters."""
    found: dict[str, dict[str, Any]] = {}
    for line in response.headers.get_list("set-cookie"):
        first, *rest = [part.strip() for part in line.split(";")]
        name, _, value = first.partition("=")
        attributes = {key.lower(): text.lower() for key, _, text in (part.partition("=") for part in rest)}
        found[name] = {"value": value.strip('"'), **attributes}
    return found
