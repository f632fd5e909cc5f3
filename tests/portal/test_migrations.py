"""Databases are brought to the tables that the code has, on both kinds of database."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from scorekit.errors import MissingExtraError, UsageError
from scorekit.portal.consistency import check
from scorekit.portal.ledger import decisions, requests, submissions
from scorekit.portal.opened import Portal, migrate, open_blobs
from scorekit.portal.storage import Database, Storage, UnreachableError, audit, migrating, rows
from scorekit.portal.storage.tables import METADATA
from tests.portal.conftest import START, actor_of, settings_of
from tests.portal.made import accepted, checked, hand_in


def test_migrated_tables_are_those_of_the_code(portal: Portal) -> None:
    with portal.storage.database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        # Alembic compares no checks; names and conditions must be there all the same.
        found = inspect(connection)
        for table in METADATA.sorted_tables:
            asked = {str(c.name) for c in table.constraints if type(c).__name__ == "CheckConstraint"}
            assert {check["name"] for check in found.get_check_constraints(table.name)} == asked


def test_two_that_migrate_at_once_do_it_once(empty_url: str) -> None:
    faults: list[BaseException] = []

    def run() -> None:
        database = Database(empty_url)
        try:
            migrating.upgrade(database)
        except BaseException as error:  # noqa: BLE001 - told by the test
            faults.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    database = Database(empty_url)
    with database.read() as connection:
        assert audit.head_of(connection) == (0, audit.BEGINNING)
    assert migrating.current(database) == migrating.head()
    database.close()


def test_an_empty_database_is_refused_with_the_command_that_mends_it(empty_url: str, tmp_path) -> None:
    found = settings_of(tmp_path / "new", empty_url)
    with pytest.raises(UsageError) as told:
        Portal.open(found)
    assert told.value.mend is not None
    assert f"scorekit portal migrate --data {tmp_path / 'new'}" in told.value.mend
    assert not (tmp_path / "new").exists()
    assert migrate(found) == (None, migrating.head())
    assert migrate(found) == (migrating.head(), migrating.head())
    Portal.open(found).close()


def test_a_database_of_the_first_version_keeps_its_rows(empty_url: str, tmp_path: Path) -> None:
    found = settings_of(tmp_path / "old", empty_url)
    database = Database(empty_url)
    migrating.upgrade(database, "0001")
    old = Portal(found, Storage(database, open_blobs(found), lambda: START))
    submitter, operator = actor_of(old, "submitter"), actor_of(old, "operator")
    accepted(old, submitter, operator, 1, runs=2)
    checked(old, submitter, 2)
    received = hand_in(old, submitter)
    asked = requests.ask(old.storage, submitter, "org/model", "summarization")
    decisions.decide_request(old.storage, operator, asked.id, "accept", "good")
    before = _rows(old)
    old.close()
    with pytest.raises(UsageError, match="of version 0001; expected version"):
        Portal.open(found)
    assert migrate(found) == ("0001", migrating.head())
    new = Portal.open(found)
    try:
        after = _rows(new)
        assert [job.pop("holder") for job in after["jobs"]] == [None]
        assert after == before
        with new.storage.database.read() as connection:
            assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        listed, count = submissions.listed(new.storage, submitter)
        assert (received.id in [one.id for one in listed], count) == (True, 3)
        assert check(new).whole
    finally:
        new.close()


def _rows(portal: Portal) -> dict[str, list[dict[str, Any]]]:
    with portal.storage.database.read() as connection:
        return {name: [json.loads(line) for line in lines] for name, lines in rows.lines(connection)}


def test_a_newer_database_is_refused(portal: Portal) -> None:
    with portal.storage.database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UsageError, match="newer version 9999"):
        Portal.open(portal.settings)


@pytest.mark.parametrize("statement", ["UPDATE audit SET action = 'x'", "DELETE FROM audit"])
def test_the_audit_log_cannot_be_changed(portal: Portal, statement: str) -> None:
    with portal.storage.database.begin() as connection:
        audit.append(connection, START, "portal", "test", "x")
    with pytest.raises(DBAPIError, match="can only grow"), portal.storage.database.begin() as connection:
        connection.execute(text(statement))


def test_the_audit_log_of_postgresql_cannot_be_emptied(portal: Portal) -> None:
    if portal.storage.database.is_sqlite:
        pytest.skip("not applicable: SQLite has no TRUNCATE")
    with pytest.raises(DBAPIError, match="can only grow"), portal.storage.database.begin() as connection:
        connection.execute(text("TRUNCATE audit"))


@pytest.mark.parametrize("url", ["mysql://localhost/x", "sqlite://", "sqlite:///:memory:", "nonsense", ""])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises((UsageError, MissingExtraError)):
        Database(url)


def test_a_database_that_does_not_answer_is_told_without_its_password(tmp_path) -> None:
    database = Database(f"postgresql://ada:secret@/x?host={tmp_path}")
    with pytest.raises(UnreachableError) as told:
        migrating.current(database)
    assert "secret" not in str(told.value)
    with pytest.raises(UnreachableError), database.begin():
        raise AssertionError("nothing is begun")


def test_a_damaged_file_is_told(tmp_path) -> None:
    (tmp_path / "portal.db").write_bytes(b"no database" * 1000)
    database = Database(f"sqlite:///{tmp_path / 'portal.db'}")
    with pytest.raises(UnreachableError, match="does not answer"):
        migrating.current(database)
