"""A client beside a portal in this process, and a connection that a test disturbs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2

from scorekit.portal import client
from scorekit.portal.opened import Portal
from scorekit.portal.patience import Patience
from tests.portal.calling import API, Caller
from tests.unit.submission.made import ALL_CLAUSES

CONTENT = bytes(range(256)) * 100
NEAR = "http://127.0.0.1:8080/"


class Wire(httpx2.BaseTransport):
    """What is between client and portal: a portal in this process, and whatever a test does to the connection.

    Args:
        caller: of the portal.
        disturb: given each request before it is sent; what it returns is the answer, None leaves it to the portal.
        lose: says of each request whether its answer is lost on the way back.
    """

    def __init__(
        self,
        caller: Caller,
        disturb: Callable[[httpx2.Request], httpx2.Response | None] = lambda _: None,
        lose: Callable[[httpx2.Request], bool] = lambda _: False,
    ) -> None:
        self.caller = caller
        self.disturb = disturb
        self.lose = lose
        self.calls: list[str] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.calls.append(f"{request.method} {request.url.path.removeprefix(API)}")
        found = self.disturb(request)
        if found is not None:
            return found
        found = self.caller.client._transport.handle_request(request)
        if self.lose(request):
            # The portal has said it all: an answer that nobody took would keep it waiting, beside later tests too.
            found.read()
            raise httpx2.ReadError("connection reset")
        return found


class Naps(list[float]):
    """Waits that take no time."""

    def __call__(self, length_s: float) -> None:
        self.append(length_s)


def hand_in(wire: Wire, path: Path, **more: Any) -> client.HandedIn:
    facts: dict[str, Any] = {
        "check": False, "patience": Patience(sleep=Naps()), "piece_bytes": 5000, "transport": wire,
    }  # fmt: skip
    return client.submit(path, NEAR, wire.caller.token, ALL_CLAUSES, **facts | more)


def kept(portal: Portal) -> bytes:
    """The one blob that there is."""
    (name,) = portal.storage.blobs.names()
    with portal.storage.blobs.open(name) as blob:
        found: bytes = blob.read()
    return found
