"""Checks of one witness against another: the counter against sampled power (6), meter against meter (7), the sampler
itself (24), and whether what was modelled says so (25)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from scorekit.records import Check, MeterReading, Window
from scorekit.units import joules_to_wh, wh_to_joules
from scorekit.validity.evidence import TICK_S, Evidence
from scorekit.validity.trace import AVERAGED_S, DeviceTrace
from scorekit.validity.verdicts import Finding, Rule, fail, fail_if, gpu, names, warn, where

AGAINST_POWER: Final = 0.02
"""Counter and sampled power come from one sensor on the board, so a gain that is off shifts both alike; what parts them
by more is a counter that lost or won energy."""
LEAST_SAMPLED_S: Final = 2.0
"""Shorter windows hold too few samples that average over a second."""
BETWEEN_METERS: Final = 0.01
LEAST_TICKS_BETWEEN: Final = 4
"""In a window of fewer ticks, two readings that each may be two ticks off say nothing of each other."""
MISSED: Final = 0.05
OVERHEAD: Final = 0.005
"""Share of samples that may be missed, and of a core that sampling may take."""
LEAST_SAMPLES: Final = 20
"""A window of fewer samples tells no share."""

_AGAINST_POWER: Final = Rule(6, "counter_agrees_with_power")
_AGREE: Final = Rule(7, "meters_agree")
_SAMPLER: Final = Rule(24, "sampler_kept_up")
_ORIGIN: Final = Rule(25, "origin_tagged")


@dataclass(frozen=True, slots=True)
class _Against:
    """An energy beside the integral of sampled power, in joules.

    Attributes:
        lowest: the least energy that the samples allow for, at the tolerance.
        highest: the most.
    """

    energy: float
    integral: float
    lowest: float
    highest: float

    @property
    def agrees(self) -> bool:
        return self.lowest <= self.energy <= self.highest


def _against_power(evidence: Evidence, window: Window, reading: MeterReading) -> _Against | None:
    """An energy against the integral of sampled power; None where the samples cannot tell.

    The samples' integral over a window from a to b is not its energy where each is a mean over the last second. Written
    out, with tau that second and the power P: integral - E = tau / 2 * (P before a - P before b), both means weighted
    towards the edge. The plain mean over the second before an edge is the sample at the edge itself, so the lag takes
    L = tau / 2 * (sample at b - sample at a) off the energy. Older drivers give the power of the moment, with no lag:
    hence anything from 0 to L is allowed for. The weighted mean differs from the plain one by at most a quarter of the
    swing of P within that second, which the samples do not show: it is taken as the widest there can be, from idle to
    the power limit. So each edge adds tau / 8 of that. For a load of 300 W on an H100 idle at 70 W, all of it together
    is 7 to 11 % of a window of 10 s and 3 to 3.5 % of one of 60 s.
    """
    trace = evidence.trace_of(reading.device)
    energy_wh = reading.energy_wh
    if trace is None or energy_wh is None or not math.isfinite(energy_wh) or window.duration_s < LEAST_SAMPLED_S:
        return None
    start_s, end_s = window.start_monotonic_s, window.end_monotonic_s
    integral = trace.energy_ws(start_s, end_s)
    at_start, at_end = trace.power_at(start_s), trace.power_at(end_s)
    if integral is None or at_start is None or at_end is None:
        return None
    lag = AVERAGED_S / 2 * (at_end - at_start)
    open_j = AGAINST_POWER * integral + 2 * AVERAGED_S / 8 * _widest_swing_w(evidence, reading.device, trace)
    if reading.standard_uncertainty_wh is not None:
        open_j += 2 * wh_to_joules(reading.standard_uncertainty_wh)
    else:
        open_j += 2 * TICK_S * max(at_start, at_end)
    return _Against(
        energy=wh_to_joules(energy_wh),
        integral=integral,
        lowest=integral + min(0.0, lag) - open_j,
        highest=integral + max(0.0, lag) + open_j,
    )


def _widest_swing_w(evidence: Evidence, device: str, trace: DeviceTrace) -> float:
    """How far the power may have swung within a second: from idle to the limit."""
    limits = [state.power_limit_w for state in evidence.states_of(device) if state.power_limit_w is not None]
    highest = max(limits, default=None) or 2 * max((p for p in trace.power_w if not math.isnan(p)), default=0.0)
    return max(0.0, highest - (evidence.idle_power_w(device) or 0.0))


def counter_agrees_with_power(evidence: Evidence) -> Check:
    """The counter's energy is the integral of the sampled power, within 2 % and what the samples' lag explains."""
    if not evidence.on_gpu:
        return _AGAINST_POWER.nothing("no GPU was measured: there is no counter")
    if evidence.trace is None:
        return _AGAINST_POWER.unknown("power was not sampled", "measure with scenario.meters=[nvml,codecarbon]")
    findings = []
    judged = 0
    worst = 0.0
    uncovered = []
    for window in evidence.repeated:
        for reading in evidence.readings(window):
            found = _against_power(evidence, window, reading)
            if found is None:
                if window.phase == evidence.environment.run.kind:
                    uncovered.append(where(window))
                continue
            judged += 1
            deviation = found.energy / found.integral - 1 if found.integral > 0 else math.inf
            worst = max(worst, abs(deviation))
            if not found.agrees:
                findings.append(
                    fail(
                        f"the counter of {gpu(reading.device)} gives "
                        f"{joules_to_wh(found.energy):.4g} Wh, its sampled power {joules_to_wh(found.integral):.4g} Wh "
                        f"({deviation:+.1%}), expected {AGAINST_POWER:.0%} and what the samples' lag explains",
                        at=window,
                        counter_j=found.energy,
                        integral_j=found.integral,
                        lowest_j=found.lowest,
                        highest_j=found.highest,
                    )
                )
    if uncovered and not findings:
        return _AGAINST_POWER.unknown(
            f"power was not sampled without a gap, or the window is shorter than {LEAST_SAMPLED_S:.0f} s, in "
            f"{names(list(dict.fromkeys(uncovered)))}",
            "measure with longer windows (scenario.min_window_s=10), on a machine that is not overloaded",
        )
    return _AGAINST_POWER.judged(
        findings,
        passing=f"the counter agrees with sampled power in {judged} windows, {worst:.1%} apart at most",
        mend="the counter or the power sensor is wrong; see `scorekit doctor`, and measure on another GPU",
        details={"windows": judged, "worst_relative": worst, "allowed": AGAINST_POWER},
    )


def meters_agree(evidence: Evidence) -> Check:
    """A second meter gives the same energy of each answering window, within 1 % and the ticks at its edges."""
    if not evidence.on_gpu:
        return _AGREE.nothing("no GPU was measured; CPU and RAM have no second meter")
    own = evidence.meter_of("gpu")
    others = [name for name in evidence.environment.run.meters if name != own]
    findings: list[Finding] = []
    compared: list[float] = []
    for window in evidence.answers:
        for name in others:
            for mine, other in _pairs(evidence, window, name):
                compared.append(_difference(mine, other))
                findings += _disagreement(evidence, window, name, mine, other)
    if not compared:
        return _AGREE.unknown(
            f"only one meter ({own}) read the GPU", "measure with two, e.g. scenario.meters=[nvml,codecarbon]"
        )
    return _AGREE.judged(
        findings,
        passing=f"{names([own, *others])} agree, {max(compared):.1%} apart at most",
        mend="one of the meters is wrong; check 6 shows which agrees with the sampled power. Measure again, or leave "
        "the wrong one out of scenario.meters",
        details={"worst_relative": max(compared), "allowed": BETWEEN_METERS},
    )


def _pairs(evidence: Evidence, window: Window, name: str) -> Iterator[tuple[MeterReading, MeterReading]]:
    """Readings of one GPU by our meter and by another one."""
    others = [found for found in window.readings if found.component == "gpu" and found.meter == name]
    for mine in evidence.readings(window):
        facts = evidence.facts(mine.device)
        spellings = {mine.device, *((facts.uuid, str(facts.index)) if facts is not None else ())}
        for other in others:
            if other.device in spellings and mine.energy_wh is not None and math.isfinite(mine.energy_wh):
                yield mine, other


def _difference(mine: MeterReading, other: MeterReading) -> float:
    """How far another meter's energy is from ours, relative to ours."""
    if other.energy_wh is None or not mine.energy_wh or not math.isfinite(other.energy_wh):
        return math.inf
    return abs(other.energy_wh / mine.energy_wh - 1)


def _disagreement(
    evidence: Evidence, window: Window, name: str, mine: MeterReading, other: MeterReading
) -> Iterator[Finding]:
    tick_s = evidence.tick_s(window, mine.device) or TICK_S
    if window.duration_s < LEAST_TICKS_BETWEEN * tick_s:
        return
    # The other meter reads its counter at arbitrary times: a tick may be lost or won at either edge.
    allowed = BETWEEN_METERS + 2 * tick_s / window.duration_s
    difference = _difference(mine, other)
    if difference <= allowed:
        return
    against = _against_power(evidence, window, mine)
    # A third witness may settle it: sampled power, where it sides with our meter and not with the other one.
    theirs = wh_to_joules(other.energy_wh) if other.energy_wh is not None else math.nan
    settled = (
        against is not None
        and against.agrees
        and not abs(theirs - against.integral) <= abs(against.energy - against.integral)
    )
    energy = "no energy" if other.energy_wh is None else f"{other.energy_wh:.4g} Wh"
    yield fail_if(
        not settled,
        f"{name} gives {energy} for {gpu(mine.device)}, {mine.meter} {mine.energy_wh:.4g} Wh, "
        f"expected them within {allowed:.1%}" + (f" (the sampled power sides with {mine.meter})" if settled else ""),
        at=window,
        meter=name,
        energy_wh=other.energy_wh,
        own_energy_wh=mine.energy_wh,
        allowed=allowed,
    )


def sampler_kept_up(evidence: Evidence) -> Check:
    """Our sampler missed few samples and took next to nothing from the machine that it measured."""
    if not evidence.on_gpu:
        return _SAMPLER.nothing("no GPU was measured, so none was sampled")
    trace = evidence.trace
    if trace is None or trace.period_s is None:
        return _SAMPLER.unknown("power was not sampled", "measure with scenario.meters=[nvml,codecarbon]")
    findings = []
    missed = {}
    for device in evidence.devices:
        samples = trace.of(device)
        share = 1.0 if samples is None else _missed(evidence, samples, trace.period_s)
        missed[device] = share
        if share > MISSED:
            findings.append(
                warn(
                    f"{share:.1%} of the samples of {gpu(device)} were missed within windows, expected at most "
                    f"{MISSED:.0%}",
                    missed=share,
                )
            )
    overhead = None
    if trace.sampler_cpu_s is not None and trace.sampler_wall_s:
        overhead = trace.sampler_cpu_s / trace.sampler_wall_s
        if overhead > OVERHEAD:
            findings.append(
                warn(f"sampling took {overhead:.2%} of a core, expected at most {OVERHEAD:.1%}", overhead=overhead)
            )
    elif not findings:
        return _SAMPLER.unknown("the sampler's own CPU time was not recorded", "measure again")
    return _SAMPLER.judged(
        findings,
        passing=f"{max(missed.values(), default=0.0):.1%} of the samples were missed; sampling took "
        f"{overhead or 0:.2%} of a core",
        mend="measure on a machine that has a core to spare",
        details={"missed": max(missed.values(), default=None), "overhead": overhead},
    )


def _missed(evidence: Evidence, samples: DeviceTrace, period_s: float) -> float:
    """Share of the samples due within windows that were not taken, or not answered."""
    due = lost = 0.0
    for window in evidence.windows:
        start_s, end_s = window.start_monotonic_s, window.end_monotonic_s
        if window.duration_s < LEAST_SAMPLES * period_s:
            continue
        times = [start_s, *(t_s for t_s, _ in samples.between("power_w", start_s, end_s)), end_s]
        due += window.duration_s / period_s
        lost += sum(gap / period_s - 1 for a, b in pairwise(times) if (gap := b - a) > 1.5 * period_s)
    return lost / due if due else 0.0


def origin_tagged(evidence: Evidence) -> Check:
    """Each energy of CPU and RAM says whether a sensor or a model gave it."""
    found = {
        (reading.component, reading.origin, reading.source or "source not told")
        for window in evidence.repeated
        for component in ("cpu", "ram")
        for reading in window.readings
        if reading.component == component
    }
    if not found:
        return _ORIGIN.nothing("no energy of CPU or RAM was read")
    findings = [
        warn(f"the energy of {component.upper()} ({source}) does not say whether it was measured or modelled")
        for component, origin, source in sorted(found)
        if origin == "unknown"
    ]
    told = names([f"{component.upper()} {origin} ({source})" for component, origin, source in sorted(found)])
    return _ORIGIN.judged(findings, passing=told, mend="measure again with a meter that tells it")
