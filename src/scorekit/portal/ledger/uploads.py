"""Uploads in pieces: announced with their size and sha256, appended to (appending.py), complete when the hash is right.

The part file is the truth of how much has come; the database only knows that an upload is open.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import insert, select, update

from scorekit.portal.ledger import arriving, room
from scorekit.portal.ledger.people import Actor, new_id
from scorekit.portal.ledger.refusals import NotThereError, TooLateError, TooMuchError, WrongContentError
from scorekit.portal.settings import MOST_BYTES_A_DAY
from scorekit.portal.storage import Storage, audit
from scorekit.portal.storage.tables import accounts, uploads

KEPT: Final = timedelta(days=2)
"""How long an upload that nobody goes on with is kept."""
MOST_OPEN: Final = 64
"""Open uploads of one account."""
_CHUNK_BYTES: Final = 1024 * 1024
_SHA256: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload.

    Attributes:
        id: of it.
        account_id: who sends it.
        size_bytes: as announced.
        sha256: as announced.
        state: open, complete or given up.
        offset: bytes that are on the disk.
    """

    id: str
    account_id: str
    size_bytes: int
    sha256: str
    state: str
    offset: int


def announce(
    storage: Storage, parts: Path, actor: Actor, size_bytes: int, sha256: str, most_bytes: int, *,
    a_day_bytes: int = MOST_BYTES_A_DAY,
) -> Upload:  # fmt: skip
    """Begin an upload, or go on with one of the same account and content.

    Args:
        storage: of the portal.
        parts: folder of what has come of uploads.
        actor: who sends it.
        size_bytes: of all of it.
        sha256: of all of it.
        most_bytes: that are taken.
        a_day_bytes: that one account may hand in.

    Raises:
        TooMuchError: it is too large, too many are open, or it is more than an account may hand in today.
        WrongContentError: it is empty, or its sha256 is none.
    """
    if not _SHA256.fullmatch(sha256):
        raise WrongContentError(f"{sha256[:80]!r} is no sha256", mend="write it as 64 digits 0-9a-f")
    if size_bytes > most_bytes:
        raise TooMuchError(
            f"{size_bytes:,} bytes are announced, and at most {most_bytes:,} are taken",
            mend="pack fewer runs in one file",
        )
    if size_bytes < 1:
        raise WrongContentError("the file is empty", mend="pack it again: scorekit pack")
    now = storage.now()
    with arriving.counting(actor.account_id) as coming_bytes, storage.database.begin() as connection:
        # Two announcements of an account come one after the other, so that the same file is one upload.
        connection.execute(
            select(accounts.c.id).where(accounts.c.id == actor.account_id).with_for_update(key_share=True)
        )
        mine = (uploads.c.account_id == actor.account_id) & (uploads.c.state == "open")
        open_ones = connection.execute(select(uploads).where(mine)).all()
        for row in open_ones:
            if (row.sha256, row.size_bytes) == (sha256, size_bytes):
                return _upload(parts, row.id, row.account_id, size_bytes, sha256, "open")
        if len(open_ones) >= MOST_OPEN:
            raise TooMuchError(f"{len(open_ones)} uploads are open already", mend="finish them, or wait two days")
        room.require_account_in(connection, now, actor.account_id, size_bytes, a_day_bytes, coming_bytes)
        upload_id = new_id()
        connection.execute(
            insert(uploads).values(
                id=upload_id,
                account_id=actor.account_id,
                size_bytes=size_bytes,
                sha256=sha256,
                state="open",
                created_at=now,
                state_at=now,
            )
        )
        audit.append(connection, now, actor.account_id, "upload.announce", upload_id, {"size_bytes": size_bytes})
    return _upload(parts, upload_id, actor.account_id, size_bytes, sha256, "open")


def find(storage: Storage, parts: Path, actor: Actor, upload_id: str) -> Upload:
    """An upload of the one who asks.

    Raises:
        NotThereError: there is none.
    """
    with storage.database.read() as connection:
        row = connection.execute(
            select(uploads).where(uploads.c.id == upload_id, uploads.c.account_id == actor.account_id)
        ).one_or_none()
    if row is None:
        raise NotThereError("there is no such upload", mend="announce it again")
    return _upload(parts, row.id, row.account_id, row.size_bytes, row.sha256, row.state)


def check(storage: Storage, parts: Path, upload: Upload) -> None:
    """Whether all of an upload is there, and is what was announced.

    What is whole and has another hash is given up: nobody can say which of its bytes are wrong, so it is sent anew.

    Raises:
        WrongContentError: it is not.
        TooLateError: it is complete, or was given up.
    """
    if upload.state != "open":
        raise not_open(upload.state)
    if upload.offset != upload.size_bytes:
        if upload.offset == 0 and storage.blobs.has(upload.sha256):
            # Its part has become the blob in this moment, and its row is about to say so.
            raise _handed_in()
        raise WrongContentError(
            f"{upload.offset:,} of {upload.size_bytes:,} bytes are there", mend=f"send the rest, from {upload.offset}"
        )
    found = hashlib.sha256()
    try:
        with part_of(parts, upload.id).open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                found.update(chunk)
            # Another's last piece may be on its way to the disk still, while its bytes are read here already.
            os.fsync(file.fileno())
    except FileNotFoundError as error:
        raise TooLateError(
            "the upload has just been handed in, or given up", mend="look at your submissions"
        ) from error
    if found.hexdigest() != upload.sha256:
        give_up(storage, parts, upload)
        raise WrongContentError(
            f"what came has the sha256 {found.hexdigest()[:12]}..., and {upload.sha256[:12]}... was announced",
            mend="announce it again, and send all of it anew",
        )


def give_up(storage: Storage, parts: Path, upload: Upload) -> None:
    """Forget what has come of an upload; of one that is complete, or was given up, nothing is left to forget."""
    now = storage.now()
    with storage.database.begin() as connection:
        changed = connection.execute(
            update(uploads)
            .where(uploads.c.id == upload.id, uploads.c.state == "open")
            .values(state="given up", state_at=now)
        )
        if changed.rowcount == 1:
            audit.append(connection, now, upload.account_id, "upload.give_up", upload.id)
    part_of(parts, upload.id).unlink(missing_ok=True)


def sweep(storage: Storage, parts: Path) -> int:
    """Give up what nobody has gone on with, and remove part files of no open upload.

    Returns:
        How many files were removed.
    """
    now = storage.now()
    with storage.database.begin() as connection:
        old = (uploads.c.state == "open") & (uploads.c.created_at <= now - KEPT)
        still = connection.execute(select(uploads.c.id).where(old)).scalars()
        gone = [upload_id for upload_id in still if _is_old(part_of(parts, upload_id), now)]
        rows = connection.execute(
            update(uploads)
            .where(uploads.c.id.in_(gone), uploads.c.state == "open")
            .values(state="given up", state_at=now)
            .returning(uploads.c.id, uploads.c.account_id)
        ).all()
        for row in rows:
            audit.append(connection, now, row.account_id, "upload.give_up", row.id)
        known = set(connection.execute(select(uploads.c.id).where(uploads.c.state == "open")).scalars())
    removed = 0
    for path in parts.glob("*.part"):
        # Parts of forms have no row; they are younger than this, or nobody's.
        if path.stem not in known and _is_old(path, now):
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def part_of(parts: Path, upload_id: str) -> Path:
    """The file of what has come of an upload."""
    if not upload_id.isalnum():
        raise ValueError(f"{upload_id[:80]!r} is no id")
    return parts / f"{upload_id}.part"


def not_open(state: str) -> TooLateError:
    """The refusal of what only an open upload takes."""
    if state == "complete":
        return TooLateError("the upload is complete", mend="look at your submissions")
    return TooLateError("the upload was given up", mend="announce it again")


def _handed_in() -> TooLateError:
    return TooLateError("the upload has just been handed in, or given up", mend="ask for it again")


def _upload(parts: Path, upload_id: str, account_id: str, size_bytes: int, sha256: str, state: str) -> Upload:
    try:
        offset = part_of(parts, upload_id).stat().st_size
    except FileNotFoundError:
        offset = size_bytes if state == "complete" else 0
    return Upload(upload_id, account_id, size_bytes, sha256, state, offset)


def _is_old(part: Path, now: datetime) -> bool:
    try:
        return now - datetime.fromtimestamp(part.stat().st_mtime, now.tzinfo) > KEPT
    except FileNotFoundError:
        return True
