"""What `scorekit rate` does: scores of runs, of files, of the results store and of other tools' logs in, stars out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from scorekit import bundle, editions, explain, logs, rating, store, tables
from scorekit.cohorts import Rateable
from scorekit.errors import EXIT_DONE, EXIT_FAILED, LogError, ScorekitError
from scorekit.layout import layout_for
from scorekit.messages import say
from scorekit.records import Result

_STORE: Final = "store.json"
"""What lies at the root of a results store."""
_LOGS: Final = (".json", ".csv", ".log", ".txt", ".zip", ".gz", ".tar", ".tgz")
"""Endings of files beside runs that may be logs of other tools."""


def rate(
    paths: Sequence[Path],
    *,
    edition: str | None,
    as_json: bool,
    rule: str | None = None,
    folder: Path = editions.FOLDER,
    explained: bool = False,
) -> int:
    """Rate every score given, or found below a folder.

    A score that is named and cannot be read ends the command, for a cohort without it would give other stars.
    What lies below a folder and cannot be scored is left out with a warning. A score.json that lies in its run is read
    from the run; one that lies alone gets no official star.

    Args:
        paths: runs, score.json files, results stores, logs of other tools, or folders with such below them.
        edition: name of the edition; the newest built-in one where None, and `local` for none.
        as_json: print the ratings as a JSON array.
        rule: name of the rule; the edition's own where None.
        folder: where editions lie beside the built-in ones.
        explained: say of each star why it is given, and what energy would change it.

    Returns:
        0, or 1 when not one of them could be given a star.
    """
    # The run in place of the file, so that a run which was named both ways counts once.
    paths = [logs.run_beside(path) or path for path in paths]
    chosen = None if edition == rating.LOCAL else editions.find(edition or editions.LATEST, folder)
    scores = list(_scores(paths))
    if not scores:
        raise LogError("none of the runs could be scored", mend="see the warnings above")
    ratings = rating.rate_scores(scores, chosen, rule)
    if explained:
        ratings = [explain.explained(found) for found in ratings]
    if as_json:
        print(json.dumps([found.model_dump(mode="json") for found in ratings], indent=2))
    else:
        print(tables.rating_table(ratings, layout_for(sys.stdout), chosen))
    return EXIT_DONE if any(found.stars is not None for found in ratings) else EXIT_FAILED


def _scores(paths: Sequence[Path]) -> Iterator[Rateable]:
    for path in _once(own for named in paths for own in _own(named)):
        yield from _read(path, named=path in paths)
    for folder in _once(named for named in paths if named.is_dir()):
        if (folder / _STORE).is_file():
            yield from store.open(folder, report=say).results()
        else:
            yield from _of_other_tools(folder)


def _own(path: Path) -> list[Path]:
    """Run folders and score.json files at or below a path; a file stands for itself, and so does what is not there."""
    if not path.is_dir():
        return [path]
    if (path / _STORE).is_file():
        return []
    runs = logs.find_runs(path)
    return sorted([*runs, *(found for found in _outside(path, runs) if found.name == bundle.SCORE)])


def _outside(path: Path, runs: Iterable[Path]) -> Iterator[Path]:
    """Files below a folder that lie in no run."""
    inside = set(runs)
    for root, folders, files in os.walk(path):
        folder = Path(root)
        if folder in inside:
            folders.clear()
        else:
            yield from (folder / name for name in files)


def _read(path: Path, *, named: bool) -> Iterator[Rateable]:
    try:
        # A run is read afresh: its score.json says only what someone once made of it.
        if path.is_dir():
            yield logs.read_score(path)
        elif path.name == bundle.SCORE or not path.exists() or _is_score(path):
            yield logs.read_score_file(path)
        else:
            for found in logs.read_logs([path]):
                if not isinstance(found, Result):
                    raise found.error
                yield found
    except ScorekitError as error:
        if named:
            raise
        say(f"warning: left out: {error}")


def _is_score(path: Path) -> bool:
    """Whether a file that is not named score.json says that it is one."""
    try:
        with path.open("rb") as file:
            return b'"scorekit.score/' in file.read(4096)
    except OSError:
        return True


def _of_other_tools(path: Path) -> Iterator[Result]:
    """Results of other tools' logs below a folder."""
    runs = logs.find_runs(path)
    others = [file for file in _outside(path, runs) if file.name != bundle.SCORE and file.name.endswith(_LOGS)]
    if not others and runs:
        return
    own = {run.relative_to(path).as_posix() for run in runs}
    label = path.name or path.resolve().name
    known = {label if below == "." else f"{label}/{below}" for below in own}
    count = 0
    for found in logs.read_logs([path]) if others else ():
        if isinstance(found, Result):
            if found.source.name not in known:
                count += 1
                yield found
        elif found.label not in known and found.label != label:
            say(f"warning: left out: {found.error}")
    if not count and not runs and not any(file.name == bundle.SCORE for file in _outside(path, runs)):
        logs.read_score(path)


def _once(paths: Iterable[Path]) -> list[Path]:
    """Each path once, by whatever way it was named."""
    return list({path.resolve(): path for path in paths}.values())
