"""A run's sampled power trace, as the checks read it."""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from operator import add, mul, sub
from typing import Final, Literal

AVERAGED_S: Final = 1.0
"""power.draw is the mean over this time on Ampere and newer (NVIDIA's nvidia-smi documentation; arXiv 2312.02741)."""
GAP_STEPS: Final = 1.5
"""A step of more than so many usual ones is a gap. Packing keeps samples up to a second apart, and each may be late."""
_MOST_STEPS: Final = 10_000
"""So many steps tell which one is the usual one."""

Quantity = Literal[
    "power_w", "counter_mj", "temperature_c", "sm_clock_mhz", "mem_clock_mhz", "reasons", "utilization_percent"
]


@dataclass(frozen=True)
class DeviceTrace:
    """The samples of one GPU, in the order of time. NaN stands for what the driver did not answer.

    Attributes:
        t_s: monotonic clock; rising. The other sequences are as long, or empty where a trace lacks the column.
        reasons: NVML's bits of clocks event reasons.
    """

    t_s: Sequence[float]
    power_w: Sequence[float] = ()
    counter_mj: Sequence[float] = ()
    temperature_c: Sequence[float] = ()
    sm_clock_mhz: Sequence[float] = ()
    mem_clock_mhz: Sequence[float] = ()
    reasons: Sequence[float] = ()
    utilization_percent: Sequence[float] = ()

    def between(self, quantity: Quantity, start_s: float, end_s: float) -> list[tuple[float, float]]:
        """Time and value of each sample from start to end that has the quantity."""
        values: Sequence[float] = getattr(self, quantity)
        if not values:
            return []
        first, last = bisect_left(self.t_s, start_s), bisect_right(self.t_s, end_s)
        points = zip(self.t_s[first:last], values[first:last], strict=True)
        if self._is_known(quantity):
            return list(points)
        return [(t_s, value) for t_s, value in points if not math.isnan(value)]

    def values(self, quantity: Quantity, start_s: float, end_s: float) -> Sequence[float]:
        """The same without the times."""
        values: Sequence[float] = getattr(self, quantity)
        if not values:
            return []
        found = values[bisect_left(self.t_s, start_s) : bisect_right(self.t_s, end_s)]
        return found if self._is_known(quantity) else [value for value in found if not math.isnan(value)]

    def times(self, quantity: Quantity, start_s: float, end_s: float) -> Sequence[float]:
        """The times without the values."""
        values: Sequence[float] = getattr(self, quantity)
        if not values:
            return []
        if self._is_known(quantity):
            return self.t_s[bisect_left(self.t_s, start_s) : bisect_right(self.t_s, end_s)]
        return [t_s for t_s, _ in self.between(quantity, start_s, end_s)]

    def waits_s(self, start_s: float, end_s: float, longer_than_s: float) -> list[float]:
        """How long no power was known from start to end [s], each time that it was for longer than some time.

        Start and end count as if there were a sample.
        """
        times, _ = self._powers
        first, last = bisect_left(times, start_s), bisect_right(times, end_s)
        if first >= last:
            return [end_s - start_s] if end_s - start_s > longer_than_s else []
        within: Sequence[float] = ()
        if self._longest_step_s > longer_than_s:
            within = self._steps_s[first : last - 1]
        waits_s = (times[first] - start_s, *within, end_s - times[last - 1])
        return [wait_s for wait_s in waits_s if wait_s > longer_than_s]

    def unseen(self, start_s: float, end_s: float) -> list[tuple[float, float]]:
        """From when to when no sample tells of the power, within a stretch and in the order of time [s].

        A sample tells of the second before it, so the rest of a longer step is unseen. Of a gap all of it is: what a
        sample of the mean over a second differs from the power at its moment falls off from step to step only.
        """
        starts, ends = self._unseen
        found = range(bisect_right(ends, start_s), bisect_left(starts, end_s))
        return [(max(starts[at], start_s), min(ends[at], end_s)) for at in found]

    def unseen_s(self, start_s: float, end_s: float) -> float:
        """How long that is in all [s]."""
        return math.fsum(until_s - from_s for from_s, until_s in self.unseen(start_s, end_s))

    def energy_ws(self, start_s: float, end_s: float, bridged_s: float = 0.0) -> float | None:
        """Integral of power [W s] by trapezoids, with the power at the edges interpolated.

        None where the samples do not reach from edge to edge, or tell nothing of more than `bridged_s` between them.
        """
        times, powers = self._powers
        doubled = self._integral
        first, last = bisect_right(times, start_s) - 1, bisect_left(times, end_s)
        if first < 0 or last >= len(times) or self.unseen_s(start_s, end_s) > bridged_s:
            return None
        before = _trapezoid(times, powers, first, times[first], start_s)
        after = _trapezoid(times, powers, last - 1, end_s, times[last])
        return (doubled[last] - doubled[first]) / 2 - before - after

    @cached_property
    def _powers(self) -> tuple[Sequence[float], Sequence[float]]:
        """The powers that are known, and their times before them."""
        if self.power_w and self._is_known("power_w"):
            return self.t_s, self.power_w
        points = self.between("power_w", -math.inf, math.inf)
        return [t_s for t_s, _ in points], [power_w for _, power_w in points]

    @cached_property
    def _steps_s(self) -> list[float]:
        """From each known power to the next."""
        times, _ = self._powers
        return list(map(sub, times[1:], times))

    @cached_property
    def _longest_step_s(self) -> float:
        return max(self._steps_s, default=0.0)

    @cached_property
    def _integral(self) -> list[float]:
        """Twice the integral up to each known power."""
        _, powers = self._powers
        # By whole columns: there may be millions of samples.
        return list(accumulate(map(mul, self._steps_s, map(add, powers[1:], powers)), initial=0.0))

    @cached_property
    def _unseen(self) -> tuple[list[float], list[float]]:
        """Where each stretch begins of which no sample tells, and where it ends."""
        if self._longest_step_s <= AVERAGED_S:
            return [], []
        times, _ = self._powers
        usual_s = statistics.median(self._steps_s[:: len(self._steps_s) // _MOST_STEPS + 1])
        gap_s = max(AVERAGED_S, GAP_STEPS * usual_s)
        long = [(at, step_s) for at, step_s in enumerate(self._steps_s) if step_s > AVERAGED_S]
        ends = [times[at + 1] - (0.0 if step_s > gap_s else AVERAGED_S) for at, step_s in long]
        return [times[at] for at, _ in long], ends

    def power_at(self, t_s: float) -> float | None:
        """Power [W] of the last sample at or before a moment, not older than the time that it averages over."""
        found = self.values("power_w", t_s - AVERAGED_S, t_s)
        return found[-1] if found else None

    def has_all_of(self, quantities: Iterable[Quantity]) -> None:
        """Take it that every sample has these quantities: whoever read them knows, and it need not be found out."""
        self._known.update(dict.fromkeys(quantities, True))

    def _is_known(self, quantity: Quantity) -> bool:
        """Whether a quantity is known of every sample."""
        known = self._known.get(quantity)
        if known is None:
            # A sum is no number as soon as one of its terms is none; looking at each of them takes ten times as long.
            known = self._known[quantity] = not math.isnan(sum(getattr(self, quantity)))
        return known

    @cached_property
    def _known(self) -> dict[Quantity, bool]:
        """Of which that was found out: checks ask for each window."""
        return {}


def _trapezoid(times: Sequence[float], powers: Sequence[float], at: int, start_s: float, end_s: float) -> float:
    """The integral from start to end, both between a sample and the next."""
    if end_s <= start_s:
        return 0.0
    slope = (powers[at + 1] - powers[at]) / (times[at + 1] - times[at])
    return (end_s - start_s) * (powers[at] + slope * ((start_s + end_s) / 2 - times[at]))


@dataclass(frozen=True, slots=True)
class PowerTrace:
    """power.parquet.

    Attributes:
        devices: the samples of each GPU by UUID.
        period_s: time between samples as it was set; None where the file does not tell.
        sampler_cpu_s: CPU time that sampling took.
        sampler_wall_s: time over which it was taken.
    """

    devices: Mapping[str, DeviceTrace] = field(default_factory=dict)
    period_s: float | None = None
    sampler_cpu_s: float | None = None
    sampler_wall_s: float | None = None

    def of(self, device: str) -> DeviceTrace | None:
        """The samples of a GPU; None where it was not sampled."""
        return self.devices.get(device)

    def __iter__(self) -> Iterator[tuple[str, DeviceTrace]]:
        return iter(sorted(self.devices.items()))
