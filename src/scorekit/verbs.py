"""What the light commands do: check, rate and tasks. Imported when one of them runs, never for --help."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from scorekit import bundle, editions, logs, rating, tables, tables_checks
from scorekit import tasks as registry
from scorekit.errors import EXIT_DONE, EXIT_FAILED, EXIT_INVALID, LogError, ScorekitError
from scorekit.layout import Layout, layout_for
from scorekit.records import Record, Score, Validity


def check(paths: Sequence[Path], *, as_json: bool) -> int:
    """Make every check of the runs given, or found below a folder; print and write them.

    Returns:
        0, the exit code of the first run that could not be read, or 3 when a check failed.
    """
    validities: list[Validity] = []
    code = EXIT_DONE
    for run in _once(run for path in paths for run in _runs(path)):
        try:
            validity = logs.read_validity(run)
            logs.write_validity(run, validity)
        except ScorekitError as error:
            _warn(f"error: {error}")
            code = code or error.exit_code
            continue
        validities.append(validity)
        _warn(f"wrote {run / bundle.VALIDITY}")
    if as_json:
        _print_json(validities)
    elif validities:
        _print(lambda layout: tables_checks.check_tables(validities, layout))
    return code or (EXIT_DONE if all(validity.valid for validity in validities) else EXIT_INVALID)


def rate(paths: Sequence[Path], *, edition: str | None, as_json: bool) -> int:
    """Rate every score given, or found below a folder.

    A score that is named and cannot be read ends the command, for a cohort without it would give other stars.
    Runs below a folder that cannot be scored are left out with a warning. A score.json that lies in its run is read
    from the run; one that lies alone gets no official star.

    Returns:
        0, or 1 when not one of them could be given a star.
    """
    # The run in place of the file, so that a run which was named both ways counts once.
    paths = [logs.run_beside(path) or path for path in paths]
    chosen = None if edition == rating.LOCAL else editions.find(edition or editions.LATEST)
    scores = [
        score for path in _once(found for path in paths for found in _scores_at(path)) for score in _read(path, paths)
    ]
    if not scores:
        raise LogError("none of the runs could be scored", mend="see the warnings above")
    ratings = rating.rate_scores(scores, chosen)
    if as_json:
        _print_json(ratings)
    else:
        _print(lambda layout: tables.rating_table(ratings, layout))
    return EXIT_DONE if any(found.stars is not None for found in ratings) else EXIT_FAILED


def tasks(*, as_json: bool) -> int:
    """List the tasks of the registry."""
    if as_json:
        rows = [{**dataclasses.asdict(task), "counted_phases": task.counted_phases} for task in registry.TASKS.values()]
        print(json.dumps(rows, indent=2))
    else:
        _print(tables.task_table)
    return EXIT_DONE


def _runs(path: Path) -> list[Path]:
    # Where nothing is found, the path stands for itself, so that reading it says what was expected.
    return logs.find_runs(path) or [path]


def _scores_at(path: Path) -> list[Path]:
    """Run folders and score.json files at or below a path."""
    if not path.is_dir():
        return [path]
    runs = logs.find_runs(path)
    inside = set(runs)
    found = list(runs)
    for root, folders, files in os.walk(path):
        folder = Path(root)
        if folder in inside:
            folders.clear()
        elif bundle.SCORE in files:
            found.append(folder / bundle.SCORE)
    return sorted(found) or [path]


def _read(path: Path, named: Sequence[Path]) -> Iterator[Score]:
    try:
        # A run is read afresh: its score.json says only what someone once made of it.
        yield logs.read_score(path) if path.is_dir() else logs.read_score_file(path)
    except ScorekitError as error:
        if path in named:
            raise
        _warn(f"warning: left out: {error}")


def _once(paths: Iterator[Path]) -> list[Path]:
    """Each path once, by whatever way it was named."""
    return list({path.resolve(): path for path in paths}.values())


def _print(table: Callable[[Layout], str]) -> None:
    print(table(layout_for(sys.stdout)))


def _print_json(records: Sequence[Record]) -> None:
    print(json.dumps([record.model_dump(mode="json") for record in records], indent=2))


def _warn(message: str) -> None:
    print(message, file=sys.stderr)
