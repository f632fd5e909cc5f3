"""What `scorekit quality` does, behind the command line. Imported when it runs, never for --help."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from scorekit import store
from scorekit.errors import EXIT_DONE, InputError, UsageError
from scorekit.layout import layout_for, significant
from scorekit.logs.lm_eval import read_evaluation
from scorekit.messages import counted, say_line, warn_line
from scorekit.records import QualityFigure, Result
from scorekit.records.quality import LONGEST_URL, SOURCE_URL
from scorekit.store import export as exporting
from scorekit.store import given, names
from scorekit.store.attaching import prepared
from scorekit.tables.quality import quality_table

_MOST_TOLD: Final = 12


def attach(
    folder: Path,
    wanted: str,
    evaluation: Path,
    *,
    tasks: Sequence[str] = (),
    metrics: Sequence[str] = (),
    url: str | None = None,
    stated: bool = False,
    replace: bool = False,
    every: bool = False,
) -> int:
    """Attach the figures of a results file of lm-evaluation-harness; prints the path of each new file.

    Args:
        folder: the results folder.
        wanted: a result's id, its model, or a run, log or result that was added.
        evaluation: the results file.
        tasks, metrics: those that are meant; none for all.
        url: where others find that file.
        stated: the models are one, whatever they are called.
        replace: put the figures in the place of others.
        every: to all results of the model, where it has several.
    """
    if url is not None and (len(url) > LONGEST_URL or not re.fullmatch(SOURCE_URL, url)):
        raise UsageError(
            f"--source {url[:100]!r} is no address",
            mend=f"write it as https://..., of at most {LONGEST_URL:,} characters, without a name or password in it",
        )
    read = read_evaluation(evaluation)
    chosen = read.choose(tasks, metrics)
    into = store.open(folder, report=warn_line)
    paths = _meant(into, wanted, every=every)
    if not tasks and read.below:
        say_line(f"{counted(len(read.below), 'task')} within groups left out; choose with --task NAME")
    # All are judged before the first file is written: none is attached where one is refused.
    each = [prepared(into, path, read, chosen, url=url, stated=stated, replace=replace) for path in paths]
    for path, done in zip(paths, each, strict=True):
        if done.record is not None:
            print(folder / into.attach(done.record).path)
        for one in done.figures[:_MOST_TOLD]:
            say_line(f"  {_told(one)}")
        if len(done.figures) > _MOST_TOLD:
            say_line(f"  and {len(done.figures) - _MOST_TOLD:,} more")
        say_line(f"{counted(len(done.figures), 'figure')} attached to {path}, {done.known:,} there already")
        for note in done.notes:
            say_line(f"note: {note}")
    return EXIT_DONE


def detach(folder: Path, wanted: str, *, every: bool = False) -> int:
    """Remove the figures of a result, all of them; prints the path of each file that is gone.

    Args:
        folder: the results folder.
        wanted: a result's id, its model, or a run, log or result that was added.
        every: those of all results of the model, where it has several.
    """
    into = store.open(folder, report=warn_line)
    for path in _meant(into, wanted, every=every):
        gone = into.detach(path)
        for one in gone:
            print(folder / one)
        say_line(f"{counted(len(gone), 'file')} of figures of {path} removed; the result stays as it is")
    return EXIT_DONE


def list_figures(folder: Path, *, model: str | None, as_json: bool) -> int:
    """List the figures that stand, by model."""
    into = store.open(folder, report=warn_line)
    rows = [row for row in _rows(into) if model is None or model.lower() in (row["model"] or "").lower()]
    rows.sort(key=lambda row: (row["model"] or "", row["benchmark"], row["metric"], row["filter"], row["id"]))
    if as_json:
        print(json.dumps([{name: exporting.plain(value) for name, value in row.items()} for row in rows], indent=2))
        return EXIT_DONE
    if rows:
        print(quality_table(rows, layout_for(sys.stdout)))
    say_line(counted(len(rows), "figure"))
    return EXIT_DONE


def _rows(into: store.Store) -> Iterator[dict[str, Any]]:
    known = into.table().select(["id", "model"]).to_pylist()
    models = {row["id"]: row["model"] for row in known}
    for row in into.quality_table().to_pylist():
        yield {"id": row["id"], "model": models.get(row["id"])} | row


def _meant(into: store.Store, wanted: str, *, every: bool) -> list[str]:
    """Paths of the results that are meant: one, unless every is."""
    paths = _found(into, wanted)
    if len(paths) > 1 and not every:
        ids = ", ".join(f"{names.short(names.id_of(path))} ({path.partition('/')[0]})" for path in paths)
        raise UsageError(
            f"'{wanted}' has {len(paths)} results: {ids}",
            mend="give the id of the one that is meant, or --every for all",
        )
    return paths


def _found(into: store.Store, wanted: str) -> list[str]:
    """Paths of the results that are meant: by id or model, else by what they were read from."""
    try:
        return into.find(wanted)
    except UsageError:
        if not Path(wanted).exists():
            raise
    path = Path(wanted)
    paths = [found for result in _results(path) for found in _of_same_source(into, result)]
    if not paths:
        raise InputError(
            f"{wanted} is not among the results in {into.root}",
            mend=f"scorekit results add {wanted} --results {into.root}",
        )
    return list(dict.fromkeys(paths))


def _results(path: Path) -> Iterator[Result]:
    # Only what they were read from is asked of them.
    for read in given.results_at(path, trusted=True):
        if not isinstance(read, Result):
            raise read
        yield read


def _of_same_source(into: store.Store, result: Result) -> Iterator[str]:
    """Results of the store that were read from the same files: their path may be told otherwise."""
    rows = into.table().select(["path", "model", "task"]).to_pylist()
    for row in rows:
        if (row["model"], row["task"]) == (result.model, result.task):
            kept = into.read(row["path"])
            theirs, own = kept.source, result.source
            if (theirs.files, theirs.row, theirs.device) == (own.files, own.row, own.device):
                yield row["path"]


def _told(one: QualityFigure) -> str:
    error = "" if one.stderr is None else f", standard error {significant(one.stderr)}"
    shots = "" if one.num_fewshot is None else f", {one.num_fewshot} shots"
    asked = "" if one.samples is None else f", {counted(one.samples, 'question')}"
    return f"{one.task} {one.metric},{one.filter}: {one.value:.4g}{error}{asked}{shots}"
