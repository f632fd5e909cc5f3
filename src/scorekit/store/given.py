"""Results as somebody gives them: files of records, pipes of those, and logs of any format."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from scorekit import logs
from scorekit.errors import LogError, ScorekitError
from scorekit.records import Result
from scorekit.store.incoming import read_records

_RECORDS: Final = (".json", ".jsonl")
_HEAD_BYTES: Final = 64 * 1024
_RECORD: Final = re.compile(rb'"schema_version"\s*:\s*"scorekit\.result/')


def results_at(path: Path, *, trusted: bool) -> Iterator[Result | ScorekitError]:
    """The results of a path; what cannot be read as one is among them, as an error.

    Args:
        path: a log of any format, a folder or archive of them, or a file or pipe of result records.
        trusted: take records at their word where they say that they may stand beside official scores. Otherwise they
            are `unverified`, like a score.json without its run: anybody can write such a line.
    """
    if not _is_stream(path) and not holds_records(path):
        for read in logs.read_logs([path]):
            yield read if isinstance(read, Result) else read.error
        return
    try:
        with path.open("rb") as stream:
            yield from results_in(stream, str(path), trusted=trusted)
    except OSError as error:
        yield _unreadable(str(path), error)


def results_in(stream: IO[bytes], label: str, *, trusted: bool) -> Iterator[Result | ScorekitError]:
    """The same of a stream of records.

    Args:
        stream: at its beginning.
        label: what messages call it.
        trusted: as for `results_at`.
    """
    try:
        for found in read_records(stream, label):
            yield logs.unverified(found) if isinstance(found, Result) and not trusted else found
    except LogError as error:
        yield error
    except OSError as error:
        yield _unreadable(label, error)


def holds_records(path: Path) -> bool:
    """Whether a file holds result records, and not a log to be read; one that is neither was meant as records."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        # A folder, or nothing that can be read: whoever reads logs tells which.
        return False
    return _RECORD.search(head) is not None or (path.suffix in _RECORDS and not logs.is_log(path))


def _is_stream(path: Path) -> bool:
    """Whether what is read of it is gone: such a thing holds records, for a look at its beginning would take that."""
    try:
        mode = path.stat().st_mode
    except OSError:
        # Whoever reads it tells.
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _unreadable(label: str, error: OSError) -> LogError:
    return LogError(f"{label} cannot be read: {error.strerror or error}", mend="check that it is there and readable")
