"""Blobs are stored once, whole, under their hash."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from scorekit.errors import BundleError, InputError, UsageError
from scorekit.portal.storage import Blobs
from tests.portal.made import digest


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    made = Blobs(str(tmp_path / "blobs"))
    made.prepare()
    return made


def _part(tmp_path: Path, content: bytes) -> Path:
    part = tmp_path / "x.part"
    part.write_bytes(content)
    return part


def test_what_is_stored_is_read_and_listed(blobs: Blobs, tmp_path: Path) -> None:
    assert list(blobs.names()) == []
    for content in (b"one", b"two", b"one"):
        part = _part(tmp_path, content)
        blobs.put(part, digest(content))
        assert not part.exists()
    assert list(blobs.names()) == sorted({digest(b"one"), digest(b"two")})
    blobs.fetch(digest(b"one"), tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"one"
    assert blobs.has(digest(b"two"))
    assert not blobs.has(digest(b"three"))


def test_blobs_are_for_their_owner_alone(blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace

    def elsewhere(source: Path, target: Path) -> None:
        if source.parent == tmp_path:
            raise OSError(errno.EXDEV, "another file system")
        replace(source, target)

    monkeypatch.setattr(os, "replace", elsewhere)
    blobs.put(_part(tmp_path, b"one"), digest(b"one"))
    (stored,) = (tmp_path / "blobs").rglob(digest(b"one"))
    assert (stored.stat().st_mode & 0o777, (tmp_path / "blobs").stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_part_that_another_has_stored_is_stored(blobs: Blobs, tmp_path: Path) -> None:
    part = _part(tmp_path, b"one")
    blobs.put(part, digest(b"one"))
    blobs.put(part, digest(b"one"))
    with pytest.raises(BundleError):
        blobs.put(part, digest(b"two"))


def test_a_damaged_blob_is_found_and_mended_by_the_same_file(blobs: Blobs, tmp_path: Path) -> None:
    sha256 = digest(b"one")
    blobs.put(_part(tmp_path, b"one"), sha256)
    stored = tmp_path / "blobs" / sha256[:2] / sha256
    stored.write_bytes(b"0ne")
    with pytest.raises(InputError, match="was changed"):
        blobs.fetch(sha256, tmp_path / "out")
    blobs.put(_part(tmp_path, b"one"), sha256)
    blobs.fetch(sha256, tmp_path / "out")


def test_a_blob_that_is_gone_is_told(blobs: Blobs, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is gone"):
        blobs.fetch(digest(b"one"), tmp_path / "out")


def test_another_file_system_is_copied_to(blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.replace

    def replace(source: Path, target: Path) -> None:
        if Path(source).parent == tmp_path:
            raise OSError(errno.EXDEV, "another file system")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    part = _part(tmp_path, b"one")
    blobs.put(part, digest(b"one"))
    assert not part.exists()
    blobs.fetch(digest(b"one"), tmp_path / "out")
    assert [path.name for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == [digest(b"one")]


def test_a_full_disk_leaves_the_part(blobs: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    part = _part(tmp_path, b"one")
    with pytest.raises(BundleError, match="No space"):
        blobs.put(part, digest(b"one"))
    assert part.read_bytes() == b"one"
    assert list(blobs.names()) == []


def test_another_store_of_fsspec(tmp_path: Path) -> None:
    blobs = Blobs("memory://portal-test")
    blobs.prepare()
    for _ in range(2):
        blobs.put(_part(tmp_path, b"one"), digest(b"one"))
    assert list(blobs.names()) == [digest(b"one")]
    blobs.fetch(digest(b"one"), tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"one"


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "0" * 63])
def test_what_is_no_hash_is_no_path(blobs: Blobs, name: str) -> None:
    with pytest.raises(ValueError, match="no sha256"):
        blobs.has(name)


def test_an_unknown_store_is_refused() -> None:
    with pytest.raises(UsageError, match="no store of files"):
        Blobs("nonsense://x")
