"""What the meters of a run leave uncertain in its score: ticks, what ticks hide, sampling, and the board's gain. Pure.

Each term is relative to the mean over the repeats, and None with the reason where it cannot be told. `budget` puts
them together.
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
from scorekit.records import MeterReading, UncertaintyTerm, Window
from scorekit.units import NORMAL_95, joules_to_wh, wh_to_joules

BOARD_GAIN: Final = 0.05
"""NVIDIA's NVML reference gives +-5 % of the power (nvmlDeviceGetPowerUsage; said of Fermi and Kepler, nothing of newer
boards); arXiv 2312.02741 measured gains of that order on newer ones."""
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
class MeterRun:
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


def tick(run: MeterRun, mean_wh: float) -> UncertaintyTerm:
    """How well it is known what a counter told at the edges of the windows."""
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


def aliasing(run: MeterRun, mean_wh: float, idle_w: float | None) -> UncertaintyTerm:
    """What a load that swings within a counter's tick can hide at the edges.

    Args:
        run: the repeats.
        mean_wh: mean energy of one pass over the repeats.
        idle_w: power of the domain with nothing asked; None where it was not measured.
    """
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


def sampling(run: MeterRun, mean_wh: float) -> UncertaintyTerm:
    """What sums of sampled powers do not see between the samples."""
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


def board_gain(run: MeterRun) -> UncertaintyTerm:
    """By how much the power sensing of a board may be off, which all scores of that board share."""
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


def _alike(run: MeterRun, mean_wh: float, of_reading: _ReadingWh, source: str) -> _Figure:
    """A term whose errors are alike in every repeat: the mean over the repeats, which more of them do not lessen."""
    found = _by_repeat(run, of_reading)
    if isinstance(found, str):
        return _Figure(None, found)
    return _Figure(uncertainty.mean(found) / mean_wh, f"{source}; alike in every repeat")


def _independent(run: MeterRun, mean_wh: float, of_reading: _ReadingWh, source: str) -> _Figure:
    """A term whose errors are independent between repeats: in quadrature, over n for the mean."""
    found = _by_repeat(run, of_reading)
    if isinstance(found, str):
        return _Figure(None, found)
    return _Figure(math.hypot(*found) / len(found) / mean_wh, source)


def _by_repeat(run: MeterRun, of_reading: _ReadingWh) -> list[float] | str:
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
        half_width_95_percent=None if percent is None else NORMAL_95 * percent,
        source=figure.why,
    )
