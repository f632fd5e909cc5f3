"""A backup into an empty portal, of either kind of database: everything is checked first, and rows come last.

Until the rows are there, the portal has no submission; so a restore that broke off is begun anew, and finds the files
that it has brought already.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from sqlalchemy import select

from scorekit import atomic
from scorekit.errors import InputError, UsageError
from scorekit.portal.backup import BLOBS, EDITIONS, MANIFEST, RESULTS, TABLES, kept_files, write
from scorekit.portal.opened import migrate, open_blobs
from scorekit.portal.settings import Settings
from scorekit.portal.storage import Blobs, Database, audit, migrating, rows
from scorekit.portal.storage.tables import submissions
from scorekit.records import ManifestEntry, PortalBackup, first_complaint

_CHUNK_BYTES: Final = 1024 * 1024
_MOST_MANIFEST_BYTES: Final = 256 * 1024 * 1024
_MEND: Final = "restore another backup"


def restore(settings: Settings, source: Path) -> PortalBackup:
    """Bring back all that a backup holds.

    Args:
        settings: of the portal, whose database, blobs, results and editions are empty.
        source: the folder of the backup.

    Returns:
        The manifest of the backup.

    Raises:
        InputError: it is no backup, a file of it is missing or was changed, or its audit log does not hold.
        UsageError: the portal is not empty, or the backup is of a newer scorekit.
        BundleError: files cannot be written.
    """
    manifest = checked(source)
    if not migrating.is_known(manifest.database_version):
        raise UsageError(f"the backup is of the newer version {manifest.database_version}", mend="update scorekit")
    blobs = open_blobs(settings)
    _require_room(settings, blobs, manifest)
    database = Database(settings.database_url)
    try:
        _require_empty(database, manifest.database_version)
        migrating.upgrade(database, manifest.database_version)
        with database.begin() as connection:
            if not rows.is_empty(connection):
                raise _not_empty("its database has rows")
            rows.load(connection, source / TABLES)
            broken = audit.first_break(connection)
            if broken is not None or audit.head_of(connection) != (manifest.audit_entries, manifest.audit_sha256):
                raise InputError(
                    f"the audit log of the backup does not hold: {broken or 'it ends elsewhere than it should'}",
                    mend=_MEND,
                )
            for sha256 in connection.execute(select(submissions.c.sha256)).scalars():
                if _blob(sha256) not in manifest.files:
                    raise InputError(f"the backup lacks the blob {sha256}", mend=_MEND)
            # Before the rows are committed, all that they name is there.
            _bring(settings, blobs, source, manifest)
    finally:
        database.close()
    migrate(settings)
    return manifest


def checked(source: Path) -> PortalBackup:
    """The manifest of a backup of which every file is there and as it was.

    Raises:
        InputError: it is no backup, or not whole.
    """
    manifest = _manifest(source)
    found = dict(_files(source))
    for name in sorted(found.keys() ^ manifest.files.keys()):
        raise InputError(f"{name} {'is not of the backup' if name in found else 'is missing'}", mend=_MEND)
    for name, entry in manifest.files.items():
        if _entry(found[name]) != entry:
            raise InputError(f"{name} was changed", mend=_MEND)
    return manifest


def _manifest(source: Path) -> PortalBackup:
    try:
        if (source / MANIFEST).stat().st_size > _MOST_MANIFEST_BYTES:
            raise InputError(f"{source / MANIFEST} is too large for a manifest", mend=_MEND)
        return PortalBackup.model_validate_json((source / MANIFEST).read_bytes())
    except OSError as error:
        raise InputError(
            f"{source} is no backup: {MANIFEST} cannot be read: {error.strerror or error}",
            mend="name a folder that scorekit portal backup has written",
        ) from error
    except ValidationError as error:
        raise InputError(f"{source / MANIFEST} is no manifest: {first_complaint(error)}", mend=_MEND) from error


def _files(source: Path) -> Iterator[tuple[str, Path]]:
    for folder, _, names in os.walk(source):
        for name in names:
            path = Path(folder) / name
            inner = path.relative_to(source).as_posix()
            if not stat.S_ISREG(path.lstat().st_mode):
                raise InputError(f"{inner} is no regular file", mend=_MEND)
            if inner != MANIFEST:
                yield inner, path


def _entry(path: Path) -> ManifestEntry:
    try:
        with path.open("rb") as file:
            return ManifestEntry(sha256=hashlib.file_digest(file, "sha256").hexdigest(), size_bytes=path.stat().st_size)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}", mend="look at its disk") from error


def _require_room(settings: Settings, blobs: Blobs, manifest: PortalBackup) -> None:
    """Nothing is there but what the backup has as well."""
    if any(_blob(sha256) not in manifest.files for sha256 in blobs.names()):
        raise _not_empty("it has other blobs")
    for place, folder in ((RESULTS, settings.results), (EDITIONS, settings.editions)):
        for path in kept_files(folder):
            inner = path.relative_to(folder).as_posix()
            if manifest.files.get(f"{place}/{inner}") != _entry(path):
                raise _not_empty(f"{path} is there")


def _require_empty(database: Database, version: str) -> None:
    file = database.file
    found = None if file is not None and not file.exists() else migrating.current(database)
    if found is None:
        return
    with database.read() as connection:
        if not rows.is_empty(connection):
            raise _not_empty("its database has rows")
    if found != version:
        raise UsageError(
            f"the database has tables of version {found}, and the backup is of version {version}",
            mend="name a database without tables",
        )


def _bring(settings: Settings, blobs: Blobs, source: Path, manifest: PortalBackup) -> None:
    settings.parts.mkdir(parents=True, exist_ok=True)
    for name in manifest.files:
        place, _, inner = name.partition("/")
        if place == BLOBS:
            _bring_blob(settings, blobs, source / name, inner.rpartition("/")[2])
        elif place in (RESULTS, EDITIONS):
            target = (settings.results if place == RESULTS else settings.editions) / inner
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                atomic.write_bytes(target, (source / name).read_bytes(), elsewhere="--data DIR")


def _bring_blob(settings: Settings, blobs: Blobs, path: Path, sha256: str) -> None:
    part = settings.parts / f"restore{os.getpid()}.part"
    part.unlink(missing_ok=True)
    try:
        with path.open("rb") as file:
            found = write(part, iter(lambda: file.read(_CHUNK_BYTES), b""))
        if found.sha256 != sha256:
            raise InputError(f"the blob {sha256} was changed", mend=_MEND)
        blobs.put(part, sha256)
    except OSError as error:
        raise atomic.write_error(part, error, "--data DIR") from error
    finally:
        part.unlink(missing_ok=True)


def _blob(sha256: str) -> str:
    return f"{BLOBS}/{sha256[:2]}/{sha256}"


def _not_empty(why: str) -> UsageError:
    return UsageError(
        f"the portal is not empty: {why}", mend="restore into a new folder, --data DIR, with a new database"
    )
