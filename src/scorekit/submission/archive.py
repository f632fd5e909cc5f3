"""A submission's zip read into memory: within limits, and only in the one form that packing gives it.

It comes from a stranger. Nothing is written to disk, so nothing can leave a folder; still every trick is refused by its
name, so that the sender of an honest archive knows what is wrong with it.
"""

from __future__ import annotations

import re
import stat
import zlib
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Final

from scorekit.errors import InputError, LogError
from scorekit.submission.zip_form import CENTRAL, CENTRAL_SIGN, DEFLATED, END, END_SIGN, LOCAL, Packed, parts

_ENCRYPTED: Final = 0x1
_ZIP64: Final = 0xFFFFFFFF
_ARCHIVES: Final = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b",
    b"7z\xbc\xaf",
    b"Rar!",
    b"\xfd7zXZ",
    b"BZh",
    b"(\xb5/\xfd",
)
_PLAIN: Final = re.compile(r"[A-Za-z0-9._/-]+")
_MEND: Final = "pack it anew with `scorekit pack`, and send the file as it is"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a submission may hold.

    Attributes:
        packed_bytes: of the archive.
        entries: files.
        total_bytes: of all files, unpacked.
        file_bytes: of one file, unpacked.
        ratio: unpacked over packed bytes of a file that is larger than `ratio_from_bytes`.
        depth: parts of a path.
    """

    packed_bytes: int = 64 * 1024**2
    entries: int = 300
    total_bytes: int = 192 * 1024**2
    file_bytes: int = 96 * 1024**2
    ratio: float = 150.0
    ratio_from_bytes: int = 1024**2
    depth: int = 3


class ArchiveError(LogError):
    """The archive is not one that is read.

    Args:
        code: short name of what is wrong.
        message: what was found and what was expected.
        file: the entry; None for what holds for all of it.
        mend: the next step.
    """

    def __init__(self, code: str, message: str, *, file: str | None = None, mend: str = _MEND) -> None:
        super().__init__(message, mend=mend)
        self.code, self.file = code, file


def bytes_of(path: Path, limits: Limits) -> bytes:
    """The bytes of an archive's file; of one that is too large one more than is allowed, so that `read` refuses it.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(limits.packed_bytes + 1)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}", mend="check its name and permissions"
        ) from error


def read(data: bytes, limits: Limits) -> dict[str, bytes]:
    """The files of an archive by their paths.

    Raises:
        ArchiveError: it is broken, beyond the limits, or not of the form that packing gives it.
    """
    if len(data) > limits.packed_bytes:
        raise ArchiveError(
            "too_large", f"the archive has {len(data):,} bytes, expected {limits.packed_bytes:,} at most"
        )
    entries = _entries(data, limits)
    _check_names([entry.name for entry in entries], limits)
    _check_form(data, entries)
    total, files = 0, {}
    for entry in entries:
        total += entry.size
        if entry.size > limits.file_bytes or total > limits.total_bytes:
            raise ArchiveError("too_large", "it unpacks to more than a submission holds", file=entry.name)
        if entry.size > limits.ratio_from_bytes and entry.size > limits.ratio * max(1, len(entry.data)):
            raise ArchiveError(
                "ratio", f"it unpacks to more than {limits.ratio:g} times its size, which no evidence does",
                file=entry.name,
            )  # fmt: skip
        files[entry.name] = _inflated(entry)
    return files


def _entries(data: bytes, limits: Limits) -> list[Packed]:
    """The entries of the directory. No entry has a comment or extra field, so every size is known beforehand."""
    if not data:
        raise ArchiveError("empty", "the file is empty", mend="send it again; the upload may have been cut off")
    if len(data) < END.size or data[-END.size : -END.size + 4] != END_SIGN:
        kind = "cut off, or something stands behind its end" if data.startswith(b"PK") else "no zip file"
        raise ArchiveError("broken", f"the file is {kind}", mend="send the file again as `scorekit pack` wrote it")
    _, disk, first_disk, here, count, length, start, comment = END.unpack(data[-END.size :])
    if disk or first_disk or here != count or comment or start + length != len(data) - END.size:
        raise ArchiveError("form", "its directory is not what `scorekit pack` writes")
    if count > limits.entries:
        raise ArchiveError("too_many", f"the archive holds {count:,} files, expected {limits.entries} at most")
    found: list[Packed] = []
    at, expected = start, 0
    for _ in range(count):
        if at + CENTRAL.size > len(data) - END.size or data[at : at + 4] != CENTRAL_SIGN:
            raise ArchiveError("broken", "its directory is cut off or broken")
        fields = CENTRAL.unpack_from(data, at)
        (_, made_by, _, flags, method, _, _, crc, packed, size, name_size, extra, comment, _, _, mode, offset) = fields
        at += CENTRAL.size
        name = data[at : at + name_size].decode("ascii", "backslashreplace")
        at += name_size
        _check_entry(name, flags, method, made_by, mode)
        if extra or comment or _ZIP64 in (packed, size, offset) or offset != expected or len(found) > limits.entries:
            raise ArchiveError("form", "the entry is not as `scorekit pack` writes it", file=name)
        content = offset + LOCAL.size + name_size
        if content + packed > start:
            raise ArchiveError("broken", "the entry reaches beyond the archive", file=name)
        expected = content + packed
        found.append(Packed(name, memoryview(data)[content:expected], crc, size))
    return found


def _check_entry(name: str, flags: int, method: int, made_by: int, mode: int) -> None:
    if flags & _ENCRYPTED:
        raise ArchiveError("encrypted", "the entry is encrypted", file=name)
    kind = stat.S_IFMT(mode >> 16)
    if made_by >> 8 == 3 and kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ArchiveError("link", "the entry is a link or a device", file=name)
    if method != DEFLATED:
        raise ArchiveError("form", f"the entry is packed by method {method}, expected {DEFLATED} (deflate)", file=name)


def _check_names(names: list[str], limits: Limits) -> None:
    seen: dict[str, str] = {}
    for name in names:
        steps = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in steps or PureWindowsPath(name).drive or "\0" in name:
            raise ArchiveError("path", "the name leads out of the archive", file=name)
        if len(steps) > limits.depth:
            raise ArchiveError("depth", f"the file lies deeper than {limits.depth} steps", file=name)
        other = seen.setdefault(name.casefold(), name)
        if len(seen) and other is not name:
            raise ArchiveError("duplicate_name", f"it stands beside {other!r}, which is the same name", file=name)
        if not _PLAIN.fullmatch(name) or not all(steps) or "." in steps:
            raise ArchiveError("path", "the name is no plain path", file=name)


def _check_form(data: bytes, entries: list[Packed]) -> None:
    """The whole archive, byte by byte, but for how its files are deflated."""
    at = 0
    for part in parts(entries):
        # At once: a memoryview compares with another byte by byte.
        if not data.startswith(part, at):
            raise ArchiveError(
                "form", "the archive is not as `scorekit pack` writes it: a header differs, or the order"
            )
        at += len(part)
    if at != len(data) or [entry.name for entry in entries] != sorted(entry.name for entry in entries):
        raise ArchiveError("form", "the archive is not as `scorekit pack` writes it: something is left over")


def _inflated(entry: Packed) -> bytes:
    unpacker = zlib.decompressobj(-15)
    try:
        content = unpacker.decompress(entry.data, entry.size + 1)
    except zlib.error as error:
        raise ArchiveError(
            "broken", "its bytes are damaged: what is packed there cannot be unpacked any more", file=entry.name
        ) from error
    if len(content) != entry.size or not unpacker.eof or unpacker.unused_data or zlib.crc32(content) != entry.crc:
        raise ArchiveError("broken", "its content is not of the size and checksum that are told", file=entry.name)
    if content.startswith(_ARCHIVES):
        raise ArchiveError("nested", "it is an archive within the archive", file=entry.name)
    return content
