"""The uncertainty budget of a score: every source apart, each with where its figure comes from. Pure.

Terms are standard uncertainties of the mean over the repeats, relative to it (GUM, JCGM 100). What cannot be told is
None with the reason, never 0. The derivations stand in docs/methodology.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
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
_TICKS_S: Final = {"nvml": 0.1, "nvml_counter": 0.1, "rapl": 0.001}
"""Refresh periods by source, for counters that were read as they stood. NVML's: about 100 ms (arXiv 2312.02741);
RAPL's: about a millisecond (Intel SDM, volume 3B, Running Average Power Limit)."""
_RECTANGULAR: Final = 1 / math.sqrt(12)
"""Standard deviation of a rectangular distribution, relative to its whole width."""
_NO_SUM: Final = "; without it there is no combined uncertainty"
_ReadingWh = Callable[[MeterReading, Window, Repeat], float | str]
"""One standard deviation of a reading in Wh, or why it cannot be told."""


@dataclass(frozen=True)
class _Run:
    """The repeats and what they cover. Its views are worked out once: every term asks for them.

    Attributes:
        repeats: the run's repeats.
        domain: what their energies cover.
    """

    repeats: Sequence[Repeat]
    domain: Domain

    @cached_property
    def by_repeat(self) -> list[list[tuple[MeterReading, Window, Repeat]]]:
        """Every reading of the domain that makes the score, with its window and its repeat."""
        return [
            [
                (reading, window, repeat)
                for window in repeat.counted
                for component in self.domain.components
                for reading in energies.readings_of(window, component, self.domain)
            ]
            for repeat in self.repeats
        ]

    @property
    def read(self) -> Iterator[tuple[MeterReading, Window, Repeat]]:
        """The same, one after the other."""
        return chain.from_iterable(self.by_repeat)

    @cached_property
    def modelled(self) -> str | None:
        """Why a term cannot be told where no sensor was read; None where one was for all of the domain."""
        origin = energies.domain_origin([window for repeat in self.repeats for window in repeat.counted], self.domain)
        if origin == "measured":
            return None
        return {
            "modelled": "modelled: no sensor was read",
            "mixed": "modelled in part: no sensor was read for it",
        }.get(origin, "not known whether a sensor was read")

    @property
    def all_integrated(self) -> bool:
        """Whether every reading is a sum of sampled powers."""
        return self.modelled is None and all(reading.source in _INTEGRATED for reading, _, _ in self.read)


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
    run = _Run(repeats, domain)
    others = (_tick(run, mean_wh), _aliasing(run, mean_wh, idle_w), _sampling(run, mean_wh))
    gain = _board_gain(run)
    combined = _combined(half_width_wh, mean_wh, others, measured=run.modelled is None)
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


def _combined(
    half_width_wh: float | None, mean_wh: float, terms: Sequence[UncertaintyTerm], *, measured: bool
) -> float | None:
    """None too where a term of a sensor is unknown: a sum without it would look surer the less is known."""
    known = [term.half_width_95_percent for term in terms if term.half_width_95_percent is not None]
    if half_width_wh is None or (measured and len(known) != len(terms)):
        return None
    return math.hypot(100 * half_width_wh / mean_wh, *known)


def _repeats(energies_wh: Sequence[float], half_width_wh: float | None, *, adaptive: bool) -> UncertaintyTerm:
    count, mean_wh = len(energies_wh), uncertainty.mean(energies_wh)
    error_wh, dependence = uncertainty.standard_error(energies_wh), uncertainty.dependence_factor(energies_wh)
    if half_width_wh is None:
        source = "one repeat tells nothing of the spread between repeats"
    else:
        source = f"standard deviation of {count} repeats over sqrt({count}); Student t"
        if dependence > 1:
            source += f", widened by {dependence:.2f} because each repeat resembles the one before"
        if adaptive:
            source += f", widened by {uncertainty.sequential_factor(count):g} because the spread ended the repeats"
    return UncertaintyTerm(
        name="repeats",
        kind="A",
        standard_percent=_percent(None if error_wh is None else dependence * error_wh, mean_wh),
        half_width_95_percent=_percent(half_width_wh, mean_wh),
        degrees_of_freedom=count - 1 if count > 1 else None,
        source=source,
    )


def _tick(run: _Run, mean_wh: float) -> UncertaintyTerm:
    if run.all_integrated:
        return _normal("tick", _Figure(0.0, "no counter was read: see sampling"))
    source = "how well the counter's ticks and the power between them are known"
    bounds_s = sorted({_TICKS_S[r.source] for r, _, _ in run.read if _is_bounded(r) and r.source})
    if bounds_s:
        told = " or ".join(f"{tick_s:g} s" for tick_s in bounds_s)
        source = f"counter read as it stood: mean power times a tick of {told} at either edge, rectangular"
    return _normal("tick", _alike(run, mean_wh, _tick_wh, source))


def _is_bounded(reading: MeterReading) -> bool:
    """Whether a counter was read that ticks in a known way, without a word of how it stood at the edges."""
    return reading.source in _TICKS_S and reading.standard_uncertainty_wh is None


def _tick_wh(reading: MeterReading, window: Window, repeat: Repeat) -> float | str:
    if reading.source in _INTEGRATED:
        return 0.0
    if reading.standard_uncertainty_wh is not None:
        return reading.standard_uncertainty_wh
    if not _is_bounded(reading) or reading.source is None:
        return f"{reading.meter} does not tell how it read the counter at the edges of the windows"
    tick_s = _TICKS_S[reading.source]
    if not reading.energy_wh:
        # It did not tick in the window: all of its energy may be missing, at most at the power of answering.
        of_device = (reading.meter, reading.component, reading.device)
        same = [found for found in repeat.answer.readings if (found.meter, found.component, found.device) == of_device]
        power_w = max(_power_w(found, repeat.answer, tick_s) for found in same)
        return joules_to_wh(power_w * min(tick_s, window.duration_s)) * _RECTANGULAR
    # Each of the two edges is told late by 0 to one tick.
    return joules_to_wh(_power_w(reading, window, tick_s) * tick_s) * _RECTANGULAR * math.sqrt(2)


def _power_w(reading: MeterReading, window: Window, tick_s: float) -> float:
    """Mean power over a window. One that is shorter than a tick holds the energy of a whole tick, or none."""
    return wh_to_joules(reading.energy_wh or 0.0) / max(window.duration_s, tick_s)


def _aliasing(run: _Run, mean_wh: float, idle_w: float | None) -> UncertaintyTerm:
    if run.all_integrated:
        return _normal("aliasing", _Figure(0.0, "no counter was read: see sampling"))
    if run.modelled is None and all(_is_bounded(reading) for reading, _, _ in run.read):
        return _normal("aliasing", _Figure(0.0, "held by tick, which takes all of the ticks at the edges as unknown"))
    # A domain of several devices idles at the sum of their powers; their shares are not told apart.
    share_w = None if idle_w is None else idle_w / len(energies.devices_of(run.repeats[0].answer, run.domain))

    def aliasing_wh(reading: MeterReading, window: Window, repeat: Repeat) -> float | str:  # noqa: ARG001
        if reading.source in _INTEGRATED or _is_bounded(reading):
            return 0.0
        if reading.counter is None or reading.counter.tick_s is None:
            return "the counter's tick is not known"
        if reading.energy_wh is None:
            return "an energy is missing"
        power_w = wh_to_joules(reading.energy_wh) / window.duration_s
        swing_w = abs(power_w - share_w) if share_w is not None else power_w
        # At either edge up to half a tick's swing is hidden to either side, evenly distributed.
        return joules_to_wh(swing_w * reading.counter.tick_s) * _RECTANGULAR * math.sqrt(2)

    swing = "idle and mean power" if idle_w is not None else "0 and mean power, as no idle power was measured"
    source = f"energy that a load which swings within the tick at either edge can hide; swing between {swing}"
    return _normal("aliasing", _alike(run, mean_wh, aliasing_wh, source))


def _sampling(run: _Run, mean_wh: float) -> UncertaintyTerm:
    if not any(reading.source in _INTEGRATED for reading, _, _ in run.read):
        return _normal(
            "sampling", _Figure(None if run.modelled else 0.0, run.modelled or "a counter of energy was read")
        )
    source = "power between its samples, from their period and spread"
    return _normal("sampling", _independent(run, mean_wh, _sampling_wh, source))


def _sampling_wh(reading: MeterReading, window: Window, repeat: Repeat) -> float | str:  # noqa: ARG001
    if reading.source not in _INTEGRATED:
        return 0.0
    if reading.standard_uncertainty_wh is None:
        return f"{reading.meter} sums sampled powers and does not tell their period and spread"
    return reading.standard_uncertainty_wh


def _board_gain(run: _Run) -> UncertaintyTerm:
    relative: float | None = BOARD_GAIN
    source = (
        "power sensing of NVIDIA boards, +-5 % rectangular (NVIDIA's NVML reference; arXiv 2312.02741); shared by all "
        "readings of one board, so that it cancels between scores of that board"
    )
    if run.modelled or run.domain.name != "gpu":
        relative, source = None, run.modelled or "no gain is specified for the counters of CPU and RAM"
    return UncertaintyTerm(
        name="board_gain",
        kind="B",
        standard_percent=None if relative is None else 100 * relative / math.sqrt(3),
        half_width_95_percent=None if relative is None else 100 * relative * _RECTANGULAR_95,
        source=source,
    )


def _alike(run: _Run, mean_wh: float, of_reading: _ReadingWh, source: str) -> _Figure:
    """A term whose errors are alike in every repeat: the mean over the repeats, which more of them do not lessen."""
    found = _by_repeat(run, of_reading)
    if isinstance(found, str):
        return _Figure(None, found)
    return _Figure(uncertainty.mean(found) / mean_wh, f"{source}; alike in every repeat")


def _independent(run: _Run, mean_wh: float, of_reading: _ReadingWh, source: str) -> _Figure:
    """A term whose errors are independent between repeats: in quadrature, over n for the mean."""
    found = _by_repeat(run, of_reading)
    if isinstance(found, str):
        return _Figure(None, found)
    return _Figure(math.hypot(*found) / len(found) / mean_wh, source)


def _by_repeat(run: _Run, of_reading: _ReadingWh) -> list[float] | str:
    """One standard deviation of each repeat's energy in Wh, devices and windows in quadrature; or why it is unknown."""
    if run.modelled:
        return run.modelled
    sums_wh = []
    for read in run.by_repeat:
        parts_wh = []
        for reading, window, repeat in read:
            part = of_reading(reading, window, repeat)
            if isinstance(part, str):
                return part + _NO_SUM
            parts_wh.append(part / passes_of(window))
        sums_wh.append(math.hypot(*parts_wh))
    return sums_wh


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


def _percent(part: float | None, whole: float) -> float | None:
    return None if part is None else 100 * part / whole
