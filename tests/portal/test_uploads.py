"""Uploads in pieces, and every way in which they go wrong."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from scorekit.errors import BundleError
from scorekit.portal.ledger import submissions, uploads
from scorekit.portal.ledger.appending import appending
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.refusals import NotThereError, TooLateError, TooMuchError, WrongContentError
from scorekit.portal.ledger.uploads import Upload
from scorekit.portal.opened import Portal
from tests.portal.conftest import START, Clock, actor_of
from tests.portal.made import ACCEPTED, actions, digest

CONTENT = b"what is sent in two pieces"
MOST = 1000


def _announce(portal: Portal, actor: Actor, content: bytes = CONTENT, sha256: str | None = None) -> Upload:
    return uploads.announce(portal.storage, portal.settings.parts, actor, len(content), sha256 or digest(content), MOST)


def _send(portal: Portal, upload: Upload, data: bytes, offset: int) -> int:
    with appending(portal.settings.parts, upload, offset) as piece:
        piece.write(data)
    return piece.offset


def _again(portal: Portal, actor: Actor, upload: Upload) -> Upload:
    return uploads.find(portal.storage, portal.settings.parts, actor, upload.id)


def _part(portal: Portal, upload: Upload) -> Path:
    return uploads.part_of(portal.settings.parts, upload.id)


def _whole(portal: Portal, actor: Actor) -> Upload:
    upload = _announce(portal, actor)
    _send(portal, upload, CONTENT, 0)
    return _again(portal, actor, upload)


def test_an_upload_that_broke_off_goes_on_where_it_ends(portal: Portal, submitter: Actor) -> None:
    upload = _announce(portal, submitter)
    assert upload.offset == 0
    assert _send(portal, upload, CONTENT[:10], 0) == 10
    again = _announce(portal, submitter)
    assert (again.id, again.offset) == (upload.id, 10)
    _send(portal, upload, CONTENT[10:], 10)
    whole = _again(portal, submitter, upload)
    uploads.check(portal.storage, portal.settings.parts, whole)
    received = submissions.receive(
        portal.storage, _part(portal, whole), submitter, whole.sha256, len(CONTENT), ACCEPTED, upload_id=whole.id
    )
    done = _again(portal, submitter, upload)
    assert (done.state, done.offset) == ("complete", len(CONTENT))
    with portal.storage.blobs.open(received.sha256) as file:
        assert file.read() == CONTENT
    with pytest.raises(TooLateError, match="is complete"):
        _send(portal, done, b"", len(CONTENT))
    with pytest.raises(TooLateError, match="is complete"):
        uploads.check(portal.storage, portal.settings.parts, done)
    # Handed in a second time it is a new upload of the same submission.
    assert _announce(portal, submitter).id != upload.id


@pytest.mark.parametrize("offset", [0, 5, 11, 10_000, -1])
def test_a_wrong_offset_is_refused_and_told_where_it_ends(portal: Portal, submitter: Actor, offset: int) -> None:
    upload = _announce(portal, submitter)
    _send(portal, upload, CONTENT[:10], 0)
    with pytest.raises(TooLateError) as told:
        _send(portal, upload, b"x", offset)
    assert told.value.mend == "go on at 10"
    assert _part(portal, upload).read_bytes() == CONTENT[:10]


def test_more_than_was_announced_is_refused_and_what_came_before_kept(portal: Portal, submitter: Actor) -> None:
    upload = _announce(portal, submitter)
    _send(portal, upload, CONTENT, 0)
    with pytest.raises(TooMuchError):
        _send(portal, upload, b"x", len(CONTENT))
    assert _part(portal, upload).read_bytes() == CONTENT


def test_a_wrong_hash_is_refused_and_begun_anew(portal: Portal, submitter: Actor) -> None:
    upload = _announce(portal, submitter)
    _send(portal, upload, CONTENT.upper(), 0)
    with pytest.raises(WrongContentError, match="was announced"):
        uploads.check(portal.storage, portal.settings.parts, _again(portal, submitter, upload))
    assert not _part(portal, upload).exists()
    assert _again(portal, submitter, upload).state == "given up"
    with pytest.raises(TooLateError, match="given up"):
        _send(portal, _again(portal, submitter, upload), b"x", 0)
    anew = _announce(portal, submitter)
    assert (anew.id == upload.id, anew.offset) == (False, 0)


def test_half_of_it_is_not_taken(portal: Portal, submitter: Actor) -> None:
    upload = _announce(portal, submitter)
    _send(portal, upload, CONTENT[:-1], 0)
    with pytest.raises(WrongContentError) as told:
        uploads.check(portal.storage, portal.settings.parts, _again(portal, submitter, upload))
    assert told.value.mend == f"send the rest, from {len(CONTENT) - 1}"


def test_of_two_senders_at_once_one_is_told_to_wait(portal: Portal, submitter: Actor) -> None:
    upload = _announce(portal, submitter)
    with appending(portal.settings.parts, upload, 0) as piece:
        piece.write(CONTENT[:5])
        with pytest.raises(TooLateError, match="on its way"):
            _send(portal, upload, b"x", 5)
        piece.write(CONTENT[5:])
    assert _part(portal, upload).read_bytes() == CONTENT


def test_what_breaks_off_keeps_what_came(portal: Portal, submitter: Actor) -> None:
    upload = _announce(portal, submitter)

    def broken() -> None:
        with appending(portal.settings.parts, upload, 0) as piece:
            piece.write(CONTENT[:5])
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        broken()
    assert _again(portal, submitter, upload).offset == 5


def test_a_full_disk_is_told(portal: Portal, submitter: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = _announce(portal, submitter)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(BundleError, match="No space"):
        _send(portal, upload, CONTENT, 0)


def test_what_is_announced_must_be_something(portal: Portal, submitter: Actor) -> None:
    with pytest.raises(WrongContentError, match="empty"):
        _announce(portal, submitter, b"")
    with pytest.raises(TooMuchError, match="at most 1,000"):
        _announce(portal, submitter, b"x" * (MOST + 1))
    for sha256 in ("x", "A" * 64, "../" * 20, "0" * 65):
        with pytest.raises(WrongContentError, match="no sha256"):
            _announce(portal, submitter, CONTENT, sha256)


def test_so_many_may_be_open(portal: Portal, submitter: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_OPEN", 2)
    first = _announce(portal, submitter, b"1")
    _announce(portal, submitter, b"2")
    with pytest.raises(TooMuchError, match="2 uploads are open"):
        _announce(portal, submitter, b"3")
    uploads.give_up(portal.storage, portal.settings.parts, first)
    _announce(portal, submitter, b"3")


def test_an_upload_is_its_senders_alone(portal: Portal, submitter: Actor) -> None:
    upload = _announce(portal, submitter)
    other = actor_of(portal, "submitter")
    with pytest.raises(NotThereError):
        _again(portal, other, upload)
    assert _announce(portal, other).id != upload.id


def test_two_who_hand_in_the_same_upload_get_the_same_submission(portal: Portal, submitter: Actor) -> None:
    whole = _whole(portal, submitter)
    part = _part(portal, whole)
    both = [
        submissions.receive(portal.storage, part, submitter, whole.sha256, len(CONTENT), ACCEPTED, upload_id=whole.id)
        for _ in range(2)
    ]
    assert both[0] == both[1]
    assert actions(portal.storage, both[0].id) == ["submission.receive"]


def test_what_was_given_up_meanwhile_is_not_received(portal: Portal, submitter: Actor) -> None:
    whole = _whole(portal, submitter)
    uploads.give_up(portal.storage, portal.settings.parts, whole)
    with pytest.raises(TooLateError, match="given up"):
        uploads.check(portal.storage, portal.settings.parts, whole)
    with pytest.raises(TooLateError, match="given up"):
        submissions.receive(
            portal.storage, _part(portal, whole), submitter, whole.sha256, len(CONTENT), ACCEPTED, upload_id=whole.id
        )
    uploads.give_up(portal.storage, portal.settings.parts, whole)
    assert actions(portal.storage, whole.id) == ["upload.announce", "upload.give_up"]


def test_what_nobody_goes_on_with_is_swept_away(portal: Portal, submitter: Actor, clock: Clock) -> None:
    parts = portal.settings.parts
    old, going_on, never_begun = (_announce(portal, submitter, content) for content in (b"old", b"on", b"never"))
    _send(portal, old, b"o", 0)
    _send(portal, going_on, b"o", 0)
    (parts / "form.part").write_bytes(b"of a form")
    (parts / "young.part").write_bytes(b"of a form that is sent now")
    (parts / "lost.txt").write_bytes(b"no part")
    clock.advance(days=3)
    before = (START + timedelta(hours=1)).timestamp()
    for path in (_part(portal, old), parts / "form.part"):
        os.utime(path, (before, before))
    for path in (_part(portal, going_on), parts / "young.part"):
        os.utime(path, (clock.at.timestamp(), clock.at.timestamp()))
    assert uploads.sweep(portal.storage, parts) == 2
    states = [_again(portal, submitter, upload).state for upload in (old, going_on, never_begun)]
    assert states == ["given up", "open", "given up"]
    assert sorted(path.name for path in parts.iterdir()) == sorted(
        [_part(portal, going_on).name, "lost.txt", "young.part"]
    )
    assert uploads.sweep(portal.storage, parts) == 0


@pytest.mark.parametrize("name", ["../x", "", "a/b"])
def test_what_is_no_id_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no id"):
        uploads.part_of(tmp_path, name)
