"""Logs of any format at or below what is named: found, told apart, and read one after the other.

Nothing is held but the log that is being read, so any number of them can be read. What is broken is told as a `Refusal`
and keeps no other log from being read.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scorekit.errors import LogError, ScorekitError
from scorekit.logs import archives, run_bundle
from scorekit.logs.formats import expected, reader_of, recognises_run
from scorekit.logs.from_score import result_of
from scorekit.logs.places import Place
from scorekit.logs.run_bundle import Examined
from scorekit.records import Result

Seen = Callable[[Path, Examined], None]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A log that could not be read, or a run that is not scored.

    Attributes:
        label: name of the log.
        error: why, with what would mend it.
    """

    label: str
    error: ScorekitError


Found = Result | Refusal


def read_logs(paths: Iterable[Path], *, allow_invalid: bool = False, seen: Seen | None = None) -> Iterator[Found]:
    """The results of all logs at or below some paths, each path once.

    Args:
        paths: logs, folders with logs below them, and archives (zip, tar, tar.gz) of either.
        allow_invalid: score runs of our own in spite of failed checks; their results say so.
        seen: told of every run folder of our own that was read, except for those in archives.
    """
    reading = _Reading(allow_invalid, seen)
    done: set[Path] = set()
    for path in paths:
        resolved = path.resolve()
        if resolved not in done:
            done.add(resolved)
            yield from reading.named(path)


def is_log(path: Path) -> bool:
    """Whether a file is a log of a known format, or an archive, by its content."""
    try:
        place = Place.of_file(path)
        return archives.kind_of(path, place.head) is not None or reader_of(place) is not None
    except ScorekitError:
        return False


class _Reading:
    """One call of `read_logs`."""

    def __init__(self, allow_invalid: bool, seen: Seen | None) -> None:
        self._allow_invalid, self._seen = allow_invalid, seen

    def named(self, path: Path) -> Iterator[Found]:
        """What lies at or below a path that the user named; something must."""
        label = path.name or path.resolve().name
        if not path.exists():
            error = LogError(f"there is no {path}", mend="check the path; a link may lead nowhere")
            yield Refusal(str(path), error)
            return
        count = 0
        for found in self._folder(path, label) if path.is_dir() else self._file(path, label):
            count += 1
            yield found
        if not count:
            where = f"below {path} there is no log" if path.is_dir() else f"{path} is no log that is known"
            error = LogError(f"{where}; expected one of: {expected()}", mend="name a log, or a folder of logs")
            yield Refusal(label, error)

    def _folder(self, top: Path, label: str) -> Iterator[Found]:
        # Links are not followed: they could lead in circles, or out of an archive.
        for root, folders, _ in os.walk(top):
            folders.sort()
            folder = Path(root)
            below = folder.relative_to(top).as_posix()
            own = label if below == "." else f"{label}/{below}"
            try:
                place = Place.of_folder(folder, own)
            except ScorekitError as error:
                yield Refusal(own, error)
                continue
            if recognises_run(place):
                folders.clear()
                yield from self._run(place)
                continue
            read: set[str] = set()
            reader = reader_of(place)
            if reader is not None:
                for found in self._guarded(place, lambda place=place, reader=reader: reader.read(place)):  # type: ignore[misc]
                    read.update(found.source.files if isinstance(found, Result) else place.names or ())
                    yield found
            for name in sorted((place.names or frozenset()) - read):
                if reader is None or not name.endswith(".json"):
                    yield from self._file(folder / name, f"{own}/{name}")

    def _file(self, path: Path, label: str) -> Iterator[Found]:
        try:
            place = Place.of_file(path, label)
            archive = archives.kind_of(path, place.head)
        except ScorekitError as error:
            yield Refusal(label, error)
            return
        if archive is not None:
            yield from self._archive(path, archive, label)
            return
        reader = reader_of(place)
        if reader is not None:
            yield from self._guarded(place, lambda: reader.read(place))

    def _archive(self, path: Path, kind: archives.Kind, label: str) -> Iterator[Found]:
        if "!" in label:
            error = LogError(f"{label} is an archive in an archive, which is not opened", mend="unpack the outer one")
            yield Refusal(label, error)
            return
        with tempfile.TemporaryDirectory(prefix="scorekit-") as name:
            try:
                archives.unpack(path, kind, Path(name), label)
            except ScorekitError as error:
                yield Refusal(label, error)
                return
            yield from _Reading(self._allow_invalid, None)._folder(Path(name), f"{label}!")

    def _run(self, place: Place) -> Iterator[Found]:
        try:
            examined = run_bundle.examine(place.path, self._allow_invalid)
            if self._seen is not None:
                self._seen(place.path, examined)
        except ScorekitError as error:
            yield Refusal(place.label, error)
            return
        if examined.score is not None:
            yield result_of(examined.score, place.label)
        elif examined.refusal is not None:
            yield Refusal(place.label, examined.refusal)

    def _guarded(self, place: Place, read: Callable[[], Iterator[Result]]) -> Iterator[Found]:
        try:
            yield from read()
        except ScorekitError as error:
            yield Refusal(place.label, error)
