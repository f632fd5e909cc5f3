"""Files that are either wholly there or not there at all.

A temporary file beside the target is written, synced and renamed over it; the folder is synced too, so that the name
survives a power cut. The temporary file is removed when writing fails (a full disk, for one).
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path

from scorekit.errors import BundleError


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` in one step.

    Raises:
        BundleError: the disk is full, the folder is missing, or it cannot be written to.
    """
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files private; a bundle is meant to be read by others as the umask allows.
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
        temporary = None
        _sync_folder(path.parent)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path` in one step; raises like `write_bytes`."""
    write_bytes(path, text.encode("utf-8"))


def append_line(path: Path, line: str) -> None:
    """Append one line and sync it; a crash leaves at most one torn last line, which readers leave out.

    Raises:
        BundleError: as for `write_bytes`.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            data = (line + "\n").encode("utf-8")
            while data:
                data = data[os.write(descriptor, data) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise write_error(path, error) from error


def write_error(path: Path, error: OSError) -> BundleError:
    """The error for a failed write, with what to do about its cause."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BundleError(
            f"the disk is full: {path.name} could not be written to {path.parent}",
            mend="free some space, or choose another folder with hydra.run.dir=FOLDER, and run again",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return BundleError(
            f"{path.parent} cannot be written to: {error.strerror}",
            mend="choose a folder of your own with hydra.run.dir=FOLDER",
        )
    return BundleError(f"{path} could not be written: {error.strerror or error}", mend="mend the folder and run again")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    # Some network file systems refuse to sync a folder; the rename itself is still atomic there.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
