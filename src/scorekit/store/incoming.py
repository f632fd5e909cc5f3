"""Results on their way into the store: JSON lines, a JSON object or an array of them, from a file or a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any, Final

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from scorekit.errors import LogError
from scorekit.records import RESULT_SCHEMA, Result, first_complaint
from scorekit.store.files import MOST_RESULT_BYTES

MOST_DOCUMENT_BYTES: Final = 256 * 1024 * 1024
"""JSON lines may be of any length together; a document that is one JSON value must be held as a whole."""
_MEND: Final = "give results as JSON lines, as `scorekit parse --format jsonl` prints them"
_BOM: Final = b"\xef\xbb\xbf"


def read_records(stream: IO[bytes], label: str) -> Iterator[Result | LogError]:
    """The results of a file.

    Args:
        stream: the file, at its beginning.
        label: what messages call it.

    Yields:
        A result, or what is wrong with one line or item; the others are read all the same.

    Raises:
        LogError: the whole cannot be read: too large, or no text at all.
        OSError: the stream breaks off.
    """
    begin = stream.readline(MOST_RESULT_BYTES + 1).removeprefix(_BOM)
    number = 1
    while begin and not begin.strip():
        begin = stream.readline(MOST_RESULT_BYTES + 1)
        number += 1
    if not begin:
        raise LogError(f"{label} is empty", mend=_MEND)
    if begin.lstrip().startswith(b"[") or begin.strip() == b"{":
        yield from _document(begin, stream, label)
        return
    while begin:
        where = f"{label}:{number}"
        if len(begin) > MOST_RESULT_BYTES:
            raise LogError(f"{where}: the line has more than {MOST_RESULT_BYTES:,} bytes", mend=_MEND)
        if begin.strip():
            yield _line(begin, where)
        begin = stream.readline(MOST_RESULT_BYTES + 1)
        number += 1


def _document(begin: bytes, stream: IO[bytes], label: str) -> Iterator[Result | LogError]:
    content = begin + stream.read(max(0, MOST_DOCUMENT_BYTES + 1 - len(begin)))
    if len(content) > MOST_DOCUMENT_BYTES:
        raise LogError(f"{label} has more than {MOST_DOCUMENT_BYTES:,} bytes in one JSON value", mend=_MEND)
    found = _json(content, label)
    if isinstance(found, LogError):
        raise found
    for number, item in enumerate(found if isinstance(found, list) else [found]):
        yield _record(item, f"{label}[{number}]" if isinstance(found, list) else label)


def _line(line: bytes, where: str) -> Result | LogError:
    try:
        # The common case in one step.
        return Result.model_validate_json(line)
    except ValidationError:
        found = _json(line, where)
        return found if isinstance(found, LogError) else _record(found, where)


def _json(content: bytes, where: str) -> Any:
    try:
        return from_json(content, allow_inf_nan=True)
    except ValueError as error:
        return LogError(f"{where} is not JSON: {error}", mend=_MEND)


def _record(item: Any, where: str) -> Result | LogError:
    version = item.get("schema_version") if isinstance(item, dict) else None
    if version != RESULT_SCHEMA:
        said = f"its schema_version is {str(version)[:60]!r}" if version is not None else "it has no schema_version"
        return LogError(f"{where} is no {RESULT_SCHEMA}: {said}", mend=_MEND)
    try:
        # As JSON, for a record's fields are stricter about Python's values: a list is no tuple.
        return Result.model_validate_json(to_json(item, inf_nan_mode="strings"))
    except ValidationError as error:
        return LogError(f"{where} is no result: {first_complaint(error)}", mend=_MEND)
    except ValueError as error:
        return LogError(f"{where} is no result: {error}", mend=_MEND)
