"""The index: one Parquet file with a row for each result, worked out from the files, and never more than a help.

It keeps when each folder of the store was last changed. While that is so, nothing was added, and no folder is listed.
Otherwise the folders are listed, rows of files that are as they were are kept, and only the others are read.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from scorekit import __version__, atomic
from scorekit.errors import BundleError
from scorekit.store import columns, files, names
from scorekit.store.files import Entry, Skipped

INDEX: Final = "index.parquet"
INDEX_SCHEMA: Final = "scorekit.index/1"
_FACTS: Final = b"scorekit.index"
_SETTLED_NS: Final = 2_000_000_000
"""A folder that was changed more recently may be changed again without another time: file systems' clocks have ticks
(4 ms here, up to 2 s elsewhere)."""
_CHUNK: Final = 10_000
"""So many results are held as Python objects at once."""
_ROW_GROUP: Final = 32_768
_MANY: Final = 20_000
"""From so many files on it is said that they are being read."""

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Index:
    """The index as it was read or built.

    Attributes:
        table: a row for each result, by path; with `columns.SCHEMA`.
        skipped: files that are left out.
        read: how many files were read for it; None where it was fresh.
    """

    table: Any
    skipped: tuple[Skipped, ...]
    read: int | None


@dataclass(frozen=True, slots=True)
class _Stored:
    """An index file that can be read."""

    folders: Mapping[str, int | None]
    skipped: tuple[Skipped, ...]
    table: Any


class _UnusableIndexError(Exception):
    """An index file that cannot be used; its text says why."""


def load(root: Path, report: Report) -> Index:
    """The index, brought up to date where it is not; kept in memory alone where it cannot be written.

    Raises:
        InputError: the results folder cannot be read.
    """
    stored = _stored(root, report)
    if stored is not None and stored.folders == files.folders(root):
        return Index(stored.table, stored.skipped, read=None)
    index, content = _build(root, stored, report)
    if content is not None:
        try:
            atomic.write_bytes(root / INDEX, content, elsewhere=files.ELSEWHERE)
        except BundleError as error:
            report(f"the index is not kept: {error.message}")
    return index


def fresh(root: Path, stack: contextlib.ExitStack) -> tuple[Any, tuple[Skipped, ...]] | None:
    """The index as a `pyarrow.dataset`, of which only what is asked for is read, and what it leaves out.

    Args:
        root: the results folder.
        stack: closes the file when it ends.

    Returns:
        None where there is no index that is fresh. A page that is damaged is found only when it is read, as an error
        of whoever reads it.

    Raises:
        InputError: the results folder cannot be read.
    """
    # It brings pandas along, and only queries need it.
    import pyarrow.dataset as pads

    changed = files.folders(root)
    try:
        source, _, facts = stack.enter_context(_opened(root / INDEX))
        if facts.folders != changed:
            return None
        options = pads.ParquetFragmentScanOptions(page_checksum_verification=True)
        form = pads.ParquetFileFormat(default_fragment_scan_options=options)
        dataset = pads.FileSystemDataset([form.make_fragment(source)], columns.SCHEMA, form)
    except (_UnusableIndexError, pa.ArrowException, OSError, ValueError):
        return None
    return dataset.replace_schema(columns.SHOWN_SCHEMA), facts.skipped


def rebuild(root: Path, report: Report, *, full: bool) -> Index:
    """Bring the index up to date and write it.

    Args:
        root: the results folder.
        report: told what is out of the ordinary.
        full: read every file again, also those that look as they were.

    Raises:
        InputError: the results folder cannot be read.
        BundleError: the index cannot be written.
    """
    index, content = _build(root, None if full else _stored(root, report), report)
    if content is not None:
        atomic.write_bytes(root / INDEX, content, elsewhere=files.ELSEWHERE)
    return index


def _build(root: Path, stored: _Stored | None, report: Report) -> tuple[Index, bytes | None]:
    """The index of what lies there now, and its file; None in place of a file that would be as it is."""
    now_ns = time.time_ns()
    changed = files.folders(root)
    settled = {name: when if now_ns - when > _SETTLED_NS else None for name, when in sorted(changed.items())}
    entries: list[Entry] = []
    skipped = list(files.misplaced(root, INDEX))
    for folder in settled:
        for entry in files.entries_of(root, folder):
            if isinstance(entry, Entry):
                entries.append(entry)
            else:
                skipped.append(entry)
    kept, wanted = _known(stored, entries)
    if len(wanted) >= _MANY:
        report(f"reading {len(wanted):,} results into the index")
    parts = []
    if stored is not None:
        whole = len(kept) == stored.table.num_rows
        parts.append(stored.table if whole else stored.table.take(pa.array(kept, pa.int64())))
    parts.extend(_tables(root, wanted, skipped))
    table = pa.concat_tables([columns.SCHEMA.empty_table(), *parts])
    if wanted:
        table = table.sort_by("path")
    left_out = tuple(sorted(skipped, key=lambda found: found.path))
    index = Index(table, left_out, read=len(wanted))
    if stored is not None and len(kept) == table.num_rows == stored.table.num_rows:
        as_it_is = stored.folders == settled and stored.skipped == left_out
        if as_it_is:
            return index, None
    return index, _file(table, settled, left_out)


def _known(stored: _Stored | None, entries: list[Entry]) -> tuple[list[int], list[Entry]]:
    """Rows of the old index whose files are as they were, and the files that must be read."""
    if stored is None:
        return [], entries
    told = (stored.table.column(name).to_pylist() for name in ("path", "file_bytes", "file_mtime_ns"))
    rows = {facts: row for row, facts in enumerate(zip(*told, strict=True))}
    kept: list[int] = []
    wanted: list[Entry] = []
    for entry in entries:
        row = rows.get((entry.path, entry.size, entry.mtime_ns))
        if row is None:
            wanted.append(entry)
        else:
            kept.append(row)
    return sorted(kept), wanted


def _tables(root: Path, entries: list[Entry], skipped: list[Skipped]) -> Iterator[Any]:
    """The rows of files, some thousands at a time; what is left out is added to `skipped`."""
    for first in range(0, len(entries), _CHUNK):
        rows = []
        for entry in entries[first : first + _CHUNK]:
            try:
                result, found = files.read(root, entry.path)
                rows.append((names.id_of(entry.path), entry.path, columns.values(result), found.size, found.mtime_ns))
            except FileNotFoundError:
                # It was taken away since the folder was listed, which changes the folder's time: the next look tells.
                continue
            except (files.UnusableError, ValueError) as error:
                skipped.append(Skipped(entry.path, str(error)))
        if rows:
            yield columns.table(rows)


def _file(table: Any, folders: Mapping[str, int | None], skipped: tuple[Skipped, ...]) -> bytes:
    facts = {
        "schema_version": INDEX_SCHEMA,
        "scorekit_version": __version__,
        "folders": folders,
        "skipped": [[found.path, found.reason] for found in skipped],
    }
    out = io.BytesIO()
    pq.write_table(
        table.replace_schema_metadata({_FACTS: json.dumps(facts)}),
        out,
        # Groups of this size are read by several threads; each page is checked when it is read.
        row_group_size=_ROW_GROUP,
        write_page_checksum=True,
    )
    return out.getvalue()


def _stored(root: Path, report: Report) -> _Stored | None:
    """The index file; None where there is none, or none that can be used, which is said."""
    try:
        with _opened(root / INDEX) as (_, file, facts):
            return _Stored(facts.folders, facts.skipped, file.read())
    except FileNotFoundError:
        return None
    except (_UnusableIndexError, pa.ArrowException, OSError, ValueError) as error:
        report(f"{INDEX} is made anew: {' '.join(str(error).split())[:200]}")
        return None


@dataclass(frozen=True, slots=True)
class _Facts:
    """What an index file says of itself."""

    folders: dict[str, int | None]
    skipped: tuple[Skipped, ...]


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[pa.NativeFile, pq.ParquetFile, _Facts]]:
    """An index file of this version, of which no row has been read yet: its bytes, its Parquet, what it says of itself.

    Raises:
        FileNotFoundError: there is none.
        _UnusableIndexError: it is another's or no index.
        pyarrow.ArrowException, OSError, ValueError: it is damaged.
    """
    if not stat.S_ISREG(path.lstat().st_mode):
        raise _UnusableIndexError("it is no regular file")
    # The file stays the same one while it is read, even where another process puts a newer in its place.
    with pa.OSFile(os.fspath(path)) as source, pq.ParquetFile(source, page_checksum_verification=True) as file:
        yield source, file, _facts(file)


def _facts(file: pq.ParquetFile) -> _Facts:
    try:
        told = json.loads((file.schema_arrow.metadata or {}).get(_FACTS, b"null"))
        if told["schema_version"] != INDEX_SCHEMA:
            raise _UnusableIndexError(f"it is no {INDEX_SCHEMA}")
        if told["scorekit_version"] != __version__ or not file.schema_arrow.equals(columns.SCHEMA):
            raise _UnusableIndexError("another version of scorekit made it")
        skipped = tuple(Skipped(str(where), str(reason)) for where, reason in told["skipped"])
        return _Facts(dict(told["folders"]), skipped)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise _UnusableIndexError(f"it is no {INDEX_SCHEMA}") from error
