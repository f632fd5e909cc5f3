"""Energy meters behind one small protocol.

A meter is opened for a window and closed after it; what it returns is recorded as it is, judged elsewhere. Several
run side by side. A new meter is one module and one line in `_FACTORIES`, or an entry point of a plugin
(docs/extending.md).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

from scorekit.errors import UsageError, nearest
from scorekit.plugins import Origin, Registry
from scorekit.records import Component, MeterReading

SAMPLING_S: Final = 0.1
"""Time between the samples of a GPU's power."""


@dataclass(frozen=True, slots=True)
class MeterRequest:
    """What a meter is to watch.

    Attributes:
        gpu_ids: UUIDs of the GPUs to measure (an index where NVML was not asked); empty when there are none.
        country_iso_code: three letters, for meters that also estimate emissions.
        folder: the run folder, for files of a meter's own.
        replay: the recorded trace, for the meter that replays one.
    """

    gpu_ids: tuple[str, ...]
    country_iso_code: str
    folder: Path
    replay: Path | None = None


@dataclass(frozen=True, slots=True)
class MeterDevice:
    """What a meter reads: `device` is a GPU's UUID or index, else the component's name."""

    component: Component
    device: str


class PowerSample(NamedTuple):
    """One sample of one GPU; None where the driver did not answer. One row of power.parquet.

    Attributes:
        t_s: monotonic clock.
        device: UUID.
        power_w: as the driver gives it: on Ampere and newer the mean over the last second.
        counter_mj: the energy counter.
        reasons: NVML's bits of clocks event reasons.
    """

    t_s: float
    device: str
    power_w: float | None = None
    counter_mj: int | None = None
    temperature_c: int | None = None
    sm_clock_mhz: int | None = None
    mem_clock_mhz: int | None = None
    reasons: int | None = None
    utilization_percent: int | None = None


@dataclass(frozen=True, slots=True)
class SamplerCost:
    """What sampling took: CPU time of its thread within windows, their whole length, samples that came late."""

    cpu_s: float
    window_s: float
    missed_samples: int


@runtime_checkable
class Meter(Protocol):
    """One way to measure energy."""

    @property
    def name(self) -> str:
        """Name by which `scenario.meters` chooses it."""

    def devices(self) -> tuple[MeterDevice, ...]:
        """What it reads in every window."""

    def open(self, window: str) -> None:
        """Start measuring.

        Args:
            window: name of the window, unique in the run; for a file of the meter's own.
        """

    def close(self) -> None:
        """End measuring, at once: all that takes time is left to `readings`."""

    def readings(self) -> tuple[MeterReading, ...]:
        """The energy of each device in the window that was just closed, in Wh, unjudged.

        May wait until a counter has ticked. A window whose energy cannot be told has a reading without one, which
        says why; only what makes the whole run senseless raises.
        """

    def trace(self) -> Sequence[PowerSample]:
        """All samples since the meter was made, in the order of time; empty for a meter that takes none."""

    def stop(self) -> None:
        """Give everything back; called once, also after an error."""


@runtime_checkable
class Aligning(Protocol):
    """A meter whose windows begin best at certain moments."""

    def align(self) -> None:
        """Wait for such a moment; called before any meter is opened, so that none has the waiting in its window."""


def _codecarbon(request: MeterRequest) -> Meter:
    from scorekit.measuring.meters.codecarbon import CodeCarbonMeter

    return CodeCarbonMeter(request)


def _nvml(request: MeterRequest) -> Meter:
    from scorekit.measuring.meters.nvml import NvmlMeter

    return NvmlMeter(request)


def _rapl(_: MeterRequest) -> Meter:
    from scorekit.measuring.meters.rapl import RaplMeter

    return RaplMeter()


def _replay(request: MeterRequest) -> Meter:
    from scorekit.measuring.meters.replay import ReplayMeter

    return ReplayMeter(request)


def _zeus(request: MeterRequest) -> Meter:
    from scorekit.measuring.meters.zeus import ZeusMeter

    return ZeusMeter(request)


Factory = Callable[[MeterRequest], Meter]
"""Makes a meter, e.g. its class; raises a HardwareError where it cannot measure on this machine."""

_FACTORIES: Final[dict[str, Factory]] = {
    "codecarbon": _codecarbon,
    "nvml": _nvml,
    "rapl": _rapl,
    "replay": _replay,
    "zeus": _zeus,
}


def _accept(name: str, loaded: Any, origin: Origin) -> Factory:
    from scorekit.measuring.meters.plugin import guarded

    if not callable(loaded):
        raise TypeError(f"expected a class or function that makes a meter, found a {type(loaded).__qualname__}")
    return guarded(loaded, name, origin)


REGISTRY: Final[Registry[Factory]] = Registry("scorekit.meters", "meter", _FACTORIES, _accept, {"auto"})
"""scorekit's own meters, and those of plugins, by name."""

_AUTO: Final[dict[bool, tuple[str, ...]]] = {True: ("nvml", "codecarbon"), False: ("codecarbon",)}


def resolve(names: Sequence[str], *, gpus: bool) -> tuple[str, ...]:
    """Names of meters with `auto` replaced by what suits the run; the first that reads a component is the score's.

    Args:
        names: as in scenario.meters.
        gpus: whether GPUs are measured: then `auto` is nvml, with codecarbon beside it, else codecarbon alone.

    Raises:
        UsageError: an unknown name, or none.
        PluginError: the plugin that brings a meter cannot be used.
    """
    resolved: list[str] = []
    for name in names:
        for found in _AUTO[gpus] if name == "auto" else (name,):
            if REGISTRY.find(found) is None:
                valid = [*_FACTORIES, *REGISTRY.plugin_names()]
                close = nearest(found, valid)
                raise UsageError(
                    f"there is no meter '{found}'; valid: auto, {', '.join(valid)}",
                    mend=f"scenario.meters=[{close or 'auto'}]",
                )
            if found not in resolved:
                resolved.append(found)
    if not resolved:
        raise UsageError("scenario.meters names no meter", mend="scenario.meters=[auto]")
    return tuple(resolved)


def start(names: Sequence[str], request: MeterRequest) -> list[Meter]:
    """The meters of resolved names, ready to be opened; all or none."""
    meters: list[Meter] = []
    try:
        for name in names:
            # One by one, so that those before a failing one are known and can be stopped.
            factory = REGISTRY.find(name)
            assert factory is not None, name
            meters.append(factory(request))
    except BaseException:
        for meter in meters:
            # Neither hides the first error nor leaves the others running.
            with contextlib.suppress(Exception):
                meter.stop()
        raise
    return meters
