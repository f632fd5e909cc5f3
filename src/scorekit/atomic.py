"""Files that are either wholly there or not there at all.

A temporary file beside the target is written, synced and renamed over it; the folder is synced too, so that the name
survives a power cut. The temporary file is removed when writing fails (a full disk, for one).
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from scorekit.errors import BundleError

RUN_FOLDER: Final = "hydra.run.dir=FOLDER"
"""How the folder of a run is chosen."""
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""What file systems answer that have no hard links, or no more of them."""
_MOST_PREFIX: Final = 200
"""Of a file's name so much stands in that of the temporary one, which may have 255 bytes."""


class NoLinksError(Exception):
    """The file system has no hard links, by which a file is created only where its name is free."""


def write_bytes(path: Path, data: bytes, *, elsewhere: str = RUN_FOLDER) -> None:
    """Write `data` to `path` in one step, in place of a file that may be there.

    Args:
        path: the file.
        data: its content.
        elsewhere: how another folder is chosen, for the message where this one cannot be written to.

    Raises:
        BundleError: the disk is full, the folder is missing, or it cannot be written to.
    """
    with _temporary(path, data, elsewhere) as temporary:
        os.replace(temporary, path)
        _sync_folder(path.parent)


def create_bytes(path: Path, data: bytes, *, elsewhere: str = RUN_FOLDER) -> bool:
    """Write `data` to `path` in one step, where there is no file of that name yet; arguments as for `write_bytes`.

    Returns:
        False where there is one; it is left as it is. Of two that write at once exactly one gets True.

    Raises:
        NoLinksError: the file system has no hard links; nothing was written.
        BundleError: as for `write_bytes`.
    """
    with _temporary(path, data, elsewhere) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno in _NO_LINKS and os.access(path.parent, os.W_OK):
                raise NoLinksError(path.name) from error
            raise
        _sync_folder(path.parent)
    return True


@contextlib.contextmanager
def _temporary(path: Path, data: bytes, elsewhere: str) -> Iterator[str]:
    """The name of a temporary file beside `path` that holds `data`, synced; it is gone afterwards."""
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:_MOST_PREFIX]}.", suffix=".part", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files private; a bundle is meant to be read by others as the umask allows.
        os.chmod(temporary, 0o666 & ~umask())
        yield temporary
    except OSError as error:
        raise write_error(path, error, elsewhere) from error
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


def sync(path: Path) -> None:
    """Return when a file's content, or the names in a folder, are on the disk.

    Raises:
        OSError: the file system cannot promise it.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_error(path: Path, error: OSError, elsewhere: str = RUN_FOLDER) -> BundleError:
    """The error for a failed write, with what to do about its cause; `elsewhere` chooses another folder."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BundleError(
            f"the disk is full: {path.name} could not be written to {path.parent}",
            mend=f"free some space, or choose another folder with {elsewhere}, and run again",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return BundleError(
            f"{path.parent} cannot be written to: {error.strerror}",
            mend=f"choose a folder of your own with {elsewhere}",
        )
    return BundleError(f"{path} could not be written: {error.strerror or error}", mend="mend the folder and run again")


def umask() -> int:
    """Which rights files and folders of this process do not get; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    # Some network file systems refuse to sync a folder; the rename itself is still atomic there.
    with contextlib.suppress(OSError):
        sync(folder)
