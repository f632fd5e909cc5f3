"""Measured windows: meters opened and closed around a stretch of work, one line of windows.jsonl each."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from scorekit import atomic, bundle
from scorekit.measure.meters import Meter
from scorekit.records import MeterReading, Phase, Window

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Counts:
    """What was done in a window."""

    samples: int | None = None
    batches: int | None = None
    failures: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    images: int | None = None


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
    ) -> T:
        """Measure `work`. Work that raises leaves no line: half a window is no measurement.

        Args:
            phase: what the work is.
            repeat: number of the repeat, None for loading.
            work: what is measured.
            count: counts what was done from what `work` returned; called when the window has closed.
            log_name: name for the meters' own files, where it differs from the phase.

        Returns:
            What `work` returned.
        """
        name = (log_name or phase) + (f"_repeat{repeat}" if repeat else "")
        opened: list[Meter] = []
        readings: tuple[MeterReading, ...] = ()
        self._synchronize()
        try:
            for meter in reversed(self._meters):
                meter.open(name)
                opened.append(meter)
            start_utc, start = _now(), time.monotonic()
            result = work()
            self._synchronize()
            end, end_utc = time.monotonic(), _now()
        finally:
            # Also after an error, so that no meter is left open; the readings are then thrown away.
            while opened:
                readings = readings + opened.pop().close()
        counts = count(result)
        window = Window(
            phase=phase,
            repeat=repeat,
            start_monotonic_s=start,
            end_monotonic_s=end,
            start_utc=start_utc,
            end_utc=end_utc,
            readings=readings,
            samples=counts.samples,
            batches=counts.batches,
            failures=counts.failures,
            input_tokens=counts.input_tokens,
            output_tokens=counts.output_tokens,
            images=counts.images,
        )
        self.windows.append(window)
        atomic.append_line(self._folder / bundle.WINDOWS, window.model_dump_json())
        return result


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
