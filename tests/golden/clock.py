"""One measured GPU on a made-up clock: windows that follow each other, with the ticks of the counter around them."""

from __future__ import annotations

import math
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from scorekit.measuring.meters import PowerSample
from scorekit.records import CounterEvidence, GpuState, MeterReading, Window
from tests.bundles import NVML_GPU

_IDLE_W = 60.0
_GAP_S = 5.37
_START_UTC = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
_START_S = 1000.0


class Clock:
    """Windows on one H100, each of constant power, with idle gaps in between.

    Args:
        tick_s: how often the energy counter moves.
    """

    def __init__(self, tick_s: float) -> None:
        self._tick_s = tick_s
        self._now_s = _START_S
        self._energy_j = 0.0
        self._curve: list[tuple[float, float]] = [(_START_S, 0.0)]

    def idle(self, phase: str) -> Window:
        """A minute of nothing: 1 Wh, 60 W."""
        return self.window(phase, None, 60.0, 1.0, 0.0005)

    def window(
        self, phase: str, repeat: int | None, seconds: float, energy_wh: float, standard_wh: float, **counts: Any
    ) -> Window:
        """A window of an even power, after an idle gap."""
        self._pass(_GAP_S, _IDLE_W)
        start_s, before_j, watts = self._now_s, self._energy_j, energy_wh * 3600 / seconds
        self._pass(seconds, watts)

        def tick(number: int) -> tuple[float, int]:
            """Time and value [mJ] of a tick; ticks lie at whole numbers of periods."""
            t_s = number * self._tick_s
            inside_s = min(max(t_s - start_s, 0.0), seconds)
            outside_s = t_s - start_s - inside_s
            return round(t_s, 6), round(1000 * (before_j + inside_s * watts + outside_s * _IDLE_W))

        first = math.floor(start_s / self._tick_s)
        last = math.floor((start_s + seconds) / self._tick_s)
        evidence = CounterEvidence(
            tick_s=self._tick_s,
            tick_spread_s=0.0005,
            ticks_seen=24,
            before_start=(tick(first),),
            after_start=(tick(first + 1), tick(first + 2)),
            before_end=(tick(last),),
            after_end=(tick(last + 1), tick(last + 2)),
            decreased=False,
            failed_reads=0,
            reads=round(10 * seconds),
            longest_gap_s=0.12,
            longest_still_s=0.11,
        )
        reading = MeterReading(
            meter="nvml",
            component="gpu",
            device=NVML_GPU,
            energy_wh=energy_wh,
            origin="measured",
            source="nvml_counter",
            standard_uncertainty_wh=standard_wh,
            counter=evidence,
        )
        facts: dict[str, Any] = {
            "phase": phase,
            "repeat": repeat,
            "start_monotonic_s": round(start_s, 6),
            "end_monotonic_s": round(start_s + seconds, 6),
            "start_utc": self._utc(start_s),
            "end_utc": self._utc(start_s + seconds),
            "start_boottime_s": round(start_s + 10.0, 6),
            "end_boottime_s": round(start_s + seconds + 10.0, 6),
            "readings": (reading,),
        }
        return Window(**facts | counts)

    def state(self, when: Literal["start", "repeat", "end"], repeat: int | None = None) -> GpuState:
        """The GPU as it is now, idle."""
        return GpuState(
            when=when,
            repeat=repeat,
            monotonic_s=round(self._now_s, 6),
            utc=self._utc(self._now_s),
            device=NVML_GPU,
            driver="570.0",
            temperature_c=45,
            power_w=_IDLE_W,
            power_limit_w=700.0,
            sm_clock_mhz=1980,
            mem_clock_mhz=2619,
            clocks_locked=False,
            reasons=1,
            utilization_percent=0,
            persistence=True,
            ecc=True,
            mig=False,
            foreign_processes=0,
        )

    def _pass(self, seconds: float, watts: float) -> None:
        self._now_s += seconds
        self._energy_j += seconds * watts
        self._curve.append((self._now_s, self._energy_j))

    def trace(self, period_s: float) -> list[PowerSample]:
        """Samples from the start until a gap after the last window: powers are means over the last second."""
        self._pass(_GAP_S, _IDLE_W)
        ends_s, energies_j = zip(*self._curve, strict=True)

        def energy_j(t_s: float) -> float:
            at = max(bisect_left(ends_s, t_s), 1)
            span_s, span_j = ends_s[at] - ends_s[at - 1], energies_j[at] - energies_j[at - 1]
            return float(energies_j[at - 1] + span_j * (t_s - ends_s[at - 1]) / span_s)

        samples = []
        for number in range(math.floor((self._now_s - _START_S - 1) / period_s)):
            t_s = round(_START_S + 1 + number * period_s, 6)
            tick_s = max(math.floor(t_s / self._tick_s + 1e-6) * self._tick_s, _START_S)
            power_w = round(energy_j(t_s) - energy_j(t_s - 1), 3)
            busy = power_w > 2 * _IDLE_W
            samples.append(
                PowerSample(
                    t_s=t_s,
                    device=NVML_GPU,
                    power_w=power_w,
                    counter_mj=round(1000 * energy_j(tick_s)),
                    temperature_c=60 if busy else 45,
                    sm_clock_mhz=1980,
                    mem_clock_mhz=2619,
                    reasons=0 if busy else 1,
                    utilization_percent=100 if busy else 0,
                )
            )
        return samples

    def _utc(self, t_s: float) -> str:
        return (_START_UTC + timedelta(seconds=t_s - _START_S)).isoformat(timespec="milliseconds")
