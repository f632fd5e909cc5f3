"""Power logs of `nvidia-smi dmon`: columns of text under two header lines that begin with #, again and again.

Only with date and time (`-o DT`), or time (`-o T`), does a row tell when it was; without them the interval is that of
`-d`, which the log does not hold, so its power makes no energy. Times are whole seconds of a local clock without a
zone; with -o T alone, midnight is where the time of day falls by more than twelve hours.

Source: nvidia-smi's manual, DEVICE MONITORING. `pwr` is the board's power in W; `-` stands for no value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from scorekit.errors import LogError
from scorekit.logs.foreign.csv_table import Lines, number, told
from scorekit.logs.foreign.power_log import PowerLog
from scorekit.logs.places import Place
from scorekit.records import Result

FORMAT: Final = "nvidia-smi-dmon/1"
DESCRIPTION: Final = "a power log of nvidia-smi dmon -s p -o DT"

_POWER: Final = "pwr"
_DEVICE: Final = "gpu"
_UNIT_OF_DEVICE: Final = "idx"
_KNOWN: Final = frozenset({"pwr", "gtemp", "mtemp", "temp", "sm", "mem", "enc", "dec", "mclk", "pclk", "fb", "bar1"})
_WATTS: Final = "W"
_AGAIN: Final = "log again with `nvidia-smi dmon -s p -o DT`"


def recognises(place: Place) -> bool:
    """Whether its first line is dmon's header: # and the names of columns, gpu among them."""
    if place.is_folder:
        return False
    first = place.head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe\r\n \t").split(b"\n", 1)[0]
    names = _cells(first.decode("utf-8", "replace").lower())
    return first.startswith(b"#") and _DEVICE in names and not _KNOWN.isdisjoint(names)


def read(place: Place) -> Iterator[Result]:
    """One result a GPU, with its energy in kWh; the queries are not in such a log.

    Raises:
        LogError: it is no such log, has no readings, or has no column of powers.
    """
    log, lines = PowerLog(place, "nvidia-smi dmon pwr"), Lines(place)
    names: list[str] = []
    unit = None
    for line in lines:
        cells = _cells(line)
        if not cells:
            continue
        where = f"{place.label}, line {lines.number}"
        if line.lstrip().startswith("#"):
            lower = [cell.lower() for cell in cells]
            if _DEVICE in lower:
                names = lower
                _check(names, where)
            elif _UNIT_OF_DEVICE in lower and len(cells) == len(names):
                unit = cells[names.index(_POWER)]
            continue
        if not names:
            raise LogError(f"{where}: a row before the header; expected `# gpu   pwr ...`", mend=_AGAIN)
        if lines.torn:
            log.torn(where)
        elif len(cells) != len(names):
            log.left_out(f"{where}: expected {len(names)} cells as in the header, found '{told(line)}'")
        else:
            _reading(log, names, cells, unit, where)
    if not names:
        raise LogError(f"{place.label} has no header of nvidia-smi dmon", mend=_AGAIN)
    yield from log.results(FORMAT, lines.sha256)


def _cells(line: str) -> list[str]:
    # Newer versions write the same with commas (--format csv).
    return line.replace("#", " ").replace(",", " ").split()


def _check(names: Sequence[str], where: str) -> None:
    if _POWER not in names:
        raise LogError(f"{where}: there is no column {_POWER}, which tells the power", mend=_AGAIN)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise LogError(f"{where}: the column '{told(twice)}' is there twice", mend=_AGAIN)


def _reading(log: PowerLog, names: Sequence[str], cells: Sequence[str], unit: str | None, where: str) -> None:
    row = dict(zip(names, cells, strict=True))
    t_s = None
    if "time" in row:
        stamp = f"{row['date']} {row['time']}" if "date" in row else row["time"]
        t_s = log.clock.read(stamp)
        if t_s is None:
            message = f"{where}, column time: expected a time, found '{told(stamp)}'"
            log.oddity("time", "shifted_columns", message, spoils=True)
            return
    power_w = _power_w(log, row[_POWER], unit, where)
    if not row[_DEVICE].isdecimal():
        message = f"{where}, column {_DEVICE}: expected a GPU's number, found '{told(row[_DEVICE])}'"
        log.oddity("gpu", "shifted_columns", message, spoils=True)
        return
    log.reading(row[_DEVICE], t_s, power_w, where=lambda: f"{where}, column {_POWER}", cell=row[_POWER])


def _power_w(log: PowerLog, cell: str, unit: str | None, where: str) -> float | None:
    if cell in ("-", "N/A", "[N/A]", "ERR!"):
        return None
    power = number(cell)
    if power is None:
        log.oddity(
            "power", "shifted_columns", f"{where}, column {_POWER}: expected a power, found '{told(cell)}'", spoils=True
        )
    elif unit is None:
        log.oddity(
            "unit",
            "unit_missing",
            f"{where}, column {_POWER}: no line of units above it tells that of {_POWER}",
            spoils=True,
        )
    elif unit != _WATTS:
        message = f"{where}, column {_POWER}: expected watts (W), found {told(unit)}"
        log.oddity("unit", "mixed_units" if log.has_readings else "unit_unknown", message, spoils=True)
    else:
        return power
    return None
