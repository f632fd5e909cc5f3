"""Wheel and sdist are what they should be, and the wheel alone does what scorekit does without extras."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripts import check_package
from scripts.image.engine import Clock, UnavailableError


def test_what_would_be_published_is_whole_and_works_where_nothing_else_is(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    try:
        faults = list(check_package.check(tmp_path / "work", Clock(), None, dist))
    except UnavailableError as error:
        pytest.skip(str(error))
    assert faults == []
    sums = (dist / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    assert [line.split()[1].rpartition("-")[2] for line in sums] == ["0.1.0.cdx.json", "any.whl", "0.1.0.tar.gz"]
