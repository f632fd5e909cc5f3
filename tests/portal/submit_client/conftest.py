"""What is handed in here, by whom, and to which portal."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit import submission
from tests.evidence import good_evidence
from tests.portal.submit_client.wire import CONTENT
from tests.unit.submission.made import request, thinned, write_run


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Nothing here depends on the kind of database."""
    return sqlite_url


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "submission.zip"
    made.write_bytes(CONTENT)
    return made


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A submission."""
    run = write_run(tmp_path_factory.mktemp("runs") / "run", thinned(good_evidence()))
    return submission.pack([run], request()).content
