"""One result as one file: written once, checked each time it is read; and finding all of them.

A file is written beside its name and then linked to it, which fails where the name is taken: of two writers at once
both keep what they wrote. Links in the tree are never followed, and no file is read that is larger than a result is.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, from_json

from scorekit import atomic
from scorekit.errors import BundleError, InputError
from scorekit.records import RESULT_SCHEMA, Result, first_complaint
from scorekit.store import columns, names

MOST_RESULT_BYTES: Final = 16 * 1024 * 1024
"""A result has some kB; one with thousands of repeats has less than a MB."""
ELSEWHERE: Final = "--results FOLDER"
QUALITY_FOLDER: Final = "_quality"
"""What is attached to results; no cohort's folder begins with such a sign."""


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a result that was added.

    Attributes:
        path: its file, below the results folder.
        new: False where the same content was there already.
    """

    path: str
    new: bool


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is left out.

    Attributes:
        path: below the results folder.
        reason: what is wrong with it.
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that has the name of a result.

    Attributes:
        path: below the results folder.
        size: in bytes.
        mtime_ns: when it was last changed.
    """

    path: str
    size: int
    mtime_ns: int


class UnusableError(Exception):
    """A file that is no result; its text says why."""


def write(root: Path, result: Result) -> Added:
    """Add a result; the same content is one file, however often it is added.

    Raises:
        InputError: the result cannot be a file of the store.
        BundleError: it cannot be written, or its name is taken by a file that was changed.
    """
    content = content_of(result)
    sha256 = names.digest(content)
    short, long = (names.relative_path(result, sha256, digits) for digits in (names.SHORT_DIGITS, names.LONG_DIGITS))
    for path in (short, long):
        if _holds(root, path, content):
            return Added(path, new=False)
    make_folder(root / short.partition("/")[0])
    try:
        if atomic.create_bytes(root / short, content, elsewhere=ELSEWHERE):
            return Added(short, new=True)
        # Another writer was quicker: with the same content, or with one whose first digits are the same.
        if _holds(root, short, content):
            return Added(short, new=False)
        if atomic.create_bytes(root / long, content, elsewhere=ELSEWHERE):
            return Added(long, new=True)
        return Added(long, new=not _holds(root, long, content))
    except atomic.NoLinksError:
        # All digits in the name: whoever writes to it at the same time writes the same content.
        atomic.write_bytes(root / long, content, elsewhere=ELSEWHERE)
        return Added(long, new=True)


def read(root: Path, path: str) -> tuple[Result, Entry]:
    """A result of the store, checked against its name.

    Raises:
        UnusableError: it is not what was added, or cannot be read.
    """
    content, found = read_regular(os.path.join(root, path))
    digits = names.id_of(path)
    if not digits:
        raise UnusableError("its name does not end in --HASH.json")
    sha256 = names.digest(content)
    if not sha256.startswith(digits):
        raise UnusableError(
            f"its content is not what was added: sha256 begins with {names.short(sha256)}, its name says "
            f"{names.short(digits)}; {_broken(content)}"
        )
    result = _parse(content)
    expected = names.relative_path(result, sha256, len(digits))
    if path != expected:
        raise UnusableError(f"it lies in the wrong place; expected {expected}")
    return result, Entry(path, found.st_size, found.st_mtime_ns)


def folders(root: Path) -> dict[str, int]:
    """The folders of the store with the time of their last change in ns; what lies beside them is left out.

    Raises:
        InputError: the results folder cannot be read.
    """
    try:
        with os.scandir(root) as entries:
            return {
                entry.name: entry.stat(follow_symlinks=False).st_mtime_ns
                for entry in entries
                if not entry.name.startswith(".")
                and entry.name != QUALITY_FOLDER
                and entry.is_dir(follow_symlinks=False)
            }
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(
            f"{root} cannot be read as a results folder: {error.strerror or error}", mend=f"choose one with {ELSEWHERE}"
        ) from error


def misplaced(root: Path, expected: str) -> Iterator[Skipped]:
    """What lies in the results folder itself and may be taken for part of the store; `expected` is the index's name."""
    try:
        with os.scandir(root) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name.startswith(".") or entry.name == expected:
                    continue
                if entry.is_symlink():
                    yield Skipped(entry.name, "it is a link; links are not followed")
                elif names.digits_of(entry.name) is not None:
                    yield Skipped(entry.name, "it lies in no folder of a cohort")
    except OSError:
        return


def entries_of(root: Path, folder: str) -> Iterator[Entry | Skipped]:
    """The files of one folder of the store with the name of a result, and what else lies there, in no order.

    Files with a leading dot are passed over: they are what a writer that was killed did not finish.
    """
    try:
        with os.scandir(root / folder) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    yield _entry(folder, entry)
    except OSError as error:
        yield Skipped(folder, f"it cannot be read: {error.strerror or error}")


def _entry(folder: str, entry: os.DirEntry[str]) -> Entry | Skipped:
    path = f"{folder}/{entry.name}"
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError as error:
        return Skipped(path, f"it cannot be read: {error.strerror or error}")
    if stat.S_ISLNK(found.st_mode):
        return Skipped(path, "it is a link; links are not followed")
    if not stat.S_ISREG(found.st_mode):
        return Skipped(path, "it is no regular file")
    if names.digits_of(entry.name) is None:
        return Skipped(path, "its name does not end in --HASH.json")
    return Entry(path, found.st_size, found.st_mtime_ns)


def content_of(result: Result) -> bytes:
    """The file of a result: JSON with a line for each field, for people read it too.

    Raises:
        InputError: it could not be read back, or is too large.
    """
    try:
        columns.values(result)
        content = result.model_dump_json(indent=1).encode() + b"\n"
        # What cannot be read back must not be kept: a record may have been made without its checks.
        _parse(content)
    except (PydanticSerializationError, UnicodeEncodeError, ValueError, UnusableError) as error:
        raise InputError(f"the result cannot be stored: {error}", mend="mend what it was read from") from error
    if len(content) > MOST_RESULT_BYTES:
        raise InputError(
            f"the result has {len(content):,} bytes, expected {MOST_RESULT_BYTES:,} at most",
            mend="leave out what is no result",
        )
    return content


def _parse(content: bytes) -> Result:
    try:
        return Result.model_validate_json(content)
    except ValidationError as error:
        version = _version(content)
        if version is not None and version != RESULT_SCHEMA:
            raise UnusableError(
                f"its schema_version is {version[:60]!r}, this scorekit reads {RESULT_SCHEMA!r}: update scorekit"
            ) from error
        raise UnusableError(f"it is no result: {first_complaint(error)}") from error


def _version(content: bytes) -> str | None:
    try:
        document = from_json(content)
    except ValueError:
        return None
    version = document.get("schema_version") if isinstance(document, dict) else None
    return version if isinstance(version, str) else None


def _broken(content: bytes) -> str:
    """What can be said of a file whose content is not that of its name."""
    if not content:
        return "it is empty"
    try:
        from_json(content)
    except ValueError as error:
        return f"it is no JSON ({error})"
    return "it was edited or replaced"


def _holds(root: Path, path: str, content: bytes) -> bool:
    """Whether a file is there and is `content`.

    Raises:
        BundleError: the file of that name is not what was added under it.
    """
    try:
        found, _ = read_regular(os.path.join(root, path))
    except FileNotFoundError:
        return False
    except UnusableError as error:
        raise _taken(path, str(error)) from error
    if found == content:
        return True
    digits = names.id_of(path)
    if names.digest(found).startswith(digits):
        return False
    raise _taken(path, "its content is not what was added")


def _taken(path: str, reason: str) -> BundleError:
    return BundleError(
        f"{path} is in the way: {reason}",
        mend="move the file out of the results folder (a result is never written over), and add again",
    )


def make_folder(folder: Path) -> None:
    """Make a folder of the store, where it is not there.

    Raises:
        BundleError: it cannot be made, or a link is in its place.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        linked = folder.is_symlink()
    except OSError as error:
        raise atomic.write_error(folder, error, ELSEWHERE) from error
    if linked:
        raise _taken(folder.name, "it is a link; links are not followed")


def read_regular(path: str) -> tuple[bytes, os.stat_result]:
    """The content of a regular file of a result's size.

    Raises:
        FileNotFoundError: there is none.
        UnusableError: it is a link, no regular file, too large, or cannot be read.
    """
    try:
        # Without O_NONBLOCK a named pipe would be waited on for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise UnusableError("it is no regular file")
            if found.st_size > MOST_RESULT_BYTES:
                raise UnusableError(f"it has {found.st_size:,} bytes; a result has {MOST_RESULT_BYTES:,} at most")
            return file.read(MOST_RESULT_BYTES + 1), found
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnusableError("it is a link; links are not followed") from error
        raise UnusableError(f"it cannot be read: {error.strerror or error}") from error
