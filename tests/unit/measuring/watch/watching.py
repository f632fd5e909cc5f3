"""What tests of the watch over GPUs share: processes that stand for a run, looks that are counted, lines it left."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scorekit import bundle
from scorekit.measuring import gpu_probe, isolation
from scorekit.records import GpuState

PATIENCE_S = 120


def sleeping() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)


def wait_until(done: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


class Asked:
    """Counts the looks at a GPU, whose answers may be given; without more of them it is as the driver tells.

    Args:
        answers: of the first looks: processes, None for no answer.
        then: those of all later ones; `...` for the driver's own.
    """

    def __init__(self, *answers: set[int] | None, then: Any = ...) -> None:
        self._answers, self._then, self._ask = iter(answers), then, gpu_probe.compute_pids
        self.count = 0

    def __call__(self, pynvml: Any, gpu: Any) -> set[int] | None:
        answer = next(self._answers, self._then)
        found = self._ask(pynvml, gpu) if answer is ... else answer
        self.count += 1
        return found

    def wait_for_more(self, looks: int) -> None:
        """Wait for so many looks, and until what the last one saw was taken in."""
        wanted = self.count + looks + 1
        wait_until(lambda: self.count >= wanted)


def looking(monkeypatch: pytest.MonkeyPatch, *answers: set[int] | None, then: Any = ...) -> Asked:
    made = Asked(*answers, then=then)
    monkeypatch.setattr(gpu_probe, "compute_pids", made)
    return made


def wait_for_end(watching: isolation.Watch) -> None:
    watching._thread.join(PATIENCE_S)
    assert not watching._thread.is_alive()


def every_state(folder: Path) -> list[GpuState]:
    """The lines of a watch."""
    lines = (folder / bundle.GPU_STATES).read_text(encoding="utf-8").splitlines()
    found = [GpuState.model_validate_json(line) for line in lines]
    assert {state.when for state in found} == {"watch"}
    return found


def states(folder: Path) -> list[GpuState]:
    """Those of what was seen; on a busy machine there may be long times without a look besides."""
    return [state for state in every_state(folder) if state.looks is not None or state.unwatched_s is None]
