"""What `scorekit results` does, behind the command line. Imported when it runs, never for --help."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from scorekit import atomic, store
from scorekit.errors import EXIT_DONE, EXIT_FAILED, InputError, ScorekitError, UsageError
from scorekit.layout import layout_for
from scorekit.messages import counted, say, say_line, warn_line
from scorekit.store import export as exporting
from scorekit.store import given
from scorekit.tables.stored import answer_table, result_table, result_text

if TYPE_CHECKING:
    import argparse

_STDIN: Final = "-"
_MOST_ROWS: Final = 1000
"""A text table of more rows takes long to lay out, and nobody reads it."""
_MOST_SKIPPED: Final = 100
"""So many files that are left out are told by name."""


def selection(options: argparse.Namespace) -> store.Selection:
    """The results that the arguments ask for.

    Raises:
        UsageError: the limit is negative.
    """
    if options.limit < 0:
        raise UsageError(f"--limit {options.limit}: expected 0 (all) or more", mend="leave --limit out")
    return store.Selection(
        task=options.task,
        model=options.model,
        model_class=options.model_class,
        hardware=options.hardware,
        sort=options.sort,
        descending=options.descending,
        limit=options.limit or None,
    )


def add(folder: Path, paths: list[str], *, trusted: bool = False) -> int:
    """Add results; prints the path of each new one.

    What cannot be added is told and keeps no other from being added. A folder that cannot be written to ends it.

    Args:
        folder: the results folder.
        paths: logs of any format, folders and archives of them, or files of result records; `-` for records on standard
            input.
        trusted: take records at their word where they say that they may stand beside official scores. Otherwise they
            are `unverified`, like a score.json without its run: anybody can write such a line.

    Returns:
        0, or 1 when something could not be added.
    """
    into = _open(folder)
    new = known = refused = 0
    for path in paths:
        if path == _STDIN:
            read = given.results_in(sys.stdin.buffer, "standard input", trusted=trusted)
        else:
            read = given.results_at(Path(path), trusted=trusted)
        for found in read:
            if isinstance(found, ScorekitError):
                refused += 1
                say(f"error: {found}")
                continue
            try:
                added = into.add(found)
            except InputError as error:
                refused += 1
                say(f"error: {error}")
                continue
            new, known = new + added.new, known + (not added.new)
            if added.new:
                print(folder / added.path)
    say(f"{new:,} added, {known:,} there already" + (f", {refused:,} not added" if refused else ""))
    return EXIT_FAILED if refused else EXIT_DONE


def list_results(folder: Path, wanted: store.Selection, *, as_json: bool) -> int:
    """List results as a table or as JSON."""
    table, total = store.select(_open(folder).table(), wanted)
    rows = table.to_pylist()
    if as_json:
        _print_json([{name: exporting.plain(value) for name, value in row.items()} for row in rows])
    else:
        print(result_table(rows, layout_for(sys.stdout)))
    if total > len(rows):
        say(f"{len(rows):,} of {counted(total, 'result')}; --limit 0 lists all")
    elif not as_json:
        say(counted(total, "result"))
    return EXIT_DONE


def show(folder: Path, wanted: str, *, as_json: bool) -> int:
    """Show all that is known of a result, or of all results of a model."""
    found = _open(folder)
    results = [(path, found.read(path)) for path in found.find(wanted)]
    if as_json:
        _print_json([result.model_dump(mode="json") for _, result in results])
    else:
        layout = layout_for(sys.stdout)
        print("\n\n\n".join(result_text(result, path, layout) for path, result in results))
    return EXIT_DONE


def export(folder: Path, wanted: store.Selection, *, kind: Literal["csv", "jsonl", "parquet"], output: str) -> int:
    """Write results to a file or to standard output."""
    table, _ = store.select(_open(folder).table(), wanted)
    if output == _STDIN:
        exporting.write(table, kind, sys.stdout.buffer)
        return EXIT_DONE
    target = Path(output)
    if folder.resolve() in target.resolve().parents:
        raise UsageError(
            f"{output} lies in the results folder, to which nothing but results is added",
            mend="choose a file elsewhere with -o FILE",
        )
    held = io.BytesIO()
    exporting.write(table, kind, held)
    atomic.write_bytes(target, held.getvalue(), elsewhere="-o FILE")
    say(f"wrote {counted(table.num_rows, 'result')} to {output}")
    return EXIT_DONE


def query(folder: Path, sql: str, *, form: Literal["table", "json", "csv"]) -> int:
    """Answer an SQL query."""
    answer = _open(folder).query_table(sql)
    if form == "csv":
        exporting.write(answer, "csv", sys.stdout.buffer)
    elif form == "json":
        _print_json(list(exporting.rows(answer)))
    else:
        shown = answer.slice(0, _MOST_ROWS)
        rows = [list(row.values()) for row in exporting.rows(shown)]
        print(answer_table(exporting.unique_names(answer.column_names), rows, layout_for(sys.stdout)))
        if answer.num_rows > _MOST_ROWS:
            say(f"{_MOST_ROWS:,} of {answer.num_rows:,} rows; --csv or --json gives all")
    return EXIT_DONE


def build_index(folder: Path, *, full: bool) -> int:
    """Bring the index up to date, and tell what is left out.

    Returns:
        0; files that are left out are no failure of the index.
    """
    built = _open(folder).build_index(full=full)
    print(
        f"{counted(built.results, 'result')} in the index, {counted(built.read, 'file')} read, "
        f"{len(built.skipped):,} left out"
    )
    for skipped in built.skipped[:_MOST_SKIPPED]:
        say_line(f"left out: {skipped.path}: {skipped.reason}")
    if len(built.skipped) > _MOST_SKIPPED:
        say(f"and {len(built.skipped) - _MOST_SKIPPED:,} more")
    return EXIT_DONE


def _open(folder: Path) -> store.Store:
    return store.open(folder, report=warn_line)


def _print_json(rows: list[Any]) -> None:
    print(json.dumps(rows, indent=2))
