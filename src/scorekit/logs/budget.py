"""The uncertainty budget of a score: every source apart, each with where its figure comes from. Pure.

Terms are standard uncertainties of the mean over the repeats, relative to it (GUM, JCGM 100). What cannot be told is
None with the reason, never 0. The derivations stand in docs/methodology.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, Literal

from scorekit import uncertainty
from scorekit.logs import energies
from scorekit.logs.energies import Domain
from scorekit.logs.one_pass import passes_of
from scorekit.logs.repeats import Repeat
from scorekit.records import MeterReading, Uncertainty, UncertaintyTerm, Window
from scorekit.units import joules_to_wh, per_1000, wh_to_joules

BOARD_GAIN: Final = 0.05
"""NVIDIA's NVML reference gives +-5 % of the power (nvmlDeviceGetPowerUsage; said of Fermi and Kepler, nothing of newer
boards); arXiv 2312.02741 measured gains of that order on newer ones."""
_NORMAL_95: Final = 1.959963984540054
_RECTANGULAR_95: Final = 0.95
"""Half-width that holds 95 % of a rectangular distribution, relative to its own half-width."""
_INTEGRATED: Final = ("nvml_power", "replay")
"""Sources of energies that are sums of sampled powers."""
_RAPL_TICK_S: Final = 0.001
"""RAPL's counters are refreshed about every millisecond (Intel SDM, volume 3B, Running Average Power Limit)."""
_ReadingWh = Callable[[MeterReading, Window], float | str]
"""One standard deviation of a reading in Wh, or why it cannot be told."""


@dataclass(frozen=True, slots=True)
class _Figure:
    """A term's figure: relative to the mean; None where it cannot be told, and `why` then says so."""

    relative: float | None
    why: str


def budget(
    repeats: Sequence[Repeat],
    energies_wh: Sequence[float],
    queries: int,
    domain: Domain,
    *,
    idle_w: float | None,
    adaptive: bool,
) -> Uncertainty:
    """How far the mean over the repeats may be from what was to be measured.

    Args:
        repeats: the run's repeats.
        energies_wh: energy of one pass of each, all positive.
        queries: queries in one pass.
        domain: what they cover.
        idle_w: power of the domain with nothing asked; None where it was not measured.
        adaptive: whether the repeats' own spread ended them.
    """
    mean_wh = uncertainty.mean(energies_wh)
    half_width_wh = uncertainty.half_width_95(energies_wh, sequential=adaptive)
    others = (
        _tick(repeats, domain, mean_wh),
        _aliasing(repeats, domain, mean_wh, idle_w),
        _sampling(repeats, domain, mean_wh),
    )
    gain = _board_gain(repeats, domain)
    combined = _combined(half_width_wh, mean_wh, others)
    line = uncertainty.trend(energies_wh)
    return Uncertainty(
        terms=(_repeats(energies_wh, half_width_wh, adaptive=adaptive), *others, gain),
        interval_95_wh_per_1000=(
            None
            if half_width_wh is None
            else (per_1000(mean_wh - half_width_wh, queries), per_1000(mean_wh + half_width_wh, queries))
        ),
        half_width_95_percent=_percent(half_width_wh, mean_wh),
        combined_95_percent=combined,
        with_board_gain_95_percent=(
            None
            if combined is None or gain.half_width_95_percent is None
            else math.hypot(combined, gain.half_width_95_percent)
        ),
        cov_percent=_percent(uncertainty.coefficient_of_variation(energies_wh), 1.0),
        trend_percent_per_repeat=None if line is None else 100 * line.slope,
        trend_significant=None if line is None else line.significant,
        outliers=tuple(repeats[position].number for position in uncertainty.outliers(energies_wh)),
    )


def _combined(half_width_wh: float | None, mean_wh: float, terms: Sequence[UncertaintyTerm]) -> float | None:
    if half_width_wh is None:
        return None
    known = [term.half_width_95_percent for term in terms if term.half_width_95_percent is not None]
    return math.hypot(100 * half_width_wh / mean_wh, *known)


def _repeats(energies_wh: Sequence[float], half_width_wh: float | None, *, adaptive: bool) -> UncertaintyTerm:
    count, mean_wh = len(energies_wh), uncertainty.mean(energies_wh)
    if half_width_wh is None:
        source = "one repeat tells nothing of the spread between repeats"
    else:
        source = f"standard deviation of {count} repeats over sqrt({count}); Student t"
        if adaptive:
            source += f", widened by {uncertainty.sequential_factor(count):g} because the spread ended the repeats"
    return UncertaintyTerm(
        name="repeats",
        kind="A",
        standard_percent=_percent(uncertainty.standard_error(energies_wh), mean_wh),
        half_width_95_percent=_percent(half_width_wh, mean_wh),
        degrees_of_freedom=count - 1 if count > 1 else None,
        source=source,
    )


def _tick(repeats: Sequence[Repeat], domain: Domain, mean_wh: float) -> UncertaintyTerm:
    if _all_integrated(repeats, domain):
        return _normal("tick", _Figure(0.0, "no counter was read: see sampling"))
    return _normal(
        "tick",
        _over_repeats(
            repeats, domain, mean_wh, _tick_wh, "how well the counter's ticks and the power between them are known"
        ),
    )


def _tick_wh(reading: MeterReading, window: Window) -> float | str:  # noqa: ARG001
    if reading.source in _INTEGRATED:
        return 0.0
    if reading.standard_uncertainty_wh is None:
        return f"{reading.meter} does not tell how it read the counter at the edges of the windows"
    return reading.standard_uncertainty_wh


def _aliasing(repeats: Sequence[Repeat], domain: Domain, mean_wh: float, idle_w: float | None) -> UncertaintyTerm:
    if _all_integrated(repeats, domain):
        return _normal("aliasing", _Figure(0.0, "no counter was read: see sampling"))
    # A domain of several devices idles at the sum of their powers; their shares are not told apart.
    share_w = None if idle_w is None else idle_w / len(energies.devices_of(repeats[0].answer, domain))

    def aliasing_wh(reading: MeterReading, window: Window) -> float | str:
        if reading.source in _INTEGRATED:
            return 0.0
        tick_s = _RAPL_TICK_S if reading.source == "rapl" else None
        if reading.counter is not None:
            tick_s = reading.counter.tick_s
        if tick_s is None:
            return "the counter's tick is not known"
        if reading.energy_wh is None:
            return "an energy is missing"
        power_w = wh_to_joules(reading.energy_wh) / window.duration_s
        swing_w = abs(power_w - share_w) if share_w is not None else power_w
        # At either edge up to half a tick's swing is hidden, evenly distributed; the two edges are independent.
        return joules_to_wh(swing_w * tick_s / 2) * math.sqrt(2 / 3)

    swing = "idle and mean power" if idle_w is not None else "0 and mean power, as no idle power was measured"
    return _normal(
        "aliasing",
        _over_repeats(
            repeats,
            domain,
            mean_wh,
            aliasing_wh,
            f"energy that a load which swings within the tick at either edge can hide; swing between {swing}",
        ),
    )


def _sampling(repeats: Sequence[Repeat], domain: Domain, mean_wh: float) -> UncertaintyTerm:
    if not any(reading.source in _INTEGRATED for reading, _ in _read(repeats, domain)):
        modelled = _modelled(repeats, domain)
        return _normal("sampling", _Figure(None if modelled else 0.0, modelled or "a counter of energy was read"))
    return _normal(
        "sampling",
        _over_repeats(
            repeats, domain, mean_wh, _sampling_wh, "power between its samples, from their period and spread"
        ),
    )


def _sampling_wh(reading: MeterReading, window: Window) -> float | str:  # noqa: ARG001
    if reading.source not in _INTEGRATED:
        return 0.0
    if reading.standard_uncertainty_wh is None:
        return f"{reading.meter} sums sampled powers and does not tell their period and spread"
    return reading.standard_uncertainty_wh


def _board_gain(repeats: Sequence[Repeat], domain: Domain) -> UncertaintyTerm:
    modelled = _modelled(repeats, domain)
    relative: float | None = BOARD_GAIN
    source = (
        "power sensing of NVIDIA boards, +-5 % rectangular (NVIDIA's NVML reference; arXiv 2312.02741); shared by all "
        "readings of one board, so that it cancels between scores of that board"
    )
    if modelled or domain.name != "gpu":
        relative, source = None, modelled or "no gain is specified for the counters of CPU and RAM"
    return UncertaintyTerm(
        name="board_gain",
        kind="B",
        standard_percent=None if relative is None else 100 * relative / math.sqrt(3),
        half_width_95_percent=None if relative is None else 100 * relative * _RECTANGULAR_95,
        source=source,
    )


def _over_repeats(
    repeats: Sequence[Repeat], domain: Domain, mean_wh: float, of_reading: _ReadingWh, source: str
) -> _Figure:
    """A term whose errors are independent between devices, windows and repeats: in quadrature, over n for the mean.

    Gaps of random length between the repeats put the windows' edges at random places within a tick.
    """
    modelled = _modelled(repeats, domain)
    if modelled:
        return _Figure(None, modelled)
    parts_wh = []
    for reading, window in _read(repeats, domain):
        part = of_reading(reading, window)
        if isinstance(part, str):
            return _Figure(None, part)
        parts_wh.append(part / passes_of(window))
    return _Figure(math.hypot(*parts_wh) / len(repeats) / mean_wh, source)


def _normal(name: Literal["tick", "aliasing", "sampling"], figure: _Figure) -> UncertaintyTerm:
    """A term that is a sum of many independent errors, and so is near to normal."""
    percent = None if figure.relative is None else 100 * figure.relative
    return UncertaintyTerm(
        name=name,
        kind="B",
        standard_percent=percent,
        half_width_95_percent=None if percent is None else _NORMAL_95 * percent,
        source=figure.why,
    )


def _modelled(repeats: Sequence[Repeat], domain: Domain) -> str | None:
    """Why a term cannot be told where no sensor was read; None where one was for all of the domain."""
    origin = energies.domain_origin([window for repeat in repeats for window in repeat.counted], domain)
    if origin == "measured":
        return None
    return {
        "modelled": "modelled: no sensor was read",
        "mixed": "modelled in part: no sensor was read for it",
    }.get(origin, "not known whether a sensor was read")


def _all_integrated(repeats: Sequence[Repeat], domain: Domain) -> bool:
    return _modelled(repeats, domain) is None and all(
        reading.source in _INTEGRATED for reading, _ in _read(repeats, domain)
    )


def _read(repeats: Sequence[Repeat], domain: Domain) -> list[tuple[MeterReading, Window]]:
    """Every reading of the domain that makes the score, with its window."""
    return [
        (reading, window)
        for window in chain.from_iterable(repeat.counted for repeat in repeats)
        for component in domain.components
        for reading in energies.readings_of(window, component, domain)
    ]


def _percent(part: float | None, whole: float) -> float | None:
    return None if part is None else 100 * part / whole
