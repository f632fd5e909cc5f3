"""One official run and its submissions, made once for all tests here."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit import submission
from tests.evidence import good_evidence
from tests.unit.submission.made import request, thinned, write_run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An official run of text generation."""
    return write_run(tmp_path_factory.mktemp("runs") / "official", thinned(good_evidence()))


@pytest.fixture(scope="session")
def content(run: Path) -> bytes:
    """Its open submission."""
    return submission.pack([run], request()).content


@pytest.fixture(scope="session")
def confidential(run: Path) -> bytes:
    """Its confidential one."""
    return submission.pack([run], request(form="confidential", model_name="Hidden 1")).content
