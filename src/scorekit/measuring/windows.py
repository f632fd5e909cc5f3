"""Measured windows: meters opened and closed around a stretch of work, one line of windows.jsonl each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from scorekit import atomic, bundle
from scorekit.measuring import stopping
from scorekit.measuring.meters import Aligning, Meter
from scorekit.records import SERVING_WINDOW_SCHEMA, WINDOW_SCHEMA, MeterReading, Phase, Served, Window

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Counts:
    """What was done in a window."""

    passes: int | None = None
    samples: int | None = None
    batches: int | None = None
    failures: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    early_ends: int | None = None
    truncated_inputs: int | None = None
    images: int | None = None
    served: Served | None = None


class Recorder:
    """Opens all meters around a window and writes its line as soon as it has ended.

    Args:
        meters: the first is opened last and closed first, so that its window is the tightest.
        folder: the run folder.
        synchronize: waits until the devices have finished what was asked of them.
    """

    def __init__(self, meters: Sequence[Meter], folder: Path, synchronize: Callable[[], None]) -> None:
        self._meters = tuple(meters)
        self._folder = folder
        self._synchronize = synchronize
        self.windows: list[Window] = []

    def measure(
        self,
        phase: Phase,
        repeat: int | None,
        work: Callable[[], T],
        count: Callable[[T], Counts] = lambda _: Counts(),
        *,
        log_name: str | None = None,
        readings_first: bool = False,
    ) -> T:
        """Measure `work`. Work that raises leaves no line: half a window is no measurement.

        Args:
            phase: what the work is.
            repeat: number of the repeat, None for loading.
            work: what is measured.
            count: counts what was done from what `work` returned; called when the window has closed.
            log_name: name for the meters' own files, where it differs from the phase.
            readings_first: whether the meters are asked before counting, which then may take any time.

        Returns:
            What `work` returned.

        Raises:
            KeyboardInterrupt, TerminatedError: the process was told to stop, whatever `work` made of it.
        """
        name = (log_name or phase) + (f"_repeat{repeat}" if repeat else "")
        opened: list[Meter] = []
        self._synchronize()
        try:
            for meter in self._meters:
                if isinstance(meter, Aligning):
                    meter.align()
            for meter in reversed(self._meters):
                meter.open(name)
                opened.append(meter)
            start_utc, start_boottime, start = _now(), _boottime_s(), time.monotonic()
            result = work()
            self._synchronize()
            end, end_boottime, end_utc = time.monotonic(), _boottime_s(), _now()
        finally:
            # Also after an error, so that no meter is left open.
            while opened:
                opened.pop().close()
        stopping.check()
        early = self._readings() if readings_first else None
        # Counting takes the time in which a counter's next tick comes.
        counts = count(result)
        readings = self._readings() if early is None else early
        window = Window(
            schema_version=WINDOW_SCHEMA if counts.served is None else SERVING_WINDOW_SCHEMA,
            phase=phase,
            repeat=repeat,
            start_monotonic_s=start,
            end_monotonic_s=end,
            start_utc=start_utc,
            end_utc=end_utc,
            start_boottime_s=start_boottime,
            end_boottime_s=end_boottime,
            readings=readings,
            passes=counts.passes,
            samples=counts.samples,
            batches=counts.batches,
            failures=counts.failures,
            input_tokens=counts.input_tokens,
            output_tokens=counts.output_tokens,
            early_ends=counts.early_ends,
            truncated_inputs=counts.truncated_inputs,
            images=counts.images,
            served=counts.served,
        )
        self.windows.append(window)
        atomic.append_line(self._folder / bundle.WINDOWS, window.model_dump_json())
        return result

    def _readings(self) -> tuple[MeterReading, ...]:
        return tuple(reading for meter in self._meters for reading in meter.readings())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _boottime_s() -> float | None:
    """A clock that goes on while the machine sleeps; None where the system has none (macOS)."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return None if clock is None else time.clock_gettime(clock)
