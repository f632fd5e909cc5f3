"""Locks (flock) on files of a sweep's folders: all machines that share a folder see who works in it.

The kernel gives a lock back when its process is gone, however it went; of a network file system its server does, when
the machine has not been heard of for a while.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from scorekit import atomic

NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""What a file system answers that has no locks: nothing keeps a second process away there but people."""
JOB: Final = ".job.lock"
"""In a job's folder: held by the process that measures the job alone, without a sweep that drives it."""
_LOOK_AGAIN_S: Final = 0.1


class HeldError(Exception):
    """Another process holds the lock.

    Args:
        path: its file.
        holder: what that process wrote into it; empty where it wrote nothing.
    """

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(path, holder)
        self.path, self.holder = path, holder


@contextlib.contextmanager
def held(path: Path, *, shared: bool = False, wait_s: float = 0.0) -> Iterator[None]:
    """Hold a lock for as long as the block lasts; where the file system has none, go on without.

    Args:
        path: its file; made, with its folder, where it is not there.
        shared: leave the lock to others who want it shared as well.
        wait_s: how long to wait for it.

    Raises:
        HeldError: another process has it, also after that time.
        BundleError: the file cannot be made or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise atomic.write_error(path, error, "--runs DIR") from error
    try:
        _lock(descriptor, path, shared=shared, wait_s=wait_s)
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            if not shared:
                os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether a process of any machine holds a lock for itself alone; False where the file system has no locks.

    It is asked by taking the lock, shared, for a moment: those who want it meanwhile must wait a little.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _lock(descriptor: int, path: Path, *, shared: bool, wait_s: float) -> None:
    until = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= until:
                holder = os.pread(descriptor, 64, 0).decode("ascii", "replace")
                raise HeldError(path, holder) from error
            time.sleep(_LOOK_AGAIN_S)
            continue
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
        return
