"""Wheel and sdist are what they should be, and the wheel alone does what scorekit does without extras."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from scripts import check_package
from scripts.image.engine import Clock, UnavailableError

from scorekit import __version__


def test_what_would_be_published_is_whole_and_works_where_nothing_else_is(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    try:
        faults = list(check_package.check(tmp_path / "work", Clock(), None, dist))
    except UnavailableError as error:
        pytest.skip(str(error))
    finally:
        # Hundreds of MB that pytest would keep.
        shutil.rmtree(tmp_path / "work", ignore_errors=True)
    assert faults == []
    sums = dict(reversed(one.split()) for one in (dist / "SHA256SUMS").read_text(encoding="ascii").splitlines())
    release = f"scorekit-{__version__}"
    assert set(sums) == {f"{release}.tar.gz", f"{release}-py3-none-any.whl", f"{release}.cdx.json"}
    assert sums == {name: hashlib.sha256((dist / name).read_bytes()).hexdigest() for name in sums}
