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
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from scorekit import atomic, bundle
from scorekit.errors import BundleError, HardwareError
from scorekit.measuring import driver, gpu_probe, gpus
from scorekit.records import GpuState

LOGGER = logging.getLogger("scorekit")

PERIOD_S = 1.0


class Watch:
    """Watches GPUs from `with` to its end.

    Args:
        pid: the measuring process; its children may use the GPUs too.
        gpu_ids: the GPUs as CUDA_VISIBLE_DEVICES names them; with none there is nothing to watch.
        action: `warn` tells of the first other process; `error` and `kill` also end the run.
        folder: the run folder, whose gpu_states.jsonl is told whenever the number of other processes changes; None
            tells nobody.
        also: more processes that may use the GPUs: those of a server that is measured.
    """

    def __init__(
        self,
        pid: int,
        gpu_ids: tuple[str, ...],
        action: str,
        folder: Path | None = None,
        also: Callable[[], set[int]] = set,
    ) -> None:
        self._also, self._known = also, frozenset({pid})
        self._pid, self._gpu_ids, self._action, self._folder = pid, gpu_ids, action, folder
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
        self.stop()

    def stop(self) -> None:
        """Look no more; at the end of the block nothing is left to do then."""
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
                handles = {uuid: driver.handle(pynvml, uuid) for uuid in uuids}
                before: dict[str, frozenset[int]] = dict.fromkeys(uuids, frozenset())
                while not self._stop.wait(PERIOD_S):
                    for uuid, handle in handles.items():
                        others = self._others(pynvml, handle)
                        if others is None:
                            LOGGER.warning("launcher.device_isolation: the GPUs can no longer be watched")
                            return
                        if others != before[uuid]:
                            before[uuid] = others
                            self._record(uuid, len(others))
                    found = sorted(frozenset().union(*before.values()))
                    if found and self._violation is None:
                        self._found(found)
                        if self._action != "warn":
                            return
        except HardwareError as error:
            LOGGER.warning("launcher.device_isolation: the GPUs cannot be watched: %s", error.message)

    def _others(self, pynvml: Any, handle: Any) -> frozenset[int] | None:
        """Compute processes on a GPU that are not of this run; None where it no longer tells."""
        import psutil

        listed = gpu_probe.compute_pids(pynvml, handle)
        if listed is None:
            return None
        # A process that has just ended may still be listed, and one of another container has no number here.
        living = {pid for pid in listed if psutil.pid_exists(pid)}
        if living - self._known:
            # The family is looked up only where there is somebody to tell apart: it takes milliseconds.
            self._known = frozenset(gpus.family(self._pid) | self._also() | {self._pid})
        return frozenset(living - self._known)

    def _record(self, uuid: str, others: int) -> None:
        if self._folder is None:
            return
        state = GpuState(
            when="watch",
            monotonic_s=time.monotonic(),
            utc=datetime.now(UTC).isoformat(timespec="milliseconds"),
            device=uuid,
            foreign_processes=others,
        )
        try:
            atomic.append_line(self._folder / bundle.GPU_STATES, state.model_dump_json())
        except BundleError as error:
            LOGGER.warning("launcher.device_isolation: %s", error.message)

    def _found(self, others: list[int]) -> None:
        self._violation = f"other processes ran on the GPUs {', '.join(self._gpu_ids)} during the run: {others}"
        LOGGER.warning("%s", self._violation)
        if self._action != "warn":
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL if self._action == "kill" else signal.SIGTERM)
