"""A plugin's meter in a run: what fails in it is named as the plugin's, and what it reads stands under its own name.

Its samples of power are not asked for: power.parquet, by which checks judge the energy counter, holds what scorekit's
own meters sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from scorekit import plugins
from scorekit.errors import PluginError, ScorekitError
from scorekit.measuring.meters import Aligning, Factory, Meter, MeterDevice, MeterRequest, PowerSample
from scorekit.plugins import Origin
from scorekit.records import MeterReading

T = TypeVar("T")

_INSTEAD: Final = "leave it out of scenario.meters"


def guarded(factory: Factory, name: str, origin: Origin) -> Factory:
    """A factory whose meters are watched over.

    Args:
        factory: the plugin's.
        name: of its entry point, which is the meter's.
        origin: who brings it.
    """

    def make(request: MeterRequest) -> Meter:
        meter = _call(lambda: factory(request), name, origin)
        if getattr(meter, "name", None) != name:
            raise _broken(name, origin, f"calls itself {getattr(meter, 'name', None)!r}")
        if not isinstance(meter, Meter):
            raise _broken(name, origin, "lacks a method of a scorekit.measuring.meters.Meter")
        return _AligningMeter(meter, origin) if isinstance(meter, Aligning) else PluginMeter(meter, origin)

    return make


class PluginMeter:
    """A plugin's meter, as a run uses it.

    Args:
        meter: the plugin's.
        origin: who brings it.
    """

    def __init__(self, meter: Meter, origin: Origin) -> None:
        self._meter, self._origin = meter, origin
        self.name = meter.name

    def devices(self) -> tuple[MeterDevice, ...]:
        """What it reads in every window."""
        found = self._call(lambda: tuple(self._meter.devices()))
        for device in found:
            if not isinstance(device, MeterDevice):
                raise _broken(self.name, self._origin, f"gives a {type(device).__qualname__} for a device")
        return found

    def open(self, window: str) -> None:
        """Start measuring."""
        self._call(lambda: self._meter.open(window))

    def close(self) -> None:
        """End measuring."""
        self._call(self._meter.close)

    def readings(self) -> tuple[MeterReading, ...]:
        """Its readings of the window that was just closed.

        Raises:
            PluginError: one is no reading, of another meter, or of a device that it does not name.
        """
        found = self._call(lambda: tuple(self._meter.readings()))
        devices = {(device.component, device.device) for device in self.devices()}
        for reading in found:
            if not isinstance(reading, MeterReading):
                raise _broken(self.name, self._origin, f"gives a {type(reading).__qualname__} for a reading")
            if reading.meter != self.name:
                raise _broken(self.name, self._origin, f"gives a reading as one by {reading.meter!r}")
            if (reading.component, reading.device) not in devices:
                raise _broken(self.name, self._origin, f"reads {reading.device!r}, which devices() does not name")
        return found

    def trace(self) -> Sequence[PowerSample]:
        """None: see the top of the module."""
        return ()

    def stop(self) -> None:
        """Give everything back."""
        self._call(self._meter.stop)

    def _call(self, work: Callable[[], T]) -> T:
        return _call(work, self.name, self._origin)


class _AligningMeter(PluginMeter):
    """One whose windows begin best at certain moments."""

    def align(self) -> None:
        """Wait for such a moment."""
        assert isinstance(self._meter, Aligning)
        self._call(self._meter.align)


def _call(work: Callable[[], T], name: str, origin: Origin) -> T:
    try:
        return work()
    except ScorekitError:
        raise
    except Exception as error:
        raise plugins.failed("meter", name, origin, error, instead=_INSTEAD) from error


def _broken(name: str, origin: Origin, what: str) -> PluginError:
    return PluginError(
        f"the meter '{name}' of {origin} {what}", mend=f"{_INSTEAD}; docs/extending.md tells what is expected"
    )
