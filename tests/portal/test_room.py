"""How much one account may hand in, and what of the disk stays free."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scorekit.portal.ledger import requests, room
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.refusals import TooMuchError
from scorekit.portal.opened import Portal
from scorekit.portal.web.app import create_app
from tests.portal.calling import Caller, caller, refused
from tests.portal.conftest import Clock


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
