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
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from scorekit import atomic, bundle
from scorekit.errors import BundleError, HardwareError
from scorekit.measuring import driver, gpu_probe, gpus, strangers
from scorekit.records import GpuState
from scorekit.records.gpus import LONGEST_UNWATCHED_S

LOGGER = logging.getLogger("scorekit")

PERIOD_S = 1.0
_MOST_FAILED = 3
"""So many looks in a row without an answer end the watch: one alone may be a driver that is busy."""


@dataclass(frozen=True, slots=True)
class _Others:
    """Others' processes on a GPU.

    Attributes:
        pids: those that have a number here.
        nameless: how many have none.
    """

    pids: frozenset[int] = frozenset()
    nameless: int = 0

    @property
    def count(self) -> int:
        return len(self.pids) + self.nameless


class Watch:
    """Watches GPUs from `with` to its end.

    Args:
        pid: the measuring process; its children may use the GPUs too.
        gpu_ids: the GPUs as CUDA_VISIBLE_DEVICES names them; with none there is nothing to watch.
        action: `warn` tells of the first other process; `error` and `kill` also end the run.
        folder: the run folder, whose gpu_states.jsonl is told whenever the number of other processes changes, and at
            the end whether and how often they were seen until then; None tells nobody.
        also: more processes that may use the GPUs: those of a server that is measured.
        computing: how many of the run's processes may compute on one GPU; None where that is not known.
    """

    def __init__(
        self,
        pid: int,
        gpu_ids: tuple[str, ...],
        action: str,
        folder: Path | None = None,
        also: Callable[[], set[int]] = set,
        computing: Callable[[], int | None] = lambda: 1,
    ) -> None:
        self._also, self._computing, self._known = also, computing, frozenset({pid})
        self._pid, self._gpu_ids, self._action, self._folder = pid, gpu_ids, action, folder
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="device-isolation", daemon=True)
        self._violation: str | None = None
        self._nameless: dict[str, set[int]] = {}

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
        seen: dict[str, _Others] = {}
        looks, lasted, seen_s, longest_s = 0, False, time.monotonic(), 0.0
        try:
            with driver.session() as pynvml:
                uuids = gpus.resolve(gpus.AUTO, "cuda", ",".join(self._gpu_ids), {})
                handles = {uuid: driver.handle(pynvml, uuid) for uuid in uuids}
                seen = dict.fromkeys(uuids, _Others())
                failed = 0
                while failed < _MOST_FAILED:
                    found = {uuid: self._others(pynvml, uuid, handle) for uuid, handle in handles.items()}
                    told = {uuid: others for uuid, others in found.items() if others is not None}
                    for uuid, others in told.items():
                        if others.count != seen[uuid].count:
                            self._record(uuid, others.count)
                    seen |= told
                    whole = len(told) == len(found)
                    looks, failed = looks + whole, 0 if whole else failed + 1
                    if whole:
                        longest_s, seen_s = max(longest_s, self._unwatched(seen, seen_s)), time.monotonic()
                    self._judge(seen.values())
                    if self._stop.wait(PERIOD_S):
                        # One look without an answer ends no watch, the last one no more than any other.
                        lasted = looks > 0 and failed < _MOST_FAILED
                        return
                LOGGER.warning("launcher.device_isolation: the GPUs can no longer be watched")
        except HardwareError as error:
            LOGGER.warning("launcher.device_isolation: the GPUs cannot be watched: %s", error.message)
        except Exception:
            LOGGER.exception("launcher.device_isolation: the GPUs can no longer be watched")
        finally:
            # Whatever ended it: what was not seen must not look like nothing.
            longest_s = max(longest_s, self._unwatched(seen if lasted else {}, seen_s))
            for uuid in seen or dict.fromkeys(map(_uuid, gpus.visible_ids(",".join(self._gpu_ids)))):
                self._record(uuid, seen[uuid].count if lasted else None, looks, longest_s)

    def _unwatched(self, seen: dict[str, _Others], since_s: float) -> float:
        """How long nothing was seen until now [s]; a long time is told of."""
        lasted_s = time.monotonic() - since_s
        if lasted_s > LONGEST_UNWATCHED_S:
            for uuid, others in seen.items():
                self._record(uuid, others.count, unwatched_s=lasted_s)
        return lasted_s

    def _others(self, pynvml: Any, uuid: str, gpu: Any) -> _Others | None:
        """Compute processes on a GPU that are not of this run; None where that cannot be told."""
        import psutil

        listed = gpu_probe.compute_pids(pynvml, gpu)
        if listed is None:
            return None
        living = {pid for pid in listed if psutil.pid_exists(pid)}
        if living - self._known:
            # The family is looked up only where there is somebody to tell apart: it takes milliseconds.
            self._known = frozenset(gpus.family(self._pid) | self._also() | {self._pid})
        # A process that has just ended may still be listed, and is gone at the next look. One that stays has no number
        # here because this is a container and NVML names it by the host's.
        nameless = listed - living
        lasting, self._nameless[uuid] = nameless & self._nameless.get(uuid, set()), nameless
        count = strangers.count(living | lasting, self._known, lasting, self._computing() if lasting else 0)
        foreign = frozenset(living - self._known)
        return None if count is None else _Others(foreign, count - len(foreign))

    def _judge(self, seen: Iterable[_Others]) -> None:
        others = [found for found in seen if found.count]
        if not others or self._violation is not None:
            return
        self._found(sorted(frozenset().union(*(found.pids for found in others))), max(o.nameless for o in others))
        if self._action != "warn":
            self._stop.set()

    def _record(
        self, uuid: str, others: int | None, looks: int | None = None, unwatched_s: float | None = None
    ) -> None:
        if self._folder is None:
            return
        state = GpuState(
            when="watch",
            monotonic_s=time.monotonic(),
            utc=datetime.now(UTC).isoformat(timespec="milliseconds"),
            device=uuid,
            foreign_processes=others,
            looks=looks,
            unwatched_s=unwatched_s,
        )
        try:
            atomic.append_line(self._folder / bundle.GPU_STATES, state.model_dump_json())
        except BundleError as error:
            LOGGER.warning("launcher.device_isolation: %s", error.message)

    def _found(self, others: list[int], nameless: int) -> None:
        more = f" and {nameless} whose number is that of the container's host" if nameless else ""
        self._violation = f"other processes ran on the GPUs {', '.join(self._gpu_ids)} during the run: {others}{more}"
        LOGGER.warning("%s", self._violation)
        if self._action != "warn":
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL if self._action == "kill" else signal.SIGTERM)


def _uuid(named: str) -> str:
    """The GPU of a name that CUDA takes, an index or the beginning of a UUID; the name where NVML does not tell."""
    with contextlib.suppress(HardwareError, ModuleNotFoundError):
        (found,) = gpus.resolve(gpus.AUTO, "cuda", named, {})
        return found
    return named
