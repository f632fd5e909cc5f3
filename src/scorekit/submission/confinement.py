"""What a process gives up before it reads what a stranger sent: memory, time, files, and the network.

Where the kernel does not allow the network to be cut, it is closed to Python's own calls alone, and the verdict says
so. There is no filter of system calls.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import sys
from typing import Any, Final

_NEW_USER: Final = 0x10000000
_NEW_NETWORK: Final = 0x40000000
"""CLONE_NEWUSER and CLONE_NEWNET of linux/sched.h."""
_FORBIDDEN: Final = (
    "socket.", "ctypes.", "os.fork", "os.exec", "os.posix_spawn", "os.system", "pty.", "ftplib.", "smtplib.", "urllib.",
    "webbrowser.", "shutil.", "os.symlink", "os.link", "os.chmod", "os.chown", "pickle.",
)  # fmt: skip
"""Audit events of Python that reading a submission has no need of (PEP 578)."""
_MOST_FILES: Final = 64
_MOST_FILE_BYTES: Final = 1024 * 1024
"""Of what it writes: the signature and keys that ssh-keygen is given."""


def confine(memory_bytes: int, cpu_s: int) -> tuple[str, ...]:
    """Give up what is not needed; cannot be taken back.

    Args:
        memory_bytes: address space.
        cpu_s: seconds of CPU.

    Returns:
        What holds from now on, in words.
    """
    told = [_cut_network()]
    for name, limit in (
        ("RLIMIT_AS", memory_bytes),
        ("RLIMIT_CPU", cpu_s),
        ("RLIMIT_FSIZE", _MOST_FILE_BYTES),
        ("RLIMIT_NOFILE", _MOST_FILES),
        ("RLIMIT_CORE", 0),
    ):
        what = getattr(resource, name)
        _, hard = resource.getrlimit(what)
        wanted = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(what, (wanted, wanted))
    told += [
        f"memory: {memory_bytes // 1024**2} MiB of address space",
        f"time: {cpu_s} s of CPU",
        f"files: {_MOST_FILES} open, {_MOST_FILE_BYTES // 1024**2} MiB written",
        "Python's own calls of sockets, programs and pickles: refused (ssh-keygen alone is started)",
        "system calls: not filtered",
    ]
    sys.addaudithook(_refuse)
    return tuple(told)


def _cut_network() -> str:
    if not sys.platform.startswith("linux"):
        return "network: not cut, this is no Linux; Python's own sockets are refused"
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(_NEW_NETWORK) == 0:
        return "network: cut (a network namespace of its own)"
    if libc.unshare(_NEW_USER | _NEW_NETWORK) == 0:
        _keep_own_name(user, group)
        return "network: cut (a user and network namespace of its own)"
    why = os.strerror(ctypes.get_errno())
    return f"network: not cut, the kernel does not allow it ({why}); Python's own sockets are refused"


def _keep_own_name(user: int, group: int) -> None:
    """Without a map every user is nobody, and ssh-keygen asks who it is."""
    for path, text in (
        ("/proc/self/setgroups", "deny"),
        ("/proc/self/uid_map", f"{user} {user} 1"),
        ("/proc/self/gid_map", f"{group} {group} 1"),
    ):
        with contextlib.suppress(OSError), open(path, "w", encoding="ascii") as file:
            file.write(text)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen":
        program = arguments[0]
        if os.path.basename(os.fsdecode(program)) != "ssh-keygen":
            raise PermissionError("only ssh-keygen is started here")
    elif event.startswith(_FORBIDDEN) and event not in _NEEDED:
        raise PermissionError(f"{event} is not done here")


_NEEDED: Final = frozenset({"shutil.rmtree"})
"""Temporary folders of signatures are removed again."""
