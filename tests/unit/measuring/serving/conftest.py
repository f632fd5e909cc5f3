"""A fake server for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.measuring.serving.fake_server import FakeServer, serving


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serving() as found:
        yield found
