"""One measured run at a time on a GPU: a lock on its UUID, held by all scorekit on this machine.

The lock is the kernel's (flock) on a file of a folder that all users of the machine share. It goes with the processes
that hold it, however they die: the parent, and the measuring process, which may outlive it for a moment. So no lock is
left behind, and none has to be cleared away. The file also says who holds it, for those who wait.

The folder is SCOREKIT_LOCKS, else /run/lock/scorekit where all may write to /run/lock, else /tmp/scorekit-locks. In a
container it must be the machine's own folder, or runs outside of it are not seen.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from multiprocessing import reduction
from pathlib import Path
from typing import Any, Final

from scorekit.errors import HardwareError, ScorekitError
from scorekit.measuring import driver, gpus

LOGGER = logging.getLogger("scorekit")

FOLDER: Final = "SCOREKIT_LOCKS"
SWEEP_JOB: Final = "SCOREKIT_SWEEP_JOB"
"""Set to the id of the job within a sweep: such a run also locks the CPU where it measures that."""
CPU: Final = "cpu"
WAIT_S: Final = 86_400.0
"""How long a run waits for its GPUs where no setting says otherwise: a day."""
_LOOK_AGAIN_S: Final = 0.25
_MOST_BYTES: Final = 4096

_HELD: dict[str, Lock] = {}
"""The locks of this process, which its measuring process is given too."""


class Lock:
    """A lock that this process holds. Pickled for a child that is being started, it is held by both.

    Args:
        name: UUID of the GPU, or `cpu`.
        descriptor: of the open file that carries the lock.
    """

    def __init__(self, name: str, descriptor: int) -> None:
        self.name = name
        self._descriptor = descriptor

    def close(self) -> None:
        """Give up this process's hold; the lock is free when no process holds it any more."""
        os.close(self._descriptor)

    def __reduce__(self) -> tuple[Any, ...]:
        # A duplicate is the same open file to the kernel, and so the same lock.
        return (_received, (self.name, reduction.DupFd(self._descriptor)))


def _received(name: str, duplicate: Any) -> Lock:
    return Lock(name, duplicate.detach())


def names(config: Any, environ: Mapping[str, str]) -> tuple[str, ...]:
    """What a run has to lock: its GPUs, those that scenario.gpus names, and within a sweep the CPU that it measures.

    Args:
        config: the composed config of the run.
        environ: the process's variables.
    """
    backend, scenario = config.get("backend") or {}, config.get("scenario") or {}
    device, device_ids = backend.get("device"), backend.get("device_ids")
    found: set[str] = set()
    # A server's GPUs were found before, and named.
    settings = (scenario.get("gpus"),) if backend.get("name") == "openai" else (gpus.AUTO, scenario.get("gpus"))
    for setting in settings:
        # What cannot be resolved is refused later, with the reason; there is nothing to lock.
        with contextlib.suppress(ScorekitError, ModuleNotFoundError):
            found |= set(gpus.resolve(setting, device, device_ids, environ))
    if not found and device == "cuda":
        visible = environ.get("CUDA_VISIBLE_DEVICES", "") if device_ids is None else str(device_ids)
        found |= {whole_gpu(entry) for entry in gpus.visible_ids(visible) if entry.startswith(("GPU-", "MIG-"))}
    if device == "cpu" and SWEEP_JOB in environ:
        found.add(CPU)
    return tuple(sorted(found))


def whole_gpu(uuid: str) -> str:
    """UUID of the GPU that a slice (MIG) is of, whose energy is counted as one; the slice's where NVML is silent."""
    if not uuid.startswith("MIG-"):
        return uuid
    try:
        with driver.session() as pynvml:
            parent = driver.ask(pynvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle, driver.handle(pynvml, uuid))
            found = None if parent is None else driver.text(driver.ask(pynvml.nvmlDeviceGetUUID, parent))
    except (HardwareError, ModuleNotFoundError):
        return uuid
    return found or uuid


def folder(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of the locks; made, for all users, where it is not there.

    Raises:
        HardwareError: it cannot be made.
    """
    named = (os.environ if environ is None else environ).get(FOLDER)
    shared = Path("/run/lock")
    otherwise = shared / "scorekit" if _is_open_to_all(shared) else Path("/tmp/scorekit-locks")  # noqa: S108 - for all
    path = Path(named) if named else otherwise
    try:
        path.mkdir(parents=True)
        # For all, but no one may take away another's file; the umask has had its say in mkdir.
        path.chmod(0o1777)
    except FileExistsError:
        pass
    except OSError as error:
        raise HardwareError(
            f"the folder of the GPU locks {path} cannot be made: {error.strerror}",
            mend=f"{FOLDER}=FOLDER names another one, the same for all who measure on this machine",
        ) from error
    return path


@contextlib.contextmanager
def held(wanted: Iterable[str], wait_s: float, what: str = "") -> Iterator[None]:
    """Hold locks for as long as the block lasts.

    They are taken in the order of their names, so that two runs with several GPUs never wait for each other.

    Args:
        wanted: UUIDs, or `cpu`; those that this process holds already are left alone.
        wait_s: how long to wait for all of them together; 0 does not wait.
        what: what is measured, for those who wait for us.

    Raises:
        HardwareError: another run holds one of them for too long; says which.
    """
    taken: list[Lock] = []
    until = time.monotonic() + wait_s
    try:
        for name in sorted(set(wanted) - set(_HELD)):
            lock = _take(name, until, wait_s, what)
            taken.append(lock)
            _HELD[name] = lock
        yield
    finally:
        for lock in taken:
            _HELD.pop(lock.name, None)
            lock.close()


def held_here() -> tuple[Lock, ...]:
    """The locks of this process, for a child to hold as well."""
    return tuple(_HELD.values())


def forget() -> None:
    """In a forked child: give up the hold that it was born with, for the locks are the parent's."""
    while _HELD:
        with contextlib.suppress(OSError):
            _HELD.popitem()[1].close()


def _take(name: str, until: float, wait_s: float, what: str) -> Lock:
    path = folder() / f"{re.sub(r'[^A-Za-z0-9-]', '_', name)[:100]}.lock"
    descriptor = _open(path)
    told: str | None = None
    try:
        while not _locked(descriptor):
            holder = _holder(descriptor)
            if time.monotonic() >= until:
                raise HardwareError(
                    f"{_called(name)} is in use by another measured run ({holder})"
                    + (f", also after {wait_s:g} s" if wait_s else ""),
                    mend="wait for it, choose another GPU with backend.device_ids=1, or wait longer: "
                    "launcher.gpu_wait_s=86400",
                )
            if holder != told:
                LOGGER.warning("waiting for %s: another measured run uses it (%s)", _called(name), holder)
                told = holder
            time.sleep(min(_LOOK_AGAIN_S, max(0.0, until - time.monotonic())))
        _sign(descriptor, what)
    except BaseException:
        os.close(descriptor)
        raise
    return Lock(name, descriptor)


def _open(path: Path) -> int:
    """The lock's file, open. In a folder of all users the kernel refuses O_CREAT for a file that is another's."""
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        for _ in range(2):
            with contextlib.suppress(FileNotFoundError):
                return os.open(path, flags)
            try:
                descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
            except FileExistsError:
                continue
            os.fchmod(descriptor, 0o666)
            return descriptor
        return os.open(path, flags)
    except OSError as error:
        raise HardwareError(
            f"the lock {path} cannot be opened: {error.strerror}",
            mend=f"let all who measure here write to it, or {FOLDER}=FOLDER names another folder for all of them",
        ) from error


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True


def _sign(descriptor: int, what: str) -> None:
    """Write down who holds it. It is for people only, so a full disk does not matter."""
    content = {"pid": os.getpid(), "since": datetime.now(UTC).isoformat(timespec="seconds"), "what": what[:200]}
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(content).encode(), 0)


def _holder(descriptor: int) -> str:
    try:
        content = json.loads(os.pread(descriptor, _MOST_BYTES, 0))
        what = f", {content['what']}" if content["what"] else ""
        return f"process {int(content['pid'])}, since {str(content['since'])[:40]}{what}"
    except (OSError, ValueError, KeyError, TypeError):
        return "which does not say who it is"


def _called(name: str) -> str:
    return "the CPU" if name == CPU else f"the GPU {name}"


def _is_open_to_all(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISDIR(mode) and bool(mode & stat.S_IWOTH) and bool(mode & stat.S_ISVTX)
