"""The portal's database, by URL: SQLite in a file (the default), or PostgreSQL.

Every transaction that writes holds the one write lock of SQLite from its beginning, so that it never fails half-way. In
PostgreSQL it is the conditions of its statements that decide which of two wins. No two transactions wait for each
other, for each locks the rows of one subject first and the end of the audit log last (`audit.append`).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from scorekit.errors import InputError, MissingExtraError, UsageError

_BUSY_S: Final = 30
_CONNECT_S: Final = 10
_AGAIN_S: Final = 0.02
_POOL: Final = 16
_VALID: Final = "sqlite:///FILE or postgresql://USER@HOST/NAME"


class UnreachableError(InputError):
    """The database does not answer, or could not do what every database can: its disk is full, for one."""


class Database:
    """A pool of connections to one database.

    Args:
        url: of the database, as SQLAlchemy has it.

    Raises:
        UsageError: the URL is none of a database that is known here.
        MissingExtraError: its driver is not installed.
    """

    def __init__(self, url: str) -> None:
        self.url = _checked(url)
        try:
            self.engine = _engine(self.url)
        except ModuleNotFoundError as error:
            raise MissingExtraError(error.name or "psycopg", "portal") from error

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of SQLite."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def file(self) -> Path | None:
        """The file of SQLite; None for PostgreSQL."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that may write: committed, and on the disk, when the block ends without an error.

        Raises:
            UnreachableError: the database does not answer; nothing was changed, unless it fell silent on the very end
                of the transaction.
        """
        with self._answering(), self.engine.connect() as connection:
            if self.is_sqlite:
                connection.execution_options(scorekit_writes=True)
            with connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads, and sees one state of everything.

        Raises:
            UnreachableError: the database does not answer.
        """
        with self._answering(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except (OperationalError, InterfaceError, PoolTimeoutError) as error:
            raise self._unreachable(error) from error
        except DatabaseError as error:
            # The kinds below it are faults of a statement; it itself is a file that is no database, for one.
            if type(error) is not DatabaseError:
                raise
            raise self._unreachable(error) from error

    def _unreachable(self, error: Exception) -> UnreachableError:
        told = " ".join(str(getattr(error, "orig", None) or error).split())[:300]
        return UnreachableError(
            f"the database {self.url.render_as_string(hide_password=True)} does not answer: {told}",
            mend="look at its address, its disk, and whether its server runs",
        )


def _checked(url: str) -> URL:
    try:
        found = make_url(url)
    except ArgumentError as error:
        raise UsageError("the address of the database is none", mend=f"write it as {_VALID}") from error
    name = found.get_backend_name()
    if name == "sqlite" and found.database and found.database != ":memory:":
        return found
    if name == "postgresql":
        return found.set(drivername="postgresql+psycopg")
    raise UsageError(f"a database of {name or 'no kind'} is not known here", mend=f"write its address as {_VALID}")


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        try:
            return create_engine(
                url,
                pool_size=_POOL,
                max_overflow=_POOL,
                pool_pre_ping=True,
                connect_args={"connect_timeout": _CONNECT_S},
            )
        except NoSuchModuleError as error:
            raise ModuleNotFoundError(str(error), name="psycopg") from error
    engine = create_engine(url, connect_args={"timeout": _BUSY_S}, pool_size=_POOL, max_overflow=_POOL)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    # Python's module would begin transactions by itself, late and without the lock.
    connection.isolation_level = None
    _use_wal(connection)
    for pragma in ("synchronous = FULL", "foreign_keys = ON", f"busy_timeout = {_BUSY_S * 1000}"):
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on, which of a new file two may ask for at once.

    SQLite answers the second at once, without waiting as for any other lock: each holds what the other needs.
    """
    until_s = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= until_s:
                raise
            time.sleep(_AGAIN_S)
        else:
            return


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("scorekit_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
