"""CodeCarbon's emissions.csv, of 2.x and 3.x: a row is a run, or a task of one, with its energies in kWh.

A run that was written several times stands in several rows, each with all that it took so far: only its last row is the
whole run. Runs that were written at the same time may stand between each other's rows. Rows that were added under
another version's header, or without their empty columns, have their values in the wrong columns.
"""

from __future__ import annotations

from collections import deque
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
    written = _written(place)
    number_of_rows = 0
    for row in table:
        number_of_rows += 1
        yield _result(row, _goes_on_at(row, written), place.label, sha256)
    if number_of_rows == 0:
        raise LogError(f"{place.label} has no rows below its header", mend="give the log of a run that ended")


def _result(row: Row, goes_on_at: int | None, name: str, sha256: str) -> Result:
    faults = list(_shifts(row))
    if goes_on_at is not None and not faults:
        message = (
            f"{row.where('run_id')}: the run goes on at line {goes_on_at}, whose energies hold those of this row; "
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


def _written(place: Place) -> dict[int, deque[tuple[int, float]]]:
    """Where each run or task was written, in order: line, and energy in kWh. Of a run only a hash is kept.

    A line that cannot be read ends it: reading the rows tells of that line.
    """
    found: dict[int, deque[tuple[int, float]]] = {}
    try:
        for row in Table(place):
            run, kwh = _run(row), number(row.text("energy_consumed")) if row.fits else None
            if run is not None and kwh is not None:
                found.setdefault(run, deque()).append((row.line, kwh))
    except LogError:
        pass
    return found


def _run(row: Row) -> int | None:
    """What tells a run or task from others; None where it has no id."""
    if not row.fits or row.text("run_id") is None:
        return None
    return hash(tuple(row.text(name) for name in ("run_id", "task_name", "project_name")))


def _goes_on_at(row: Row, written: dict[int, deque[tuple[int, float]]]) -> int | None:
    """The line at which the same run or task was written next, with all that it took by then."""
    run, kwh = _run(row), number(row.text("energy_consumed")) if row.fits else None
    if run is None or kwh is None:
        return None
    rows = written.get(run, deque())
    while rows and rows[0][0] <= row.line:
        rows.popleft()
    return rows[0][0] if rows and rows[0][1] >= kwh else None
