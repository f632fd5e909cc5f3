"""Whatever breaks between client and portal, it goes on where it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from scorekit.portal import client
from scorekit.portal.ledger import uploads
from scorekit.portal.ledger.appending import appending
from scorekit.portal.opened import Portal
from scorekit.portal.patience import BreakError, Patience
from tests.portal.calling import API, Caller, caller
from tests.portal.submit_client.wire import CONTENT, Naps, Wire, hand_in, kept


def test_it_is_handed_in(portal: Portal, ada: Caller, path: Path) -> None:
    seen: list[tuple[int, int]] = []
    handed = hand_in(Wire(ada), path, progress=lambda done, size: seen.append((done, size)))
    assert (handed.state, handed.was_known, handed.sent_bytes) == ("received", False, len(CONTENT))
    assert handed.page == f"{portal.settings.public_url}submissions/{handed.id}"
    assert kept(portal) == CONTENT
    assert seen == [(min(done, len(CONTENT)), len(CONTENT)) for done in range(0, len(CONTENT) + 5000, 5000)]
    again = Wire(ada)
    assert hand_in(again, path) == client.HandedIn(
        handed.id, handed.page, "received", None, handed.answer, was_known=True, sent_bytes=0
    )
    assert not any("uploads" in call for call in again.calls), "what is known is not sent again"


def every_third() -> Callable[[Any], bool]:
    counted = iter(range(10_000))
    return lambda _: next(counted) % 3 == 1


def test_connections_that_break_before_and_behind_the_portal(portal: Portal, ada: Caller, path: Path) -> None:
    before, naps = every_third(), Naps()

    def disturb(request: httpx2.Request) -> None:
        if before(request):
            raise httpx2.ConnectError("refused")

    told: list[str] = []
    wire = Wire(ada, disturb, every_third())
    handed = hand_in(wire, path, patience=Patience(sleep=naps), tell=told.append)
    assert handed.state == "received"
    assert kept(portal) == CONTENT
    assert ada("GET", "/submissions").json()["total"] == 1
    assert naps
    assert len(told) == len(naps)
    assert all("trying again" in line for line in told)


def test_every_single_answer_may_be_lost(portal: Portal, path: Path) -> None:
    whole = Wire(caller(portal, "submitter"))
    hand_in(whole, path)
    for lost in range(len(whole.calls)):
        counted = iter(range(10_000))
        wire = Wire(caller(portal, "submitter"), lose=lambda _, c=counted, n=lost: next(c) == n)
        handed = hand_in(wire, path)
        assert handed.state == "received", whole.calls[lost]
        assert wire.caller("GET", "/submissions").json()["total"] == 1


def test_a_piece_that_came_in_part_goes_on_from_there(portal: Portal, ada: Caller, path: Path) -> None:
    upload = ada.announce(CONTENT).json()["id"]
    ada.piece(upload, 0, CONTENT[:7777])
    wire = Wire(ada)
    handed = hand_in(wire, path)
    assert handed.sent_bytes == len(CONTENT) - 7777
    assert kept(portal) == CONTENT


def test_a_portal_that_ended_while_it_took_the_file_in(portal: Portal, ada: Caller, path: Path) -> None:
    # The blob is stored, and nothing in the database says so: the part is gone, and the upload is open.
    gone: list[str] = []

    def disturb(request: httpx2.Request) -> httpx2.Response | None:
        if request.url.path.endswith("/submissions") and request.method == "POST" and not gone:
            (part,) = portal.settings.parts.iterdir()
            portal.storage.blobs.put(part, hashlib.sha256(CONTENT).hexdigest())
            gone.append(part.stem)
            raise httpx2.RemoteProtocolError("server disconnected")
        return None

    handed = hand_in(Wire(ada, disturb), path)
    assert gone
    assert (handed.state, handed.sent_bytes) == ("received", 2 * len(CONTENT))
    assert kept(portal) == CONTENT
    assert uploads.find(portal.storage, portal.settings.parts, _actor(portal, ada), gone[0]).state == "complete"


def test_an_upload_that_was_given_up_meanwhile_begins_anew(portal: Portal, ada: Caller, path: Path) -> None:
    pieces = iter(range(100))

    def disturb(request: httpx2.Request) -> httpx2.Response | None:
        if request.method == "PATCH" and next(pieces) == 2:
            ada("DELETE", request.url.path.removeprefix(API))
        return None

    assert hand_in(Wire(ada, disturb), path).state == "received"
    assert kept(portal) == CONTENT


def test_another_sender_of_the_same_file_is_waited_for(portal: Portal, ada: Caller, path: Path) -> None:
    told = ada.announce(CONTENT).json()
    holding = appending(
        portal.settings.parts, uploads.Upload(told["id"], "", len(CONTENT), told["sha256"], "open", 0), 0
    )
    holding.__enter__()
    naps: list[float] = []

    def nap(length_s: float) -> None:
        naps.append(length_s)
        if len(naps) == 3:
            holding.__exit__(None, None, None)

    assert hand_in(Wire(ada), path, patience=Patience(sleep=nap)).state == "received"
    assert len(naps) == 3


def test_patience_has_an_end_and_waits_grow(ada: Caller, path: Path) -> None:
    naps = Naps()

    def disturb(_: httpx2.Request) -> httpx2.Response | None:
        raise httpx2.ConnectError("refused")

    told: list[str] = []
    patience = Patience(tries=6, first_wait_s=1, longest_wait_s=5, sleep=naps)
    with pytest.raises(BreakError, match=r"cannot be reached.*refused") as caught:
        hand_in(Wire(ada, disturb), path, patience=patience, tell=told.append)
    assert told[0].endswith(" s (try 2 of 6, for about 17 s in all)")
    assert all(line.endswith(f" s (try {number} of 6)") for number, line in enumerate(told[1:], start=3))
    assert all(f"trying again in {nap:.1f} s" in line for nap, line in zip(naps, told, strict=True))
    assert "start the same command again" in (caught.value.mend or "")
    assert len(naps) == 5
    assert [round(nap / top, 6) <= 1 for nap, top in zip(naps, (1, 2, 4, 5, 5), strict=True)] == [True] * 5
    assert all(nap >= 0.7 * top for nap, top in zip(naps, (1, 2, 4, 5, 5), strict=True))


def test_a_portal_that_never_answered_is_tried_for_seconds_alone(ada: Caller, path: Path) -> None:
    naps, told = Naps(), list[str]()

    def disturb(_: httpx2.Request) -> httpx2.Response | None:
        raise httpx2.ConnectError("refused")

    with pytest.raises(BreakError, match="refused"):
        hand_in(Wire(ada, disturb), path, patience=replace(client.PATIENCE, sleep=naps), tell=told.append)
    assert told[0].endswith(" s (try 2 of 6, for about 16 s in all); look at --portal; Ctrl-C ends it")
    assert not any("--portal" in line for line in told[1:])
    assert len(naps) == 5
    assert 10 < sum(naps) <= 15.5


@pytest.mark.parametrize("first", ["busy", "done"])
def test_after_one_answer_the_whole_patience_holds(ada: Caller, path: Path, first: str) -> None:
    # It refuses connections, answers once, and refuses them for as long as the whole patience just bears.
    naps, told, number = Naps(), list[str](), iter(range(1, 100))

    def disturb(_: httpx2.Request) -> httpx2.Response | None:
        at = next(number)
        if at == 3:
            return answer(503) if first == "busy" else None
        if at < 3 + client.PATIENCE.tries - (first == "busy"):
            raise httpx2.ConnectError("refused")
        return None

    handed = hand_in(Wire(ada, disturb), path, patience=replace(client.PATIENCE, sleep=naps), tell=told.append)
    assert handed.state == "received"
    assert [line.endswith("Ctrl-C ends it") for line in told] == [True, *[False] * (len(told) - 1)]
    assert len(naps) == 2 + client.PATIENCE.tries - 1
    assert f"(try 10 of {client.PATIENCE.tries})" in told[-1]


def answer(status: int, told: Any = None, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, json=told, headers={name.replace("_", "-"): text for name, text in headers.items()})


def test_retry_after_is_honoured_within_bounds(ada: Caller, path: Path) -> None:
    busy = {"error": "too_many_requests", "message": "too many requests", "mend": "try again in 7 s"}
    first = iter([answer(429, busy, Retry_After="7"), answer(503, None, Retry_After="3"), answer(502), answer(500)])
    naps = Naps()
    assert hand_in(Wire(ada, lambda _: next(first, None)), path, patience=Patience(sleep=naps)).state == "received"
    assert naps[0] == 7
    assert naps[1] == 3
    with pytest.raises(BreakError, match="too many requests"):
        hand_in(Wire(ada, lambda _: answer(429, busy, Retry_After="86400")), path)


def _actor(portal: Portal, ada: Caller) -> Any:
    from scorekit.portal.ledger import people

    return people.actor_of_token(portal.storage, ada.token)
