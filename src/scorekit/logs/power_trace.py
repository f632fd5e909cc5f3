"""Reading power.parquet: the sampled power, clocks and temperatures of a run."""

from __future__ import annotations

import math
from array import array
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from scorekit.errors import LogError
from scorekit.records import POWER_SCHEMA
from scorekit.records.gpus import LONGEST_PERIOD_S, SHORTEST_PERIOD_S
from scorekit.validity import DeviceTrace, PowerTrace

_QUANTITIES: Final = (
    "power_w", "counter_mj", "temperature_c", "sm_clock_mhz", "mem_clock_mhz", "reasons", "utilization_percent",
)  # fmt: skip
_MEND: Final = "restore the file from a copy of the run, or measure again"


def read_power_trace(path: Path) -> PowerTrace:
    """The trace in a file.

    Raises:
        LogError: the file cannot be read, is of another version, lacks a column, its times do not rise, or its period
            is none that a power is sampled at.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise LogError(f"{path} cannot be read as a power trace: {first}", mend=_MEND) from error
    about = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    version = about.get("schema_version")
    if version != POWER_SCHEMA:
        raise LogError(
            f"{path} is of version {version or 'unknown'}, expected {POWER_SCHEMA}",
            mend="read it with the version of scorekit that wrote it, or a newer one",
        )
    missing = [name for name in ("t_s", "device", *_QUANTITIES) if name not in table.column_names]
    if missing:
        raise LogError(f"{path} has no column {missing[0]}", mend=_MEND)
    names = sorted({name for name in table.column("device").unique().to_pylist() if name is not None})
    try:
        return PowerTrace(
            devices={name: _device(table, name, path) for name in names},
            period_s=_period_s(about, path),
            sampler_cpu_s=_number(about, "sampler_cpu_s", path),
            sampler_wall_s=_number(about, "sampler_wall_s", path),
        )
    except pyarrow.ArrowException as error:
        raise LogError(f"{path} is not a power trace: {error}", mend=_MEND) from error


def _device(table: Any, name: str, path: Path) -> DeviceTrace:
    import pyarrow.compute

    rows = table.filter(pyarrow.compute.equal(table.column("device"), name))
    times = _column(rows, "t_s")
    if any(not later >= earlier for earlier, later in pairwise(times)) or any(math.isnan(t_s) for t_s in times):
        raise LogError(f"{path}: the times of {name} do not rise", mend=_MEND)
    return DeviceTrace(t_s=times, **{quantity: _column(rows, quantity) for quantity in _QUANTITIES})


def _column(rows: Any, name: str) -> array[float]:
    """A column as doubles, with NaN for null: a long run has millions of rows."""
    return array("d", rows.column(name).cast("double").fill_null(math.nan).to_pylist())


def _period_s(about: dict[str, str], path: Path) -> float | None:
    period_s = _number(about, "period_s", path)
    if period_s is not None and not SHORTEST_PERIOD_S <= period_s <= LONGEST_PERIOD_S:
        raise LogError(
            f"{path} gives period_s as {about['period_s']!r}, expected {SHORTEST_PERIOD_S:g} to {LONGEST_PERIOD_S:g} s "
            "from sample to sample",
            mend=_MEND,
        )
    return period_s


def _number(about: dict[str, str], key: str, path: Path) -> float | None:
    text = about.get(key)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise LogError(f"{path} gives {key} as {text!r}, expected seconds", mend=_MEND)
    return value
