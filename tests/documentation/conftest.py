"""What the tests of pages share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documentation.shells import copied_scorekit
from tests.e2e.commands import Stems


@pytest.fixture(scope="session")
def scorekit_program(shared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with `scorekit`, for shells."""
    stems = Stems(shared_folder)
    try:
        yield copied_scorekit(tmp_path_factory.mktemp("programs") / "bin", stems)
    finally:
        stems.let_go()
