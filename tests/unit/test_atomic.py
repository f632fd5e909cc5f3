"""Files are wholly there or not there at all, whatever goes wrong while they are written."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from scorekit import atomic
from scorekit.errors import BundleError


def test_write_replaces_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "score.json"
    atomic.write_text(path, "long old contents")
    atomic.write_text(path, "new")
    assert path.read_text() == "new"
    assert [item.name for item in tmp_path.iterdir()] == ["score.json"]


def test_written_files_have_the_mode_of_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "score.json"
    old = os.umask(0o027)
    try:
        atomic.write_text(path, "x")
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "score.json"
    atomic.write_text(path, "old")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(BundleError, match="disk is full") as caught:
        atomic.write_text(path, "new")
    assert caught.value.mend is not None
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["score.json"]


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="could not be written"):
        atomic.write_text(tmp_path / "nowhere" / "score.json", "x")


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_write_errors_name_the_folder(code: int) -> None:
    error = atomic.write_error(Path("runs/score.json"), OSError(code, os.strerror(code)))
    assert "runs cannot be written to" in str(error)
    assert "hydra.run.dir" in str(error)


def test_lines_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "windows.jsonl"
    atomic.append_line(path, "one")
    atomic.append_line(path, "zwei ä")
    assert path.read_text(encoding="utf-8") == "one\nzwei ä\n"


def test_append_to_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(BundleError):
        atomic.append_line(tmp_path / "nowhere" / "windows.jsonl", "x")


def test_create_leaves_a_file_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    assert atomic.create_bytes(path, b"first")
    assert not atomic.create_bytes(path, b"second")
    assert path.read_bytes() == b"first"
    assert [item.name for item in tmp_path.iterdir()] == ["result.json"]


def test_create_needs_hard_links_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    with pytest.raises(atomic.NoLinksError):
        atomic.create_bytes(tmp_path / "result.json", b"x")
    assert not list(tmp_path.iterdir())


def test_write_errors_name_how_another_folder_is_chosen(tmp_path: Path) -> None:
    error = atomic.write_error(tmp_path / "x", OSError(errno.EACCES, "Permission denied"), "--results FOLDER")
    assert error.mend == "choose a folder of your own with --results FOLDER"
