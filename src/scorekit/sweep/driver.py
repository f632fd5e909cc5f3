"""The one process that drives a sweep: alone in its runs folder, and quiet beside its display."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from scorekit import atomic
from scorekit.errors import UsageError

PLAN: Final = "plan.json"
"""The plan that was run last in a runs folder."""
_LOCK: Final = ".sweep.lock"
_BATCH: Final = ".batch.json"
_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


@contextlib.contextmanager
def alone(runs: Path) -> Iterator[Path]:
    """Be the only sweep in a runs folder for as long as the block lasts; the lock goes with this process.

    Yields:
        A file for the jobs that are handed to a launcher next.

    Raises:
        UsageError: another sweep works there.
        BundleError: the folder cannot be made or written to.
    """
    try:
        runs.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(runs / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise atomic.write_error(runs / _LOCK, error, "--runs DIR") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 64, 0).decode("ascii", "replace")
            raise UsageError(
                f"another sweep works in {runs}" + (f" (process {holder})" if holder.isdigit() else ""),
                mend="wait for it, or choose another folder: --runs DIR",
            ) from error
        except OSError as error:
            # A network file system without locks: nothing keeps a second driver away there but people.
            if error.errno not in _NO_LOCKS:
                raise
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield runs / _BATCH
    finally:
        with contextlib.suppress(OSError):
            (runs / _BATCH).unlink()
        os.close(descriptor)


@contextlib.contextmanager
def variables(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process that are not set yet, and take them away afterwards."""
    new = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)
