"""`portal check`: what no crash may leave is a fault, what is on its way is a note."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable

import pytest
from sqlalchemy import text

from scorekit.portal.consistency import check
from scorekit.portal.ledger import checks, decisions, jobs, publications, requests, uploads
from scorekit.portal.ledger.appending import appending
from scorekit.portal.ledger.people import Actor
from scorekit.portal.opened import Portal
from scorekit.portal.publishing import publish_pending
from tests.edition_members import asr, frozen
from tests.portal.made import accepted, checked, digest, hand_in, verdict


@pytest.fixture
def full(portal: Portal, submitter: Actor, operator: Actor, worker: Actor) -> Portal:
    """A portal with something of everything in it, whole."""
    accepted(portal, submitter, operator, 1)
    publish_pending(portal)
    checked(portal, submitter, 2)
    asked = requests.ask(portal.storage, submitter, "org/m", "summarization")
    decisions.decide_request(portal.storage, operator, asked.id, "accept", "good")
    job = jobs.take(portal.storage, worker, "1")
    assert job is not None
    hand_in(portal, worker, b"measured", job=(job.id, job.lease))
    lease = checks.take_to_check(portal.storage)
    assert lease is not None
    checks.finish_check(portal.storage, lease, verdict(3))
    return portal


def _codes(portal: Portal, weight: str = "fault") -> list[str]:
    return [finding.code for finding in check(portal).findings if finding.weight == weight]


def _sql(*statements: str) -> Callable[[Portal], None]:
    def change(portal: Portal) -> None:
        with portal.storage.database.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    return change


def _blob(change: Callable[[bytes], bytes | None]) -> Callable[[Portal], None]:
    def run(portal: Portal) -> None:
        sha256 = digest(b"measured")
        path = portal.settings.data / "blobs" / sha256[:2] / sha256
        made = change(path.read_bytes())
        path.unlink()
        if made is not None:
            path.write_bytes(made)

    return run


def _result(portal: Portal) -> None:
    (path,) = portal.settings.results.glob("*/*.json")
    path.write_text("{}")


def _part(portal: Portal) -> None:
    _sql("INSERT INTO uploads SELECT 'abc', id, 3, 'x', 'open', created_at, created_at FROM accounts LIMIT 1")(portal)
    (portal.settings.parts / "abc.part").write_bytes(b"four")


_ACCOUNT = "(SELECT id FROM accounts LIMIT 1)"
_SUBMISSION = (
    f"INSERT INTO submissions SELECT 'x', {_ACCOUNT}, 'y', 1, '{{}}', NULL, 'received', created_at, created_at, 0, "
    "NULL, NULL, NULL, NULL FROM accounts LIMIT 1"
)


def test_a_whole_portal_has_no_fault(full: Portal) -> None:
    told = check(full)
    assert (told.whole, told.findings) == (True, ())
    assert told.looked_at["submissions"] == told.looked_at["blobs"] == 3
    assert told.looked_at["jobs"] == told.looked_at["publications"] == 1


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (_blob(lambda _: None), "blob_missing"),
        (_blob(lambda content: content[:-1]), "blob_changed"),
        (_blob(lambda content: b"x" + content[1:]), "blob_changed"),
        (_sql(_SUBMISSION), "not_in_audit"),
        (_sql("UPDATE audit_head SET number = number + 1"), "audit_broken"),
        (_sql("UPDATE submissions SET state = 'declined' WHERE state = 'accepted'"), "decision_differs"),
        (_sql("DELETE FROM decisions WHERE kind = 'request'"), "decision_differs"),
        (
            _sql("INSERT INTO decisions SELECT 'request', 'x', id, 'accept', '', created_at FROM accounts LIMIT 1"),
            "decision_on_nothing",
        ),
        (_sql("UPDATE jobs SET state = 'leased'"), "job_differs"),
        (_sql("UPDATE requests SET state = 'queued'"), "job_differs"),
        (_sql("DELETE FROM publications"), "publication_differs"),
        (_sql("UPDATE publications SET folder = 'runs/9'"), "publication_differs"),
        (_sql("UPDATE publications SET result_path = 'a/b--0123456789ab.json'"), "result_missing"),
        (_result, "result_missing"),
        (_part, "part_too_large"),
        (
            _sql(f"INSERT INTO editions SELECT 'none', 'x', {_ACCOUNT}, created_at FROM accounts LIMIT 1"),
            "edition_missing",
        ),
    ],
)
def test_what_no_crash_may_leave_is_a_fault(full: Portal, damage: Callable[[Portal], None], code: str) -> None:
    damage(full)
    told = check(full)
    assert not told.whole
    assert code in [finding.code for finding in told.findings if finding.weight == "fault"]


def test_what_is_on_its_way_is_a_note(full: Portal, submitter: Actor, operator: Actor) -> None:
    parts = full.settings.parts
    accepted(full, submitter, operator, 5)
    stray = parts / "form.part"
    stray.write_bytes(b"x")
    lost = parts / "lost.part"
    lost.write_bytes(b"never acknowledged")
    full.storage.blobs.put(lost, digest(b"never acknowledged"))
    upload = uploads.announce(full.storage, parts, submitter, 9, digest(b"x"), 9)
    with appending(parts, upload, 0) as piece:
        piece.write(b"x")
    assert _codes(full) == []
    assert sorted(_codes(full, "note")) == ["blob_unacknowledged", "part_of_nothing", "publication_waits"]


def test_an_edition_is_held_against_what_was_published(full: Portal, operator: Actor) -> None:
    made = frozen(asr(a=1.0, b=2.0), full.settings.editions, "2026-03")
    assert made.content_sha256 is not None
    publications.publish_edition(full.storage, operator, "2026-03", made.content_sha256)
    assert _codes(full) == []
    _sql("UPDATE editions SET content_sha256 = 'x'")(full)
    assert _codes(full) == ["edition_differs"]
    (full.settings.editions / "2026-03.json").unlink()
    assert _codes(full) == ["edition_missing"]


def test_a_reference_to_nothing_is_told(full: Portal) -> None:
    file = full.storage.database.file
    if file is None:
        pytest.skip("not applicable: PostgreSQL lets nobody take its references away")
    # A connection of somebody else's does not look after references.
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE publications SET submission_id = 'nothing'")
    assert "reference_broken" in _codes(full)
