"""Reading tables of text one row at a time: bounded, in flat memory, with the line that each row stands on."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

from scorekit.errors import LogError
from scorekit.logs.places import Place

MOST_LINE_BYTES: Final = 64 * 1024
"""A longer line is no row of any known table: the widest, with an error message in a cell, have some KB."""
_MOST_TOLD: Final = 40
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_AGAIN: Final = "get the file again; it may have been cut off or be another format"
_NUMBER: Final = re.compile(
    r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?:nan|inf|infinity)", re.I | re.A
)
_QUANTITY: Final = re.compile(rf"({_NUMBER.pattern})(?:\s*([A-Za-z%][A-Za-z/%]*))?", re.I | re.A)


class Lines:
    """The lines of a text file, one at a time.

    Iterating raises LogError where the file cannot be read, is no UTF-8, or has a line of more than MOST_LINE_BYTES.

    Attributes:
        number: of the line that was read last, from 1.
        torn: whether that line has no end, as the last one of a log that was cut off.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._digest = hashlib.sha256()
        self.number = 0
        self.torn = False

    @property
    def sha256(self) -> str:
        """Of what was read so far, as hexadecimal digits."""
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[str]:
        try:
            with self._place.path.open("rb") as file:
                while line := file.readline(MOST_LINE_BYTES + 1):
                    self.number += 1
                    self.torn = not line.endswith(b"\n")
                    self._digest.update(line)
                    yield self._text(line)
        except OSError as error:
            told = error.strerror or str(error)
            raise LogError(f"{self._place.label} cannot be read: {told}", mend="check that it is there") from error

    def _text(self, line: bytes) -> str:
        where = f"{self._place.label}, line {self.number}"
        if self.number == 1:
            if line.startswith(_UTF16):
                raise LogError(f"{self._place.label} is UTF-16; expected UTF-8", mend="save it as UTF-8")
            line = line.removeprefix(_BOM)
        if len(line) > MOST_LINE_BYTES:
            raise LogError(f"{where}: longer than {MOST_LINE_BYTES:,} bytes; expected a row of a table", mend=_AGAIN)
        if b"\0" in line:
            raise LogError(f"{where}: has zero bytes; expected text as UTF-8", mend="save it as UTF-8")
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise LogError(f"{where}: is not UTF-8", mend="save it as UTF-8") from error


class Row(NamedTuple):
    """One row of a table.

    Attributes:
        number: from 1 for the first below the header.
        line: on which it begins, from 1.
        cells: as they stand in the file, without space around them.
        positions: where the column of each name is.
        file: name of the file, for messages.
    """

    number: int
    line: int
    cells: tuple[str, ...]
    positions: Mapping[str, int]
    file: str

    @property
    def fits(self) -> bool:
        """Whether it has as many cells as the header."""
        return len(self.cells) == len(self.positions)

    def text(self, column: str) -> str | None:
        """A cell; None where there is no such column or nothing in it."""
        position = self.positions.get(column)
        return self.cells[position] or None if position is not None and position < len(self.cells) else None

    def where(self, column: str | None = None) -> str:
        """The place of a cell, for messages."""
        return f"{self.file}, line {self.line}" + (f", column {column}" if column is not None else "")


class Table:
    """A table with a header line, whose rows are read one at a time.

    Args:
        place: the file.
        header: names of the columns of a file without a header line.

    Raises:
        LogError: it has no header, the same name twice, or a line that cannot be read; iterating raises it as well.

    Attributes:
        names: of the columns, without space around them.
        lines: what was read so far.
    """

    def __init__(self, place: Place, header: tuple[str, ...] | None = None) -> None:
        self.lines = Lines(place)
        self._file = place.label
        self._records = self._read()
        if header is None:
            first = next(self._records, None)
            if first is None:
                raise LogError(f"{self._file} is empty; expected a table with a header line", mend=_AGAIN)
            header = first[1]
        self.names = header
        self._positions = {name: position for position, name in enumerate(header)}
        if len(self._positions) != len(header):
            twice = next(name for name in header if header.count(name) > 1)
            raise LogError(f"{self._file}, line 1: the column '{told(twice)}' is there twice", mend=_AGAIN)

    def __iter__(self) -> Iterator[Row]:
        for at, (line, cells) in enumerate(self._records, 1):
            yield Row(at, line, cells, self._positions, self._file)

    def _read(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        # A quote that is never closed would take in the rest of the file: csv ends it at its limit of a field.
        reader = csv.reader(self.lines, skipinitialspace=True)
        line = 1
        try:
            for record in reader:
                cells = tuple(map(str.strip, record))
                if any(cells):
                    yield line, cells
                line = self.lines.number + 1
        except csv.Error as error:
            raise LogError(f"{self._file}, line {self.lines.number}: {error}", mend=_AGAIN) from error


def header_of(head: bytes) -> tuple[str, ...]:
    """The names in the first line of a file's head; empty where it is no table. Never raises."""
    first = head.replace(b"\0", b"").removeprefix(_BOM).lstrip(b"\xff\xfe\r\n").split(b"\n", 1)[0]
    try:
        names = next(csv.reader([first.decode("utf-8", "replace")], skipinitialspace=True), [])
    except csv.Error:
        return ()
    return tuple(name.strip() for name in names)


def digest_of(place: Place) -> str:
    """sha256 of a text file, whose rows are told before all of it was read.

    Raises:
        LogError: it has a line that no table has, or is no text.
    """
    lines = Lines(place)
    for _ in lines:
        pass
    return lines.sha256


def number(text: str | None) -> float | None:
    """A number as written in a cell, which may be NaN or infinite; None where it is none."""
    return float(text) if text is not None and _NUMBER.fullmatch(text) else None


def quantity(text: str) -> tuple[float, str | None] | None:
    """A number with the unit behind it, if there is one; None where it is no number."""
    # Power logs have millions of cells such as these.
    digits, _, unit = text.partition(" ")
    if unit in ("W", "") and digits.isascii() and digits.replace(".", "", 1).isdecimal():
        return float(digits), unit or None
    found = _QUANTITY.fullmatch(text)
    return (float(found[1]), found[2]) if found is not None else None


def half_last_place(text: str) -> float:
    """By how much a number that was rounded when written may differ from what it was; 0 for NaN and infinity."""
    try:
        exponent = Decimal(text).as_tuple().exponent
    except InvalidOperation:
        return 0.0
    return 0.5 * 10.0 ** max(exponent, -300) if isinstance(exponent, int) and exponent < 300 else 0.0


def told(text: str) -> str:
    """A cell as messages show it: one line, and not too long."""
    shown = " ".join(text.split())
    return shown if len(shown) <= _MOST_TOLD else f"{shown[:_MOST_TOLD]} ..."
