"""Energy from readings of power, one at a time and in flat memory: trapezoids, gaps and clock jumps. Pure.

Between two readings the power is taken for a straight line. Intervals are kept by their length, so that what a gap is
can be told at the end, from the usual interval, without keeping the readings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

GAP_PERIODS: Final = 5.0
"""An interval of more than so many usual ones is a gap: a busy machine makes a sampler late by two or three."""
SHORT: Final = 0.2
"""An interval of less than this share of the long ones is short: GPUs of one moment are read one after the other."""
ALIKE: Final = 0.1
"""Intervals that differ from the usual one by at most this share of it are like it."""
_ROUNDING_S: Final = 0.0015
"""Two times are told to the millisecond each, so an interval of theirs is known to one and a half."""
_LONG_QUANTILE: Final = 0.95
"""Where the long intervals begin: of sixteen GPUs read in turn, one interval in sixteen leads to the next moment."""
_FINE_S: Final = 60.0
_COARSE: Final = math.log(1.01)
"""Intervals up to a minute are told apart by the millisecond, in which logs give their times; longer ones by 1 %."""


@dataclass(frozen=True, slots=True)
class PowerTotal:
    """What readings of power amount to.

    Attributes:
        energy_j: trapezoids between all neighbouring readings but those between which the clock was put back. None
            where there are fewer than two, or where a reading is no power.
        duration_s: length of those intervals.
        period_s: median interval between neighbouring readings of unlike moments; None where there is none.
        readings: how many there are.
        missing: moments without a reading.
        gaps: intervals of more than GAP_PERIODS periods.
        gap_s: their length.
        gap_j: energy of the straight lines across them, which is within energy_j.
        longest_gap_s: the longest.
        silent_before_s: from the first moment of the log to the first reading, where it is longer than GAP_PERIODS
            periods; 0 where it is not.
        silent_after_s: likewise from the last reading to the last moment.
        steps_back: how often the clock was put back.
        step_back_s: by how much in all.
        negative: readings below zero.
        not_numbers: readings that are NaN or infinite.
        short_share: share of the intervals that are SHORT: many where readings of several devices were taken for one's.
        alike_share: share of the intervals that are about as long as the usual one: nearly all where one device was
            read at a steady pace. 1.0 where there is no interval.
        far_change: how much a reading differs from the one before the last, relative to how much it differs from the
            last: small where two devices of unlike powers were read in turn. 1.0 where the power never changes.
    """

    energy_j: float | None
    duration_s: float
    period_s: float | None
    readings: int
    missing: int
    gaps: int
    gap_s: float
    gap_j: float
    longest_gap_s: float
    silent_before_s: float
    silent_after_s: float
    steps_back: int
    step_back_s: float
    negative: int
    not_numbers: int
    short_share: float
    alike_share: float
    far_change: float

    @property
    def unseen_share(self) -> float:
        """Share of the log's time that is in gaps, or before the first reading or after the last."""
        silent_s = self.silent_before_s + self.silent_after_s
        whole_s = self.duration_s + silent_s
        return (self.gap_s + silent_s) / whole_s if whole_s > 0 else 0.0

    @property
    def jump_share(self) -> float:
        """By how much of the time the clock was put back, with the interval that each time is lost."""
        lost_s = self.step_back_s + self.steps_back * (self.period_s or 0.0)
        whole_s = self.duration_s + lost_s
        return lost_s / whole_s if whole_s > 0 else float(self.steps_back > 0)


class PowerSeries:
    """Adds up readings of one device's power, in the order of the log."""

    def __init__(self) -> None:
        self._lengths: dict[int, list[float]] = {}
        self._last: tuple[float, float] | None = None
        self._readings = self._missing = self._steps_back = self._negative = self._not_numbers = 0
        self._step_back_s = 0.0
        self._moment_s: float | None = None
        self._silent_s = self._silent_before_s = 0.0
        self._before_last_w: float | None = None
        self._near_w = self._far_w = 0.0

    def add(self, t_s: float, power_w: float | None) -> None:
        """One reading.

        Args:
            t_s: when, on any clock.
            power_w: the power; None where it was not told.
        """
        if self._moment_s is not None:
            # Steps back are no time: they are told apart where there are readings around them.
            self._silent_s += max(0.0, t_s - self._moment_s)
        self._moment_s = t_s
        if power_w is None:
            self._missing += 1
            return
        if not self._readings:
            self._silent_before_s = self._silent_s
        self._silent_s = 0.0
        self._readings += 1
        if not math.isfinite(power_w):
            self._not_numbers += 1
            return
        if power_w < 0:
            self._negative += 1
        if self._last is not None:
            before_s, before_w = self._last
            length_s = t_s - before_s
            if self._before_last_w is not None:
                self._near_w += abs(power_w - before_w)
                self._far_w += abs(power_w - self._before_last_w)
            self._before_last_w = before_w
            if length_s < 0:
                self._steps_back += 1
                self._step_back_s -= length_s
            else:
                self._keep(length_s, length_s * (before_w + power_w) / 2)
        self._last = (t_s, power_w)

    def _keep(self, length_s: float, energy_j: float) -> None:
        key = round(length_s * 1000) if length_s < _FINE_S else 100_000 + int(math.log(length_s) / _COARSE)
        kept = self._lengths.get(key)
        if kept is None:
            self._lengths[key] = [1, length_s, energy_j, length_s]
            return
        kept[0] += 1
        kept[1] += length_s
        kept[2] += energy_j
        kept[3] = max(kept[3], length_s)

    def total(self) -> PowerTotal:
        """What was added so far."""
        kept = [self._lengths[key] for key in sorted(self._lengths)]
        period_s = _quantile([one for one in kept if one[1] > 0], 0.5)
        long_s = _quantile(kept, _LONG_QUANTILE) or 0.0
        short = sum(one[0] for one in kept if one[1] / one[0] < SHORT * long_s)
        gaps = [] if period_s is None else [one for one in kept if one[1] / one[0] > GAP_PERIODS * period_s]
        silent_s = [
            0.0 if period_s is None or silent_s <= GAP_PERIODS * period_s else silent_s
            for silent_s in (self._silent_before_s, self._silent_s)
        ]
        intervals = sum(one[0] for one in kept)
        differs_s = max(ALIKE * (period_s or 0.0), _ROUNDING_S)
        alike = sum(one[0] for one in kept if abs(one[1] / one[0] - (period_s or 0.0)) <= differs_s)
        told = bool(kept) and not self._not_numbers
        return PowerTotal(
            energy_j=math.fsum(one[2] for one in kept) if told else None,
            duration_s=math.fsum(one[1] for one in kept),
            period_s=period_s,
            readings=self._readings,
            missing=self._missing,
            gaps=int(sum(one[0] for one in gaps)),
            gap_s=math.fsum(one[1] for one in gaps),
            gap_j=math.fsum(one[2] for one in gaps),
            longest_gap_s=max((one[3] for one in gaps), default=0.0),
            silent_before_s=silent_s[0],
            silent_after_s=silent_s[1],
            steps_back=self._steps_back,
            step_back_s=self._step_back_s,
            negative=self._negative,
            not_numbers=self._not_numbers,
            short_share=short / intervals if intervals else 0.0,
            alike_share=alike / intervals if intervals else 1.0,
            far_change=self._far_w / self._near_w if self._near_w > 0 else 1.0,
        )


def _quantile(kept: list[list[float]], share: float) -> float | None:
    """The length that a share of the intervals is not longer than; None where there are none."""
    left = share * sum(one[0] for one in kept)
    for one in kept:
        left -= one[0]
        if left <= 0:
            return one[1] / one[0]
    return None
