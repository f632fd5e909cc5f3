"""The distribution of docs/extending.md, and a log that its reader reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scorekit import plugins
from tests import plugin

PAGE = Path(__file__).parents[3] / "docs" / "extending.md"
EXAMPLE = "scorekit-example-plugin 0.1.0"
(TALLY_TEXT,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
TALLY = json.loads(TALLY_TEXT)
"""36 kJ are 10 Wh, of 200 queries: 50 Wh per 1,000."""


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The distribution of docs/extending.md is installed."""
    plugin.forget()
    plugin.install_example(tmp_path / "site", monkeypatch)
    yield
    plugin.forget()


@pytest.fixture(autouse=True)
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has been told of a plugin yet."""
    monkeypatch.setattr(plugins, "_warned", set())


def tally(folder: Path, name: str = "tally.json", **changes: Any) -> Path:
    path = folder / name
    path.write_text(json.dumps({**TALLY, **changes}), encoding="utf-8")
    return path
