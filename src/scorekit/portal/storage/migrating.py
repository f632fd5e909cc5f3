"""Bringing a database to the tables of this version, by Alembic."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import text

from scorekit.portal.storage.database import Database

FOLDER: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x5C0_8E_117
"""Of PostgreSQL's advisory locks, so that of two that migrate at once one waits."""


def head() -> str:
    """The version of this program."""
    found = _scripts().get_current_head()
    assert found is not None
    return found


def is_known(version: str) -> bool:
    """Whether this program knows of a version."""
    try:
        return _scripts().get_revision(version) is not None
    except CommandError:
        return False


def current(database: Database) -> str | None:
    """The version of a database; None for an empty one.

    Raises:
        UnreachableError: it does not answer.
    """
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(database: Database, version: str = "head") -> None:
    """Bring a database to a version, in one transaction; one that is there already stays as it is.

    Raises:
        UnreachableError: it does not answer.
    """
    config = _config()
    with database.begin() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, version)


def _config() -> Config:
    config = Config()
    # Alembic expands % in its options.
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
