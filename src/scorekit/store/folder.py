"""A results folder as Python sees it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scorekit import atomic
from scorekit.errors import InputError, UsageError, nearest
from scorekit.messages import one_line
from scorekit.records import Quality, Result
from scorekit.store import columns, files, index, names, quality
from scorekit.store.files import Added, Skipped

if TYPE_CHECKING:
    import pandas

DEFAULT_FOLDER: Final = "results"
STORE: Final = "store.json"
STORE_SCHEMA: Final = "scorekit.store/1"
_MOST_STORE_BYTES: Final = 4096
_MOST_COMPARED: Final = 10_000
"""With so many names of models one that was mistyped is compared; with more it would take seconds."""
_DIGITS: Final = re.compile(r"[0-9a-f]{4,64}")


@dataclass(frozen=True, slots=True)
class Built:
    """What came of building the index.

    Attributes:
        results: results in it.
        read: files that were read for it; the others were as they were.
        skipped: files that are left out, with the reason.
    """

    results: int
    read: int
    skipped: tuple[Skipped, ...]


class Store:
    """The results below one folder. Made by `scorekit.store.open`.

    Args:
        root: the folder; it need not be there yet.
        report: told, in a sentence, what is out of the ordinary: files that are left out, an index that is made anew.
    """

    def __init__(self, root: Path, report: index.Report) -> None:
        self.root = root
        self._report = report
        _check_version(root)

    def add(self, result: Result) -> Added:
        """Add a result. It stands beside earlier ones of the same model and task; the same content is one file.

        Raises:
            InputError: the result cannot be a file.
            BundleError: the folder cannot be written to, or a damaged file is in the way.
        """
        if not (self.root / STORE).exists():
            _mark(self.root)
        return files.write(self.root, result)

    def results(self) -> Iterator[Result]:
        """Every result, by path. Files that are left out are told, and do not end it."""
        for path in self.table().column("path").to_pylist():
            try:
                yield self.read(path)
            except InputError as error:
                self._report(error.message)

    def table(self) -> Any:
        """The index as a `pyarrow.Table`: a row for each result, units in the names, null for what is not known.

        Raises:
            InputError: there is no such folder.
        """
        self._require_folder()
        found = index.load(self.root, self._report)
        self._tell(found.skipped)
        return found.table.select(list(columns.SHOWN))

    def frame(self) -> pandas.DataFrame:
        """The same as a pandas data frame, with nullable types.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        from scorekit.store import frame

        return frame.to_pandas(self.table())

    def query(self, sql: str) -> pandas.DataFrame:
        """What a query over the tables `results` and `quality` gives; the query can reach nothing else.

        Raises:
            UsageError: the SQL is wrong, or asks for what is not allowed.
            MissingExtraError: duckdb or pandas is not installed.
        """
        from scorekit.store import frame

        return frame.to_pandas(self.query_table(sql))

    def query_table(self, sql: str) -> Any:
        """The same as a `pyarrow.Table`."""
        from scorekit.store import query

        self._require_folder()
        beside = {quality.TABLE: self.quality_table()} if quality.TABLE in sql.lower() else {}
        # Of a fresh index no more is read than the query needs. An error may be that of a damaged page: then all of it
        # is read, or made anew, and the query asked again.
        with contextlib.ExitStack() as stack, contextlib.suppress(query.FailedError):
            found = index.fresh(self.root, stack)
            if found is not None:
                rows, skipped = found
                answer = query.run(rows, sql, beside)
                self._tell(skipped)
                return answer
        return query.run(self.table(), sql, beside)

    def build_index(self, *, full: bool = False) -> Built:
        """Bring the index up to date. It is also done whenever it is needed; this tells what came of it.

        Args:
            full: read every file again, so that one that was changed without a trace of it is found.

        Raises:
            InputError: there is no such folder.
            BundleError: the index cannot be written.
        """
        self._require_folder()
        found = index.rebuild(self.root, self._report, full=full)
        return Built(found.table.num_rows, found.read or 0, found.skipped)

    def find(self, wanted: str) -> list[str]:
        """Paths of the results that are meant.

        Args:
            wanted: the first 4 or more digits of an id, or the name of a model; of a model all results are meant.

        Raises:
            UsageError: there is none, or the digits are those of several.
        """
        rows = self.table().select(["id", "path", "model"]).to_pylist()
        found = [row["path"] for row in rows if row["model"] == wanted]
        if not found and _DIGITS.fullmatch(wanted):
            found = [row["path"] for row in rows if row["id"].startswith(wanted)]
            if len(found) > 1:
                raise UsageError(f"{len(found)} results have an id that begins with {wanted}", mend="give more digits")
        if found:
            return found
        known = list(dict.fromkeys(row["model"] for row in rows if row["model"] is not None))
        near = [name for name in known if wanted.lower() in name.lower()][:3] or [nearest(wanted, known[:10_000])]
        raise UsageError(
            f"there is no result with the id or model '{wanted}' in {self.root}",
            mend=f"did you mean {' or '.join(repr(name) for name in near)}?"
            if near[0]
            else f"see scorekit results list --results {self.root}",
        )

    def read(self, path: str) -> Result:
        """The result of a file, checked against its name.

        Args:
            path: below the results folder.

        Raises:
            InputError: it is not what was added, or cannot be read.
        """
        try:
            return files.read(self.root, path)[0]
        except (files.UnusableError, FileNotFoundError) as error:
            raise InputError(
                f"{path}: {'it is gone' if isinstance(error, FileNotFoundError) else error}",
                mend="bring the file back from a copy; scorekit results index --full looks at all of them",
            ) from error

    def attach(self, figures: Quality) -> Added:
        """Add quality figures of a result; the same content is one file.

        Raises:
            BundleError: the folder cannot be written to, or a damaged file is in the way.
        """
        return quality.add(self.root, figures)

    def detach(self, path: str) -> list[str]:
        """Remove all quality figures of a result, which stays as it is; the paths of the files that are gone.

        Args:
            path: of the result's file, below the results folder.

        Raises:
            InputError: the result cannot be read.
            BundleError: a file cannot be removed.
        """
        return quality.remove(self.root, self.sha256(path))

    def attached(self) -> dict[str, tuple[quality.InForce, ...]]:
        """The quality figures that stand, by the sha256 of their result's file; what is left out is told."""
        found, skipped = quality.read_all(self.root)
        standing, contradicting = quality.in_force(found)
        for one in (*skipped, *contradicting):
            self._report(f"left out: {one.path} ({one.reason})")
        return standing

    def sha256(self, path: str) -> str:
        """sha256 of the file of a result, which is checked against its name.

        Args:
            path: below the results folder.

        Raises:
            InputError: it is not what was added, or cannot be read.
        """
        self.read(path)
        return names.digest(files.read_regular(os.path.join(self.root, path))[0])

    def quality_table(self) -> Any:
        """The quality figures that stand as a `pyarrow.Table`, with the id of their result."""
        known = self.table().column("id").to_pylist()
        standing = self.attached()
        by_digits = {names.short(sha256): sha256 for sha256 in standing}
        found = {name: by_digits.get(names.short(name), "") for name in known}
        own = ((name, standing[sha256]) for name, sha256 in found.items() if sha256 and sha256.startswith(name))
        return quality.table(own)

    def _tell(self, skipped: Sequence[Skipped]) -> None:
        if skipped:
            first, more = skipped[0], f" and {len(skipped) - 1:,} more" if len(skipped) > 1 else ""
            self._report(f"left out: {first.path} ({first.reason}){more}; `scorekit results index` lists all")

    def _require_folder(self) -> None:
        if not self.root.is_dir():
            raise InputError(
                f"there is no results folder {self.root}",
                mend=f"add results, scorekit results add FILE, or choose another with {files.ELSEWHERE}",
            )


def open(  # noqa: A001 - as in sqlite3, gzip and others; used as store.open
    path: str | os.PathLike[str] = DEFAULT_FOLDER, *, report: index.Report | None = None
) -> Store:
    """The results store in a folder, which need not be there before something is added.

    Args:
        path: the folder.
        report: told what is out of the ordinary; None logs it as a warning of `scorekit.store`.

    Raises:
        InputError: it is no folder, or of a newer version.
    """
    return Store(Path(path), report or _log)


def _log(text: str) -> None:
    # Where no logging is set up, Python prints a warning to the terminal as it is.
    logging.getLogger("scorekit.store").warning("%s", one_line(text))


def is_store(path: Path) -> bool:
    """Whether a folder is a results store."""
    return (path / STORE).is_file()


def _check_version(root: Path) -> None:
    if root.exists() and not root.is_dir():
        raise InputError(f"{root} is no folder", mend=f"choose one with {files.ELSEWHERE}")
    marker = root / STORE
    if marker.exists() and not marker.is_file():
        raise InputError(f"{marker} is no file", mend=f"choose another folder with {files.ELSEWHERE}")
    try:
        with marker.open("rb") as file:
            document = json.loads(file.read(_MOST_STORE_BYTES))
        version = document.get("schema_version") if isinstance(document, dict) else None
    except (FileNotFoundError, NotADirectoryError):
        # A folder that is not there yet, or into which somebody has copied results.
        return
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{marker} cannot be read: {error}",
            mend=f'it should hold {{"schema_version": "{STORE_SCHEMA}"}}; without the file, that version is assumed',
        ) from error
    if version != STORE_SCHEMA:
        raise InputError(
            f"{root} is a results folder of version {str(version)[:60]!r}; this scorekit knows {STORE_SCHEMA!r}",
            mend=f"update scorekit, or choose another folder with {files.ELSEWHERE}",
        )


def _mark(root: Path) -> None:
    """Write the folder's version, once."""
    content = (json.dumps({"schema_version": STORE_SCHEMA}) + "\n").encode()
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise atomic.write_error(root, error, files.ELSEWHERE) from error
    try:
        atomic.create_bytes(root / STORE, content, elsewhere=files.ELSEWHERE)
    except atomic.NoLinksError:
        atomic.write_bytes(root / STORE, content, elsewhere=files.ELSEWHERE)
