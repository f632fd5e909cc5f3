"""Logs of any format at or below what is named: found, told apart, and read one after the other.

Nothing is held but the log that is being read, so any number of them can be read. What is broken is told as a `Refusal`
and keeps no other log from being read.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scorekit.errors import LogError, ScorekitError
from scorekit.logs import archives, run_bundle
from scorekit.logs.formats import expected, reader_of, recognises_run
from scorekit.logs.from_score import result_of
from scorekit.logs.places import Place, told
from scorekit.logs.run_bundle import Examined
from scorekit.logs.score_file import is_score_file, read_score_file
from scorekit.logs.unexpected import told_of
from scorekit.records import Result, Score

_OF_A_REPORT: Final = "_codecarbon.json"
_NAMED: Final = frozenset({"benchmark_report.json", "benchmark.json", "emissions.csv", "master_results.csv"})
"""Names that only logs have. One of them that no reader knows is broken, and is not passed over in silence."""

Seen = Callable[[Path, Examined], None]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A log that could not be read, or a run that is not scored.

    Attributes:
        label: name of the log.
        error: why, with what would mend it.
        named: whether it, or the archive that it lies in, is what was named, and not something below that.
    """

    label: str
    error: ScorekitError
    named: bool = False


Found = Result | Refusal


def read_logs(paths: Iterable[Path], *, allow_invalid: bool = False, seen: Seen | None = None) -> Iterator[Found]:
    """The results of all logs at or below some paths, each path once.

    Args:
        paths: logs, folders with logs below them, and archives (zip, tar, tar.gz) of either.
        allow_invalid: score runs of our own in spite of failed checks; their results say so.
        seen: told of every run folder of our own that was read, except for those in archives.
    """
    for found in _read(list(paths), _Reading(allow_invalid, seen)):
        assert not isinstance(found, Score)
        yield found


def read_scores(paths: Iterable[Path]) -> Iterator[Score | Found]:
    """The same with the score.json files that lie in no run, read in the same walk.

    Nothing shows that such a file is what a run gave: its score is `unverified`.
    """
    yield from _read(list(paths), _Reading(False, None, scores=True))


def _read(paths: list[Path], reading: _Reading) -> Iterator[Score | Found]:
    looked = [_look(path) for path in paths]
    reading.asked.update(found for found in looked if isinstance(found, Path))
    for path, found in zip(paths, looked, strict=True):
        if isinstance(found, Refusal):
            yield found
        elif reading.done.isdisjoint((found, *found.parents)):
            yield from reading.named(path)
            reading.done.add(found)


def _look(path: Path) -> Path | Refusal:
    """Where a path that was named leads; a refusal where there is nothing."""
    label = told(str(path))
    try:
        if path.exists():
            return path.resolve()
        error = LogError(f"there is no {label}", mend="check the path; a link may lead nowhere")
    except (OSError, RuntimeError) as cause:
        # A link that leads to itself, or a name that is too long.
        error = LogError(f"{label[:200]} cannot be read: {cause}", mend="check the path")
    return Refusal(label[:200], error, named=True)


def is_log(path: Path) -> bool:
    """Whether a file is a log of a known format, or an archive, by its content."""
    try:
        place = Place.of_file(path)
        return archives.kind_of(path, place.head) is not None or reader_of(place) is not None
    except ScorekitError:
        return False


class _Reading:
    """One call of `read_logs`, or the inside of one archive.

    Args:
        allow_invalid, seen: as for `read_logs`.
        scores: read score.json files too.
        packed: whether the files lie in an archive.

    Attributes:
        asked: every path that was named, resolved.
        done: those of them that were read; what lies at or below them is not read again.
    """

    def __init__(self, allow_invalid: bool, seen: Seen | None, *, scores: bool = False, packed: bool = False) -> None:
        self._allow_invalid, self._seen, self._scores, self._packed = allow_invalid, seen, scores, packed
        self.asked: set[Path] = set()
        self.done: set[Path] = set()

    def named(self, path: Path) -> Iterator[Score | Found]:
        """What lies at or below a path that the user named; something must."""
        label = told(path.name or path.resolve().name)
        count = 0
        for found in self._folder(path, label) if path.is_dir() else self._file(path, label):
            count += 1
            yield found
        if not count:
            name = told(str(path))
            where = f"below {name} there is no log" if path.is_dir() else f"{name} is no log that is known"
            error = LogError(f"{where}; expected one of: {expected()}", mend="name a log, or a folder of logs")
            yield Refusal(label, error, named=True)

    def _refusal(self, label: str, error: ScorekitError, path: Path) -> Refusal:
        return Refusal(label, error, named=path.resolve() in self.asked)

    def _folder(self, top: Path, label: str) -> Iterator[Score | Found]:
        # Links are not followed: they could lead in circles, or out of an archive.
        for root, folders, _ in os.walk(top):
            folders.sort()
            folder = Path(root)
            if self.done and folder.resolve() in self.done:
                folders.clear()
                continue
            below = told(folder.relative_to(top).as_posix())
            own = label if below == "." else f"{label}/{below}"
            try:
                place = Place.of_folder(folder, own)
                with told_of(own):
                    is_run = recognises_run(place)
                    reader = None if is_run else reader_of(place)
            except ScorekitError as error:
                yield self._refusal(own, error, folder)
                continue
            if is_run:
                folders.clear()
                yield from self._run(place)
                continue
            read: set[str] = set()
            if reader is not None:
                for found in self._guarded(place, lambda place=place, reader=reader: reader.read(place)):  # type: ignore[misc]
                    read.update(found.source.files if isinstance(found, Result) else place.names or ())
                    yield found
            for name in sorted((place.names or frozenset()) - read):
                # CodeCarbon's data of each pass belong to the report that lies beside them.
                if reader is None or not name.endswith(_OF_A_REPORT):
                    yield from self._found(folder / name, f"{own}/{told(name)}")

    def _found(self, path: Path, label: str) -> Iterator[Score | Found]:
        """A file below a folder: one that is no log is passed over, unless its name says that it should be one."""
        if self.done and path.resolve() in self.done:
            return
        count = 0
        for found in self._file(path, label):
            count += 1
            yield found
        if not count and path.name in _NAMED:
            error = LogError(f"{label} is named like a log, and its content is none", mend="get the file again")
            yield self._refusal(label, error, path)

    def _file(self, path: Path, label: str) -> Iterator[Score | Found]:
        try:
            place = Place.of_file(path, label)
            with told_of(label):
                archive = archives.kind_of(path, place.head)
                if self._scores and is_score_file(path, place.head):
                    yield read_score_file(path)
                    return
                reader = None if archive is not None else reader_of(place)
        except ScorekitError as error:
            yield self._refusal(label, error, path)
            return
        if archive is not None:
            yield from self._archive(path, archive, label)
            return
        if reader is not None:
            yield from self._guarded(place, lambda: reader.read(place))

    def _archive(self, path: Path, kind: archives.Kind, label: str) -> Iterator[Score | Found]:
        if self._packed:
            error = LogError(f"{label} is an archive in an archive, which is not opened", mend="unpack the outer one")
            yield self._refusal(label, error, path)
            return
        with tempfile.TemporaryDirectory(prefix="scorekit-") as name:
            try:
                with told_of(label):
                    archives.unpack(path, kind, Path(name), label)
            except ScorekitError as error:
                yield self._refusal(label, error, path)
                return
            named = path.resolve() in self.asked
            inside = _Reading(self._allow_invalid, None, scores=self._scores, packed=True)
            for found in inside._folder(Path(name), f"{label}!"):
                yield dataclasses.replace(found, named=named) if isinstance(found, Refusal) else found

    def _run(self, place: Place) -> Iterator[Found]:
        try:
            examined = run_bundle.examine(place.path, self._allow_invalid)
            if self._seen is not None:
                self._seen(place.path, examined)
        except ScorekitError as error:
            yield self._refusal(place.label, error, place.path)
            return
        if examined.score is not None:
            yield result_of(examined.score, place.label, examined.dtype)
        elif examined.refusal is not None:
            yield self._refusal(place.label, examined.refusal, place.path)

    def _guarded(self, place: Place, read: Callable[[], Iterator[Result]]) -> Iterator[Found]:
        try:
            with told_of(place.label):
                yield from read()
        except ScorekitError as error:
            yield self._refusal(place.label, error, place.path)
