"""Meters whose energy is what the measured code says that it took, so that every figure is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.purse import Purse, only_meter


@pytest.fixture(autouse=True)
def own_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests, and whoever else measures on this machine, are not waited for."""
    monkeypatch.setenv("SCOREKIT_LOCKS", str(tmp_path / "locks"))


@pytest.fixture
def purse(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Purse]:
    """A machine whose only meter is that of a purse."""
    with only_meter(monkeypatch, tmp_path) as found:
        yield found
