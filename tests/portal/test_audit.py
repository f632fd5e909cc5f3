"""The chain of the audit log shows every line that was changed, removed or put in."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from scorekit.portal.opened import Portal
from scorekit.portal.storage import Storage, audit
from tests.portal.conftest import START

_COLUMNS = "at, actor, action, subject, details, previous_sha256, sha256"
_COPY = f"INSERT INTO audit SELECT 4, {_COLUMNS} FROM audit WHERE number = 3"


@pytest.fixture
def three(storage: Storage) -> Storage:
    """A log of three lines."""
    for number in range(3):
        with storage.database.begin() as connection:
            audit.append(connection, START, "portal", "test.step", f"subject{number % 2}", {"number": number, "ä": "…"})
    return storage


def _break(storage: Storage) -> str | None:
    with storage.database.read() as connection:
        return audit.first_break(connection)


def _as_owner(storage: Storage, *statements: str) -> None:
    """What somebody may do who owns the database, and takes its triggers away first."""
    with storage.database.begin() as connection:
        for what in ("update", "delete"):
            connection.execute(
                text(f"DROP TRIGGER audit_no_{what}" + ("" if storage.database.is_sqlite else " ON audit"))
            )
        for statement in statements:
            connection.execute(text(statement))


def test_a_log_that_nobody_touched_is_whole(three: Storage) -> None:
    assert _break(three) is None
    with three.database.read() as connection:
        lines = list(audit.entries(connection))
        assert [line.number for line in lines] == [1, 2, 3]
        assert lines[0].previous_sha256 == audit.BEGINNING
        assert (3, lines[2].sha256) == audit.head_of(connection)
        assert [line.number for line in audit.entries(connection, "subject0")] == [1, 3]
        assert [line.number for line in audit.newest(connection)] == [3, 2, 1]
        assert [line.number for line in audit.newest(connection, "subject0", before=3)] == [1]


def test_an_empty_log_is_whole(storage: Storage) -> None:
    assert _break(storage) is None


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE audit SET details = '{}' WHERE number = 2", "entry 2 was changed"),
        ("UPDATE audit SET actor = 'x' WHERE number = 1", "entry 1 was changed"),
        ("UPDATE audit SET at = '2026-03-02T09:00:00.000001Z' WHERE number = 3", "entry 3 was changed"),
        ("DELETE FROM audit WHERE number = 2", "entry 2 is missing"),
        ("DELETE FROM audit WHERE number = 3", "the log ends at entry 2"),
        ("DELETE FROM audit_head", "is not kept any more"),
        (_COPY, "entry 4 does not follow"),
        ("UPDATE audit SET sha256 = previous_sha256 WHERE number = 2", "entry 2 was changed"),
    ],
)
def test_a_log_that_somebody_touched_is_broken(three: Storage, statement: str, told: str) -> None:
    _as_owner(three, statement)
    assert told in (_break(three) or "")


def test_what_fails_leaves_no_line(portal: Portal) -> None:
    def fail() -> None:
        with portal.storage.database.begin() as connection:
            audit.append(connection, START, "portal", "test.step", "x")
            raise KeyError("it fails afterwards")

    with pytest.raises(KeyError):
        fail()
    with portal.storage.database.read() as connection:
        assert audit.head_of(connection) == (0, audit.BEGINNING)


def test_a_time_without_its_zone_is_a_fault(storage: Storage) -> None:
    with pytest.raises(Exception, match="without its zone"), storage.database.begin() as connection:
        audit.append(connection, START.replace(tzinfo=None), "portal", "test.step", "x")
