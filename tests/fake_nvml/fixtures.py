"""pytest fixtures over the fake NVML; tests/conftest.py makes them known to all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake_nvml.build import NoCompilerError
from tests.fake_nvml.fake import FakeNvml


@pytest.fixture
def fake_nvml(tmp_path: Path) -> FakeNvml:
    """A fake machine with one H100 for child processes: give them `fake_nvml.environment()`."""
    folder = tmp_path / "fake_nvml"
    folder.mkdir()
    try:
        return FakeNvml(folder)
    except NoCompilerError as error:
        pytest.skip(str(error))


@pytest.fixture
def fake_nvml_here(fake_nvml: FakeNvml) -> Iterator[FakeNvml]:
    """The same for this process too: pynvml talks to it until the test ends."""
    pytest.importorskip("pynvml")
    with fake_nvml.here():
        yield fake_nvml
