"""A real PostgreSQL for the tests: a cluster in a temporary folder, reached by a socket in it, ended by its process."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any, Final

import psycopg

_DEBIAN: Final = Path("/usr/lib/postgresql")
_USER: Final = "postgres"
_PATIENCE_S: Final = 120
_PR_SET_PDEATHSIG: Final = 1
TEMPLATE: Final = "migrated"
"""The database that those of tests are copies of."""
_FORM: Final = """
    SELECT 'version', version_num FROM alembic_version
    UNION ALL SELECT 'trigger', tgname::text FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'table', tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1, 2
"""
_EMPTY: Final = """
    SET session_replication_role = replica;
    DO $$ BEGIN EXECUTE (
      SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ') || ' RESTART IDENTITY'
      FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    ); END $$;
    INSERT INTO audit_head VALUES (1, 0, repeat('0', 64))
"""


def binaries() -> Path | None:
    """The newest PostgreSQL of this machine; None where there is none."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = [path for path in _DEBIAN.glob("*/bin") if (path / "initdb").exists()]
    return max(versions, key=lambda path: float(path.parent.name), default=None)


def _end_with_parent() -> None:
    """Run in the new process: a test run that is killed leaves no server behind."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


class Cluster:
    """A cluster that runs; its files are gone when it is stopped.

    Args:
        programs: the folder of initdb and postgres.
        durable: whether it syncs what it writes; tests that kill nothing are quicker without.
    """

    def __init__(self, programs: Path, *, durable: bool = False) -> None:
        # Not below pytest's folder: that is closed to other users, and PostgreSQL refuses to run as root.
        self.folder = Path(tempfile.mkdtemp(prefix="scorekit-pg-"))
        self._numbers = count()
        self._spare: list[str] = []
        self._as_made: list[tuple[Any, ...]] | None = None
        self._account: dict[str, Any] = {"cwd": self.folder}
        if os.geteuid() == 0:
            user = pwd.getpwnam(_USER)
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._account |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        data = self.folder / "data"
        initdb = [programs / "initdb", "-D", data, "-U", _USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run(initdb, check=True, capture_output=True, **self._account)
        settings = {"listen_addresses": "", "unix_socket_directories": self.folder, "max_connections": 200}
        if not durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [programs / "postgres", "-D", data, *options],
                stdout=log,
                stderr=log,
                preexec_fn=_end_with_parent,
                **self._account,
            )
        self._await()

    def url(self, name: str) -> str:
        """The address of a database."""
        return f"postgresql://{_USER}@/{name}?host={self.folder}"

    def execute(self, statement: str) -> None:
        """Run a statement that stands outside of transactions, such as CREATE DATABASE."""
        with psycopg.connect(self.url(_USER), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def database(self) -> str:
        """The name of a database like the template, with nothing in it."""
        if self._spare:
            return self._spare.pop()
        name = f"portal_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return name

    def give_back(self, name: str) -> None:
        """A database that a test is done with: emptied for the next, which is quicker than a new one."""
        ended = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}' AND pid <> pg_backend_pid()"
        )
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            connection.execute(ended.format(name))  # type: ignore[arg-type]
            if connection.execute(_FORM).fetchall() == self._form():
                connection.execute(_EMPTY)
                self._spare.append(name)
                return
        # A test that changed its tables or triggers.
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _form(self) -> list[tuple[Any, ...]]:
        if self._as_made is None:
            with psycopg.connect(self.url(TEMPLATE)) as connection:
                self._as_made = connection.execute(_FORM).fetchall()
        return self._as_made

    def stop(self) -> None:
        """End it at once, and remove its files."""
        self._process.send_signal(signal.SIGQUIT)
        try:
            self._process.wait(_PATIENCE_S)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _await(self) -> None:
        ends = time.monotonic() + _PATIENCE_S
        while True:
            try:
                with psycopg.connect(self.url(_USER)):
                    return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > ends:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.05)
