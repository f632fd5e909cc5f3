"""A run's sampled power trace, as the checks read it."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Literal

AVERAGED_S: Final = 1.0
"""power.draw is the mean over this time on Ampere and newer (NVIDIA's nvidia-smi documentation; arXiv 2312.02741)."""

Quantity = Literal[
    "power_w", "counter_mj", "temperature_c", "sm_clock_mhz", "mem_clock_mhz", "reasons", "utilization_percent"
]


@dataclass(frozen=True, slots=True)
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
        return [(self.t_s[at], values[at]) for at in range(first, last) if not math.isnan(values[at])]

    def values(self, quantity: Quantity, start_s: float, end_s: float) -> list[float]:
        """The same without the times."""
        return [value for _, value in self.between(quantity, start_s, end_s)]

    def energy_ws(self, start_s: float, end_s: float) -> float | None:
        """Integral of power [W s] by trapezoids, with the power at the edges interpolated.

        None where the samples do not reach from edge to edge without a gap longer than the time that one of them
        averages over.
        """
        points = self.between("power_w", start_s - 2 * AVERAGED_S, end_s + 2 * AVERAGED_S)
        if not points or points[0][0] > start_s or points[-1][0] < end_s:
            return None
        parts = []
        for (t0, p0), (t1, p1) in pairwise(points):
            if t1 <= start_s or t0 >= end_s:
                continue
            if t1 - t0 > AVERAGED_S:
                return None
            left, right = max(t0, start_s), min(t1, end_s)
            slope = (p1 - p0) / (t1 - t0) if t1 > t0 else 0.0
            parts.append((right - left) * (p0 + slope * ((left + right) / 2 - t0)))
        return math.fsum(parts)

    def power_at(self, t_s: float) -> float | None:
        """Power [W] of the last sample at or before a moment, not older than the time that it averages over."""
        found = self.values("power_w", t_s - AVERAGED_S, t_s)
        return found[-1] if found else None


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
