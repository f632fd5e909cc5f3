"""GPUs as the process that is measured uses them: where it has a context, and when its work there has ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from scorekit.errors import HardwareError
from scorekit.measuring import driver, environment, gpu_probe


class Users:
    """Who is on some GPUs, as seen at several looks.

    Args:
        gpu_ids: UUIDs of the GPUs.
    """

    def __init__(self, gpu_ids: Sequence[str]) -> None:
        self._gpu_ids = tuple(gpu_ids)
        self._taken: set[str] = set()
        self._tells = False

    def look(self) -> None:
        """Look once more. Of one GPU there is nothing to choose, and it is not asked."""
        if len(self._gpu_ids) < 2:
            return
        own = gpu_probe.family(os.getpid())
        for uuid, pids in zip(self._gpu_ids, self._processes(), strict=True):
            if pids is None or pids:
                # Those of others, too: what else ran there is for the checks to tell.
                self._taken.add(uuid)
            self._tells = self._tells or bool(pids and pids & own)

    def _processes(self) -> list[set[int] | None]:
        try:
            with driver.session() as pynvml:
                return [gpu_probe.compute_pids(pynvml, driver.handle(pynvml, uuid)) for uuid in self._gpu_ids]
        except HardwareError:
            return [None] * len(self._gpu_ids)

    @property
    def without(self) -> tuple[str, ...]:
        """GPUs on which nobody had a context at any look; none where the driver does not list this process anywhere.

        In a container it may list none, or name them by numbers of the host: an empty list means nothing there.
        """
        return tuple(uuid for uuid in self._gpu_ids if uuid not in self._taken) if self._tells else ()


def computing() -> int | None:
    """How many processes of this run compute on a GPU; None where torch is not what computes."""
    return gpu_probe.computing_by_torch() or None


def wait_for_torch(gpu_ids: Sequence[str]) -> None:
    """Wait until torch's work on some GPUs has ended; not on those where it has no context, for that would make one.

    Args:
        gpu_ids: UUIDs of the GPUs.
    """
    torch = sys.modules.get("torch")
    if not gpu_ids or torch is None or not torch.cuda.is_initialized():
        return
    # Builds for other makers' GPUs tell no UUIDs.
    uuids = environment.torch_gpus()
    for index in range(torch.cuda.device_count()):
        if (uuids is None or uuids[index] in gpu_ids) and _has_context(torch, index):
            torch.cuda.synchronize(index)


def _has_context(torch: Any, index: int) -> bool:
    told = getattr(torch._C, "_cuda_hasPrimaryContext", None)
    # A device without a context has no memory either, and asking that makes none.
    return bool(told(index)) if told is not None else torch.cuda.memory_reserved(index) > 0
