"""Measured windows: meters opened and closed around a stretch of work, one line of windows.jsonl each."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
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


@dataclass(slots=True)
class Span:
    """When a window began and ended, by three clocks."""

    start_monotonic_s: float = 0.0
    end_monotonic_s: float = 0.0
    start_utc: str = ""
    end_utc: str = ""
    start_boottime_s: float | None = None
    end_boottime_s: float | None = None

    def begin(self) -> None:
        """It begins now."""
        self.start_utc, self.start_boottime_s, self.start_monotonic_s = _now(), _boottime_s(), time.monotonic()

    def finish(self) -> None:
        """It ends now."""
        self.end_monotonic_s, self.end_boottime_s, self.end_utc = time.monotonic(), _boottime_s(), _now()


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
        with self.span((log_name or phase) + (f"_repeat{repeat}" if repeat else "")) as span:
            result = work()
        early = self._readings() if readings_first else None
        # Counting takes the time in which a counter's next tick comes.
        self.keep(span, phase, repeat, count(result), early)
        return result

    @contextlib.contextmanager
    def span(self, name: str) -> Iterator[Span]:
        """All meters open around a block. What it holds is kept by `keep`, or is no window.

        Args:
            name: unique in the run, for the meters' own files.

        Raises:
            KeyboardInterrupt, TerminatedError: the process was told to stop, whatever the block made of it.
        """
        opened: list[Meter] = []
        span = Span()
        self._synchronize()
        try:
            for meter in self._meters:
                if isinstance(meter, Aligning):
                    meter.align()
            for meter in reversed(self._meters):
                meter.open(name)
                opened.append(meter)
            span.begin()
            yield span
            self._synchronize()
            span.finish()
        finally:
            # Also after an error, so that no meter is left open.
            while opened:
                opened.pop().close()
        stopping.check()

    def keep(
        self,
        span: Span,
        phase: Phase,
        repeat: int | None,
        counts: Counts,
        readings: tuple[MeterReading, ...] | None = None,
    ) -> Window:
        """The window of a span that has ended, written down.

        Args:
            span: the last one.
            phase, repeat: as for `measure`.
            counts: what was done in it.
            readings: of the meters, where they were asked already.
        """
        window = Window(
            schema_version=WINDOW_SCHEMA if counts.served is None else SERVING_WINDOW_SCHEMA,
            phase=phase,
            repeat=repeat,
            start_monotonic_s=span.start_monotonic_s,
            end_monotonic_s=span.end_monotonic_s,
            start_utc=span.start_utc,
            end_utc=span.end_utc,
            start_boottime_s=span.start_boottime_s,
            end_boottime_s=span.end_boottime_s,
            readings=self._readings() if readings is None else readings,
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
        return window

    def _readings(self) -> tuple[MeterReading, ...]:
        return tuple(reading for meter in self._meters for reading in meter.readings())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _boottime_s() -> float | None:
    """A clock that goes on while the machine sleeps; None where the system has none (macOS)."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return None if clock is None else time.clock_gettime(clock)
