"""Here files are under test, whatever the database; what hangs on that is in test_publishing_once.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit.portal.settings import Settings
from tests.portal.conftest import settings_of
from tests.portal.measured import read_here


@pytest.fixture
def portal_settings(sqlite_url: str, tmp_path: Path) -> Settings:
    return settings_of(tmp_path / "data", sqlite_url)


@pytest.fixture(autouse=True)
def _read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    read_here(monkeypatch)
