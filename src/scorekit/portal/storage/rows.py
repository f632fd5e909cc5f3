"""Rows of every table as JSON lines, in one form for SQLite and PostgreSQL: out of one database, into another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Column, Connection, Integer, MetaData, Table, delete, func, insert, select, text

from scorekit.errors import InputError

_NOT_COPIED: Final = frozenset({"alembic_version", "sessions"})
"""The version stands in the manifest; sessions of browsers end, for they are secrets that are worth nothing later."""
_HEAD: Final = "audit_head"
_AT_ONCE: Final = 500
_MEND: Final = "restore another backup"


def lines(connection: Connection) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The rows of every table that is copied: its name, and a line for each row; one state of all of them.

    Args:
        connection: in a transaction that sees one state.
    """
    for table in _tables(connection):
        yield table.name, _lines(connection, table)


def load(connection: Connection, folder: Path) -> None:
    """Rows of every table into an empty database.

    Args:
        connection: in a transaction that may write, to a database with the tables that the rows come of.
        folder: with NAME.jsonl for each table.

    Raises:
        InputError: a file is missing, or is not of these tables.
    """
    for table in _tables(connection):
        path = folder / f"{table.name}.jsonl"
        if not path.is_file():
            raise InputError(f"the rows of the table {table.name} are missing", mend=_MEND)
        if table.name == _HEAD:
            connection.execute(delete(table))
        with path.open("rb") as file:
            rows = (_row(table, line) for line in file)
            while some := list(islice(rows, _AT_ONCE)):
                connection.execute(insert(table), some)
        for column in table.primary_key.columns:
            _go_on_counting(connection, table, column)


def is_empty(connection: Connection) -> bool:
    """Whether there is no row yet that was not made with the tables."""
    for table in _tables(connection):
        wanted = select(table.c.number) if table.name == _HEAD else select(func.count()).select_from(table)
        if connection.execute(wanted).scalar():
            return False
    return True


def _tables(connection: Connection) -> list[Table]:
    """As they are in the database, whatever its version, in an order in which each refers to those before it only."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name not in _NOT_COPIED]


def _lines(connection: Connection, table: Table) -> Iterator[bytes]:
    asked = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=_AT_ONCE)
    for row in connection.execute(asked):
        yield json.dumps(dict(row._mapping), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _row(table: Table, line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise InputError(f"a row of the table {table.name} cannot be read: {error}", mend=_MEND) from error
    if not isinstance(row, dict) or set(row) != set(table.columns.keys()):
        raise InputError(f"a row of the table {table.name} has other columns than the table", mend=_MEND)
    return row


def _go_on_counting(connection: Connection, table: Table, column: Column[Any]) -> None:
    """PostgreSQL counts by itself, and would begin at 1 again."""
    if connection.dialect.name != "postgresql" or not isinstance(column.type, Integer):
        return
    counter = select(func.pg_get_serial_sequence(table.name, column.name))
    if connection.execute(counter).scalar() is not None:
        last = connection.execute(select(func.max(column))).scalar()
        if last is not None:
            connection.execute(
                text("SELECT setval(pg_get_serial_sequence(:table, :column), :last)"),
                {"table": table.name, "column": column.name, "last": last},
            )
