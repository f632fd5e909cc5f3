"""Probes of the file system that a folder lies on: what it is, and whether it does what runs and sweeps rest on.

Facts only; `validity/file_system.py` judges them. What reaches other machines cannot be tried from one: of that the
type and the mount options tell.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from scorekit.records.machine import ProbedFolder

MOUNTS: Final = Path("/proc/self/mountinfo")
_PREFIX: Final = ".scorekit-probe-"
_GIB: Final = 2**30
_OCTAL: Final = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of the kernel's table of mounts.

    Attributes:
        place: the folder at which it is mounted.
        type: of the file system.
        options: of the mount, then those of the file system.
    """

    place: str
    type: str
    options: tuple[str, ...]


def probe(folder: Path) -> ProbedFolder:
    """Look at a folder, and try in it what is needed; nothing is left behind.

    Args:
        folder: where it is not there yet, the one that it would be made in.
    """
    path = folder.absolute()
    place = next((each for each in (path, *path.parents) if each.exists()), path)
    kind = mount_of(os.path.realpath(place), _text(MOUNTS))
    facts = {"path": str(path)} if kind is None else {"path": str(path), "type": kind[0], "options": kind[1]}
    try:
        scratch = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
    except OSError as error:
        return ProbedFolder.model_validate({**facts, "problem": error.strerror or str(error)})
    try:
        return ProbedFolder.model_validate({**facts, **_tried(scratch)})
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def mounts(mountinfo: str) -> Iterator[Mount]:
    """What is mounted; lines that are none are passed over.

    Args:
        mountinfo: content of /proc/self/mountinfo (proc_pid_mountinfo(5)).
    """
    for line in mountinfo.splitlines():
        before, separator, after = line.partition(" - ")
        left, right = before.split(), after.split()
        if separator and len(left) >= 6 and len(right) >= 2:
            # The kernel writes a blank and the like as three octal digits.
            place = _OCTAL.sub(lambda found: chr(int(found[1], 8)), left[4])
            yield Mount(place, right[0], (*left[5].split(","), *(right[2].split(",") if len(right) > 2 else ())))


def mount_of(path: str, mountinfo: str) -> tuple[str, tuple[str, ...]] | None:
    """Type and options of the mount that a path lies on; None where the kernel's table does not tell.

    Args:
        path: without symbolic links.
        mountinfo: content of /proc/self/mountinfo.
    """
    found: tuple[int, Mount] | None = None
    for mount in mounts(mountinfo):
        place = mount.place.rstrip("/")
        # Of two at one place the later lies above the earlier.
        if (path == place or path.startswith(f"{place}/")) and (found is None or len(place) >= found[0]):
            found = (len(place), mount)
    return None if found is None else (found[1].type, tuple(dict.fromkeys(found[1].options)))


def _tried(scratch: Path) -> dict[str, object]:
    locks, lock_problem = _locks(scratch)
    room = os.statvfs(scratch)
    return {
        "locks": locks,
        "lock_problem": lock_problem,
        "links": _works(lambda: _link(scratch)),
        "renames": _works(lambda: _rename(scratch)),
        "syncs": _works(lambda: _sync(scratch)),
        "free_gib": round(room.f_bavail * room.f_frsize / _GIB, 2),
        # Some file systems count no inodes, and say 0 of 0.
        "free_files": room.f_favail if room.f_files else None,
    }


def _locks(scratch: Path) -> tuple[Literal["work", "refused", "shared by two"], str | None]:
    """Whether a lock keeps a second holder away; each open file holds its own."""
    path = scratch / "lock"
    with path.open("w") as first, path.open("w") as second:
        try:
            fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return "work", None
        except OSError as error:
            return "refused", f"{errno.errorcode.get(error.errno or 0, '')} {error.strerror}".strip()
    return "shared by two", None


def _link(scratch: Path) -> bool:
    """Whether a name is given to one only: how the number of an attempt is taken."""
    source, name = scratch / "source", scratch / "name"
    source.write_bytes(b"1")
    os.link(source, name)
    with contextlib.suppress(FileExistsError):
        os.link(source, name)
        return False
    return True


def _rename(scratch: Path) -> bool:
    old, new = scratch / "old", scratch / "new"
    old.write_bytes(b"old")
    new.write_bytes(b"new")
    os.replace(new, old)
    return old.read_bytes() == b"new" and not new.exists()


def _sync(scratch: Path) -> bool:
    with (scratch / "synced").open("wb") as file:
        file.write(b"1")
        file.flush()
        os.fsync(file.fileno())
    return True


def _works(trial: Callable[[], bool]) -> bool:
    try:
        return trial()
    except OSError:
        return False


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
