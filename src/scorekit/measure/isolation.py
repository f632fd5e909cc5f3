"""A watch over the GPUs in use: no other process may run on them while they are measured.

optimum-benchmark's own forks the parent: the copy keeps the pipe to the measuring process open, outlives a failed
run, and does not understand UUIDs. This one is a thread that asks NVML once a second and ends with the run.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from types import TracebackType
from typing import Any

from scorekit.errors import HardwareError
from scorekit.measure import driver, gpu_probe, gpus

LOGGER = logging.getLogger("scorekit")

PERIOD_S = 1.0


class Watch:
    """Watches GPUs from `with` to its end.

    Args:
        pid: the measuring process; its children may use the GPUs too.
        gpu_ids: the GPUs as CUDA_VISIBLE_DEVICES names them; with none there is nothing to watch.
        action: `warn` tells of the first other process; `error` and `kill` also end the run.
    """

    def __init__(self, pid: int, gpu_ids: tuple[str, ...], action: str) -> None:
        self._pid, self._gpu_ids, self._action = pid, gpu_ids, action
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="device-isolation", daemon=True)
        self._violation: str | None = None

    def __enter__(self) -> Watch:
        if self._gpu_ids:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def raise_violation(self) -> None:
        """Raise HardwareError when the run had to end because of another process."""
        if self._violation is not None and self._action != "warn":
            raise HardwareError(
                self._violation,
                mend="end that process, or launcher.device_isolation_action=warn to measure all the same",
            )

    def _watch(self) -> None:
        try:
            with driver.session() as pynvml:
                uuids = gpus.resolve(gpus.AUTO, "cuda", ",".join(self._gpu_ids), {})
                handles = [driver.handle(pynvml, uuid) for uuid in uuids]
                while not self._stop.wait(PERIOD_S):
                    found = self._processes(pynvml, handles)
                    if found is None:
                        LOGGER.warning("launcher.device_isolation: the GPUs can no longer be watched")
                        return
                    others = sorted(found - gpus.family(self._pid))
                    if others:
                        self._found(others)
                        return
        except HardwareError as error:
            LOGGER.warning("launcher.device_isolation: the GPUs cannot be watched: %s", error.message)

    def _processes(self, pynvml: Any, handles: list[Any]) -> set[int] | None:
        """Compute processes on the GPUs; None where one no longer tells."""
        import psutil

        listed: set[int] = set()
        for handle in handles:
            found = gpu_probe.compute_pids(pynvml, handle)
            if found is None:
                return None
            listed |= found
        # A process that has just ended may still be listed, and one of another container has no number here.
        return {pid for pid in listed if psutil.pid_exists(pid)}

    def _found(self, others: list[int]) -> None:
        self._violation = f"other processes ran on the GPUs {', '.join(self._gpu_ids)} during the run: {others}"
        LOGGER.warning("%s", self._violation)
        if self._action != "warn":
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL if self._action == "kill" else signal.SIGTERM)
