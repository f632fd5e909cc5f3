"""The NVML meter under a fake driver, and windows that are measured with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scorekit.measuring import meters
from scorekit.measuring.meters import MeterRequest
from scorekit.records import MeterReading
from tests.fake_nvml import FakeNvml

MOST_TRIES = 5
LATE_S = 0.03
"""On a busy machine so much time may pass from one line to the next."""


def make(fake: FakeNvml, *gpu_ids: str) -> meters.Meter:
    (meter,) = meters.start(["nvml"], MeterRequest(gpu_ids or (fake.uuid(0),), "USA", Path("unused")))
    return meter


@dataclass(frozen=True)
class Measured:
    """A window.

    Attributes:
        readings: of the meter.
        opened: times right before and right after the window was opened.
        closed: the same of its end.
    """

    readings: tuple[MeterReading, ...]
    opened: tuple[float, float]
    closed: tuple[float, float]

    def assert_true(self, fake: FakeNvml, gpu: int = 0) -> None:
        """The energy is that of the GPU within the stated uncertainty, or 2 %."""
        reading = next(reading for reading in self.readings if reading.device == fake.uuid(gpu))
        assert reading.problem is None, reading.problem
        assert reading.energy_wh is not None
        assert reading.standard_uncertainty_wh is not None
        least = fake.energy_wh(gpu, self.opened[1], self.closed[0])
        # Opening waits for a tick, and the window begins at its end.
        most = fake.energy_wh(gpu, max(self.opened[0], self.opened[1] - LATE_S), self.closed[1])
        room = max(3 * reading.standard_uncertainty_wh, 0.02 * most)
        assert least - room <= reading.energy_wh <= most + room, reading


def window(
    meter: meters.Meter,
    seconds: float,
    opened_then: Callable[[], None] = lambda: None,
    closed_then: Callable[[], None] = lambda: None,
) -> Measured:
    """A window.

    Args:
        meter: the meter.
        seconds: its length, without `opened_then`.
        opened_then: what is done first within it.
        closed_then: what is done right after it.
    """
    before_open = time.monotonic()
    meter.open("window")
    opened = before_open, time.monotonic()
    opened_then()
    time.sleep(seconds)
    before_close = time.monotonic()
    meter.close()
    closed = before_close, time.monotonic()
    closed_then()
    return Measured(meter.readings(), opened, closed)


def whole_window(meter: meters.Meter, seconds: float) -> Measured:
    """A window in which the ticks were seen: on a busy machine they may be missed, and then there is no number."""
    for _ in range(MOST_TRIES):
        found = window(meter, seconds)
        if all(reading.energy_wh is not None for reading in found.readings):
            break
    return found
