"""A copy of all that a portal keeps, made while it runs: one folder, whole or not at all.

    BACKUP/manifest.json      every file with its sha256, and the end of the audit log
    BACKUP/tables/NAME.jsonl  the rows of one state of the database, the same for SQLite and PostgreSQL
    BACKUP/blobs/AB/SHA256    what was handed in
    BACKUP/results/...        the results folder
    BACKUP/editions/...       editions

Sessions of browsers and unfinished uploads are left out. Rows come first: what they name was stored before them, and is
never removed, so that everything they name can be copied after them.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import select

from scorekit import __version__
from scorekit.atomic import sync, write_error
from scorekit.errors import InputError, UsageError
from scorekit.portal.opened import Portal
from scorekit.portal.storage import audit, migrating, rows
from scorekit.portal.storage.tables import submissions
from scorekit.records import ManifestEntry, PortalBackup

MANIFEST: Final = "manifest.json"
TABLES: Final = "tables"
BLOBS: Final = "blobs"
RESULTS: Final = "results"
EDITIONS: Final = "editions"
_CHUNK_BYTES: Final = 1024 * 1024
_ELSEWHERE: Final = "--to DIR"


def backup(portal: Portal, to: Path) -> PortalBackup:
    """Copy all that a portal keeps.

    Args:
        portal: that is set up; it may be at work.
        to: a folder that is not there yet.

    Returns:
        The manifest.

    Raises:
        UsageError: the folder is there, or lies in that of the portal.
        InputError: a blob is gone or was changed, or the audit log is broken: such a copy would be worth nothing.
        BundleError: the copy cannot be written.
    """
    target = to.absolute()
    if target.exists():
        raise UsageError(f"{to} is there already", mend="name a folder that is not there yet")
    if target.is_relative_to(portal.settings.data):
        raise UsageError(f"{to} lies in the portal's own folder", mend="name a folder elsewhere, on another disk")
    passing = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # It holds names of people and hashes of tokens.
        passing.mkdir(mode=0o700)
        made = _write(portal, passing)
        _sync_folders(passing)
        os.rename(passing, target)
        sync(target.parent)
    except OSError as error:
        raise write_error(target, error, _ELSEWHERE) from error
    finally:
        shutil.rmtree(passing, ignore_errors=True)
    return made


def kept_files(folder: Path) -> Iterator[Path]:
    """The files of a results folder or a folder of editions: no links, no locks, and nothing that is being written."""
    for path in sorted(folder.rglob("*.json")):
        inner = path.relative_to(folder).parts
        if path.is_file() and not path.is_symlink() and not any(part.startswith(".") for part in inner):
            yield path


def _write(portal: Portal, folder: Path) -> PortalBackup:
    files: dict[str, ManifestEntry] = {}
    with portal.storage.database.read() as connection:
        for name, lines in rows.lines(connection):
            files[f"{TABLES}/{name}.jsonl"] = write(folder / TABLES / f"{name}.jsonl", lines)
        broken = audit.first_break(connection)
        end = audit.head_of(connection)
        handed_in = connection.execute(select(submissions.c.sha256).distinct().order_by(submissions.c.sha256)).scalars()
        blobs = list(handed_in)
    if broken is not None or end is None:
        raise InputError(f"the audit log is broken: {broken}", mend="scorekit portal check tells more")
    for sha256 in blobs:
        name = f"{BLOBS}/{sha256[:2]}/{sha256}"
        with portal.storage.blobs.open(sha256) as file:
            files[name] = write(folder / name, iter(lambda: file.read(_CHUNK_BYTES), b""))
        if files[name].sha256 != sha256:
            raise InputError(f"the blob {sha256} was changed", mend="bring it back from an earlier backup")
    for place, source in ((RESULTS, portal.settings.results), (EDITIONS, portal.settings.editions)):
        for path in kept_files(source):
            name = f"{place}/{path.relative_to(source).as_posix()}"
            files[name] = write(folder / name, [path.read_bytes()])
    made = PortalBackup(
        created_utc=portal.storage.now().astimezone(datetime.UTC).isoformat(),
        scorekit_version=__version__,
        database_version=migrating.head(),
        audit_entries=end[0],
        audit_sha256=end[1],
        files=dict(sorted(files.items())),
    )
    write(folder / MANIFEST, [made.model_dump_json(indent=1).encode() + b"\n"])
    return made


def write(path: Path, chunks: Iterable[bytes]) -> ManifestEntry:
    """Write a file and sync it; tells what was written.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    found, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        for chunk in chunks:
            found.update(chunk)
            size += len(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return ManifestEntry(sha256=found.hexdigest(), size_bytes=size)


def _sync_folders(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            sync(path)
    sync(folder)
