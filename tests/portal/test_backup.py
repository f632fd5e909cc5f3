"""Backups: whole or not at all, of one state, and brought back into either kind of database."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from scorekit.errors import InputError, UsageError
from scorekit.portal import restore as restoring
from scorekit.portal.backup import backup
from scorekit.portal.consistency import check
from scorekit.portal.ledger import checks, decisions, jobs, people, publications, requests, sites, submissions, uploads
from scorekit.portal.ledger.appending import appending
from scorekit.portal.ledger.people import Actor
from scorekit.portal.opened import Portal
from scorekit.portal.publishing import publish_pending
from scorekit.portal.restore import restore
from scorekit.portal.settings import Settings
from scorekit.portal.storage import migrating, rows
from scorekit.portal.storage.tables import METADATA
from tests.edition_members import asr, frozen
from tests.portal.conftest import Clock, actor_of, database_of, settings_of, token_of
from tests.portal.made import accepted, checked, digest, hand_in

_NOT_COPIED = {"sessions"}


def _fill(portal: Portal) -> Portal:
    """Something of everything into a portal."""
    storage = portal.storage
    submitter, operator, worker = (actor_of(portal, role) for role in ("submitter", "operator", "worker"))
    accepted(portal, submitter, operator, 1, runs=2)
    publish_pending(portal)
    checked(portal, submitter, 2)
    checked(portal, submitter, 3, "refused")
    hand_in(portal, submitter, "a file with a name, Ä".encode())
    asked = requests.ask(storage, submitter, "org/m", "summarization", note="bitte \n schön")
    decisions.decide_request(storage, operator, asked.id, "accept", "good")
    assert jobs.take(storage, worker, "1") is not None
    upload = uploads.announce(storage, portal.settings.parts, submitter, 9, digest(b"never sent"), 99)
    with appending(portal.settings.parts, upload, 0) as piece:
        piece.write(b"half")
    people.open_session(storage, operator)
    frozen(asr(a=1.0, b=2.0), portal.settings.editions, "2026-01")
    return portal


@pytest.fixture
def full(portal: Portal) -> Portal:
    """A portal with something of everything in it, on either kind of database."""
    return _fill(portal)


@pytest.fixture(params=["sqlite", "postgresql"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """A portal that is not there yet, on either kind of database."""
    for url in database_of(request, request.param, tmp_path / "elsewhere"):
        yield settings_of(tmp_path / "elsewhere", url)


# What has nothing to do with the kind of database is tried on the quicker one.


@pytest.fixture
def one(sqlite_url: str, tmp_path: Path, clock: Clock) -> Iterator[Portal]:
    """A portal with something of everything in it."""
    portal = Portal.open(settings_of(tmp_path / "data", sqlite_url), now=clock)
    yield _fill(portal)
    portal.close()


@pytest.fixture
def other(tmp_path: Path) -> Settings:
    """A portal that is not there yet."""
    return settings_of(tmp_path / "other", f"sqlite:///{tmp_path / 'other' / 'portal.db'}")


def _rows(portal: Portal) -> dict[str, list[Any]]:
    with portal.storage.database.read() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table)).all()), key=repr)
            for table in METADATA.sorted_tables
            if table.name not in _NOT_COPIED
        }


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.json")}


def test_all_that_is_kept_comes_back(full: Portal, elsewhere: Settings, tmp_path: Path, clock: Clock) -> None:
    made = backup(full, tmp_path / "copy")
    assert made.database_version == migrating.head()
    told = restore(elsewhere, tmp_path / "copy")
    assert told == made
    back = Portal.open(elsewhere, now=clock)
    try:
        assert _rows(back) == _rows(full)
        assert list(back.storage.blobs.names()) == list(full.storage.blobs.names())
        assert _files(elsewhere.results) == _files(full.settings.results) != {}
        assert _files(elsewhere.editions) == _files(full.settings.editions) != {}
        assert check(back).whole
        # It goes on where it was: numbers are counted on, and what was begun can be ended.
        actor = people.actor_of_token(back.storage, token_of(back, "operator"))
        assert actor is not None
        taken = [checks.take_to_check(back.storage) for _ in range(2)]
        assert [lease is not None for lease in taken] == [True, False]
        wanted = sites.wanted(back.storage)
        publications.publish_edition(back.storage, actor, "2026-02", digest(b"x"))
        assert len(sites.wanted(back.storage)) == len(wanted) + 1
    finally:
        back.close()


def test_a_backup_holds_no_session_and_no_half_upload(one: Portal, tmp_path: Path) -> None:
    backup(one, tmp_path / "copy")
    names = {path.name for path in (tmp_path / "copy").rglob("*")}
    assert "sessions.jsonl" not in names
    assert not any(name.endswith((".part", ".db", ".parquet")) for name in names)
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_backup_is_of_one_state_while_the_portal_goes_on(
    full: Portal, submitter: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: Settings
) -> None:
    lines = rows._lines

    def slow(connection: Any, table: Any) -> Any:
        # Between one table and the next, somebody hands in.
        hand_in(full, submitter, f"while {table.name} is copied".encode())
        return lines(connection, table)

    monkeypatch.setattr(rows, "_lines", slow)
    backup(full, tmp_path / "copy")
    monkeypatch.undo()
    restore(other, tmp_path / "copy")
    back = Portal.open(other)
    try:
        assert check(back).whole
        with back.storage.database.read() as connection:
            held = connection.execute(select(func.count()).select_from(METADATA.tables["submissions"])).scalar_one()
        assert held == 4
        assert submissions.listed(full.storage, submitter)[1] > 10
    finally:
        back.close()


def test_a_backup_goes_into_a_new_folder_outside(one: Portal, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(UsageError, match="there already"):
        backup(one, tmp_path / "there")
    with pytest.raises(UsageError, match="own folder"):
        backup(one, one.settings.data / "copy")


def test_no_backup_is_made_of_a_portal_that_lost_a_blob(one: Portal, tmp_path: Path) -> None:
    blob = next(one.storage.blobs.names())
    path = one.settings.data / "blobs" / blob[:2] / blob
    path.write_bytes(b"changed")
    with pytest.raises(InputError, match="was changed"):
        backup(one, tmp_path / "copy")
    path.unlink()
    with pytest.raises(InputError, match="is gone"):
        backup(one, tmp_path / "copy")
    assert [path.name for path in tmp_path.iterdir() if "copy" in path.name] == []


def _edit(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def edit(copy: Path) -> None:
        (copy / name).write_bytes(change((copy / name).read_bytes()))

    return edit


def _forge(copy: Path) -> None:
    """A line of the audit log changed by somebody who brings the manifest up to date."""
    path = copy / "tables" / "audit.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    lines[2] = lines[2].replace('"actor":"', '"actor":"x')
    path.write_text("".join(lines))
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"]["tables/audit.jsonl"] = {"sha256": digest(path.read_bytes()), "size_bytes": path.stat().st_size}
    (copy / "manifest.json").write_text(json.dumps(manifest))


def _without_blob(copy: Path) -> None:
    """A backup without a blob that its rows name, and whose manifest says that this is all."""
    manifest = json.loads((copy / "manifest.json").read_text())
    name = next(name for name in manifest["files"] if name.startswith("blobs/"))
    del manifest["files"][name]
    (copy / name).unlink()
    (copy / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (
            _edit("tables/accounts.jsonl", lambda text: text.replace(b"operator", b"0perator")),
            "accounts.jsonl was changed",
        ),
        (lambda copy: (copy / "tables" / "jobs.jsonl").unlink(), "jobs.jsonl is missing"),
        (lambda copy: (copy / "more.txt").write_text("x"), "more.txt is not of the backup"),
        (lambda copy: (copy / "link").symlink_to("/etc/passwd"), "no regular file"),
        (lambda copy: (copy / "manifest.json").unlink(), "is no backup"),
        (_edit("manifest.json", lambda text: text[:-20]), "is no manifest"),
        (_edit("manifest.json", lambda text: text.replace(b"portal_backup/1", b"portal_backup/2")), "is no manifest"),
        (_forge, "audit log of the backup does not hold: entry 3 was changed"),
        (_without_blob, "lacks the blob"),
    ],
)
def test_a_damaged_backup_is_not_restored(
    one: Portal, other: Settings, tmp_path: Path, damage: Callable[[Path], None], told: str
) -> None:
    backup(one, tmp_path / "copy")
    shutil.copytree(tmp_path / "copy", tmp_path / "damaged")
    damage(tmp_path / "damaged")
    with pytest.raises(InputError, match=told):
        restore(other, tmp_path / "damaged")
    # Nothing of it is there: the whole one can be restored.
    restore(other, tmp_path / "copy")


def test_a_backup_of_a_newer_version_is_not_restored(one: Portal, other: Settings, tmp_path: Path) -> None:
    backup(one, tmp_path / "copy")
    _edit("manifest.json", lambda text: text.replace(f'"{migrating.head()}"'.encode(), b'"9999"'))(tmp_path / "copy")
    with pytest.raises(UsageError, match="newer version 9999"):
        restore(other, tmp_path / "copy")


def test_only_an_empty_portal_is_restored_into(one: Portal, other: Settings, tmp_path: Path) -> None:
    backup(one, tmp_path / "copy")
    with pytest.raises(UsageError, match="not empty"):
        restore(one.settings, tmp_path / "copy")
    (other.results / "text-generation").mkdir(parents=True)
    stray = other.results / "text-generation" / "other.json"
    stray.write_text("{}")
    with pytest.raises(UsageError, match="not empty"):
        restore(other, tmp_path / "copy")
    stray.unlink()
    restore(other, tmp_path / "copy")
    with pytest.raises(UsageError, match="not empty: its database has rows"):
        restore(other, tmp_path / "copy")


def test_a_restore_that_broke_off_is_begun_anew(
    one: Portal, other: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup(one, tmp_path / "copy")
    bring, left = restoring._bring_blob, [2]

    def die(*facts: Any) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        bring(*facts)

    monkeypatch.setattr(restoring, "_bring_blob", die)
    with pytest.raises(KeyboardInterrupt):
        restore(other, tmp_path / "copy")
    monkeypatch.undo()
    restore(other, tmp_path / "copy")
    back = Portal.open(other)
    assert check(back).whole
    back.close()
