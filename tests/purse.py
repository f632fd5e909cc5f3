"""A machine whose only meter is one whose energy is known, for tests of measuring from Python."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from scorekit.measuring import code_meters, meters
from scorekit.measuring.meters import MeterDevice, MeterRequest, PowerSample
from scorekit.records import MeterReading


class Purse:
    """What code takes, and how a meter of it is treated.

    Attributes:
        taken_wh: energy of the CPU so far; RAM takes half as much.
        each_window_wh: what every window takes besides, of code that does not say what it takes.
        events: what was asked of the meter.
    """

    def __init__(self) -> None:
        self.taken_wh = self.each_window_wh = 0.0
        self.events: list[str] = []

    def take(self, energy_wh: float) -> None:
        self.taken_wh += energy_wh


class PurseMeter:
    name = "codecarbon"

    def __init__(self, purse: Purse) -> None:
        self._purse = purse
        self._from_wh = self._energy_wh = math.nan
        self._open = False

    def devices(self) -> tuple[MeterDevice, ...]:
        return (MeterDevice("cpu", "cpu"), MeterDevice("ram", "ram"))

    def open(self, window: str) -> None:
        assert not self._open
        self._open, self._from_wh = True, self._purse.taken_wh
        self._purse.events.append("open")

    def close(self) -> None:
        assert self._open
        self._purse.take(self._purse.each_window_wh)
        self._open, self._energy_wh = False, self._purse.taken_wh - self._from_wh
        self._purse.events.append("close")

    def readings(self) -> tuple[MeterReading, ...]:
        return tuple(
            MeterReading(meter=self.name, component=part, device=part, energy_wh=share * self._energy_wh,
                         origin="modelled", source="purse")
            for part, share in (("cpu", 1.0), ("ram", 0.5))
        )  # fmt: skip

    def trace(self) -> tuple[PowerSample, ...]:
        return ()

    def stop(self) -> None:
        self._purse.events.append("stop")


@contextlib.contextmanager
def only_meter(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Purse]:
    """A machine without GPU and RAPL, whose only meter is that of a purse; whatever is done with it, it is stopped.

    Args:
        monkeypatch: of the test.
        folder: of the test.
    """
    found = Purse()

    def make(_: MeterRequest) -> PurseMeter:
        found.events.append("make")
        return PurseMeter(found)

    monkeypatch.setitem(meters._FACTORIES, "codecarbon", make)
    monkeypatch.setattr(code_meters.rapl, "POWERCAP", folder / "powercap")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    # Other tests, and whoever else measures on this machine, are not waited for.
    monkeypatch.setenv("SCOREKIT_LOCKS", str(folder / "locks"))
    yield found
    assert found.events.count("make") == found.events.count("stop")
    assert found.events.count("open") == found.events.count("close")
