"""What is handed in here, and to which portal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.portal.made import real
from tests.portal.submit_client.wire import CONTENT


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Nothing here depends on the kind of database."""
    return sqlite_url


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "submission.zip"
    made.write_bytes(CONTENT)
    return made


@pytest.fixture
def packed() -> bytes:
    """A submission."""
    content, _ = real()
    return content
