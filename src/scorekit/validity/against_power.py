"""The check of the counter against sampled power (6): coarse in each window, sharp from idle to idle around it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from scorekit.records import Check, MeterReading, Window
from scorekit.units import joules_to_wh, wh_to_joules
from scorekit.validity.evidence import TICK_S, Evidence
from scorekit.validity.sampled import BRIDGED, Rise, Span, rise_over, span_around, unseen_j, why_no_span
from scorekit.validity.trace import AVERAGED_S, DeviceTrace
from scorekit.validity.verdicts import Finding, Rule, fail, gpu, names, untold, where

AGAINST_POWER: Final = 0.02
"""Counter and sampled power come from one sensor on the board, so a gain that is off shifts both alike; what parts them
by more is a counter that lost or won energy."""
LEAST_SAMPLED_S: Final = 2.0
"""Shorter windows hold too few samples that average over a second."""
SAME_COUNTER: Final = 0.005
"""A reading and the samples of its counter are of one counter: only their moments differ."""

_AGAINST_POWER: Final = Rule(6, "counter_agrees_with_power")
_METERS: Final = "measure with scenario.meters=[nvml,codecarbon]"
_LONGER: Final = "measure with longer windows (scenario.min_window_s=10)"
_AWAKE: Final = (
    "see the run's log and the kernel's for what kept the sampler from reading then (a machine that was paused or had "
    "no core to spare, a driver that did not answer), and measure again without it"
)
_ANSWERED: Final = "see with `scorekit doctor` what the GPU tells of itself, and measure again"


@dataclass(frozen=True, slots=True)
class Against:
    """An energy beside the integral of sampled power, in joules.

    Attributes:
        lowest: the least energy that the samples allow for, at the tolerance.
        highest: the most.
        unseen: how much of that is left open by what no sample tells of.
    """

    energy: float
    integral: float
    lowest: float
    highest: float
    unseen: float = 0.0

    @property
    def agrees(self) -> bool:
        """Whether the energy is one that the samples allow for."""
        return self.lowest <= self.energy <= self.highest


def against_power(evidence: Evidence, window: Window, reading: MeterReading) -> Against | None:
    """An energy against the integral of sampled power; None where the samples cannot tell.

    The samples' integral over a window from a to b is not its energy where each is a mean over the last second. Written
    out, with tau that second and the power P: integral - E = tau / 2 * (P before a - P before b), both means weighted
    towards the edge. The plain mean over the second before an edge is the sample at the edge itself, so the lag takes
    L = tau / 2 * (sample at b - sample at a) off the energy. Older drivers give the power of the moment, with no lag:
    hence anything from 0 to L is allowed for. The weighted mean differs from the plain one by at most a quarter of the
    swing of P within that second, which the samples do not show: it is taken as the widest there can be, from idle to
    the power limit. So each edge adds tau / 8 of that. For a load of 300 W on an H100 idle at 70 W, all of it together
    is 7 to 11 % of a window of 10 s and 3 to 3.5 % of one of 60 s. What no sample tells of is bridged up to BRIDGED of
    the window, and left open in full.
    """
    trace = evidence.trace_of(reading.device)
    energy_wh = reading.energy_wh
    if trace is None or energy_wh is None or not math.isfinite(energy_wh) or window.duration_s < LEAST_SAMPLED_S:
        return None
    start_s, end_s = window.start_monotonic_s, window.end_monotonic_s
    integral = trace.energy_ws(start_s, end_s, BRIDGED * window.duration_s)
    at_start, at_end = trace.power_at(start_s), trace.power_at(end_s)
    if integral is None or at_start is None or at_end is None:
        return None
    lag = AVERAGED_S / 2 * (at_end - at_start)
    # tau / 8 at each of the two edges.
    swing_w = widest_swing_w(evidence, reading.device, trace)
    unseen = unseen_j(trace, start_s, end_s, evidence.idle_power_w(reading.device), swing_w)
    open_j = AGAINST_POWER * integral + AVERAGED_S / 4 * swing_w + unseen
    if reading.standard_uncertainty_wh is not None:
        open_j += 2 * wh_to_joules(reading.standard_uncertainty_wh)
    else:
        open_j += 2 * TICK_S * max(at_start, at_end)
    return Against(
        energy=wh_to_joules(energy_wh),
        integral=integral,
        lowest=integral + min(0.0, lag) - open_j,
        highest=integral + max(0.0, lag) + open_j,
        unseen=unseen,
    )


def widest_swing_w(evidence: Evidence, device: str, trace: DeviceTrace) -> float:
    """How far the power may have swung within a second: from idle to the limit."""
    highest = max(evidence.limits_w(device), default=None) or 2 * max(
        (p for p in trace.power_w if not math.isnan(p)), default=0.0
    )
    return max(0.0, highest - (evidence.idle_power_w(device) or 0.0))


def counter_agrees_with_power(evidence: Evidence) -> Check:
    """The counter's energy is the integral of the sampled power, and the readings are those of that counter."""
    if not evidence.on_gpu:
        return _AGAINST_POWER.nothing("no GPU was measured: there is no counter")
    if evidence.trace is None:
        return _AGAINST_POWER.unknown("power was not sampled", _METERS, severe=evidence.must_tell)
    findings = [*_coarse(evidence)]
    dark: dict[tuple[str, str], list[str]] = {}
    spans: list[Span] = []
    for device in evidence.devices:
        found, rises, untold_of = _sharp(evidence, device)
        for window, reason in untold_of:
            dark.setdefault(reason, []).append(where(window))
        spans += found
        findings += _pooled(device, found, rises)
    for (why, mend), windows in dark.items():
        places = names(list(dict.fromkeys(windows)))
        findings.append(untold(f"{why}, in {places}", mend, severe=evidence.must_tell))
    compared = [span for span in spans if span.integral_j > 0]
    worst = max((abs(span.counter_j / span.integral_j - 1) for span in compared), default=0.0)
    unseen = max((span.unseen_j / span.integral_j for span in compared), default=0.0)
    passing = f"the counter agrees with sampled power around {len(spans)} windows, {worst:.1%} apart at most"
    details: dict[str, JsonValue] = {"windows": len(spans), "worst_relative": worst, "allowed": AGAINST_POWER}
    if unseen > 0:
        details["unseen_relative"] = unseen
    return _AGAINST_POWER.judged(
        findings,
        passing=passing + (f"; what no sample tells of leaves up to {unseen:.1%} open" if unseen > 0 else ""),
        mend="the counter or the power sensor is wrong; see `scorekit doctor`, and measure on another GPU",
        details=details,
    )


def _coarse(evidence: Evidence) -> Iterator[Finding]:
    """Readings against sampled power over the window itself, with room for the samples' lag."""
    for window in evidence.repeated:
        for reading in evidence.readings(window):
            found = against_power(evidence, window, reading)
            if found is None or found.agrees:
                continue
            deviation = found.energy / found.integral - 1 if found.integral > 0 else math.inf
            yield fail(
                f"the counter of {gpu(reading.device)} gives {joules_to_wh(found.energy):.4g} Wh, its sampled power "
                f"{joules_to_wh(found.integral):.4g} Wh ({deviation:+.1%}), expected {AGAINST_POWER:.0%} and what the "
                "samples' lag" + (" and gaps explain" if found.unseen else " explains"),
                at=window,
                counter_j=found.energy,
                integral_j=found.integral,
                lowest_j=found.lowest,
                highest_j=found.highest,
            )


def _sharp(evidence: Evidence, device: str) -> tuple[list[Span], list[Rise], list[tuple[Window, tuple[str, str]]]]:
    """What is sampled around each answering window, what its reading is against it, and of windows without why."""
    trace = evidence.trace_of(device)
    spans, rises, dark = [], [], []
    for window in evidence.answers:
        readings = [found for found in evidence.readings(window) if found.device == device]
        span = rise = None
        if trace is not None and window.duration_s >= LEAST_SAMPLED_S:
            swing_w = widest_swing_w(evidence, device, trace)
            tick_s = evidence.tick_s(window, device) or TICK_S
            span = span_around(trace, window, tick_s, evidence.idle_power_w(device), swing_w)
            rise = rise_over(trace, window, readings[0], tick_s, swing_w) if readings else None
        if span is None:
            dark.append((window, _why_dark(trace, window, device)))
        else:
            spans.append(span)
        if rise is not None:
            rises.append(rise)
    return spans, rises, dark


def _why_dark(trace: DeviceTrace | None, window: Window, device: str) -> tuple[str, str]:
    """Why nothing is compared around a window, and the mend of it."""
    if trace is None:
        return f"{gpu(device)} was not sampled", _METERS
    if window.duration_s < LEAST_SAMPLED_S:
        return f"the window is shorter than {LEAST_SAMPLED_S:.0f} s", _LONGER
    why, silent = why_no_span(trace, window)
    return f"{gpu(device)}: {why}", _AWAKE if silent else _ANSWERED


def _pooled(device: str, spans: Sequence[Span], rises: Sequence[Rise]) -> Iterator[Finding]:
    """Each window, and all together: what a tick leaves open at the edges falls off then."""
    for span in spans:
        if abs(span.counter_j - span.integral_j) > AGAINST_POWER * span.integral_j + _open_j(span) + span.ticks_j:
            yield _apart(device, span.window, span.counter_j, span.integral_j)
    for rise in rises:
        if abs(rise.reading_j - rise.counter_j) > SAME_COUNTER * abs(rise.counter_j) + rise.open_j:
            yield _other(device, rise.window, rise.reading_j, rise.counter_j)
    if len(spans) > 1:
        counter_j, integral_j = (math.fsum(span.counter_j for span in spans), math.fsum(s.integral_j for s in spans))
        open_j = math.fsum(_open_j(span) for span in spans) + math.hypot(*(span.ticks_j for span in spans))
        if abs(counter_j - integral_j) > AGAINST_POWER * integral_j + open_j:
            yield _apart(device, None, counter_j, integral_j)
    if len(rises) > 1:
        reading_j, counter_j = (math.fsum(rise.reading_j for rise in rises), math.fsum(r.counter_j for r in rises))
        # Windows that begin at ticks err alike: twice of what independent edges would leave open.
        open_j = 2 * math.hypot(*(rise.open_j for rise in rises))
        if abs(reading_j - counter_j) > SAME_COUNTER * abs(counter_j) + open_j:
            yield _other(device, None, reading_j, counter_j)


def _open_j(span: Span) -> float:
    """Most by which samples that are true may part from the counter around a window, but for its ticks."""
    return span.lag_j + span.unseen_j


def _apart(device: str, window: Window | None, counter_j: float, integral_j: float) -> Finding:
    place = "from idle to idle around it" if window is not None else "from idle to idle around all windows together"
    deviation = counter_j / integral_j - 1 if integral_j > 0 else math.inf
    return fail(
        f"{place} the counter of {gpu(device)} rose by {joules_to_wh(counter_j):.4g} Wh, its sampled power makes "
        f"{joules_to_wh(integral_j):.4g} Wh ({deviation:+.1%}), expected {AGAINST_POWER:.0%}",
        at=window,
        counter_j=counter_j,
        integral_j=integral_j,
    )


def _other(device: str, window: Window | None, reading_j: float, counter_j: float) -> Finding:
    place = "" if window is not None else "in all windows together "
    deviation = reading_j / counter_j - 1 if counter_j > 0 else math.inf
    return fail(
        f"{place}{joules_to_wh(reading_j):.4g} Wh were read of {gpu(device)}, its sampled counter rose by "
        f"{joules_to_wh(counter_j):.4g} Wh ({deviation:+.1%}), expected the same but for its ticks",
        at=window,
        reading_j=reading_j,
        counter_j=counter_j,
    )
