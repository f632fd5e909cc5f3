"""A recorded power trace as a meter: a window's energy is the exact integral of the piecewise linear trace.

For tests of the whole road on a machine without a GPU, and for traces of an outside meter. Time 0 of the trace is when
the meter starts; where the trace ends or has a hole, a window has no energy. A hole is a sample without power, or a
step of several usual ones from a sample to the next.
"""

from __future__ import annotations

import bisect
import csv
import math
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from scorekit.errors import InputError, UsageError
from scorekit.measuring.meters import MeterDevice, MeterRequest, PowerSample
from scorekit.records import MeterReading
from scorekit.units import joules_to_wh

CSV_COLUMNS: Final = ("t_s", "device", "power_w")
HOLE_STEPS: Final = 5.0
HOLE_S: Final = 1.0
"""A step of more than so many usual ones is a hole: a busy machine makes an outside logger late by two or three. One of
a second or less never is: GPUs tell the mean of the last one."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Power of one device over time, straight between the samples; around one without power there is a hole.

    Attributes:
        times_s: of the samples, ascending.
        joules: energy from the first sample to each; over a hole it does not grow.
        powers_w: at the samples.
        usual_step_s: median time from a sample to the next.
    """

    times_s: tuple[float, ...]
    joules: tuple[float, ...]
    powers_w: tuple[float | None, ...]
    usual_step_s: float

    @classmethod
    def through(cls, samples: Sequence[PowerSample]) -> Curve:
        """The curve through samples of one device."""
        joules, steps_s = [0.0], []
        for before, after in pairwise(samples):
            area = 0.0
            if before.power_w is not None and after.power_w is not None:
                area = 0.5 * (before.power_w + after.power_w) * (after.t_s - before.t_s)
            joules.append(joules[-1] + area)
            steps_s.append(after.t_s - before.t_s)
        return cls(
            tuple(one.t_s for one in samples),
            tuple(joules),
            tuple(one.power_w for one in samples),
            statistics.median(steps_s),
        )

    def energy_j(self, start_s: float, end_s: float) -> float:
        """Energy from one time of the trace to another [J].

        Raises:
            LookupError: the trace has no power over all of that time; its text says where.
        """
        if start_s < self.times_s[0]:
            raise LookupError(f"the trace starts at {self.times_s[0]:g} s, the window at {start_s:g} s")
        if end_s > self.times_s[-1]:
            raise LookupError(f"the trace ends at {self.times_s[-1]:g} s, the window at {end_s:g} s")
        first = max(0, bisect.bisect_right(self.times_s, start_s) - 1)
        last = bisect.bisect_left(self.times_s, end_s)
        for number in range(first, last + 1):
            if self.powers_w[number] is None:
                raise LookupError(f"the trace has no power at {self.times_s[number]:g} s")
        hole_s = max(HOLE_S, HOLE_STEPS * self.usual_step_s)
        for before_s, after_s in pairwise(self.times_s[first : last + 1]):
            if after_s - before_s > hole_s:
                usual = f"its usual step is {self.usual_step_s:.3g} s"
                raise LookupError(f"the trace has no sample from {before_s:g} s to {after_s:g} s; {usual}")
        return self._up_to(end_s) - self._up_to(start_s)

    def _up_to(self, t_s: float) -> float:
        number = min(bisect.bisect_right(self.times_s, t_s) - 1, len(self.times_s) - 2)
        since = t_s - self.times_s[number]
        low, high = self.powers_w[number], self.powers_w[number + 1]
        if low is None or high is None:  # at the edge of a hole
            return self.joules[number] if since == 0 else self.joules[number + 1]
        slope = (high - low) / (self.times_s[number + 1] - self.times_s[number])
        return self.joules[number] + since * (low + 0.5 * slope * since)


class ReplayMeter:
    """A meter over `MeterRequest.replay`: a power.parquet, or a CSV file with columns t_s, device, power_w.

    Args:
        request: names the trace. Of its devices those in `gpu_ids` are read, all where that is empty.
        clock: monotonic clock [s].

    Raises:
        UsageError: no trace is named, or it lacks a GPU that the model uses.
        InputError: the trace cannot be read.
    """

    name = "replay"

    def __init__(self, request: MeterRequest, clock: Callable[[], float] = time.monotonic) -> None:
        if request.replay is None:
            raise UsageError(
                "the meter replay needs a recorded trace", mend="scenario.replay=FILE.csv or power.parquet"
            )
        self._samples = read_trace(request.replay)
        held = sorted({sample.device for sample in self._samples})
        missing = [gpu for gpu in request.gpu_ids if gpu not in held]
        if missing:
            raise UsageError(
                f"{request.replay.name} holds {', '.join(held)}, but the model uses {', '.join(missing)}",
                mend="name the GPUs in the trace as `nvidia-smi -L` does",
            )
        self._curves = {
            device: Curve.through([sample for sample in self._samples if sample.device == device])
            for device in request.gpu_ids or held
        }
        self._clock = clock
        self._begun_s = clock()
        self._window_s = (0.0, 0.0)

    def devices(self) -> tuple[MeterDevice, ...]:
        """The devices of the trace, as GPUs."""
        return tuple(MeterDevice("gpu", device) for device in self._curves)

    def open(self, window: str) -> None:  # noqa: ARG002
        """Keep the time."""
        self._window_s = self._clock() - self._begun_s, 0.0

    def close(self) -> None:
        """Keep the time."""
        self._window_s = self._window_s[0], self._clock() - self._begun_s

    def readings(self) -> tuple[MeterReading, ...]:
        """One reading a device; without an energy where the trace does not cover the window."""
        return tuple(self._reading(device, curve) for device, curve in self._curves.items())

    def _reading(self, device: str, curve: Curve) -> MeterReading:
        energy_wh = problem = None
        try:
            energy_wh = joules_to_wh(curve.energy_j(*self._window_s))
        except LookupError as error:
            problem = str(error)
        return MeterReading(
            meter=self.name,
            component="gpu",
            device=device,
            energy_wh=energy_wh,
            origin="measured",
            source="replay",
            problem=problem,
        )

    def trace(self) -> Sequence[PowerSample]:
        """The samples whose time has come, at the times at which they would have been taken."""
        now_s = self._clock() - self._begun_s
        return tuple(
            sample._replace(t_s=sample.t_s + self._begun_s)
            for sample in self._samples
            if sample.t_s <= now_s and sample.device in self._curves
        )

    def stop(self) -> None:
        """Nothing is to be given back."""


def read_trace(path: Path) -> tuple[PowerSample, ...]:
    """Samples of a recorded trace in the order of time.

    A parquet file counts on a monotonic clock, whose zero means nothing: there time 0 is the first sample.

    Raises:
        InputError: the file is missing, is not such a trace, or holds a device with fewer than two samples.
    """
    if not path.is_file():
        raise InputError(f"there is no trace {path}", mend="scenario.replay=FILE.csv or power.parquet")
    if path.suffix == ".parquet":
        samples = _from_parquet(path)
        first_s = min((sample.t_s for sample in samples), default=0.0)
        samples = [sample._replace(t_s=sample.t_s - first_s) for sample in samples]
    else:
        samples = _from_csv(path)
    samples.sort(key=lambda sample: sample.t_s)
    _check(path, samples)
    return tuple(samples)


def _check(path: Path, samples: Sequence[PowerSample]) -> None:
    if not samples:
        raise InputError(f"the trace {path} is empty")
    for device in {sample.device for sample in samples}:
        own = [sample for sample in samples if sample.device == device]
        if len(own) < 2:
            raise InputError(f"the trace {path} has one sample of {device}; an energy needs two")
        for before, after in pairwise(own):
            if before.t_s == after.t_s:
                raise InputError(f"the trace {path} has two samples of {device} at {after.t_s:g} s")
        for sample in own:
            if not math.isfinite(sample.t_s) or (sample.power_w is not None and not 0 <= sample.power_w < math.inf):
                raise InputError(f"the trace {path} says {sample.power_w} W at {sample.t_s} s; a power is 0 or more")


def _from_parquet(path: Path) -> list[PowerSample]:
    import pyarrow
    import pyarrow.parquet

    wanted = list(PowerSample._fields)
    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise InputError(f"{path} cannot be read as Parquet: {error}") from error
    _need(path, table.column_names)
    rows: Iterable[dict[str, Any]] = table.select([name for name in wanted if name in table.column_names]).to_pylist()
    return [PowerSample(**row) for row in rows]


def _from_csv(path: Path) -> list[PowerSample]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            _need(path, reader.fieldnames or ())
            return [
                PowerSample(
                    t_s=float(row["t_s"]),
                    device=row["device"].strip(),
                    power_w=float(row["power_w"]) if row["power_w"].strip() else None,
                )
                for row in reader
            ]
    except (ValueError, AttributeError, TypeError, csv.Error) as error:
        # A short row has None where text is expected.
        raise InputError(
            f"{path} is not a table of numbers: {error}", mend=f"columns {','.join(CSV_COLUMNS)}"
        ) from error


def _need(path: Path, columns: Iterable[str]) -> None:
    missing = [name for name in CSV_COLUMNS if name not in columns]
    if missing:
        raise InputError(f"{path} has no column {', '.join(missing)}", mend=f"columns {','.join(CSV_COLUMNS)}")
