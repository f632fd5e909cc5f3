"""What may be a log: a folder or a file, with as much of it as tells which format it is.

Whatever a log holds may come from a stranger: sizes are bounded, nothing is evaluated, and what is wrong is told with
the file's name below what the user named, never with a path of the machine.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic_core import from_json

from scorekit.errors import LogError

HEAD_BYTES: Final = 64 * 1024
"""So much of a file is looked at to tell its format."""
MOST_JSON_BYTES: Final = 32 * 1024 * 1024
"""A larger JSON file is no report of any known tool: the largest, with every token's latency, have some MB. As Python's
objects it takes up to thirty times as much memory."""
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder or a file that may be a log.

    Attributes:
        path: where it lies now; for what came out of an archive a temporary folder.
        label: what messages and results call it: its path below what was named, e.g. `logs.zip!/model/report.json`.
        names: files of a folder; None for a file.
        head: beginning of a file; empty for a folder.
    """

    path: Path
    label: str
    names: frozenset[str] | None = None
    head: bytes = field(default=b"", repr=False)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.names is not None

    def file(self, name: str) -> Place:
        """A file of this folder."""
        return Place(self.path / name, f"{self.label}/{name}" if self.label not in ("", ".") else name)

    @classmethod
    def of_file(cls, path: Path, label: str | None = None) -> Place:
        """A file, with its head.

        Raises:
            LogError: it cannot be read, or is no regular file.
        """
        label = path.name if label is None else label
        try:
            if not path.is_file():
                is_there = path.exists() or path.is_symlink()
                found = f"{label} is no regular file" if is_there else f"there is no {label}"
                raise LogError(found, mend="give a log file or a folder")
            with path.open("rb") as file:
                return cls(path, label, None, file.read(HEAD_BYTES))
        except OSError as error:
            raise _unreadable(label, error) from error

    @classmethod
    def of_folder(cls, path: Path, label: str | None = None) -> Place:
        """A folder, with the names of its files; links are none of them.

        Raises:
            LogError: it cannot be read.
        """
        label = path.name if label is None else label
        try:
            with os.scandir(path) as entries:
                names = frozenset(entry.name for entry in entries if entry.is_file(follow_symlinks=False))
        except OSError as error:
            raise _unreadable(label, error) from error
        return cls(path, label, names)

    def read_bytes(self, most: int = MOST_JSON_BYTES) -> bytes:
        """The whole file.

        Raises:
            LogError: it cannot be read, or is larger than `most` bytes.
        """
        try:
            # A file object costs more than reading a small file does, and logs come by the ten thousand.
            descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
            try:
                size = os.fstat(descriptor).st_size
                if size > most:
                    raise LogError(
                        f"{self.label} has {size:,} bytes; such a log has {most:,} at most",
                        mend="give the report itself, not what it was made from",
                    )
                # One byte more, so that what grows meanwhile is not taken for whole; not `most`, for it is allocated.
                return os.read(descriptor, size + 1)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _unreadable(self.label, error) from error

    def read_json(self) -> tuple[Any, str]:
        """The content of a JSON file, and its sha256.

        NaN and Infinity are read as numbers: they are judged as energies.

        Raises:
            LogError: it cannot be read, is too large, no UTF-8, no JSON, or nested too deeply.
        """
        data = self.read_bytes()
        return parse_json(data, self.label), sha256(data)


def parse_json(data: bytes, label: str) -> Any:
    """The content of JSON text.

    Raises:
        LogError: it is no UTF-8, no JSON, cut off, or nested too deeply.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise LogError(f"{label} is UTF-16; expected UTF-8", mend="save it as UTF-8")
    try:
        return from_json(data.removeprefix(_BOM), allow_inf_nan=True)
    except ValueError as error:
        raise LogError(
            f"{label} is not JSON: {error}", mend="get the file again; it may have been cut off or be another format"
        ) from error


def told(name: str) -> str:
    """A file's name as text: bytes of it that are no UTF-8 are written out, for no JSON holds them."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def sha256(data: bytes) -> str:
    """sha256 of a file's content, as hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def _unreadable(label: str, error: OSError) -> LogError:
    return LogError(f"{label} cannot be read: {error.strerror or error}", mend="check that it is there and readable")
