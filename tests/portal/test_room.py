"""How much one account may hand in, and what of the disk stays free."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scorekit.portal.ledger import arriving, requests, room, submissions
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.refusals import TooMuchError
from scorekit.portal.ledger.submissions import Submission
from scorekit.portal.opened import Portal
from scorekit.portal.web.app import create_app
from tests.portal.browsing import Browser
from tests.portal.calling import ALL, Caller, caller, refused
from tests.portal.conftest import Clock
from tests.portal.test_at_once import at_once


@pytest.fixture
def ada(portal: Portal) -> Caller:
    """Who may hand in 1,000 bytes a day."""
    narrow = replace(portal, settings=replace(portal.settings, account_bytes_a_day=1000))
    return caller(narrow, "submitter", create_app(narrow))


def test_an_account_hands_in_so_much_a_day(ada: Caller, clock: Clock) -> None:
    first = ada.announce(b"x" * 600).json()["id"]
    refused(ada.announce(b"y" * 401), 413, "too_much", "600 bytes since this time yesterday")
    refused(ada.file(b"y" * 401), 413, "too_much", "more than the 1,000")
    assert ada.announce(b"x" * 600).json()["id"] == first, "what was announced goes on"
    assert ada.piece(first, 0, b"x" * 600).status_code == 204
    assert ada.complete(first).status_code == 201
    refused(ada.file(b"y" * 401), 413, "too_much", "600 bytes since this time yesterday")
    assert ada.file(b"y" * 400).status_code == 201
    refused(ada.announce(b"z"), 413, "too_much")
    clock.advance(hours=24, seconds=1)
    assert ada.announce(b"z" * 1000).status_code == 201


def test_what_comes_at_once_counts_from_its_beginning(ada: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    receive = submissions.receive
    meanwhile: list[Any] = []

    def receive_beside_others(*facts: Any, **more: Any) -> Submission:
        if not meanwhile:
            meanwhile.append(None)
            meanwhile[:] = [ada.file(b"y" * 401), ada.announce(b"y" * 401), ada.file(b"y" * 400)]
        return receive(*facts, **more)

    monkeypatch.setattr(submissions, "receive", receive_beside_others)
    assert ada.file(b"x" * 600).status_code == 201
    for answer in meanwhile[:2]:
        refused(answer, 413, "too_much", "600 bytes since this time yesterday")
    assert meanwhile[2].status_code == 201
    refused(ada.file(b"z"), 413, "too_much", "1,000 bytes since this time yesterday")


def test_what_does_not_come_to_its_end_counts_no_more(ada: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ConnectionError("the power is gone")

    with monkeypatch.context() as patched:
        patched.setattr(submissions, "receive", fail)
        assert ada.file(b"x" * 1000).status_code == 503
    for params, status in (({"sha256": "0" * 64}, 422), ({"sha256": "none"}, 422), ({"integrity": "0" * 64}, 422)):
        assert ada.file(b"x" * 1000, **params).status_code == status
    octets = ada("POST", "/submissions/file", content=b"x" * 1000, params=ALL, headers={"Content-Type": "text/plain"})
    assert octets.status_code == 415
    assert ada.file(b"x" * 1000).status_code == 201


def test_of_many_that_begin_at_once_as_many_as_may(portal: Portal, submitter: Actor) -> None:
    def begin() -> arriving.Coming | None:
        try:
            return arriving.begin(portal.storage, submitter.account_id, 300, 1000)
        except TooMuchError:
            return None

    begun = [one for one in at_once(*[begin] * 8) if one is not None]
    assert (len(begun), arriving.coming_bytes(submitter.account_id)) == (3, 900)
    for one in begun:
        one.end()
        one.end()
    assert arriving.coming_bytes(submitter.account_id) == 0


def test_a_form_counts_while_it_comes(portal: Portal) -> None:
    narrow = replace(portal, settings=replace(portal.settings, account_bytes_a_day=3000))
    with Browser(create_app(narrow)) as browser:
        browser.log_in_as("submitter")
        for content, status in ((b"x" * 1500, 303), (b"y" * 2000, 413), (b"z" * 100, 303)):
            fields = {"csrf": browser.csrf_of("/submit"), **ALL}
            sent = browser.post("/submit", data=fields, files={"submission": ("a.zip", content, "application/zip")})
            assert sent.status_code == status


def test_of_another_account_nothing_is_counted(portal: Portal, ada: Caller) -> None:
    assert ada.announce(b"x" * 1000).status_code == 201
    assert caller(portal, "submitter").file(b"y" * 1000).status_code == 201


def test_a_disk_that_is_nearly_full_takes_no_upload(
    portal: Portal, ada: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = ada.announce(b"x" * 600).json()["id"]
    assert ada.piece(upload, 0, b"x" * 300).status_code == 204
    with monkeypatch.context() as patched:
        patched.setattr(room, "LEAST_FREE_BYTES", 2**62)
        refused(ada.piece(upload, 300, b"x" * 300), 503, "unreachable")
        refused(ada.file(b"y"), 503, "unreachable")
        assert [path.stem for path in portal.settings.parts.iterdir()] == [upload]
    assert ada("GET", f"/uploads/{upload}").json()["offset"] == 300
    assert ada.piece(upload, 300, b"x" * 300).status_code == 204
    assert ada.complete(upload).status_code == 201


def test_an_account_asks_for_so_much(portal: Portal, submitter: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "MOST_WAITING", 1)
    first = requests.ask(portal.storage, submitter, "org/model", "text_generation", model_class="A")
    with pytest.raises(TooMuchError, match="1 of your requests wait"):
        requests.ask(portal.storage, submitter, "org/other", "text_generation", model_class="A")
    again = requests.ask(portal.storage, submitter, "org/model", "text_generation", model_class="A")
    assert again.id == first.id
