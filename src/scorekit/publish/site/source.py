"""From a results folder and editions to what the site shows: the one part of the site that reads files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from scorekit import editions, store
from scorekit.editions import Edition
from scorekit.errors import InputError
from scorekit.publish.site.content import Site
from scorekit.publish.site.gathering import gather
from scorekit.records import Result


def read(
    results: Path | None,
    edition: Edition | None,
    folder: Path = editions.FOLDER,
    *,
    title: str | None = None,
    report: Callable[[str], None],
) -> Site:
    """Read what is there.

    Args:
        results: the results folder; None for the default one where it is there, else for none.
        edition: the edition that stars are given in; None for local stars only.
        folder: where editions lie.
        title: of the site.
        report: told, in a sentence, of files that are left out.

    Raises:
        InputError: the results folder was named and is not there, or cannot be read.
    """
    if results is None and not Path(store.DEFAULT_FOLDER).is_dir():
        return gather([], edition, _editions(folder, edition, report), title=title)
    opened = store.open(Path(results or store.DEFAULT_FOLDER), report=report)
    found, ids = _results(opened, report)
    known = _editions(folder, edition, report)
    return gather(found, edition, known, title=title, result_ids=ids, quality=opened.attached())


def _results(opened: store.Store, report: Callable[[str], None]) -> tuple[list[Result], list[str | None]]:
    found: list[Result] = []
    ids: list[str | None] = []
    for row in opened.table().select(["id", "path"]).to_pylist():
        try:
            found.append(opened.read(row["path"]))
        except InputError as error:
            report(error.message)
            continue
        ids.append(row["id"])
    return found, ids


def _editions(folder: Path, edition: Edition | None, report: Callable[[str], None]) -> list[Edition]:
    """Every frozen and built-in edition, newest first; drafts are nobody's history."""
    known = editions.usable(folder, report)
    if edition is not None and all(one.name != edition.name for one in known):
        known.append(edition)
    return sorted(known, key=lambda one: (one.date, one.name), reverse=True)
