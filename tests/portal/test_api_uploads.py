"""Uploads in pieces, as programs see them."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from scorekit.portal.ledger import holding, uploads
from scorekit.portal.ledger.appending import Appending, appending
from scorekit.portal.ledger.refusals import TooLateError
from scorekit.portal.opened import Portal
from scorekit.portal.storage import Storage
from scorekit.portal.web.api import receiving
from scorekit.portal.web.api import submissions as api_submissions
from scorekit.portal.web.api.uploads import MOST_PIECE_BYTES
from scorekit.portal.web.app import create_app
from tests.portal.calling import OCTETS, Caller, caller, refused

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What the ledger does in either database has tests of its own."""
    return sqlite_url


def test_pieces_make_the_file(portal: Portal, ada: Caller) -> None:
    told = ada.announce(CONTENT)
    assert told.status_code == 201
    assert told.headers["Upload-Offset"] == "0"
    upload = told.json()["id"]
    for start in range(0, len(CONTENT), 3000):
        sent = ada.piece(upload, start, CONTENT[start : start + 3000])
        assert sent.status_code == 204
        assert sent.headers["Upload-Offset"] == str(min(start + 3000, len(CONTENT)))
        assert ada("GET", f"/uploads/{upload}").json()["offset"] == min(start + 3000, len(CONTENT))
    done = ada.complete(upload)
    assert done.status_code == 201
    assert done.json()["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    with portal.storage.blobs.open(done.json()["sha256"]) as blob:
        assert blob.read() == CONTENT
    assert list(portal.settings.parts.iterdir()) == []
    assert ada("GET", f"/uploads/{upload}").json()["state"] == "complete"


def test_handed_in_twice_it_is_one_submission(ada: Caller) -> None:
    first = ada.upload(CONTENT)
    upload = ada.announce(CONTENT).json()["id"]
    ada.piece(upload, 0, CONTENT)
    again = ada.complete(upload)
    assert again.status_code == ada.complete(upload).status_code == 201
    assert first.json()["id"] == again.json()["id"] == ada.complete(upload).json()["id"]
    assert ada("GET", "/submissions").json()["total"] == 1


def test_a_wrong_offset_is_told_the_right_one(ada: Caller) -> None:
    upload = ada.announce(CONTENT).json()["id"]
    ada.piece(upload, 0, CONTENT[:100])
    for offset in (0, 99, 101, len(CONTENT)):
        answer = ada.piece(upload, offset, CONTENT[:10])
        refused(answer, 409, "too_late", "100")
        assert answer.headers["Upload-Offset"] == "100"
    assert ada("GET", f"/uploads/{upload}").json()["offset"] == 100


def test_announced_again_it_goes_on(portal: Portal, ada: Caller) -> None:
    upload = ada.announce(CONTENT).json()["id"]
    ada.piece(upload, 0, CONTENT[:100])
    again = ada.announce(CONTENT).json()
    assert (again["id"], again["offset"]) == (upload, 100)
    other = caller(portal, "submitter")
    assert other.announce(CONTENT).json()["offset"] == 0


def test_more_than_was_announced_is_refused_and_the_rest_may_follow(ada: Caller) -> None:
    upload = ada.announce(CONTENT).json()["id"]
    refused(ada.piece(upload, 0, CONTENT + b"x"), 413, "too_much")
    assert ada("GET", f"/uploads/{upload}").json()["offset"] in (0, len(CONTENT))
    offset = ada("GET", f"/uploads/{upload}").json()["offset"]
    if offset < len(CONTENT):
        assert ada.piece(upload, offset, CONTENT[offset:]).status_code == 204
    assert ada.complete(upload).status_code == 201


def test_a_part_is_not_a_submission(ada: Caller) -> None:
    upload = ada.announce(CONTENT).json()["id"]
    ada.piece(upload, 0, CONTENT[:100])
    refused(ada.complete(upload), 422, "wrong_content", "100", f"{len(CONTENT):,}")
    assert ada("GET", "/submissions").json()["total"] == 0


def test_what_is_whole_and_wrong_is_sent_anew(ada: Caller) -> None:
    upload = ada.announce(CONTENT).json()["id"]
    ada.piece(upload, 0, b"x" + CONTENT[1:])
    refused(ada.complete(upload), 422, "wrong_content", "announce it again")
    refused(ada.piece(upload, len(CONTENT), b"x"), 409, "too_late")
    assert ada.announce(CONTENT).json()["id"] != upload
    assert ada.upload(CONTENT).status_code == 201


def test_what_is_given_up_is_gone(portal: Portal, ada: Caller) -> None:
    upload = ada.announce(CONTENT).json()["id"]
    ada.piece(upload, 0, CONTENT[:100])
    assert ada("DELETE", f"/uploads/{upload}").status_code == 204
    assert list(portal.settings.parts.iterdir()) == []
    assert ada("GET", f"/uploads/{upload}").json()["state"] == "given up"
    refused(ada.complete(upload), 404, "not_there", "announce")
    assert ada.upload(CONTENT).status_code == 201
    done = ada.announce(CONTENT).json()["id"]
    ada.piece(done, 0, CONTENT)
    ada.complete(done)
    assert ada("DELETE", f"/uploads/{done}").status_code == 204
    assert ada("GET", f"/uploads/{done}").json()["state"] == "complete"


def test_uploads_of_others_are_not_there(portal: Portal, ada: Caller) -> None:
    upload = ada.announce(CONTENT).json()["id"]
    for other in (caller(portal, "submitter"), caller(portal, "operator")):
        refused(other("GET", f"/uploads/{upload}"), 404, "not_there")
        refused(other.piece(upload, 0, b"x"), 404, "not_there")
        refused(other("DELETE", f"/uploads/{upload}"), 404, "not_there")
        refused(other.complete(upload), 404, "not_there")
    nobody = caller(portal, None)
    refused(nobody.announce(CONTENT), 401, "no_login", "token")
    refused(nobody.piece(upload, 0, b"x"), 401, "no_login", "token")


@pytest.mark.parametrize(
    ("told", "status", "code"),
    [
        ({"size_bytes": 0, "sha256": "0" * 64}, 422, "wrong_content"),
        ({"size_bytes": -1, "sha256": "0" * 64}, 422, "wrong_content"),
        ({"size_bytes": 10**30, "sha256": "0" * 64}, 422, "wrong_content"),
        ({"size_bytes": 10**9, "sha256": "0" * 64}, 413, "too_much"),
        ({"size_bytes": 1, "sha256": "0" * 63}, 422, "wrong_content"),
        ({"size_bytes": 1, "sha256": "0" * 64, "more": 1}, 422, "wrong_content"),
        ({"size_bytes": 1, "sha256": "\ud800" * 64}, 422, "wrong_content"),
        ([], 422, "wrong_content"),
        (None, 422, "wrong_content"),
    ],
)
def test_what_cannot_be_announced(ada: Caller, told: Any, status: int, code: str) -> None:
    sent = json.dumps(told).encode()
    refused(ada("POST", "/uploads", content=sent, headers={"Content-Type": "application/json"}), status, code)


def test_what_a_piece_must_be(ada: Caller) -> None:
    upload = ada.announce(CONTENT).json()["id"]
    path = f"/uploads/{upload}"
    refused(ada("PATCH", path, content=b"x", headers=OCTETS), 422, "wrong_content", "Upload-Offset")
    for offset in ("-1", "x", "1e3", "9" * 40):
        refused(ada("PATCH", path, content=b"x", headers={"Upload-Offset": offset, **OCTETS}), 422, "wrong_content")
    kind = {"Content-Type": "text/plain", "Upload-Offset": "0"}
    refused(ada("PATCH", path, content=b"x", headers=kind), 415, "wrong_content", "octet-stream")
    refused(ada.piece("../../x", 0, b"x"), 404, "not_there")
    refused(ada.piece("0" * 31 + "\N{DIGIT ONE}x", 0, b"x"), 422, "wrong_content")
    refused(ada.piece("0" * 32, 0, b"x"), 404, "not_there")


def test_a_piece_has_its_limit_told_or_not(ada: Caller) -> None:
    size = MOST_PIECE_BYTES + 1
    content = bytes(size)
    upload = ada.announce(content).json()["id"]
    refused(ada.piece(upload, 0, content), 413, "too_much", "smaller pieces")
    assert ada("GET", f"/uploads/{upload}").json()["offset"] == 0, "refused before anything is written"

    def unannounced() -> Iterator[bytes]:
        for start in range(0, size, 1 << 20):
            yield content[start : start + (1 << 20)]

    headers = {"Upload-Offset": "0", **OCTETS}
    refused(ada("PATCH", f"/uploads/{upload}", content=unannounced(), headers=headers), 413, "too_much")
    offset = ada("GET", f"/uploads/{upload}").json()["offset"]
    assert 0 <= offset <= MOST_PIECE_BYTES
    assert ada.piece(upload, offset, content[offset:][:MOST_PIECE_BYTES]).status_code == 204


def test_two_at_one_upload_do_not_mix(portal: Portal, ada: Caller) -> None:
    told = ada.announce(CONTENT).json()
    parts = portal.settings.parts
    upload = uploads.Upload(told["id"], "", len(CONTENT), told["sha256"], "open", 0)
    with appending(parts, upload, 0) as piece:
        piece.write(CONTENT[:10])
        refused(ada.piece(told["id"], 10, CONTENT[10:]), 409, "too_late", "another piece")
    assert ada.piece(told["id"], 10, CONTENT[10:]).status_code == 204
    assert ada.complete(told["id"]).status_code == 201


def test_a_full_disk_is_told_and_what_came_stays(
    portal: Portal, ada: Caller, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    upload = ada.announce(CONTENT).json()["id"]
    ada.piece(upload, 0, CONTENT[:100])
    real = os.write

    def full(descriptor: int, data: Any) -> int:
        if len(data) > 1000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    refused(ada.piece(upload, 100, CONTENT[100:]), 503, "unreachable")
    refused(ada.file(CONTENT), 503, "unreachable")
    monkeypatch.setattr(os, "write", real)
    assert "No space left" in capsys.readouterr().err
    assert len(list(portal.settings.parts.iterdir())) == 1, "the file that came in one request is not kept in part"
    assert ada.piece(upload, 100, CONTENT[100:]).status_code == 204
    assert ada.complete(upload).status_code == 201


def test_a_piece_is_on_the_disk_before_it_is_told(ada: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = os.fsync

    def watch(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_size)
        real(descriptor)

    upload = ada.announce(CONTENT).json()["id"]
    monkeypatch.setattr(os, "fsync", watch)
    assert ada.piece(upload, 0, CONTENT[:1234]).status_code == 204
    assert 1234 in synced


def test_large_pieces_are_written_while_they_come(portal: Portal, ada: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "PIECE_BYTES", 1000)
    written: list[int] = []
    real = Appending.write

    def watch(self: Appending, data: bytes) -> None:
        written.append(len(data))
        real(self, data)

    monkeypatch.setattr(Appending, "write", watch)
    content = os.urandom(10_500)
    upload = ada.announce(content).json()["id"]

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(content), 700):
            yield content[start : start + 700]

    answer = ada("PATCH", f"/uploads/{upload}", content=pieces(), headers={"Upload-Offset": "0", **OCTETS})
    assert answer.status_code == 204
    assert sum(written) == len(content)
    assert Path(uploads.part_of(portal.settings.parts, upload)).read_bytes() == content
    assert ada.complete(upload).status_code == 201


def test_too_many_open_uploads(portal: Portal) -> None:
    ada = caller(portal, "submitter", create_app(portal))
    for number in range(uploads.MOST_OPEN):
        assert ada.announce(f"file {number}".encode()).status_code == 201
    refused(ada.announce(b"one more"), 413, "too_much", "open")


def test_what_is_being_handed_in_is_not_changed_for_something_else(
    portal: Portal, ada: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the check of the bytes and their way into the blobs: given up, and written anew by a late piece."""
    upload_id = ada.announce(CONTENT).json()["id"]
    assert ada.piece(upload_id, 0, CONTENT).status_code == 204
    parts = portal.settings.parts
    stale = uploads.Upload(upload_id, "", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), "open", 0)
    answers: list[int] = []
    check = uploads.check

    def interrupted(storage: Storage, folder: Path, upload: uploads.Upload) -> None:
        check(storage, folder, upload)
        answers.append(ada("DELETE", f"/uploads/{upload_id}").status_code)
        with suppress(TooLateError), appending(parts, stale, 0) as piece:
            piece.write(CONTENT.swapcase())

    monkeypatch.setattr(uploads, "check", interrupted)
    assert ada.complete(upload_id).status_code == 201
    assert answers == [409]
    with portal.storage.blobs.open(stale.sha256) as blob:
        assert blob.read() == CONTENT


def test_handed_in_while_it_is_being_handed_in(portal: Portal, ada: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """As by a sender whose first call was cut off: both are told of the one submission."""
    upload_id = ada.announce(CONTENT).json()["id"]
    assert ada.piece(upload_id, 0, CONTENT).status_code == 204
    check = uploads.check
    second: list[Future[Any]] = []
    waits, sleep = Event(), time.sleep

    def nap(length_s: float) -> None:
        waits.set()
        sleep(length_s)

    with ThreadPoolExecutor(1) as threads:

        def slow(storage: Storage, folder: Path, upload: uploads.Upload) -> None:
            check(storage, folder, upload)
            other = Caller(create_app(portal), ada.token)
            second.append(threads.submit(other.complete, upload_id))
            assert waits.wait(60)

        monkeypatch.setattr(uploads, "check", slow)
        monkeypatch.setattr(holding.time, "sleep", nap)
        # However long the first one takes to sync its file and to commit.
        monkeypatch.setattr(api_submissions, "_WAIT_S", 60.0)
        first = ada.complete(upload_id)
        again = second[0].result()
    assert (first.status_code, again.status_code, len(second)) == (201, 201, 1)
    assert first.json()["id"] == again.json()["id"]
