"""The index's columns: typed, with the unit in the name, null for what is not known. From a `Result` to its row."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from scorekit.moments import utc_of
from scorekit.records import Result

_TEXT: Final = pa.string()
_TEXTS: Final = pa.list_(pa.string())
_WHOLE: Final = pa.int64()
_REAL: Final = pa.float64()
_FLAG: Final = pa.bool_()
_TIME: Final = pa.timestamp("ms")
_LARGEST: Final = 2**63 - 1
_PHASES: Final = ("preprocess", "prefill", "decode", "generate", "forward", "call")


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        name: with the unit.
        type: Arrow's.
        value: its value, from the result.
        about: what it is.
    """

    name: str
    type: Any
    value: Callable[[Result], Any]
    about: str


def _of(name: str, kind: Any, about: str) -> Column:
    """A field of the record as it is."""
    return Column(name, kind, lambda result: getattr(result, name), about)


def _within(part: str, name: str, kind: Any, about: str, field: str | None = None) -> Column:
    """A field of a part of the record, which may not be there."""
    wanted = field or name

    def value(result: Result) -> Any:
        found = getattr(result, part)
        return None if found is None else getattr(found, wanted)

    return Column(name, kind, value, about)


def _phase(phase: str) -> Column:
    def value(result: Result) -> float | None:
        return next((found.energy_kwh for found in result.phases if found.phase == phase), None)

    return Column(f"{phase}_kwh", _REAL, value, f"energy of the phase {phase} in one repeat, as published")


def _measured_utc(result: Result) -> datetime.datetime | None:
    """When it was measured, in UTC; None where the text is no ISO 8601."""
    time = utc_of(result.source.measured_utc)
    return None if time is None else time.replace(tzinfo=None)


COLUMNS: Final[tuple[Column, ...]] = (
    _of("model", _TEXT, "name of the model"),
    _of("model_revision", _TEXT, "its commit on the Hub"),
    _of("task", _TEXT, "config name of the task"),
    _of("cohort", _TEXT, "leaderboard name of the task"),
    _of("model_class", _TEXT, "A, B or C; of tasks with classes only"),
    _of("parameters", _WHOLE, "parameters of the model"),
    _of("hardware", _TEXT, "name of the GPU, or of the CPU where the energy is a CPU's"),
    _of("gpu_count", _WHOLE, "GPUs whose energy it is"),
    _of("domain", _TEXT, "what the energy covers: gpu, or cpu+ram"),
    _of("origin", _TEXT, "measured, modelled, mixed or unknown"),
    _of("meter", _TEXT, "what measured it"),
    _of("queries", _WHOLE, "queries of one repeat"),
    _of("queries_from", _TEXT, "what tells them: counted, config or summary"),
    _within("conditions", "dataset", _TEXT, "name of the dataset"),
    _within("conditions", "dataset_fingerprint", _TEXT, "fingerprint of the samples"),
    _within("conditions", "batch_size", _WHOLE, "queries at once"),
    _within("conditions", "new_tokens", _WHOLE, "tokens generated for a query, where their number is fixed"),
    _within("conditions", "max_new_tokens", _WHOLE, "limit of them, where it is not"),
    _within("conditions", "image_steps", _WHOLE, "steps for an image"),
    _within("conditions", "concurrency", _WHOLE, "queries in flight at a server; null where a model was loaded"),
    _of("dtype", _TEXT, "type of the weights"),
    _of("wh_per_1000_queries", _REAL, "the figure that can be used: corrected, else published; null where refused"),
    _within("uncertainty", "half_width_95_percent", _REAL, "half of the repeats' 95 % interval, relative to the mean"),
    _within("uncertainty", "combined_95_percent", _REAL, "the same with the meter's own uncertainty"),
    _within("uncertainty", "cov_percent", _REAL, "standard deviation over mean of the repeats"),
    _within("published", "published_wh_per_1000_queries", _REAL, "as the log gives it", "wh_per_1000_queries"),
    _within("corrected", "corrected_wh_per_1000_queries", _REAL, "without spoilt repeats", "wh_per_1000_queries"),
    _of("difference_percent", _REAL, "corrected less published figure, relative to the published one"),
    _of("energy_kwh", _REAL, "energy of one repeat that can be used"),
    _within("published", "published_energy_kwh", _REAL, "as the log gives it; may be no number", "energy_kwh"),
    _within("corrected", "corrected_energy_kwh", _REAL, "without spoilt repeats", "energy_kwh"),
    *map(_phase, _PHASES),
    _within("published", "runs", _WHOLE, "repeats that the published figure is the mean of"),
    Column(
        "excluded_repeats",
        _WHOLE,
        lambda result: None if result.corrected is None else len(result.corrected.excluded_repeats),
        "how many repeats the corrected figure leaves out",
    ),
    _of("wh_per_1000_output_tokens", _REAL, "energy of 1,000 generated tokens"),
    _of("output_tokens", _REAL, "mean tokens generated in one repeat"),
    _of("duration_s", _REAL, "mean length of the counted phases of one repeat"),
    _within("score", "wh_per_1000_queries_net", _REAL, "without idle power; of our own runs"),
    _within("score", "idle_power_w", _REAL, "idle power with the model loaded; of our own runs"),
    _of("comparable", _FLAG, "whether it may stand beside official ones"),
    Column(
        "not_comparable_codes",
        _TEXTS,
        lambda result: [reason.code for reason in result.not_comparable_because],
        "why not",
    ),
    _of("valid", _FLAG, "of our own runs: whether no check failed"),
    Column("invalid_codes", _TEXTS, lambda result: [reason.code for reason in result.invalid_because], "what failed"),
    Column("fault_codes", _TEXTS, lambda result: [fault.code for fault in result.faults], "faults of the log"),
    Column("unknown", _TEXTS, lambda result: list(result.unknown), "facts that the log does not tell"),
    _of("refused", _TEXT, "why there is no figure that can be used"),
    _within("source", "measured_local", _TEXT, "when, by a clock of an unknown time zone"),
    _within("source", "device", _TEXT, "of a log of several GPUs: which"),
    Column("measured_utc", _TIME, _measured_utc, "when it was measured, in UTC; null where the log's text is no date"),
    _within("source", "source_name", _TEXT, "path of the log, below what was named", "name"),
    _within("source", "source_row", _WHOLE, "line of a table", "row"),
    _within("source", "source_format", _TEXT, "format of the log", "format"),
    _within("source", "tool", _TEXT, "what wrote the log"),
)
"""What is told of a result, in the order of the index."""

_WHOLE_NUMBERS: Final = tuple(place for place, column in enumerate(COLUMNS) if column.type is _WHOLE)
_IDENTITY: Final = (pa.field("id", _TEXT, nullable=False), pa.field("path", _TEXT, nullable=False))
_FILE: Final = (pa.field("file_bytes", _WHOLE, nullable=False), pa.field("file_mtime_ns", _WHOLE, nullable=False))
"""By these an index knows a file again; they are not shown to those who ask for results."""

SCHEMA: Final = pa.schema([*_IDENTITY, *(pa.field(column.name, column.type) for column in COLUMNS), *_FILE])
SHOWN_SCHEMA: Final = pa.schema(list(SCHEMA)[: -len(_FILE)])
"""The table `results`, as those see it who ask for results."""
ROW_SCHEMA: Final = pa.schema([pa.field(column.name, column.type) for column in COLUMNS])
"""What is told of a result that lies in no store."""
SHOWN: Final[tuple[str, ...]] = tuple(SHOWN_SCHEMA.names)


def values(result: Result) -> list[Any]:
    """The values of COLUMNS for a result.

    Raises:
        ValueError: a whole number does not fit into 64 bits; names the column.
    """
    found = [column.value(result) for column in COLUMNS]
    for place in _WHOLE_NUMBERS:
        value = found[place]
        if value is not None and not -_LARGEST <= value <= _LARGEST:
            raise ValueError(f"{COLUMNS[place].name} is larger than any count can be: more than {_LARGEST:,}")
    return found


def table(rows: Iterable[tuple[str, str, list[Any], int, int]]) -> Any:
    """The rows (id, path, values, bytes and time of the file) as an Arrow table."""
    return _table([(identity, path, *told, size, mtime_ns) for identity, path, told, size, mtime_ns in rows], SCHEMA)


def row_table(rows: Sequence[list[Any]]) -> Any:
    """Rows of `values` as an Arrow table of `ROW_SCHEMA`."""
    return _table(rows, ROW_SCHEMA)


def _table(rows: Sequence[Sequence[Any]], schema: Any) -> Any:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )
