"""The portal's API as tests call it: the application itself, in this process."""

from __future__ import annotations

import hashlib
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from scorekit.portal.ledger import people
from scorekit.portal.opened import Portal
from scorekit.portal.web.app import create_app
from scorekit.submission import CLAUSES
from tests.portal.conftest import URL, token_of

API = "/api/v1"
ALL = {clause.name: clause.sha256 for clause in CLAUSES}
OCTETS = {"Content-Type": "application/octet-stream"}
ZIP = {"Content-Type": "application/zip"}


class Caller:
    """Calls of one account; nothing is raised for what the portal answers.

    Args:
        app: the application.
        token: of the account; empty for nobody.
    """

    def __init__(self, app: FastAPI, token: str) -> None:
        self.token = token
        self.client = TestClient(app, base_url=URL.rstrip("/"), raise_server_exceptions=False)
        if token:
            self.client.headers["Authorization"] = f"Bearer {token}"

    def __call__(self, method: str, path: str, **more: Any) -> Any:
        """The answer."""
        return self.client.request(method, f"{API}{path}", **more)

    def announce(self, content: bytes) -> Any:
        """Announce a file; what the portal tells."""
        told = {"size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        return self("POST", "/uploads", json=told)

    def piece(self, upload_id: str, offset: int, data: bytes) -> Any:
        """Send a piece."""
        return self("PATCH", f"/uploads/{upload_id}", content=data, headers={"Upload-Offset": str(offset), **OCTETS})

    def complete(self, upload_id: str, **more: Any) -> Any:
        """Hand in an upload."""
        return self("POST", "/submissions", json={"upload": upload_id, "clauses": ALL, **more})

    def upload(self, content: bytes, **more: Any) -> Any:
        """Upload a file in two pieces, and hand it in."""
        upload_id = self.announce(content).json()["id"]
        half = len(content) // 2
        assert self.piece(upload_id, 0, content[:half]).status_code == 204
        assert self.piece(upload_id, half, content[half:]).status_code == 204
        return self.complete(upload_id, **more)

    def file(self, content: Any, **params: str) -> Any:
        """Hand in a file in one request."""
        return self("POST", "/submissions/file", content=content, params={**ALL, **params}, headers=ZIP)


def caller(portal: Portal, role: people.Role | None, app: FastAPI | None = None) -> Caller:
    """Calls of a new account of a role; None for nobody."""
    return Caller(app or create_app(portal), "" if role is None else token_of(portal, role))


def refused(answer: Any, status: int, code: str, *words: str) -> dict[str, Any]:
    """Whether an answer is a refusal, in the one shape that all have."""
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    assert set(found) == {"error", "message", "mend"}
    assert found["error"] == code
    assert found["message"]
    for word in words:
        assert word in f"{found['message']} {found['mend']}"
    return found
