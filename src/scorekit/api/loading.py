"""`scorekit.load`: results of any log of any format, of run folders, archives and results stores."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scorekit import logs, store
from scorekit.api.kinds import PathLike, path_of
from scorekit.api.shown import Shown
from scorekit.errors import InputError, LogError, ScorekitError, UsageError
from scorekit.layout import Layout
from scorekit.logs import Refusal
from scorekit.messages import counted, say_line
from scorekit.records import Result
from scorekit.tables.foreign import result_table

if TYPE_CHECKING:
    import pandas

_EXAMPLE: Final = 'e.g. scorekit.load("runs")'
_EACH: Final = "give each path by itself: scorekit.load(*paths)"


class Results(Shown, list[Result]):
    """Results as a list, with their table."""

    def to_frame(self) -> pandas.DataFrame:
        """A pandas data frame: the columns of the results store's index (docs/store.md), a row for each result.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        from scorekit.store import columns, frame

        return frame.to_pandas(columns.row_table([columns.values(result) for result in self]))

    def __str__(self) -> str:
        return result_table(self, Layout())


def load(*paths: PathLike, allow_invalid: bool = False, refused: list[Refusal] | None = None) -> Results:
    """Read every log at or below some paths, as `scorekit parse --read-only` does. Only a store's index is written.

    Args:
        paths: logs of any format, run folders of ours, folders with such below them, zip and tar archives of these,
            results stores, and files that a measurement was saved to.
        allow_invalid: score runs of our own in spite of failed checks; their results say so.
        refused: list to which what cannot be read is added; None makes it an error.

    Returns:
        The results, in the order of the paths. A log whose energy cannot be used has a result that says why.

    Raises:
        UsageError: no path is given.
        ScorekitError: a log cannot be read, or a run is not scored; names it, and what would mend it.
    """
    if not paths:
        raise UsageError("there is nothing to load: no path is given", mend=_EXAMPLE)
    results, left_out = Results(), list[Refusal]()
    named = [path_of(p, expected="paths", mend=_EACH if isinstance(p, list | tuple) else _EXAMPLE) for p in paths]
    for found in _read(named, allow_invalid=allow_invalid):
        if isinstance(found, Refusal):
            left_out.append(found)
        else:
            results.append(found)
    if refused is not None:
        refused.extend(left_out)
    elif left_out:
        raise _error(left_out)
    return results


def _read(paths: Sequence[Path], *, allow_invalid: bool) -> Iterator[logs.Found]:
    for stored, group in itertools.groupby(paths, store.is_store):
        if stored:
            for path in {path.resolve(): path for path in group}.values():
                yield from _read_store(path)
        else:
            yield from logs.read_logs(group, allow_invalid=allow_invalid)


def _read_store(path: Path) -> Iterator[logs.Found]:
    opened = store.open(path, report=_tell)
    for skipped in opened.build_index().skipped:
        error = LogError(f"{skipped.path} is no result: {skipped.reason}", mend="restore the file, or take it away")
        yield Refusal(skipped.path, error)
    for name in opened.table().column("path").to_pylist():
        try:
            yield opened.read(name)
        except InputError as error:
            yield Refusal(name, error)


def _tell(message: str) -> None:
    # What is left out comes as refusals.
    if not message.startswith("left out"):
        say_line(message)


def _error(left_out: Sequence[Refusal]) -> ScorekitError:
    first = left_out[0].error
    if len(left_out) == 1:
        return first
    others = ", ".join(refusal.label for refusal in left_out[1:4])
    more = f", and {len(left_out) - 4} more" if len(left_out) > 4 else ""
    mend = "scorekit.load(..., refused=left_out) reads the others, and adds each of these to the list left_out"
    return type(first)(
        f"{counted(len(left_out), 'log')} cannot be read. The first: {first.message}. The others: {others}{more}",
        mend=mend if first.mend is None else f"{first.mend}; or {mend}",
    )
