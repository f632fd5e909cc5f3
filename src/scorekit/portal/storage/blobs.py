"""What was handed in, by its sha256: written once, whole or not at all, never changed.

A folder by default; any file system that fsspec knows by its URL. Only a folder can promise that what was stored is on
the disk when `put` returns; of another store it is the store that promises it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from scorekit.atomic import sync
from scorekit.errors import BundleError, InputError, MissingExtraError, UsageError

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_CHUNK_BYTES: Final = 1024 * 1024


class Blobs:
    """Blobs below one URL.

    Args:
        url: a folder, or a URL as fsspec has it, e.g. s3://bucket/portal.

    Raises:
        UsageError: nobody knows such a store.
        MissingExtraError: its driver is not installed.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            from fsspec.core import url_to_fs

            self._files, self._root = url_to_fs(url)
        except ImportError as error:
            raise MissingExtraError(error.name or "fsspec", "portal") from error
        except ValueError as error:
            raise UsageError(
                f"no store of files is known by {url!r}", mend="name a folder, or a URL of fsspec"
            ) from error
        self._is_folder = self._files.protocol in (("file", "local"), "file")
        self._root = self._root.rstrip("/")

    def prepare(self) -> None:
        """Make the folder and those in it, so that they are on the disk before anything is in them; another store makes
        its own.

        Raises:
            BundleError: it cannot be made.
        """
        if not self._is_folder:
            return
        try:
            # Confidential submissions are for nobody else on this machine.
            root = Path(self._root)
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync(root.parent)
            for number in range(256):
                _make_as(root / f"{number:02x}", root.stat())
            sync(root)
        except OSError as error:
            raise _not_stored(error) from error

    def put(self, part: Path, sha256: str) -> None:
        """Store a file, and only then return; the file itself is gone afterwards.

        What lies there under its hash is replaced by it, so that a damaged blob is mended by sending it again.

        Args:
            part: what was received, synced, on the same file system where the blobs are a folder.
            sha256: of its content, which the caller has worked out; a part that is gone because another stored it is
                as good as stored.

        Raises:
            BundleError: it could not be stored; `part` is as it was.
        """
        target = self._path(sha256)
        try:
            if self._is_folder:
                _move(part, Path(target))
            elif part.exists() or not self._files.exists(target):
                self._upload(part, target)
        except OSError as error:
            raise _not_stored(error) from error

    def has(self, sha256: str) -> bool:
        """Whether it is there."""
        return bool(self._files.exists(self._path(sha256)))

    @contextlib.contextmanager
    def open(self, sha256: str) -> Iterator[Any]:
        """A blob as a file that is read.

        Raises:
            InputError: it is not there.
        """
        try:
            file = self._files.open(self._path(sha256), "rb")
        except FileNotFoundError as error:
            raise InputError(f"the blob {sha256} is gone", mend="bring it back: scorekit portal restore") from error
        with file:
            yield file

    def fetch(self, sha256: str, target: Path) -> None:
        """Copy a blob to a file, and check it on the way.

        Raises:
            InputError: it is not there, or is not what was stored.
        """
        found = hashlib.sha256()
        with self.open(sha256) as file, target.open("wb") as out:
            while chunk := file.read(_CHUNK_BYTES):
                found.update(chunk)
                out.write(chunk)
        if found.hexdigest() != sha256:
            raise InputError(f"the blob {sha256} was changed", mend="bring it back: scorekit portal restore")

    def names(self) -> Iterator[str]:
        """The sha256 of every blob, in order."""
        try:
            found = self._files.find(self._root)
        except FileNotFoundError:
            return
        yield from sorted(name for path in found if _SHA256.fullmatch(name := path.rpartition("/")[2]))

    def _upload(self, part: Path, target: str) -> None:
        # Under a name of its own first: nobody reads half of it under its hash.
        passing = f"{self._root}/incoming/{secrets.token_hex(8)}"
        self._files.makedirs(f"{self._root}/incoming", exist_ok=True)
        self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
        self._files.put_file(str(part), passing)
        self._files.mv(passing, target)
        part.unlink(missing_ok=True)

    def _path(self, sha256: str) -> str:
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256[:80]!r} is no sha256")
        return f"{self._root}/{sha256[:2]}/{sha256}"


def _make_as(folder: Path, owner: os.stat_result) -> None:
    """Make a folder for the owner of the one around it: who migrates may be root, and the server that stores is not."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
        if os.geteuid() == 0:
            os.chown(folder, owner.st_uid, owner.st_gid)


def _move(part: Path, target: Path) -> None:
    """Rename within a file system, copy to another; the name is on the disk before it returns."""
    if not target.parent.is_dir():
        # It was there when the portal started.
        target.parent.mkdir(parents=True, exist_ok=True)
        sync(target.parent.parent)
    try:
        os.replace(part, target)
    except FileNotFoundError:
        # Two hand in the same upload at once, and the other was first; what it has not synced yet is synced below.
        if not target.exists():
            raise
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(part, target)
    sync(target.parent)


def _copy(part: Path, target: Path) -> None:
    passing = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        passing.touch(mode=0o600, exist_ok=False)
        shutil.copyfile(part, passing)
        sync(passing)
        os.replace(passing, target)
    finally:
        passing.unlink(missing_ok=True)
    part.unlink(missing_ok=True)


def _not_stored(error: OSError) -> BundleError:
    return BundleError(
        f"a blob could not be stored: {error.strerror or error}", mend="look at the disk of the portal's blobs"
    )
