"""Archives are unpacked within limits, and a harmful one is refused whole with the entry named."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from scorekit.errors import LogError
from scorekit.logs import archives
from scorekit.logs.archives import Kind, Limits

Write = Callable[[Path, list[tuple[str, bytes]]], Path]


def write_zip(path: Path, entries: list[tuple[str, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return path


def write_tar(path: Path, entries: list[tuple[str, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


WRITERS = pytest.mark.parametrize(("write", "kind"), [(write_zip, "zip"), (write_tar, "tar")])


def _unpack(path: Path, kind: Kind, folder: Path, limits: Limits | None = None) -> Path:
    folder.mkdir()
    archives.unpack(path, kind, folder, path.name, limits)
    return folder


@WRITERS
def test_files_come_out_as_they_were(write: Write, kind: Kind, tmp_path: Path) -> None:
    path = write(tmp_path / "logs", [("a/b.json", b"{}"), ("./c.csv", b"x\n"), ("é.txt", b"")])
    with path.open("rb") as file:
        assert archives.kind_of(path, file.read(1024)) == kind
    folder = _unpack(path, kind, tmp_path / "out")
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert files == {"a/b.json": b"{}", "c.csv": b"x\n", "é.txt": b""}


@WRITERS
@pytest.mark.parametrize(
    "name", ["../out.json", "a/../../out.json", "/etc/out.json", "C:\\out.json", "a\\..\\..\\b", "x" * 300]
)
def test_names_that_lead_out_are_refused(name: str, write: Write, kind: Kind, tmp_path: Path) -> None:
    path = write(tmp_path / "logs", [("good.json", b"{}"), (name, b"{}")])
    with pytest.raises(LogError, match="leads out of the archive or is none, so nothing of the archive is read"):
        _unpack(path, kind, tmp_path / "out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["logs", "out"]


@WRITERS
@pytest.mark.parametrize("second", ["a.json", "A.json", "./a.json"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_equal_names_are_refused(second: str, write: Write, kind: Kind, tmp_path: Path) -> None:
    path = write(tmp_path / "logs", [("a.json", b"1"), (second, b"2")])
    with pytest.raises(LogError, match="which is the same name"):
        _unpack(path, kind, tmp_path / "out")


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    for number, kind in enumerate([tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]):
        path = tmp_path / f"{number}.tar"
        with tarfile.open(path, "w") as archive:
            info = tarfile.TarInfo("link")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        with pytest.raises(LogError, match="'link' is a link or a device"):
            _unpack(path, "tar", tmp_path / f"out{number}")
    linked = zipfile.ZipInfo("link")
    linked.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "l.zip", "w") as zipped:
        zipped.writestr(linked, "/etc/passwd")
    with pytest.raises(LogError, match="'link' is a link or a device"):
        _unpack(tmp_path / "l.zip", "zip", tmp_path / "outzip")


@WRITERS
@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(entries=2), "more than 2 entries"),
        (Limits(file_bytes=999), "'c' is larger than 999 bytes"),
        (Limits(total_bytes=1500), "unpacks to more than 1,500 bytes"),
        (Limits(depth=1), "lies deeper than 1 folders"),
        (Limits(ratio=2, ratio_from_bytes=500), "unpacks to more than 2 times its size"),
    ],
)
def test_limits_hold(limits: Limits, message: str, write: Write, kind: Kind, tmp_path: Path) -> None:
    path = write(tmp_path / "logs", [("b", b"x" * 900), ("c", b"x" * 1000), ("d/e", b"x" * 900)])
    with pytest.raises(LogError, match=message):
        _unpack(path, kind, tmp_path / "out", limits)


def test_what_an_entry_says_of_its_size_is_not_trusted(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "bomb.zip", [("a", b"\0" * 3_000_000)])
    data = bytearray(path.read_bytes())
    # The size in the central directory: 46 bytes of header, the name behind them.
    at = data.rindex(b"PK\x01\x02") + 24
    data[at : at + 4] = (10).to_bytes(4, "little")
    path.write_bytes(bytes(data))
    with pytest.raises(LogError):
        _unpack(path, "zip", tmp_path / "out", Limits(file_bytes=1_000_000))
    assert sum(p.stat().st_size for p in (tmp_path / "out").rglob("*")) <= 2_000_000


@pytest.mark.parametrize("name", ["a.zip", "a.ZIP", "b.tar.gz", "c.tgz"])
def test_an_archive_by_name_alone_is_told(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"<html>Not found</html>")
    with pytest.raises(LogError, match="is no archive, whatever its name says"):
        archives.kind_of(path, path.read_bytes())
    assert archives.kind_of(tmp_path / "a.json", b"{}") is None


@WRITERS
def test_an_archive_that_was_cut_off_is_refused(write: Write, kind: Kind, tmp_path: Path) -> None:
    whole = write(tmp_path / "whole", [(f"{n}.json", os.urandom(500)) for n in range(20)]).read_bytes()
    for number, length in enumerate((40, len(whole) // 2, len(whole) - 30)):
        path = tmp_path / f"cut{number}"
        path.write_bytes(whole[:length])
        with pytest.raises(LogError):
            _unpack(path, kind, tmp_path / f"out{number}")


def test_an_encrypted_entry_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", [("a", b"x")])
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    path.write_bytes(bytes(data))
    with pytest.raises(LogError, match="is encrypted"):
        _unpack(path, "zip", tmp_path / "out")


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_a_header_of_a_tar_takes_no_more_memory_than_names_do(kind: bytes, tmp_path: Path) -> None:
    info = tarfile.TarInfo("header")
    info.type, info.size = kind, 50 * 1024**2
    path = tmp_path / "logs.tar.gz"
    with gzip.open(path, "wb") as out:
        out.write(info.tobuf(tarfile.GNU_FORMAT))
        out.write(bytes(info.size))
    tracemalloc.start()
    with pytest.raises(LogError, match="a header claims 52,428,800 bytes"):
        _unpack(path, "tar", tmp_path / "out")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 1024**2


@WRITERS
@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a", "a/b"), "'a/b' needs a folder where 'a' is a file"),
        (("a/b", "a"), "'a' is a file where 'a/b' needs a folder"),
        (("a/b/c", "A/B"), "'A/B' is a file where 'a/b/c' needs a folder"),
        (("x/a", "x/a/b/c"), "'x/a/b/c' needs a folder where 'x/a' is a file"),
    ],
)
def test_a_file_that_has_others_below_it_is_refused(
    names: tuple[str, str], message: str, write: Write, kind: Kind, tmp_path: Path
) -> None:
    path = write(tmp_path / "logs", [(name, b"1") for name in names])
    with pytest.raises(LogError, match=message):
        _unpack(path, kind, tmp_path / "out")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_folder_may_stand_in_a_zip_before_and_after_its_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as archive:
        for name in ("a/", "a/b.json", "a/c/", "a/"):
            archive.writestr(zipfile.ZipInfo(name), b"{}" if name.endswith(".json") else b"")
    folder = _unpack(tmp_path / "logs.zip", "zip", tmp_path / "out")
    assert (folder / "a" / "b.json").read_bytes() == b"{}"
