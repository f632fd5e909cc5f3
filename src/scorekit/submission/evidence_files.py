"""The evidence of one run as files of a submission: their names, and the way into bytes and back.

All of it is JSON text, read within bounds and straight into records: a stranger's Parquet never meets a decoder.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_core import from_json

from scorekit.errors import LogError
from scorekit.logs.run_bundle import answered
from scorekit.records import (
    Environment,
    GpuState,
    PackedCodecarbon,
    PackedDevice,
    PackedPower,
    PackedReport,
    Record,
    Score,
    Window,
    first_complaint,
)
from scorekit.records.submission import MOST_LEFT_OUT
from scorekit.validity import DeviceTrace, Evidence, PowerTrace
from scorekit.validity.trace import Quantity

R = TypeVar("R", bound=Record)

ENVIRONMENT: Final = "environment.json"
WINDOWS: Final = "windows.jsonl"
STATES: Final = "gpu_states.jsonl"
POWER: Final = "power.json"
REPORT: Final = "report.json"
CODECARBON: Final = "codecarbon.jsonl"
SCORE: Final = "score.json"
NEEDED: Final = frozenset({ENVIRONMENT, WINDOWS})
NAMES: Final = NEEDED | {STATES, POWER, REPORT, CODECARBON, SCORE}
"""All files that a run of a submission may have."""
MOST_LINES: Final = 20_000
MOST_NAME: Final = 300
_LARGEST: Final = 2.0**100
"""Of the sum of a column, in which what is infinite shows, and what is too large to be worked with."""
_QUANTITIES: Final[tuple[Quantity, ...]] = (
    "power_w", "counter_mj", "temperature_c", "sm_clock_mhz", "mem_clock_mhz", "reasons", "utilization_percent",
)  # fmt: skip


class EvidenceError(LogError):
    """A file of a submission is not what it should be.

    Args:
        file: which, in the archive.
        message: what is wrong with it.
    """

    def __init__(self, file: str, message: str) -> None:
        super().__init__(message, mend="pack it anew with `scorekit pack`, from the run as it was measured")
        self.file = file


@dataclass(frozen=True, slots=True)
class PackedRun:
    """The evidence of one run.

    Attributes:
        environment: machine, model, data, and what was asked.
        windows: every window, in the order of measuring.
        states: states of the GPUs; None where none were recorded.
        power: samples; None where none were taken.
        report: energies of optimum-benchmark's report; None where there is none.
        codecarbon: energies of CodeCarbon's own files.
        score: what the submitter worked out; None where the run was not scored.
        gapless: columns of each GPU in `power` that are known to have a number for every sample.
    """

    environment: Environment
    windows: tuple[Window, ...]
    states: tuple[GpuState, ...] | None
    power: PackedPower | None
    report: PackedReport | None
    codecarbon: tuple[PackedCodecarbon, ...]
    score: Score | None = None
    gapless: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def evidence(self, name: str) -> Evidence:
        """What the checks look at.

        Args:
            name: of the run, for the record.
        """
        return Evidence(
            environment=self.environment,
            windows=answered(self.windows, self.environment.run),
            states=self.states,
            trace=None if self.power is None else _trace(self.power, self.gapless),
            run=name,
        )

    def files(self, folder: str) -> dict[str, bytes]:
        """The files, by their path in the archive."""
        found = {ENVIRONMENT: _json(self.environment), WINDOWS: _json_lines(self.windows)}
        if self.states is not None:
            found[STATES] = _json_lines(self.states)
        if self.power is not None:
            found[POWER] = _json(self.power)
        if self.report is not None:
            found[REPORT] = _json(self.report)
        if self.codecarbon:
            found[CODECARBON] = _json_lines(self.codecarbon)
        if self.score is not None:
            found[SCORE] = _json(self.score)
        return {f"{folder}/{name}": content for name, content in found.items()}


def read(files: Mapping[str, bytes], folder: str) -> PackedRun:
    """The evidence of one run.

    Args:
        files: of the archive.
        folder: of the run.

    Raises:
        EvidenceError: a file is missing, or not what it should be.
    """

    def content(name: str) -> tuple[str, bytes] | None:
        path = f"{folder}/{name}"
        return (path, files[path]) if path in files else None

    environment, windows = content(ENVIRONMENT), content(WINDOWS)
    if environment is None or windows is None:
        missing = ENVIRONMENT if environment is None else WINDOWS
        raise EvidenceError(f"{folder}/{missing}", "the file is missing")
    states, power, report = content(STATES), content(POWER), content(REPORT)
    codecarbon, score = content(CODECARBON), content(SCORE)
    samples, gapless = (None, {}) if power is None else _checked(*power)
    return PackedRun(
        environment=parse(*environment, Environment),
        windows=tuple(_parsed_lines(*windows, Window)),
        states=None if states is None else tuple(_parsed_lines(*states, GpuState)),
        power=samples,
        report=None if report is None else parse(*report, PackedReport),
        codecarbon=() if codecarbon is None else tuple(_parsed_lines(*codecarbon, PackedCodecarbon)),
        score=None if score is None else parse(*score, Score),
        gapless=gapless,
    )


def parse(file: str, content: bytes, kind: type[R]) -> R:
    """One file as a record.

    Raises:
        EvidenceError: it is none.
    """
    try:
        return kind.model_validate_json(content)
    except (ValidationError, ValueError, RecursionError) as error:
        raise EvidenceError(file, f"it is no {kind.__name__} of this version: {_complaint(error)}") from error


def power_of(trace: PowerTrace, device: Mapping[str, str], most_samples: int) -> PackedPower:
    """The samples of a trace, thinned evenly where there are too many.

    Args:
        trace: of the run.
        device: what each GPU is called in the submission.
        most_samples: of all GPUs together.
    """
    count = sum(len(samples.t_s) for _, samples in trace)
    step = min(MOST_LEFT_OUT, max(1, math.ceil(count / most_samples)))
    return PackedPower(
        period_s=None if trace.period_s is None else trace.period_s * step,
        sampler_cpu_s=trace.sampler_cpu_s,
        sampler_wall_s=trace.sampler_wall_s,
        kept_one_of=step,
        devices={device[name]: _packed(samples, step) for name, samples in trace},
    )


def _packed(samples: DeviceTrace, step: int) -> PackedDevice:
    columns: dict[str, list[float | int | None]] = {"t_s": list(samples.t_s[::step])}
    for quantity in _QUANTITIES:
        values = getattr(samples, quantity)[::step]
        whole = quantity != "power_w"
        columns[quantity] = [None if math.isnan(value) else int(value) if whole else value for value in values]
    return PackedDevice.model_validate(columns)


def _checked(file: str, content: bytes) -> tuple[PackedPower, dict[str, frozenset[str]]]:
    """power.json, and which columns of each GPU have no gap.

    Its long columns are looked at in bulk: records look at each of a million values.
    """
    try:
        document = from_json(content, allow_inf_nan=False)
    except (ValueError, RecursionError) as error:
        raise EvidenceError(file, f"it is no JSON: {str(error)[:120]}") from error
    devices = document.pop("devices", None) if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(devices, dict):
        raise EvidenceError(file, "it is no PackedPower of this version: devices are missing")
    gapless = {name: _check_columns(file, name, columns) for name, columns in devices.items()}
    try:
        power = PackedPower.model_validate({**document, "devices": {}})
    except ValidationError as error:
        raise EvidenceError(file, f"it is no PackedPower of this version: {_complaint(error)}") from error
    packed = {name: PackedDevice.model_construct(**columns) for name, columns in devices.items()}
    return power.model_copy(update={"devices": packed}), gapless


def _check_columns(file: str, name: str, columns: Any) -> frozenset[str]:
    """Which columns have no gap.

    Raises:
        EvidenceError: they are not those of power.json.
    """
    if len(name) > MOST_NAME or not isinstance(columns, dict) or set(columns) != {"t_s", *_QUANTITIES}:
        raise EvidenceError(file, f"the columns of {name[:60]!r} are not those of power.json")
    length = len(columns["t_s"]) if isinstance(columns["t_s"], list) else -1
    gapless = set()
    for column, values in columns.items():
        if not isinstance(values, list) or len(values) != length:
            raise EvidenceError(file, f"the columns of {name[:60]!r} are not of one length")
        total, whole = _sum(values)
        if not abs(total) < _LARGEST or (column == "t_s" and not whole):
            raise EvidenceError(file, f"{column} of {name[:60]!r} holds what is no number of its kind")
        if whole:
            gapless.add(column)
    times = columns["t_s"]
    if sorted(times) != times:
        raise EvidenceError(file, f"the times of {name[:60]!r} do not rise")
    return frozenset(gapless)


def _trace(power: PackedPower, gapless: Mapping[str, frozenset[str]]) -> PowerTrace:
    return PowerTrace(
        devices={name: _device(samples, gapless.get(name, frozenset())) for name, samples in power.devices.items()},
        period_s=power.period_s,
        sampler_cpu_s=power.sampler_cpu_s,
        sampler_wall_s=power.sampler_wall_s,
    )


def _device(samples: PackedDevice, gapless: frozenset[str]) -> DeviceTrace:
    columns: dict[Quantity, Any] = {quantity: getattr(samples, quantity) for quantity in _QUANTITIES}
    known = [quantity for quantity in _QUANTITIES if quantity in gapless]
    for quantity in set(_QUANTITIES) - gapless:
        if None in columns[quantity]:
            columns[quantity] = array("d", (math.nan if value is None else value for value in columns[quantity]))
    trace = DeviceTrace(t_s=samples.t_s, **columns)
    trace.has_all_of(known)
    return trace


def _sum(values: list[Any]) -> tuple[float, bool]:
    """The sum of a column, NaN where it holds what is no number; and whether it has no gap."""
    try:
        return sum(values), True
    except OverflowError:
        return math.nan, True
    except TypeError:
        pass
    try:
        return float(sum(value for value in values if value is not None)), False
    except (TypeError, OverflowError):
        return math.nan, False


def _json(record: Record) -> bytes:
    return record.model_dump_json().encode() + b"\n"


def _json_lines(records: Iterable[Record]) -> bytes:
    return b"".join(_json(record) for record in records)


def _parsed_lines(file: str, content: bytes, kind: type[R]) -> Iterator[R]:
    lines = content.split(b"\n")
    if len(lines) > MOST_LINES:
        raise EvidenceError(file, f"it has {len(lines):,} lines, expected {MOST_LINES:,} at most")
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            yield kind.model_validate_json(line)
        except (ValidationError, ValueError, RecursionError) as error:
            raise EvidenceError(file, f"line {number} is no {kind.__name__}: {_complaint(error)}") from error


def _complaint(error: Exception) -> str:
    told = first_complaint(error) if isinstance(error, ValidationError) else type(error).__name__
    return told if len(told) <= 200 else f"{told[:200]} ..."
