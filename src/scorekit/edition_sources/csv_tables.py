"""The two shapes of CSV that editions are published in: read with the place of every fault, and written.

- Official: one file a task, named by it, as in the folder `data/energy` of the leaderboard's Space. Columns `model`,
  `total_gpu_energy` in kWh per 1,000 queries, `energy_score` (stars) and, for tasks with size classes, `class`; often
  with the row's number before them, in a column without a name.
- Single: one file for all tasks, with columns `task`, `class`, `model`, `gpu_energy_wh_per_1000_queries`, `stars`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scorekit import tasks
from scorekit.edition_sources.gathered import Gathered
from scorekit.editions import Member, in_order
from scorekit.errors import InputError, UsageError
from scorekit.logs.foreign.csv_table import Row, Table, told
from scorekit.logs.places import Place
from scorekit.records import EditionSource, LeftOut
from scorekit.units import kwh_text_to_wh, wh_to_kwh_text

OFFICIAL_COLUMNS: Final = ("model", "total_gpu_energy", "energy_score", "class")
SINGLE_COLUMNS: Final = ("task", "class", "model", "gpu_energy_wh_per_1000_queries", "stars")
FOLDERS: Final = ("", "data/energy", "energy", "data")
"""Where the files of tasks are looked for below a folder, in this order."""
_MOST_ROWS: Final = 200_000
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_STARS: Final = re.compile(r"[1-5](\.0+)?", re.ASCII)
_CLASSES: Final = ("A", "B", "C")
_ROW_NUMBERS: Final = ("", "Unnamed: 0", "index")
"""Headers of the column in which pandas writes the row's number."""

_ENERGIES: Final[dict[str, Callable[[str], float]]] = {
    "total_gpu_energy": kwh_text_to_wh,
    "gpu_energy_wh_per_1000_queries": float,
}
"""Columns of the energy of 1,000 queries, each with what makes Wh of it."""
_ALIASES: Final = {"energy_score": "stars"}
_KNOWN: Final = frozenset({"task", "class", "model", "stars", "energy_score", *_ENERGIES, *_ROW_NUMBERS})


@dataclass(slots=True)
class _File:
    """A file that is being read."""

    place: Place
    task: str | None
    energy: str = ""
    members: list[tuple[Member, str]] = field(default_factory=list)
    faults: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_folder(folder: Path, label: str | None = None) -> Gathered:
    """The members of a folder with one CSV file a task; files that are named by no task are told and left out.

    Args:
        folder: the folder, or one that has it as data/energy, energy or data.
        label: what sources and messages call it; its name where None.

    Raises:
        InputError: it holds no CSV file that is named by a task.
        LogError: a file cannot be read as a table, or lacks a column.
    """
    label = label or folder.resolve().name
    for below in FOLDERS:
        files = sorted(path for path in (folder / below).glob("*.csv") if path.is_file())
        named = [path for path in files if _task(path.stem) is not None]
        if named:
            break
    else:
        where = ", ".join(f"{label}/{below}" if below else label for below in FOLDERS)
        raise InputError(
            f"there is no CSV file that is named by a task in {where}; expected asr.csv, text_generation.csv, ...",
            mend="name the folder of the files, or one file with a column task",
        )
    base = f"{label}/{below}" if below else label
    others = [path.name for path in files if path not in named]
    parts = [read_file(path, f"{base}/{path.name}", task=path.stem) for path in named]
    notes = [f"{base}/{name} was left out: no task has that name" for name in others]
    return Gathered(
        members=tuple(pair for part in parts for pair in part.members),
        sources=tuple(source for part in parts for source in part.sources),
        faults=tuple(fault for part in parts for fault in part.faults),
        notes=(*notes, *(note for part in parts for note in part.notes)),
    )


def read_file(path: Path, label: str | None = None, *, task: str | None = None) -> Gathered:
    """The members of one CSV file of either shape.

    Args:
        path: the file.
        label: what sources and messages call it; its name where None.
        task: the task of its rows; None where a column tells it, or else the file's name.

    Raises:
        LogError: it cannot be read as a table, or lacks a column; names file and column.
    """
    place = Place.of_file(path, label)
    table = Table(place)
    known = [_ALIASES.get(name, name) for name in table.names]
    energies = [name for name in table.names if name in _ENERGIES]
    reading = _File(place, task)
    if "task" not in known and task is None:
        reading.task = path.stem
    lacking = [name for name in ("model",) if name not in known]
    if not energies:
        lacking.append(" or ".join(_ENERGIES))
    if "task" not in known and _task(reading.task or "") is None:
        lacking.append("task (the file is not named by one)")
    if lacking or len(energies) > 1:
        found = ", ".join(told(name) or "(none)" for name in table.names)
        wrong = f"expected the column {lacking[0]}" if lacking else f"two columns of energy: {', '.join(energies)}"
        raise InputError(
            f"{place.label}, line 1: {wrong}; found the columns {found}",
            mend=f"expected {', '.join(OFFICIAL_COLUMNS)} in a file named by its task, or {', '.join(SINGLE_COLUMNS)}",
        )
    reading.energy = energies[0]
    for name in table.names:
        if name not in _KNOWN:
            reading.notes.append(f"{place.label}, line 1, column {told(name)}: not known, and left out")
    for row in table:
        if row.number > _MOST_ROWS:
            raise InputError(
                f"{place.label} has more than {_MOST_ROWS:,} rows, and is no list of models", mend="check the file"
            )
        _take(row, reading)
    return Gathered(
        members=tuple(reading.members),
        sources=(EditionSource(name=place.label, sha256=table.lines.sha256, members=len(reading.members)),),
        faults=tuple(reading.faults),
        notes=tuple(reading.notes),
    )


def write_single(members: Iterable[Member]) -> str:
    """Members as one CSV file for all tasks; `read_file` gives them back, but for the ids of results."""
    return _written(
        SINGLE_COLUMNS,
        (
            (one.cohort, one.model_class or "", one.model, repr(one.wh_per_1000_queries), str(one.stars or ""))
            for one in in_order(members)
        ),
    )


def write_official(members: Iterable[Member]) -> dict[str, str]:
    """Members as the official files, by file name; `read_folder` gives them back, but for the ids of results."""
    files: dict[str, list[Member]] = {}
    for member in in_order(members):
        files.setdefault(f"{member.cohort}.csv", []).append(member)
    return {
        name: _written(
            OFFICIAL_COLUMNS,
            (
                (one.model, wh_to_kwh_text(one.wh_per_1000_queries), str(one.stars or ""), one.model_class or "")
                for one in own
            ),
        )
        for name, own in files.items()
    }


def _written(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _task(name: str) -> tasks.Task | None:
    try:
        return tasks.find(name)
    except UsageError:
        return None


def _take(row: Row, reading: _File) -> None:
    """Take a row in, or say what is wrong with it."""
    try:
        reading.members.append((_member(row, reading), row.where()))
    except _RowError as wrong:
        reading.faults.append(LeftOut(place=wrong.place, reason=wrong.reason))


class _RowError(Exception):
    """A row that is no member of an edition."""

    def __init__(self, row: Row, column: str | None, reason: str) -> None:
        super().__init__(reason)
        self.place, self.reason = row.where(column), reason


def _member(row: Row, reading: _File) -> Member:
    if not row.fits:
        raise _RowError(row, None, f"expected {len(row.positions)} cells as in the header, found {len(row.cells)}")
    name = row.text("task") if "task" in row.positions else reading.task
    task = _task(name or "")
    if task is None:
        raise _RowError(row, "task", f"no task is called '{told(name or '')}'; `scorekit tasks` lists them")
    model = row.text("model")
    if model is None:
        raise _RowError(row, "model", "expected the name of a model, found nothing")
    if _NUMBER.fullmatch(model):
        raise _RowError(
            row, "model", f"expected the name of a model, found the number {told(model)}: columns are shifted"
        )
    return Member(
        cohort=task.cohort,
        model_class=_class(row, task),
        model=model,
        wh_per_1000_queries=_energy(row, reading.energy),
        stars=_stars(row),
    )


def _energy(row: Row, column: str) -> float:
    text = row.text(column)
    if text is None:
        raise _RowError(row, column, "expected an energy, found nothing")
    if not _NUMBER.fullmatch(text):
        raise _RowError(row, column, f"expected a positive number, found '{told(text)}'")
    energy_wh = _ENERGIES[column](text)
    if not 0 < energy_wh < float("inf"):
        raise _RowError(row, column, f"expected a positive energy, found {told(text)}")
    return energy_wh


def _stars(row: Row) -> int | None:
    for column in ("stars", "energy_score"):
        text = row.text(column)
        if text is not None:
            if not _STARS.fullmatch(text):
                raise _RowError(row, column, f"expected 1 to 5 stars, found '{told(text)}'")
            return int(text[0])
    return None


def _class(row: Row, task: tasks.Task) -> str | None:
    text = row.text("class")
    if task.cohort not in tasks.CLASSED_COHORTS:
        if text is not None:
            raise _RowError(row, "class", f"{task.cohort} has no size classes, found '{told(text)}'")
        return None
    if text is None:
        raise _RowError(row, "class", f"{task.cohort} is rated by size class: expected A, B or C, found nothing")
    if text not in _CLASSES:
        raise _RowError(row, "class", f"expected the size class A, B or C, found '{told(text)}'")
    return text
