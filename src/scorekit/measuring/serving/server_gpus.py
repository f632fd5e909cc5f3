"""Which GPUs a server uses: from the port that it listens on to its processes, and from them to NVML's GPUs.

vLLM, llama.cpp, Ollama and transformers serve compute in the process that listens or in descendants of it. TGI's router
listens, and its shards are other children of the launcher that started both: so where none of those processes is on a
GPU, the descendants of their parent are looked at. Not those of a shell or of a manager of services, which start what
has nothing to do with the server: these put each thing that they start in a process group of its own.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from scorekit.errors import HardwareError
from scorekit.measuring import driver, gpu_probe

BY_HAND: Final = "name the server's GPUs by hand: scenario.gpus=[0], as `nvidia-smi` numbers them"
_INIT: Final = 1


@dataclass(frozen=True, slots=True)
class Found:
    """A server's processes and GPUs.

    Attributes:
        pids: the processes whose descendants, with them, are the server.
        processes: all of them.
        uuids: GPUs on which one of them computes.
    """

    pids: tuple[int, ...]
    processes: int
    uuids: tuple[str, ...]


def listening_pids(addresses: Iterable[str], port: int) -> tuple[int, ...]:
    """Processes that listen on a port; none where they are another user's or another container's.

    Args:
        addresses: of the host that was named.
        port: number.
    """
    import psutil

    wanted = set(addresses) | {"0.0.0.0", "::"}  # noqa: S104 - compared with, not bound to
    wanted |= {f"::ffff:{address}" for address in wanted if ":" not in address}
    try:
        connections = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return ()
    return tuple(
        sorted(
            {
                int(found.pid)
                for found in connections
                if found.status == psutil.CONN_LISTEN
                and found.pid
                and found.laddr.port == port
                and found.laddr.ip in wanted
            }
        )
    )


def family(pids: Iterable[int]) -> set[int]:
    """Processes and all their descendants."""
    import psutil

    found: set[int] = set()
    for pid in pids:
        found.add(pid)
        with contextlib.suppress(psutil.Error):
            found |= {int(child.pid) for child in psutil.Process(pid).children(recursive=True)}
    return found


def find(addresses: Iterable[str], port: int) -> Found:
    """The server behind a port.

    Raises:
        HardwareError: nobody can tell which process it is, or it computes on no GPU that NVML tells of.
    """
    pids = listening_pids(addresses, port)
    with driver.session() as pynvml:
        users = _users(pynvml)
    if not pids:
        raise HardwareError(
            f"which process listens on port {port} cannot be told: it is another user's, or lies in a container",
            mend=BY_HAND,
        )
    for roots in (pids, _parents(pids)):
        processes = family(roots)
        uuids = tuple(uuid for uuid, computing in users.items() if computing & processes)
        if uuids:
            return Found(tuple(sorted(roots)), len(processes), uuids)
    raise HardwareError(
        f"the server behind port {port} (process {', '.join(map(str, pids))}) computes on no GPU that NVML tells of",
        mend=f"{BY_HAND}; or backend.device=cpu where it runs on the CPU",
    )


def look(pids: Collection[int]) -> tuple[tuple[str, ...] | None, int | None]:
    """On which GPUs a server's processes compute now, and how many it has; None for what is not known."""
    if not pids:
        return None, None
    processes = family(pids)
    with contextlib.suppress(HardwareError, ModuleNotFoundError), driver.session() as pynvml:
        return tuple(uuid for uuid, computing in _users(pynvml).items() if computing & processes), len(processes)
    return None, len(processes)


def _users(pynvml: Any) -> dict[str, set[int]]:
    """Of each GPU the processes that compute on it, as far as NVML tells."""
    return {
        gpu.uuid: gpu_probe.compute_pids(pynvml, driver.handle(pynvml, gpu.uuid)) or set()
        for gpu in driver.listing(pynvml)
        if gpu.uuid is not None
    }


def _parents(pids: Iterable[int]) -> tuple[int, ...]:
    """Parents that are the server's own: of its process group, and none that this command descends from."""
    import psutil

    ours: set[int] = {os.getpid(), _INIT}
    found: set[int] = set()
    with contextlib.suppress(psutil.Error):
        ours |= {int(parent.pid) for parent in psutil.Process().parents()}
    for pid in pids:
        with contextlib.suppress(psutil.Error, OSError):
            parent = psutil.Process(pid).parent()
            if parent is not None and parent.pid not in ours and os.getpgid(parent.pid) == os.getpgid(pid):
                found.add(int(parent.pid))
    return tuple(sorted(found))
