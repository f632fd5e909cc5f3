"""A watch that looks often, a process that stands for a run, and one of somebody else's."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from scorekit.measuring import isolation
from tests.unit.measuring.watch.watching import sleeping


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "PERIOD_S", 0.02)


@pytest.fixture
def run() -> Iterator[subprocess.Popen[bytes]]:
    """Stands for the measuring process."""
    process = sleeping()
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def foreign() -> int:
    """A process that lives and is not of this one's family."""
    return os.getppid()
