"""CodeCarbon's emissions.csv, of 2.x and 3.x: a row is a run, or a task of one, with its energies in kWh.

A run that was written several times stands in several rows, each with all that it took so far: only its last row is the
whole run. Rows that were added under another version's header, or without their empty columns, have their values in the
wrong columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from scorekit.errors import LogError
from scorekit.logs.foreign import codecarbon_run
from scorekit.logs.foreign.codecarbon_run import NUMBERS, TEXTS, Told
from scorekit.logs.foreign.csv_table import Row, Table, digest_of, header_of, number, told
from scorekit.logs.places import Place
from scorekit.records import Fault, Result

FORMAT: Final = "codecarbon-csv/1"
DESCRIPTION: Final = "an emissions.csv of CodeCarbon"

_TELLING: Final = frozenset({"run_id", "emissions", "energy_consumed"})
_ALWAYS: Final = ("duration", "emissions", "cpu_energy", "gpu_energy", "ram_energy", "energy_consumed")
"""Numbers that every row has."""


def recognises(place: Place) -> bool:
    """Whether its header has CodeCarbon's columns."""
    return not place.is_folder and set(header_of(place.head)) >= _TELLING


def read(place: Place) -> Iterator[Result]:
    """One result a row; the queries are not in such a table.

    Raises:
        LogError: it is no such table, or has a line that cannot be read.
    """
    sha256 = digest_of(place)
    table = Table(place)
    missing = sorted(_TELLING - set(table.names))
    if missing:
        raise LogError(
            f"{place.label}, line 1: there is no column {missing[0]}", mend="give CodeCarbon's emissions.csv"
        )
    before: Row | None = None
    for row in table:
        if before is not None:
            yield _result(before, row, place.label, sha256)
        before = row
    if before is None:
        raise LogError(f"{place.label} has no rows below its header", mend="give the log of a run that ended")
    yield _result(before, None, place.label, sha256)


def _result(row: Row, following: Row | None, name: str, sha256: str) -> Result:
    faults = list(_shifts(row))
    if following is not None and not faults and _goes_on(row, following):
        message = (
            f"{row.where('run_id')}: the run goes on at line {following.line}, whose energies hold those of this row; "
            "only its last row is the run"
        )
        faults.append(Fault(code="doubled_window", message=message, spoils=True))
    shifted = any(fault.code == "shifted_columns" for fault in faults)
    told = Told(
        numbers={name: None if shifted else number(row.text(name)) for name in NUMBERS},
        texts={name: None if shifted else row.text(name) for name in TEXTS},
        where=row.where,
    )
    # A task's name is the user's own: whether it is one of loading cannot be told.
    return codecarbon_run.result(
        told,
        name=name,
        row=row.number,
        format_=FORMAT,
        sha256=sha256,
        faults=faults,
        phase=told.texts.get("task_name"),
        counted=True,
    )


def _shifts(row: Row) -> Iterator[Fault]:
    """Cells that hold what belongs into another column."""
    if not row.fits:
        message = f"{row.where()}: expected {len(row.positions)} cells as in the header, found {len(row.cells)}"
        yield Fault(code="shifted_columns", message=message, spoils=True)
        return
    for name in NUMBERS:
        cell = row.text(name)
        if cell is None and name in _ALWAYS and name in row.positions:
            message = f"{row.where(name)}: expected a number, found nothing"
            yield Fault(code="missing_energy", message=message, spoils=name.endswith(("energy", "consumed")))
        elif cell is not None and number(cell) is None:
            message = f"{row.where(name)}: expected a number, found '{told(cell)}'"
            yield Fault(code="shifted_columns", message=message, spoils=True)


def _goes_on(row: Row, following: Row) -> bool:
    """Whether the next row is the same run or task, later."""
    same = row.text("run_id") is not None and all(
        row.text(name) == following.text(name) for name in ("run_id", "task_name", "project_name")
    )
    before, after = number(row.text("energy_consumed")), number(following.text("energy_consumed"))
    return same and following.fits and before is not None and after is not None and after >= before
