"""What is acknowledged is on the disk before, and a database that goes away takes nothing with it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from scorekit.portal.ledger import submissions, uploads
from scorekit.portal.ledger.appending import appending
from scorekit.portal.ledger.people import Actor
from scorekit.portal.opened import Portal
from scorekit.portal.storage import Database, UnreachableError, blobs, database
from tests.portal.made import ACCEPTED, digest, hand_in
from tests.portal.postgres import Cluster

CONTENT = b"what was sent"


def test_a_submission_is_on_the_disk_before_it_is_acknowledged(
    portal: Portal, submitter: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    fsync, replace = os.fsync, os.replace

    def sync(descriptor: int) -> None:
        fsync(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        seen.append(f"sync {path.relative_to(portal.settings.data)}")

    def rename(source: Any, target: Any) -> None:
        replace(source, target)
        seen.append(f"rename {Path(target).relative_to(portal.settings.data)}")

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", rename)
    event.listen(portal.storage.database.engine, "commit", lambda _: seen.append("commit"))
    parts, sha256 = portal.settings.parts, digest(CONTENT)
    upload = uploads.announce(portal.storage, parts, submitter, len(CONTENT), sha256, 99)
    with appending(parts, upload, 0) as piece:
        piece.write(CONTENT)
    part = uploads.part_of(parts, upload.id)
    assert seen == ["commit", "sync parts", f"sync parts/{part.name}"]
    del seen[:]
    submissions.receive(portal.storage, part, submitter, sha256, len(CONTENT), ACCEPTED, upload_id=upload.id)
    folder = f"blobs/{sha256[:2]}"
    assert seen == [f"rename {folder}/{sha256}", f"sync {folder}", "commit"]


def test_folders_of_blobs_are_on_the_disk_before_anything_is_in_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int]] = []
    real = blobs.sync
    monkeypatch.setattr(blobs, "sync", lambda path: (real(path), seen.append((path.name, len(os.listdir(path))))))
    made, sha256 = blobs.Blobs(str(tmp_path / "blobs")), digest(CONTENT)
    made.prepare()
    assert seen == [(tmp_path.name, 1), ("blobs", 256)]
    del seen[:]
    # A copy of the folder may lack those that were empty.
    (tmp_path / "blobs" / sha256[:2]).rmdir()
    (tmp_path / "x.part").write_bytes(CONTENT)
    made.put(tmp_path / "x.part", sha256)
    assert seen == [("blobs", 256), (sha256[:2], 1)]


def test_folders_that_root_makes_are_those_of_who_has_the_portal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ab").mkdir()
    seen: list[tuple[str, int, int]] = []
    monkeypatch.setattr(os, "chown", lambda path, *owner: seen.append((path.name, *owner)))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    blobs.Blobs(str(tmp_path / "mine")).prepare()
    assert seen == [], "only root gives away what it makes"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    blobs.Blobs(str(tmp_path)).prepare()
    owner = tmp_path.stat()
    names = {f"{number:02x}" for number in range(256)} - {"ab"}
    assert sorted(seen) == sorted((name, owner.st_uid, owner.st_gid) for name in names), "what is there stays as it is"


def test_a_blob_folder_that_is_copied_to_is_synced_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    real = blobs.sync
    monkeypatch.setattr(blobs, "sync", lambda path: (real(path), seen.append("file" if path.is_file() else "folder")))
    (tmp_path / "x.part").write_bytes(CONTENT)
    blobs._copy(tmp_path / "x.part", tmp_path / "target")
    assert (seen, (tmp_path / "target").read_bytes()) == (["file"], CONTENT)


def test_every_connection_of_sqlite_syncs_and_looks_after_references(portal: Portal) -> None:
    if not portal.storage.database.is_sqlite:
        pytest.skip("not applicable: pragmas are SQLite's")
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            connection = stack.enter_context(portal.storage.database.read())
            assert {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in wanted} == wanted


def test_a_file_that_another_holds_is_told(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_BUSY_S", 0)
    found = Database(sqlite_url)
    assert found.file is not None
    with contextlib.closing(sqlite3.connect(found.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnreachableError, match="locked"), found.begin():
            raise AssertionError("nothing is begun")
        # Who only reads is not kept from it.
        with found.read() as connection:
            assert connection.execute(text("SELECT number FROM audit_head")).scalar() == 0
    found.close()


def test_a_reader_writes_nothing(portal: Portal) -> None:
    if portal.storage.database.is_sqlite:
        pytest.skip("not applicable: SQLite knows no transaction that only reads")
    with pytest.raises(Exception, match="read-only transaction"), portal.storage.database.read() as connection:
        connection.execute(text("DELETE FROM uploads"))


def test_a_server_that_ended_the_connections_is_reached_again(
    portal: Portal, submitter: Actor, request: pytest.FixtureRequest
) -> None:
    if portal.storage.database.is_sqlite:
        pytest.skip("not applicable: SQLite has no server")
    cluster: Cluster = request.getfixturevalue("cluster")
    before = hand_in(portal, submitter, b"before")
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'"
    name = portal.storage.database.url.database

    def lost() -> None:
        with portal.storage.database.begin() as connection:
            connection.execute(text("UPDATE submissions SET state = 'refused'"))
            cluster.execute(end.format(name))

    with pytest.raises(UnreachableError):
        lost()
    assert submissions.find(portal.storage, submitter, before.id).state == "received"
    assert hand_in(portal, submitter, b"after").state == "received"


class _Answers:
    """A connection that answers with these errors before it does what is asked."""

    def __init__(self, *codes: int) -> None:
        self.codes = list(codes)
        self.asked: list[str] = []

    def execute(self, statement: str) -> None:
        self.asked.append(statement)
        if self.codes:
            error = sqlite3.OperationalError("told by the test")
            error.sqlite_errorcode = self.codes.pop(0)
            raise error


def test_two_that_turn_the_log_of_a_new_file_on_at_once_both_have_it() -> None:
    connection = _Answers(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY)
    database._use_wal(connection)  # type: ignore[arg-type]
    assert connection.asked == ["PRAGMA journal_mode = WAL"] * 3
    broken = _Answers(sqlite3.SQLITE_CANTOPEN)
    with pytest.raises(sqlite3.OperationalError):
        database._use_wal(broken)  # type: ignore[arg-type]
    assert len(broken.asked) == 1
