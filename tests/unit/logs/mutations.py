"""Logs with one thing wrong: the same bytes for the same seed, of any valid log of JSON or of a table.

What comes out may still be valid, or may say something else; a reader must either read it right or refuse it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, Literal

UNITS = ("kWh", "Wh", "J", "mWh", "MWh", "W", "kwh", "", "tokens/s")
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 0.0, -0.0, 1e-300, 1e300, 10**30, float("nan"), float("inf"), float("-inf"),
    "", "0", "1,5", "NaN", "kWh", "\u0000", "Ä" * 300, [], {}, [1.0], {"unit": "kWh"},
)  # fmt: skip
CELLS = ("", "0", "-1", "nan", "inf", "N/A", "[N/A]", "1,5", "1e400", "text", '"', "Ä" * 300, "0.0 W", "12 %")
DEPTH = 100_000

Place = tuple[Any, Any]
"""A mapping or list, and the key or number of one entry."""


def mutations(seed: int, content: bytes, kind: Literal["json", "csv"]) -> bytes:
    """A log with one to three things wrong.

    Args:
        seed: what is wrong follows from it.
        content: a valid log.
        kind: what it is written in.
    """
    rng = random.Random(seed)
    of_kind = _JSON if kind == "json" else _CSV
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        mutate = rng.choice(of_kind) if rng.random() < 0.75 else rng.choice(_BYTES)
        content = mutate(rng, content)
    return content


def _truncate(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _flip(rng: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.randrange(1, 8)):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _cut_out(rng: random.Random, content: bytes) -> bytes:
    start = rng.randrange(len(content) + 1)
    return content[:start] + content[start + rng.randrange(1, 200) :]


def _twice(rng: random.Random, content: bytes) -> bytes:
    start = rng.randrange(len(content) + 1)
    end = start + rng.randrange(1, 200)
    return content[:end] + content[start:]


def _encode(rng: random.Random, content: bytes) -> bytes:
    text = content.decode("utf-8", "replace")
    return text.encode(rng.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1", "cp037")), "replace")


def _noise(rng: random.Random, content: bytes) -> bytes:
    start = rng.randrange(len(content) + 1)
    return content[:start] + rng.randbytes(rng.randrange(1, 30)) + content[start:]


def _replace_all(rng: random.Random, content: bytes) -> bytes:
    return rng.choice((b"", b"\0" * 100, b"{}", b"[]", b"null", b"3", b'"text"', b"{", b"\xff\xfe", b"\xef\xbb\xbf"))


_BYTES: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _truncate, _flip, _cut_out, _twice, _encode, _noise, _replace_all,
)  # fmt: skip


class _Doubled(dict[str, Any]):
    """A mapping that is written with one of its keys twice."""

    def __init__(self, entries: dict[str, Any], key: str, value: Any) -> None:
        super().__init__(entries)
        self.doubled = (key, value)


def _in_json(change: Callable[[random.Random, list[Place]], None]) -> Callable[[random.Random, bytes], bytes]:
    """A change of parsed JSON; of what is no JSON any more, one of its bytes."""

    def mutate(rng: random.Random, content: bytes) -> bytes:
        try:
            root = [json.loads(content)]
        except (ValueError, RecursionError):
            return rng.choice(_BYTES)(rng, content)
        change(rng, list(_places(root, 0)) + list(_places(root[0], None)))
        return _dump(root[0]).encode("utf-8", "surrogatepass")

    return mutate


def _places(value: Any, only: int | None) -> list[Place]:
    """Every entry of a mapping or list and of those within; with `only`, that one alone."""
    if only is not None:
        return [(value, only)]
    found: list[Place] = []
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        for key in keys:
            found.append((holder, key))
            waiting.append(holder[key])
    return found


def _dump(value: Any) -> str:
    if isinstance(value, dict):
        entries = [*value.items(), *([value.doubled] if isinstance(value, _Doubled) else [])]
        return "{" + ", ".join(f"{json.dumps(key)}: {_dump(entry)}" for key, entry in entries) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_dump, value)) + "]"
    return value.text if isinstance(value, _Raw) else json.dumps(value)


class _Raw:
    """JSON that Python would not write."""

    def __init__(self, text: str) -> None:
        self.text = text


def _numbers(places: list[Place]) -> list[Place]:
    """Those that can be divided: an integer of hundreds of digits cannot."""
    return [
        (holder, key)
        for holder, key in places
        if type(holder[key]) is float or (type(holder[key]) is int and abs(holder[key]) < 10**300)
    ]


def _drop(rng: random.Random, places: list[Place]) -> None:
    holder, key = rng.choice(places)
    if len(places) > 1 and (holder, key) != places[0]:
        del holder[key]


def _double(rng: random.Random, places: list[Place]) -> None:
    inside = [
        (holder, key, name)
        for holder, key in places
        if isinstance(holder[key], dict)
        for name in list(holder[key])[:50]
    ]
    if inside:
        holder, key, name = rng.choice(inside)
        holder[key] = _Doubled(holder[key], name, rng.choice((*VALUES, holder[key][name])))
    lists = [(holder, key) for holder, key in places if isinstance(holder, list) and (holder, key) != places[0]]
    if lists and not inside:
        holder, key = rng.choice(lists)
        holder.insert(key, holder[key])


def _retype(rng: random.Random, places: list[Place]) -> None:
    holder, key = rng.choice(places)
    holder[key] = rng.choice(VALUES)


def _wrap(rng: random.Random, places: list[Place]) -> None:
    holder, key = rng.choice(places)
    holder[key] = rng.choice(([holder[key]], {"value": holder[key]}, str(holder[key])[:100]))


def _unit(rng: random.Random, places: list[Place]) -> None:
    units = [(holder, key) for holder, key in places if isinstance(key, str) and "unit" in key]
    texts = [(holder, key) for holder, key in places if isinstance(holder[key], str)]
    if units or texts:
        holder, key = rng.choice(units or texts)
        holder[key] = rng.choice(UNITS)


def _number(rng: random.Random, places: list[Place]) -> None:
    numbers = _numbers(places)
    if numbers:
        holder, key = rng.choice(numbers)
        value = holder[key]
        holder[key] = rng.choice(
            (-value, 0, 0.0, value * 2, value * 1000, value / 1000, value / 3600, value + 1, float("nan"), float("inf"))
        )


def _swap(rng: random.Random, places: list[Place]) -> None:
    numbers = _numbers(places)
    if len(numbers) > 1:
        (one, at), (other, there) = rng.sample(numbers, 2)
        one[at], other[there] = other[there], one[at]


def _rename(rng: random.Random, places: list[Place]) -> None:
    named = [(holder, key) for holder, key in places if isinstance(holder, dict)]
    if named:
        holder, key = rng.choice(named)
        holder[rng.choice((key.upper(), key + "_", "", "unit", "energy", "gpu"))] = holder.pop(key)


def _huge(rng: random.Random, places: list[Place]) -> None:
    holder, key = rng.choice(places)
    holder[key] = _Raw(rng.choice(("9" * 400, "-" + "9" * 5000, "1e999", "-1e999", "0." + "0" * 400 + "1")))


def _deep(rng: random.Random, places: list[Place]) -> None:
    holder, key = rng.choice(places)
    depth = rng.choice((150, DEPTH))
    holder[key] = _Raw(rng.choice(("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth)))


_JSON = tuple(
    _in_json(change)
    for change in (
        _drop,
        _drop,
        _double,
        _retype,
        _retype,
        _wrap,
        _unit,
        _number,
        _number,
        _swap,
        _rename,
        _huge,
        _deep,
    )
)


def _in_csv(change: Callable[[random.Random, list[list[str]]], None]) -> Callable[[random.Random, bytes], bytes]:
    """A change of the cells of a table; cells are told by the commas between them, quoted or not."""

    def mutate(rng: random.Random, content: bytes) -> bytes:
        lines = content.decode("utf-8", "surrogateescape").split("\n")
        rows = [line.split(",") for line in lines]
        change(rng, rows)
        return "\n".join(map(",".join, rows)).encode("utf-8", "surrogateescape")

    return mutate


def _full(rows: list[list[str]]) -> list[list[str]]:
    return [row for row in rows if len(row) > 1 or row[0]]


def _drop_column(rng: random.Random, rows: list[list[str]]) -> None:
    column = rng.randrange(max(map(len, rows)))
    for row in rows:
        del row[column : column + 1]


def _double_column(rng: random.Random, rows: list[list[str]]) -> None:
    column = rng.randrange(max(map(len, rows)))
    for row in rows:
        row[column:column] = row[column : column + 1]


def _swap_columns(rng: random.Random, rows: list[list[str]]) -> None:
    """The cells of two columns change places, and their names do not."""
    width = max(map(len, rows))
    one, other = rng.randrange(width), rng.randrange(width)
    for row in rows[1:]:
        if max(one, other) < len(row):
            row[one], row[other] = row[other], row[one]


def _shift_row(rng: random.Random, rows: list[list[str]]) -> None:
    row = rng.choice(rows)
    row.insert(rng.randrange(len(row) + 1), rng.choice(CELLS))


def _drop_cell(rng: random.Random, rows: list[list[str]]) -> None:
    row = rng.choice(rows)
    del row[rng.randrange(len(row))]


def _drop_row(rng: random.Random, rows: list[list[str]]) -> None:
    del rows[rng.randrange(len(rows))]


def _double_row(rng: random.Random, rows: list[list[str]]) -> None:
    row = rng.randrange(len(rows))
    rows.insert(rng.randrange(len(rows) + 1), list(rows[row]))


def _cell(rng: random.Random, rows: list[list[str]]) -> None:
    full = _full(rows)
    if full:
        row = rng.choice(full)
        row[rng.randrange(len(row))] = rng.choice(CELLS)


def _negate(rng: random.Random, rows: list[list[str]]) -> None:
    numbers = [(row, at) for row in rows for at, cell in enumerate(row) if cell.strip()[:1].isdigit()]
    if numbers:
        row, at = rng.choice(numbers)
        row[at] = rng.choice(("-" + row[at].strip(), "0", row[at] + "0", row[at] + "e400", "nan"))


def _header(rng: random.Random, rows: list[list[str]]) -> None:
    row = rows[0]
    at = rng.randrange(len(row)) if row else 0
    if row:
        row[at] = rng.choice((row[at].upper(), "", row[-1], row[at].replace("[W]", "[mW]"), row[at].replace("wh", "j")))


def _separator(rng: random.Random, rows: list[list[str]]) -> None:
    separator = rng.choice((";", "\t", "|", " "))
    for row in rows:
        row[:] = [separator.join(row)]


_CSV = tuple(
    _in_csv(change)
    for change in (
        _drop_column, _double_column, _swap_columns, _swap_columns, _shift_row, _drop_cell, _drop_row, _double_row,
        _cell, _cell, _negate, _header, _separator,
    )
)  # fmt: skip
