"""Archives of logs: unpacked into a folder within limits, and nothing that could harm on the way.

An archive may come from a stranger. Refused whole: names that lead out of the folder, links, devices, names that stand
twice or differ by case only, a file that has other entries below it, encrypted entries, and more entries, bytes, depth
or compression than logs have. Archives within archives are left packed and named.
"""

from __future__ import annotations

import contextlib
import gzip
import stat
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any, Final, Literal

from scorekit import atomic
from scorekit.errors import LogError

Kind = Literal["zip", "tar"]

_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP: Final = b"\x1f\x8b"
_TAR_AT: Final = 257
_TAR: Final = b"ustar"
_LONG_HEADERS: Final = (
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
)  # fmt: skip
_MOST_HEADER_BYTES: Final = 1024 * 1024
_CHUNK: Final = 1024 * 1024
_SUFFIXES: Final = (".zip", ".tar", ".tar.gz", ".tgz")
_MEND: Final = "pack the log files anew, without what is not a log"


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive of logs may hold.

    Attributes:
        entries: files and folders.
        total_bytes: of all files, unpacked.
        file_bytes: of one file, unpacked.
        ratio: unpacked over packed bytes of the whole archive, where it is larger than `ratio_from_bytes`.
        depth: folders within folders.
    """

    entries: int = 200_000
    total_bytes: int = 20 * 1024**3
    file_bytes: int = 2 * 1024**3
    ratio: float = 200.0
    ratio_from_bytes: int = 64 * 1024**2
    depth: int = 16


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    size: int
    is_folder: bool


def kind_of(path: Path, head: bytes) -> Kind | None:
    """Which kind of archive a file is, by its content; None for no archive.

    Raises:
        LogError: its name says that it is one, and its content does not.
    """
    if head.startswith(_ZIP):
        return "zip"
    if head[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR:
        return "tar"
    if head.startswith(_GZIP):
        return "tar"
    if path.name.lower().endswith(_SUFFIXES):
        raise LogError(
            f"{path.name} is no archive, whatever its name says",
            mend="get the file again; a download that failed often leaves a page of text under that name",
        )
    return None


def unpack(path: Path, kind: Kind, folder: Path, label: str, limits: Limits | None = None) -> None:
    """Unpack an archive into an empty folder.

    Args:
        path: the archive.
        kind: what `kind_of` told.
        folder: where to; on an error it may hold a part of the files.
        label: name of the archive in messages.
        limits: what it may hold.

    Raises:
        LogError: it is broken, harmful or beyond the limits; names the entry.
        BundleError: the files cannot be written.
    """
    limits = limits or Limits()
    try:
        if kind == "zip":
            _unpack_zip(path, folder, label, limits)
        else:
            _unpack_tar(path, folder, label, limits)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise LogError(f"{label} is broken: {error}", mend="get the file again; it may have been cut off") from error
    except OSError as error:
        # gzip tells of a broken file this way, with no number.
        if error.errno is None:
            raise LogError(f"{label} is broken: {error}", mend="get the file again") from error
        raise atomic.write_error(folder, error) from error


def _unpack_zip(path: Path, folder: Path, label: str, limits: Limits) -> None:
    with zipfile.ZipFile(path) as archive:
        gate = _Gate(label, limits, path.stat().st_size)
        for info in archive.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refused(label, info.filename, "is a link or a device")
            if info.flag_bits & 0x1:
                raise _refused(label, info.filename, "is encrypted")
            target = gate.admit(_Entry(info.filename, info.file_size, info.is_dir()), folder)
            if target is not None:
                with archive.open(info) as source:
                    gate.write(source, target, info.filename)


def _unpack_tar(path: Path, folder: Path, label: str, limits: Limits) -> None:
    with path.open("rb") as packed, contextlib.ExitStack() as stack:
        is_gzip = packed.read(len(_GZIP)) == _GZIP
        packed.seek(0)
        plain: Any = stack.enter_context(gzip.GzipFile(fileobj=packed)) if is_gzip else packed
        # As a stream: sizes are judged before anything is read, and a tar bomb is never indexed whole.
        archive = stack.enter_context(tarfile.open(fileobj=plain, mode="r|", tarinfo=_BoundedInfo))
        gate = _Gate(label, limits, path.stat().st_size)
        for member in archive:
            if not (member.isreg() or member.isdir()):
                raise _refused(label, member.name, "is a link or a device")
            target = gate.admit(_Entry(member.name, member.size, member.isdir()), folder)
            source = None if target is None else archive.extractfile(member)
            if target is not None and source is not None:
                with source:
                    gate.write(source, target, member.name)
        # gzip's checksum stands at the end, behind what tar reads.
        gate.drain(plain)


class _BoundedInfo(tarfile.TarInfo):
    """A header of a tar, which may not claim more room for names than names take: tarfile reads that at once."""

    def _proc_member(self, archive: tarfile.TarFile) -> Any:
        if self.type in _LONG_HEADERS and self.size > _MOST_HEADER_BYTES:
            raise tarfile.ReadError(f"a header claims {self.size:,} bytes, expected {_MOST_HEADER_BYTES:,} at most")
        return super()._proc_member(archive)  # type: ignore[misc]


class _Gate:
    """Judges entries as they come, and writes what it lets through."""

    def __init__(self, label: str, limits: Limits, packed_bytes: int) -> None:
        self._label, self._limits, self._packed_bytes = label, limits, packed_bytes
        self._seen: dict[str, str] = {}
        self._folders: dict[str, str] = {}
        self._entries = self._bytes = 0

    def admit(self, entry: _Entry, folder: Path) -> Path | None:
        """Where an entry goes; None for a folder."""
        self._entries += 1
        if self._entries > self._limits.entries:
            raise LogError(f"{self._label} holds more than {self._limits.entries:,} entries", mend=_MEND)
        parts = _parts(self._label, entry.name)
        if not parts:
            return None
        if len(parts) > self._limits.depth:
            raise _refused(self._label, entry.name, f"lies deeper than {self._limits.depth} folders")
        self._check_name(entry, parts)
        self._check_size(entry.size, entry.name)
        target = folder.joinpath(*parts)
        (target if entry.is_folder else target.parent).mkdir(parents=True, exist_ok=True)
        return None if entry.is_folder else target

    def _check_name(self, entry: _Entry, parts: tuple[str, ...]) -> None:
        """That no file has the name of another, or of a folder; on some systems names that differ by case are one."""
        keys = ["/".join(parts[: count + 1]).casefold() for count in range(len(parts))]
        above = keys if entry.is_folder else keys[:-1]
        for key in above:
            if key in self._seen:
                raise _refused(self._label, entry.name, f"needs a folder where {self._seen[key]!r} is a file")
            self._folders.setdefault(key, entry.name)
        if entry.is_folder:
            return
        if keys[-1] in self._seen:
            raise _refused(self._label, entry.name, f"stands beside {self._seen[keys[-1]]!r}, which is the same name")
        if keys[-1] in self._folders:
            raise _refused(self._label, entry.name, f"is a file where {self._folders[keys[-1]]!r} needs a folder")
        self._seen[keys[-1]] = entry.name

    def write(self, source: IO[bytes], target: Path, name: str) -> None:
        """Unpack one file; what it says of its own size is not trusted."""
        written = 0
        with target.open("xb") as out:
            while chunk := source.read(_CHUNK):
                written += len(chunk)
                self._bytes += len(chunk)
                self._check_size(written, name)
                out.write(chunk)

    def drain(self, source: IO[bytes]) -> None:
        """Read what stands behind the last entry: filling, and the checksum of the packed bytes."""
        read = 0
        while chunk := source.read(_CHUNK):
            read += len(chunk)
            self._bytes += len(chunk)
            self._check_size(read, "(behind the last entry)")

    def _check_size(self, size: int, name: str) -> None:
        limits = self._limits
        if size > limits.file_bytes:
            raise _refused(self._label, name, f"is larger than {limits.file_bytes:,} bytes")
        if self._bytes > limits.total_bytes:
            raise LogError(f"{self._label} unpacks to more than {limits.total_bytes:,} bytes", mend=_MEND)
        largest = max(self._bytes, size)
        if largest > limits.ratio_from_bytes and largest > limits.ratio * max(1, self._packed_bytes):
            raise LogError(
                f"{self._label} unpacks to more than {limits.ratio:g} times its size, which no logs do", mend=_MEND
            )


def _parts(label: str, name: str) -> tuple[str, ...]:
    """The folders and the file of an entry's name.

    Raises:
        LogError: the name leads out of the archive, on this system or another, or is none.
    """
    parts = tuple(part for part in PurePosixPath(name.replace("\\", "/")).parts if part != ".")
    too_long = any(len(part.encode("utf-8", "replace")) > 255 for part in parts)
    strange = "\0" in name or PureWindowsPath(name).drive or too_long
    if name.startswith(("/", "\\")) or ".." in parts or strange:
        raise _refused(label, name, "has a name that leads out of the archive or is none")
    return parts


def _refused(label: str, name: str, why: str) -> LogError:
    shown = name if len(name) <= 80 else f"{name[:80]} ..."
    return LogError(f"{label}: the entry {shown!r} {why}, so nothing of the archive is read", mend=_MEND)
