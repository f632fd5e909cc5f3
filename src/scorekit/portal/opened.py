"""A portal that is set up: its folders are there, its database is of this version, and both stay open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from scorekit.atomic import write_error
from scorekit.errors import UsageError
from scorekit.portal.settings import DATABASE, Settings
from scorekit.portal.storage import Blobs, Database, Storage, migrating, utc_now

_ELSEWHERE: Final = "--data DIR"


@dataclass(frozen=True, slots=True)
class Portal:
    """A portal that is set up; as a context it is closed at its end.

    Attributes:
        settings: how.
        storage: what it keeps.
    """

    settings: Settings
    storage: Storage

    @classmethod
    def open(cls, settings: Settings, *, now: Callable[[], datetime] = utc_now) -> Portal:
        """Open the portal of a folder.

        Args:
            settings: how it is set up.
            now: the time, in UTC; tests set it.

        Raises:
            UsageError: the database is missing, or of another version than this program.
            InputError: the database cannot be reached.
            BundleError: a folder cannot be made.
            MissingExtraError: a package of the extra `portal` is not installed.
        """
        database = Database(settings.database_url)
        try:
            _require_version(settings, database)
            blobs = open_blobs(settings)
        except BaseException:
            database.close()
            raise
        return cls(settings, Storage(database, blobs, now))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.storage.database.close()


def migrate(settings: Settings) -> tuple[str | None, str]:
    """Bring the database to this program's version, an empty one too, and make the folders.

    Returns:
        The version before (None for an empty database) and the one now.

    Raises:
        As `Portal.open`.
    """
    _make(settings.data)
    database = Database(settings.database_url)
    try:
        before = migrating.current(database)
        migrating.upgrade(database)
        open_blobs(settings)
        return before, migrating.head()
    finally:
        database.close()


def open_blobs(settings: Settings) -> Blobs:
    """The blobs of a portal, after its folders have been made.

    Raises:
        BundleError: a folder cannot be made.
    """
    for folder in (settings.data, settings.parts, settings.results, settings.editions):
        _make(folder)
    blobs = Blobs(settings.blobs_url)
    blobs.prepare()
    return blobs


def _require_version(settings: Settings, database: Database) -> None:
    mend = f"scorekit portal migrate --data {settings.data}"
    if database.file is not None and not database.file.exists():
        raise UsageError(
            f"there is no portal in {settings.data}: {database.file.name} is missing",
            mend=f"check --data, or make a portal there: {mend}",
        )
    found = migrating.current(database)
    if found == migrating.head():
        return
    if found is not None and not migrating.is_known(found):
        raise UsageError(f"the portal's database is of the newer version {found}", mend="update scorekit")
    where = f"in {settings.data}" if database.file is not None else f"named by {DATABASE}"
    raise UsageError(
        f"the portal's database {where} is {'empty' if found is None else f'of version {found}'}; expected version "
        f"{migrating.head()}",
        mend=mend,
    )


def _make(folder: Path) -> None:
    try:
        # Names of people, hashes of tokens and confidential submissions are for nobody else on this machine.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error, _ELSEWHERE) from error
