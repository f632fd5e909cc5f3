"""Which meter's readings make the energy of a window, and what a reading must be to count.

Several meters may watch one window. For each component (GPU, CPU, RAM) the first meter in the run's order
that read it is taken; readings of the others are never added, or the same joule would count twice.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from scorekit.errors import InvalidRunError
from scorekit.logs.one_pass import passes_of
from scorekit.records import Component, MeterReading, Window

Origin = Literal["measured", "modelled", "unknown"]
_COMPONENTS: Final[tuple[Component, ...]] = ("gpu", "cpu", "ram")
RESOLVED_WINDOW_S: Final = 1.0
"""Shortest window that an energy counter of a GPU surely sees: ten ticks of about 100 ms each (arXiv 2312.02741).
In a shorter one the counter may not have moved at all, and 0 is then what it honestly read."""


@dataclass(frozen=True, slots=True)
class Domain:
    """What the energy of a score covers.

    Attributes:
        name: `gpu` when a GPU was read, `cpu+ram` otherwise.
        components: what is summed.
        meters: the meter taken for each component that any meter read, inside the domain or not.
    """

    name: Literal["gpu", "cpu+ram"]
    components: tuple[Component, ...]
    meters: dict[Component, str]

    @property
    def meter(self) -> str:
        """The meter of the domain; several, joined by +, where CPU and RAM were read by different ones."""
        return "+".join(dict.fromkeys(self.meters[component] for component in self.components))


def choose_domain(windows: Sequence[Window], order: Iterable[str]) -> Domain:
    """The domain of a run and the meter for each component.

    Args:
        windows: the windows that count.
        order: the run's meters, the most trusted first.

    Raises:
        InvalidRunError: no meter read what a score needs.
    """
    listed = list(dict.fromkeys(order))
    readers: dict[Component, set[str]] = {component: set() for component in _COMPONENTS}
    for window in windows:
        for reading in window.readings:
            readers[reading.component].add(reading.meter)
    meters: dict[Component, str] = {}
    for component, names in readers.items():
        for name in listed:
            if name in names:
                meters[component] = name
                break
    if "gpu" in meters:
        return Domain("gpu", ("gpu",), meters)
    if "cpu" in meters and "ram" in meters:
        return Domain("cpu+ram", ("cpu", "ram"), meters)
    raise InvalidRunError(
        f"no meter of the run ({', '.join(listed) or 'none'}) read a GPU, or a CPU and RAM: nothing to score",
        mend="measure again with a meter that works on this machine",
    )


def readings_of(window: Window, component: Component, domain: Domain) -> list[MeterReading]:
    """Readings of one component by the meter taken for it; empty when it has none in this window."""
    meter = domain.meters.get(component)
    if meter is None:
        return []
    return [reading for reading in window.readings if reading.component == component and reading.meter == meter]


def component_wh(window: Window, component: Component, domain: Domain) -> float | None:
    """Energy of a component over one pass of a window in Wh; None when it was not read, or a reading cannot be true."""
    readings = readings_of(window, component, domain)
    known = [
        reading.energy_wh for reading in readings if reading.energy_wh is not None and _fault(reading, window) is None
    ]
    return math.fsum(known) / passes_of(window) if known and len(known) == len(readings) else None


def domain_wh(window: Window, domain: Domain) -> float | None:
    """Energy of the domain over one pass of a window in Wh; None when any part is missing or cannot be true."""
    parts = [component_wh(window, component, domain) for component in domain.components]
    known = [part for part in parts if part is not None]
    return math.fsum(known) if len(known) == len(parts) else None


def devices_of(window: Window, domain: Domain) -> list[tuple[Component, str]]:
    """Every device of the domain that was read over a window, sorted."""
    return sorted(
        (component, reading.device)
        for component in domain.components
        for reading in readings_of(window, component, domain)
    )


def require_energy(windows: Sequence[Window], domain: Domain) -> None:
    """Check that each window has a true energy of the domain, from the same devices.

    A preprocess window that is too short for the GPU's counter may have read 0 (see `is_below_resolution`). The
    window of the same repeat in which the model answers may not, so no repeat is ever without an energy.

    Raises:
        InvalidRunError: names the repeat, the phase, the device and what is wrong with its energy.
    """
    expected = devices_of(windows[0], domain)
    for window in windows:
        where = f"repeat {window.repeat}, phase {window.phase}"
        for component in domain.components:
            for reading in readings_of(window, component, domain):
                problem = _fault(reading, window)
                if problem is not None:
                    raise InvalidRunError(
                        f"{where}: the energy of {_name(component, reading.device)} is {problem} "
                        f"({_energy_text(reading)} by {reading.meter} over {window.duration_s:.3g} s)",
                        mend=_mend(window, problem),
                    )
        found = devices_of(window, domain)
        if len(set(found)) != len(found):
            raise InvalidRunError(f"{where}: a device was read twice by one meter ({_list(found)})")
        if found != expected or {component for component, _ in found} != set(domain.components):
            raise InvalidRunError(
                f"{where}: the energy of {_list(found) or 'nothing'} was read, expected {_list(expected)} "
                "as in the rest of the run",
                mend="see the run's log for a meter that failed, and measure again",
            )


def is_below_resolution(reading: MeterReading, window: Window) -> bool:
    """Whether a reading of 0 is what a GPU's counter honestly says of a window that ends before it ticks.

    True only of `preprocess`, which may take a millisecond and is a small term of the score; a window in which the
    model answers must be long enough to be measured.
    """
    return (
        reading.energy_wh == 0
        and reading.component == "gpu"
        and reading.origin == "measured"
        and window.phase == "preprocess"
        and window.duration_s < RESOLVED_WINDOW_S
    )


def has_unresolved(window: Window, domain: Domain) -> bool:
    """Whether a part of a window's energy is below what the counter resolves, and counts as 0."""
    return any(
        is_below_resolution(reading, window)
        for component in domain.components
        for reading in readings_of(window, component, domain)
    )


def _fault(reading: MeterReading, window: Window) -> str | None:
    """What is wrong with an energy, which must be positive or below what the meter resolves; None when nothing is."""
    energy_wh = reading.energy_wh
    if energy_wh is None:
        return "missing"
    if math.isnan(energy_wh):
        return "not a number"
    if math.isinf(energy_wh):
        return "infinite"
    if energy_wh < 0:
        return "negative"
    if reading.problem is not None:
        return "not to be trusted"
    return "zero" if energy_wh == 0 and not is_below_resolution(reading, window) else None


def component_origin(windows: Iterable[Window], component: Component, domain: Domain) -> Origin | None:
    """Whether sensors were read for a component: its weakest reading decides; None when it was not read."""
    found = {reading.origin for window in windows for reading in readings_of(window, component, domain)}
    order: tuple[Origin, ...] = ("unknown", "modelled", "measured")
    return next((origin for origin in order if origin in found), None)


def domain_origin(windows: Sequence[Window], domain: Domain) -> Literal["measured", "modelled", "mixed", "unknown"]:
    """Whether sensors were read for the whole domain; mixed when for a part of it."""
    found = {
        reading.origin
        for window in windows
        for component in domain.components
        for reading in readings_of(window, component, domain)
    }
    if len(found) == 1:
        return found.pop()
    return "unknown" if "unknown" in found or not found else "mixed"


def _energy_text(reading: MeterReading) -> str:
    text = "no energy" if reading.energy_wh is None else f"{reading.energy_wh:g} Wh"
    return text if reading.problem is None else f"{text}: {reading.problem},"


def _name(component: Component, device: str) -> str:
    return component.upper() if device in ("", component) else f"{component.upper()} {device}"


def _list(devices: list[tuple[Component, str]]) -> str:
    return ", ".join(_name(component, device) for component, device in devices)


def _mend(window: Window, problem: str) -> str:
    if problem == "zero" and window.duration_s < RESOLVED_WINDOW_S:
        return (
            "the window may be shorter than the meter can see: measure more queries, for one with "
            "scenario.num_samples=1000"
        )
    return "the meter failed during the run: measure again, and never average such a repeat in"
