"""Tables of text are read row by row, bounded, with the line of each row."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.errors import LogError
from scorekit.logs.foreign.csv_table import (
    MOST_LINE_BYTES,
    Table,
    digest_of,
    half_last_place,
    header_of,
    number,
    quantity,
    told,
)
from scorekit.logs.places import Place, sha256
from tests.log_writers.reading import placed

_CELLS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r\n"), max_size=8).map(str.strip)


@given(st.lists(st.lists(_CELLS, min_size=2, max_size=2).filter(any), max_size=5))
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([["a", "b"], *rows])
    place = placed(tmp_path_factory.getbasetemp(), text.getvalue())
    table = Table(place)
    found = list(table)
    assert [list(row.cells) for row in found] == rows
    assert [row.number for row in found] == list(range(1, len(rows) + 1))
    assert [row.line for row in found] == [row.number + 1 for row in found]
    assert table.lines.sha256 == digest_of(place) == sha256(text.getvalue().encode())


def test_a_cell_of_several_lines_keeps_the_line_that_its_row_begins_on(tmp_path: Path) -> None:
    rows = list(Table(placed(tmp_path, 'a,b\r\n1,"two\r\nlines"\r\n\r\n3,4\r\n')))
    assert [(row.number, row.line, row.cells[0]) for row in rows] == [(1, 2, "1"), (2, 5, "3")]
    assert rows[1].where("b") == "log, line 5, column b"


def test_a_row_says_whether_it_fits(tmp_path: Path) -> None:
    short, fitting, long = Table(placed(tmp_path, "\ufeffa, b\n1\n 1 , 2 \n1,2,3\n"))
    assert (short.fits, fitting.fits, long.fits) == (False, True, False)
    assert (fitting.text("a"), fitting.text("b"), fitting.text("c")) == ("1", "2", None)
    assert short.text("b") is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "log is empty"),
        (b"\n\n", "log is empty"),
        ("a,b\n1,2\n".encode("utf-16"), "log is UTF-16"),
        ("a,b\n1,2\n".encode("utf-16-le"), "line 1: has zero bytes"),
        (b"a,b\n\xff\xfe,2\n", "line 2: is not UTF-8"),
        (b"a,b\n1\0,2\n", "line 2: has zero bytes"),
        (b"a,b,a\n", "the column 'a' is there twice"),
        (b"a,b\n" + b"x" * (MOST_LINE_BYTES + 1), "line 2: longer than 65,536 bytes"),
        (b'a,b\n"never closed' + b"\nx" * 100_000, "field larger than field limit"),
        (b"a,b\r1,2\r", "line 1: new-line character"),
    ],
    ids=lambda value: None if isinstance(value, bytes) else value.replace(" ", "_"),
)
def test_what_is_no_table_is_refused_with_its_line(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(LogError, match=message):
        list(Table(placed(tmp_path, content)))


def test_ten_gigabytes_without_a_line_end_are_refused_without_reading_them(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as file:
        file.write(b"a,b\n")
        file.truncate(10_000_000_000)
    place = placed(tmp_path, "a,b\n", "small")
    place = type(place)(path, "log", None, place.head)
    with pytest.raises(LogError, match="line 2: longer than"):
        digest_of(place)
    with pytest.raises(LogError, match="line 2: longer than"):
        list(Table(place))


def test_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    place = placed(tmp_path, "a\n")
    place.path.unlink()
    with pytest.raises(LogError, match="log cannot be read: No such file"):
        Table(place)


def test_links_to_nothing_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    (tmp_path / "folder").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    for name in ("dangling", "circle", "folder", "pipe"):
        with pytest.raises(LogError, match=f"{name} (is no regular file|cannot be read)"):
            Place.of_file(tmp_path / name)
    with pytest.raises(LogError, match="there is no nothing"):
        Place.of_file(tmp_path / "nothing")


@pytest.mark.parametrize("text", ["1", "-1.5", "+.5", "2.", "1e-3", "NaN", "-inf", "Infinity"])
def test_numbers_are_read(text: str) -> None:
    assert repr(number(text)) == repr(float(text))


@pytest.mark.parametrize("text", ["", "1_000", "1,000", "0x1", "1 W", "one", "\u0661", "\u0131nf", "--1", None])
def test_what_is_no_number_is_none(text: str | None) -> None:
    assert number(text) is None


def test_quantities_keep_their_unit() -> None:
    assert quantity("123.45 W") == (123.45, "W")
    assert quantity("5mW") == (5.0, "mW")
    assert quantity("7") == (7.0, None)
    assert quantity("W") is None
    assert quantity("1 2") is None


def test_rounding_is_told_from_what_is_written() -> None:
    assert half_last_place("0.0254") == pytest.approx(0.00005)
    assert half_last_place("12") == 0.5
    assert half_last_place("1e-3") == pytest.approx(0.0005)
    assert half_last_place("nan") == 0.0
    assert half_last_place("1e999999999999999999999") == 0.0


@given(st.binary(max_size=200))
def test_the_header_of_anything_is_told_without_an_error(head: bytes) -> None:
    assert all(isinstance(name, str) for name in header_of(head))


def test_cells_are_shown_on_one_line() -> None:
    assert told("a\nb  c") == "a b c"
    assert len(told("x" * 1000)) < 50
