"""Power logs of `nvidia-smi --query-gpu=timestamp,index,power.draw --format=csv`, with -l or -lms.

Columns may stand in any order and among others; units in the header, in the cells or in both. Times are local ones
without a zone, and stay so. Without a header line (`noheader`) the power is known by its unit, and the GPU by its
UUID or bus id, or by a column of numbers that counts 0, 1, ... in turn; what cannot be told so is refused.

Source: nvidia-smi's manual (`--help-query-gpu`) for the fields; cells in square brackets are why there is no value.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from scorekit.errors import LogError
from scorekit.logs.foreign.csv_table import Row, Table, header_of, quantity, told
from scorekit.logs.foreign.power_log import PowerLog
from scorekit.logs.places import Place
from scorekit.records import Result

FORMAT: Final = "nvidia-smi-query/1"
DESCRIPTION: Final = "a power log of nvidia-smi --query-gpu=timestamp,index,power.draw --format=csv -lms"

POWER_FIELDS: Final = ("power.draw", "power.draw.average", "power.draw.instant")
"""Fields that tell a GPU's power; of several the first in this order is read."""
_DEVICE_FIELDS: Final = ("uuid", "gpu_uuid", "index", "pci.bus_id", "gpu_bus_id", "serial", "gpu_serial")
_NAME_FIELDS: Final = ("name", "gpu_name")
_HEADING: Final = re.compile(r"([^\[]*)\[([^\[\]]*)\]")
"""Linear in the length of a cell: the head of any file is looked at, and a stranger's may be 64 KiB of brackets."""
_WATTS: Final = "W"
_STAMP: Final = re.compile(r"\d{4}/\d{2}/\d{2} \d{2}:\d{2}:\d{2}\.\d{3}")
_UUID: Final = re.compile(r"GPU-[0-9a-f-]{36}|[0-9A-F]{8}:[0-9A-F]{2}:[0-9A-F]{2}\.[0-9A-F]")
_WORDS_FOR_NONE: Final = ("N/A", "ERR!", "-", "Not Supported", "Unknown Error", "Not Found")
_MEND_HEADER: Final = "put the fields that were queried above it, e.g. `timestamp, index, power.draw [W]`"


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which column holds what.

    Attributes:
        power: name of the column, as Table has it.
        field: nvidia-smi's name of what was read.
        unit: as the header gives it; None where it gives none.
        time: name of the column; None where there is none.
        device: likewise.
        name: likewise.
        header: names to read the file with; None where they stand in it.
        devices: GPUs that an index without a name counts; None where its column has one.
    """

    power: str
    field: str
    unit: str | None
    time: str | None
    device: str | None
    name: str | None
    header: tuple[str, ...] | None = None
    devices: int | None = None


def recognises(place: Place) -> bool:
    """Whether it has a header with a power field, or a first line with a time as nvidia-smi writes it."""
    if place.is_folder:
        return False
    cells = header_of(place.head)
    return any(_heading(cell)[0] in POWER_FIELDS for cell in cells) or any(_STAMP.fullmatch(cell) for cell in cells)


def read(place: Place) -> Iterator[Result]:
    """One result a GPU, with its energy in kWh; the queries are not in such a log.

    Raises:
        LogError: it is no such log, has no readings, or its columns cannot be told.
    """
    columns = _columns(place)
    table = Table(place, columns.header)
    log = PowerLog(place, f"nvidia-smi {columns.field}")
    for row in table:
        if table.lines.torn:
            log.torn(row.where())
        elif not row.fits:
            _leave_out(log, row)
        elif row.cells != table.names:
            _reading(log, row, columns)
    yield from log.results(FORMAT, table.lines.sha256)


def _leave_out(log: PowerLog, row: Row) -> None:
    if len(row.cells) == 1:
        log.no_row(f"{row.where()}: '{told(row.cells[0])}'")
    else:
        found = f"expected {len(row.positions)} cells as in the header, found {len(row.cells)}"
        log.left_out(f"{row.where()}: {found}")


def _reading(log: PowerLog, row: Row, columns: _Columns) -> None:
    t_s = None
    if columns.time is not None:
        cell = row.text(columns.time) or ""
        t_s = log.clock.read(cell)
        if t_s is None:
            message = f"{row.where(columns.time)}: expected a time, found '{told(cell)}'"
            log.oddity("time", "shifted_columns", message, spoils=True)
            return
    device = None
    if columns.device is not None:
        device = row.text(columns.device)
        if columns.devices is not None and not _counts_to(device, columns.devices):
            raise LogError(
                f"{row.where(columns.device)}: expected a GPU's number below {columns.devices}, "
                f"found '{told(device or '')}'",
                mend=_MEND_HEADER,
            )
    cell = row.text(columns.power) or ""
    power_w = _power_w(log, row, cell, columns)
    log.reading(device, t_s, power_w, where=lambda: row.where(columns.power), cell=cell)
    hardware = row.text(columns.name) if columns.name is not None else None
    if hardware is not None and not _is_none(hardware):
        log.named(device, hardware, lambda: row.where(columns.name))


def _power_w(log: PowerLog, row: Row, cell: str, columns: _Columns) -> float | None:
    if _is_none(cell):
        return None
    found = quantity(cell)
    if found is None:
        message = f"{row.where(columns.power)}: expected a power, found '{told(cell)}'"
        log.oddity("power", "shifted_columns", message, spoils=True)
        return None
    power, unit = found
    known = unit or columns.unit
    if known is None:
        message = f"{row.where(columns.power)}: '{told(cell)}' has no unit, and neither has the header"
        log.oddity("no unit", "unit_missing", message, spoils=True)
        return None
    mixed = log.has_readings if columns.unit is None else known != columns.unit
    if known != _WATTS or (mixed and columns.unit is not None):
        message = f"{row.where(columns.power)}: expected a power in watts (W), found '{told(cell)}'"
        log.oddity("unit", "mixed_units" if mixed else "unit_unknown", message, spoils=True)
        return None
    return power


def _is_none(cell: str) -> bool:
    return not cell or cell[0] == "[" or cell in _WORDS_FOR_NONE


def _heading(cell: str) -> tuple[str, str | None]:
    """The field and unit of a header's cell."""
    found = _HEADING.fullmatch(cell)
    return (cell, None) if found is None else (found[1].rstrip(), found[2])


def _columns(place: Place) -> _Columns:
    cells = header_of(place.head)
    fields: dict[str, str] = {}
    for cell in cells:
        fields.setdefault(_heading(cell)[0], cell)
    power = next((fields[name] for name in POWER_FIELDS if name in fields), None)
    if power is None:
        return _columns_without_header(place)
    field, unit = _heading(power)
    return _Columns(
        power=power,
        field=field,
        unit=unit,
        time=fields.get("timestamp"),
        device=next((fields[name] for name in _DEVICE_FIELDS if name in fields), None),
        name=next((fields[name] for name in _NAME_FIELDS if name in fields), None),
    )


def _columns_without_header(place: Place) -> _Columns:
    """Columns by what stands in them, as far as the head of the file goes."""
    rows = _whole_rows(place)
    header = tuple(str(number) for number in range(1, len(rows[0]) + 1)) if rows else ()
    columns = dict(zip(header, zip(*(row for row in rows if len(row) == len(header)), strict=True), strict=False))
    times = [name for name, cells in columns.items() if _STAMP.fullmatch(cells[0])]
    powers = [
        name for name, cells in columns.items() if any((quantity(cell) or (0, ""))[1] == _WATTS for cell in cells)
    ]
    if len(times) != 1:
        raise LogError(f"{place.label} has no header line, and no one column of times", mend=_MEND_HEADER)
    if len(powers) != 1:
        found = f"{len(powers)} columns in watts (W)" if powers else "no unit in its cells"
        raise LogError(
            f"{place.label} has no header line and {found}: which is the power cannot be told", mend=_MEND_HEADER
        )
    device = next((name for name, cells in columns.items() if all(_UUID.fullmatch(cell) for cell in cells)), None)
    devices = None
    if device is None:
        counts = [(name, _counts(cells)) for name, cells in columns.items() if _counts(cells)]
        whole = [name for name, cells in columns.items() if all(cell.isdecimal() for cell in cells)]
        if len(counts) > 1 or (whole and not counts):
            message = f"{place.label} has no header line, and which of its columns tells the GPU cannot be told"
            raise LogError(message, mend=_MEND_HEADER)
        device, devices = counts[0] if counts else (None, None)
    return _Columns(powers[0], "power", None, times[0], device, None, header, devices)


def _whole_rows(place: Place) -> list[tuple[str, ...]]:
    """The rows in the head of a file, but for the last where it goes on behind it."""
    lines = place.head.decode("utf-8", "replace").splitlines()
    if not place.head.endswith(b"\n") and len(lines) > 1:
        del lines[-1]
    try:
        rows = [tuple(cell.strip() for cell in row) for row in csv.reader(lines, skipinitialspace=True)]
    except csv.Error as error:
        raise LogError(f"{place.label} is no table: {error}", mend=_MEND_HEADER) from error
    return [row for row in rows if any(row)]


def _counts(cells: Sequence[str]) -> int | None:
    """How many GPUs a column numbers that counts 0, 1, ... in turn; None where it does anything else."""
    devices = next((at for at, cell in enumerate(cells) if at and cell == "0"), len(cells))
    return devices if all(cell == str(at % devices) for at, cell in enumerate(cells)) else None


def _counts_to(cell: str | None, devices: int) -> bool:
    return cell is not None and cell.isdecimal() and int(cell) < devices
