"""Wheel and sdist are what they should be, and the wheel alone does what scorekit does without extras."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from scripts import check_package
from scripts.image.building import why_unavailable
from scripts.image.engine import Clock, UnavailableError

from scorekit import __version__

_NEEDED = "jinja2"
"""A small package that every installation of scorekit takes from an index."""
_NO_INDEX = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
    "PIP_RETRIES": "0",
}
"""Variables with which pip has an index that nothing answers for."""


def why_no_index(folder: Path, variables: Mapping[str, str]) -> str | None:
    """Why pip can ask no index of packages from here; None where one gives it a package.

    Args:
        folder: where that is put.
        variables: set for pip beside this process's own.
    """
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    done = subprocess.run(
        [*pip, "download", "--no-cache-dir", "--no-deps", "--dest", str(folder), _NEEDED],
        env={**os.environ, "PIP_RETRIES": "3", "PIP_TIMEOUT": "30", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    reason = why_unavailable(done.stdout + done.stderr) if done.returncode else None
    # A full disk is no index that is out of reach.
    return reason if reason is not None and "out of reach" in reason else None


def test_an_index_that_nothing_answers_for_is_out_of_reach(tmp_path: Path) -> None:
    reason = why_no_index(tmp_path, _NO_INDEX)
    assert reason is not None
    assert reason.startswith("a source of packages is out of reach: ")


def test_what_would_be_published_is_whole_and_works_where_nothing_else_is(tmp_path: Path) -> None:
    # One that is there and fails later on is another matter: in strict mode that is a failure.
    if (reason := why_no_index(tmp_path / "asked", {})) is not None:
        pytest.skip(f"not applicable: no index of packages can be reached: {reason}")
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
