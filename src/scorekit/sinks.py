"""Where results go as they come: a table for people, or JSON, JSON lines, CSV or Parquet for programs.

All but the tables hold one result at a time, or a batch, so any number of them can be written. A file is wholly there
or not at all.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final, Literal, Protocol

from scorekit import atomic
from scorekit.errors import LogError, UsageError
from scorekit.records import Result
from scorekit.store import columns
from scorekit.store import export as exporting

Form = Literal["table", "json", "jsonl", "csv", "parquet"]
_BATCH: Final = 5_000


class Sink(Protocol):
    """Takes results."""

    count: int

    def add(self, result: Result) -> None:
        """Take one result.

        Raises:
            LogError: it does not fit the columns.
        """

    def end(self) -> None:
        """No more will come."""


@contextlib.contextmanager
def open_sink(form: Form, output: Path | None) -> Iterator[Sink]:
    """A sink for a file, or for stdout.

    Args:
        form: how results are written.
        output: file; stdout where None.

    Raises:
        UsageError: Parquet without a file.
        BundleError: the file cannot be written.
    """
    if output is None:
        if form == "parquet":
            raise UsageError("Parquet cannot be written to a terminal or pipe", mend="-o FILE.parquet")
        if form != "table" and hasattr(sys.stdout, "reconfigure"):
            # What programs read is UTF-8, whatever this terminal speaks.
            sys.stdout.reconfigure(encoding="utf-8")
        with _sink(form, sys.stdout) as sink:
            yield sink
        return
    part = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as stream, _sink(form, stream) as sink:
            yield sink
        os.replace(part, output)
    except OSError as error:
        raise atomic.write_error(output, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def _sink(form: Form, stream: IO[str]) -> Iterator[Sink]:
    if form in ("csv", "parquet"):
        stream.flush()
        with exporting.writer(columns.ROW_SCHEMA, form, stream.buffer) as write:  # type: ignore[attr-defined]
            rows = _Rows(write)
            yield rows
            rows.end()
        return
    kinds: dict[str, type[_Lines] | type[_Array] | type[_Tables]] = {"json": _Array, "jsonl": _Lines, "table": _Tables}
    sink = kinds[form](stream)
    yield sink
    sink.end()


class _Lines:
    """JSON lines: one result a line."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self.count = 0

    def add(self, result: Result) -> None:
        self._stream.write(result.model_dump_json() + "\n")
        self.count += 1

    def end(self) -> None:
        """Nothing is left to write."""


class _Array:
    """A JSON array."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self.count = 0

    def add(self, result: Result) -> None:
        self._stream.write(("[\n" if not self.count else ",\n") + result.model_dump_json(indent=2))
        self.count += 1

    def end(self) -> None:
        self._stream.write("\n]\n" if self.count else "[]\n")


class _Rows:
    """Rows with the columns of the results store, in batches."""

    def __init__(self, write: Callable[[Any], None]) -> None:
        self._write = write
        self._batch: list[list[Any]] = []
        self.count = 0

    def add(self, result: Result) -> None:
        self._batch.append(_values(result))
        self.count += 1
        if len(self._batch) >= _BATCH:
            self.end()

    def end(self) -> None:
        if self._batch:
            self._write(columns.row_table(self._batch))
            self._batch = []


class _Tables:
    """Tables for people, which need all results before the first line."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._results: list[Result] = []
        self.count = 0

    def add(self, result: Result) -> None:
        self._results.append(result)
        self.count += 1

    def end(self) -> None:
        from scorekit.layout import layout_for
        from scorekit.tables.foreign import result_table
        from scorekit.tables.scores import score_table

        layout = layout_for(self._stream)
        scores = [result.score for result in self._results if result.score is not None]
        foreign = [result for result in self._results if result.score is None]
        parts = [score_table(scores, layout)] if scores else []
        parts += [result_table(foreign, layout)] if foreign else []
        if parts:
            self._stream.write("\n\n".join(parts) + "\n")


def _values(result: Result) -> list[Any]:
    """The values of the store's columns.

    Raises:
        LogError: a count in the log is larger than any can be.
    """
    try:
        return columns.values(result)
    except ValueError as error:
        raise LogError(f"{result.source.name}: {error}", mend="get the log again, or leave it out") from error
