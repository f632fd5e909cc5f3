"""Tables as files for others: CSV, JSON lines and Parquet, with the units in the column names."""

from __future__ import annotations

import base64
import contextlib
import datetime
import io
import json
import math
from collections.abc import Callable, Iterator
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from scorekit import csv_cells

_BATCH: Final = 1000


def write(table: Any, kind: str, out: IO[bytes]) -> None:
    """Write an Arrow table.

    Args:
        table: the table.
        kind: csv (lists as texts with semicolons, nothing for what is not known, and a ' before a text that a
            spreadsheet would take for a formula), jsonl (null for what is not known) or parquet.
        out: where to.
    """
    if kind == "jsonl":
        for row in rows(table):
            out.write(json.dumps(row, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace") + b"\n")
        return
    # Parquet asks where it is in its file, which a pipe does not know.
    held = io.BytesIO()
    with writer(table.schema, kind, held) as add:
        add(table)
    out.write(held.getvalue())


@contextlib.contextmanager
def writer(schema: Any, kind: str, out: IO[bytes]) -> Iterator[Callable[[Any], None]]:
    """Writes tables of one schema one after the other, as CSV or Parquet: `add(table)`.

    Args:
        schema: Arrow's, of every table.
        kind: csv or parquet, as for `write`.
        out: where to; for Parquet a file that knows its position.
    """
    plain_schema = schema.remove_metadata()
    if kind == "parquet":
        with pa.parquet.ParquetWriter(out, plain_schema) as parquet:
            yield lambda table: parquet.write_table(table.replace_schema_metadata(None))
    else:
        with pa.csv.CSVWriter(out, _flat(plain_schema.empty_table()).schema) as lines:
            yield lambda table: lines.write_table(_flat(table))


def rows(table: Any) -> Iterator[dict[str, Any]]:
    """The rows with JSON's values: what is no number as text ("NaN"), times as ISO 8601."""
    names = unique_names(table.column_names)
    for batch in table.to_batches(max_chunksize=_BATCH):
        columns = [column.to_pylist() for column in batch.columns]
        for values in zip(*columns, strict=True):
            yield dict(zip(names, map(plain, values), strict=True))


def plain(value: Any) -> Any:
    """A value as JSON holds it."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return str(value)


def unique_names(names: list[str]) -> list[str]:
    """Names of columns, each once: a query may give the same column twice."""
    found: dict[str, None] = {}
    for name in names:
        chosen, number = name, 2
        while chosen in found:
            chosen, number = f"{name}_{number}", number + 1
        found[chosen] = None
    return list(found)


def _flat(table: Any) -> Any:
    """The table with texts for whatever CSV cannot hold."""
    columns = []
    for column in table.columns:
        nested = pa.types.is_nested(column.type) or pa.types.is_binary(column.type)
        if nested or pa.types.is_temporal(column.type) or pa.types.is_decimal(column.type):
            columns.append(pa.chunked_array([pa.array([_text(value) for value in column.to_pylist()], pa.string())]))
        elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            columns.append(_harmless(column))
        else:
            columns.append(column)
    return pa.table(columns, names=unique_names(table.column_names))


def _harmless(column: Any) -> Any:
    """Texts that no spreadsheet takes for a formula: names come from strangers' logs."""
    risky = pc.match_substring_regex(column, csv_cells.FORMULA)
    return pc.if_else(risky, pc.binary_join_element_wise("'", column, ""), column)


def _text(value: Any) -> str | None:
    found = plain(value)
    if isinstance(found, list) and all(isinstance(item, str) for item in found):
        return csv_cells.harmless(";".join(found))
    return found if found is None or isinstance(found, str) else json.dumps(found, ensure_ascii=False)
