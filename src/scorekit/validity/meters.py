"""Checks of one meter against another (7), of the sampler (24), and of whether what was modelled says so (25)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

from scorekit.records import Check, MeterReading, Window
from scorekit.units import wh_to_joules
from scorekit.validity.against_power import against_power
from scorekit.validity.evidence import TICK_S, Evidence
from scorekit.validity.trace import AVERAGED_S, DeviceTrace
from scorekit.validity.verdicts import Finding, Rule, fail_if, gpu, names, untold, warn, where

BETWEEN_METERS: Final = 0.01
LEAST_TICKS_BETWEEN: Final = 4
"""In a window of fewer ticks, two readings that each may be two ticks off say nothing of each other."""
MISSED: Final = 0.05
OVERHEAD: Final = 0.005
"""Share of samples that may be missed, and of a core that sampling may take."""
LEAST_SAMPLES: Final = 20
"""A window of fewer samples tells no share."""

_AGREE: Final = Rule(7, "meters_agree")
_SAMPLER: Final = Rule(24, "sampler_kept_up")
_ORIGIN: Final = Rule(25, "origin_tagged")


class _Pair(NamedTuple):
    """Readings of one GPU in one window: by our meter, and by another one."""

    window: Window
    mine: MeterReading
    other: MeterReading
    tick_s: float


def meters_agree(evidence: Evidence) -> Check:
    """A second meter gives the same energy of each answering window, within 1 % and the ticks at its edges."""
    if not evidence.on_gpu:
        return _AGREE.nothing("no GPU was measured; CPU and RAM have no second meter")
    own = evidence.meter_of("gpu")
    others = [name for name in evidence.environment.run.meters if name != own]
    pairs: list[_Pair] = []
    unpaired = []
    for window in evidence.answers:
        for name in others:
            found = list(_pairs(evidence, window, name))
            if len(found) < len(evidence.readings(window)):
                unpaired.append(f"{where(window)} ({name})")
            pairs += found
    compared = [pair for pair in pairs if pair.window.duration_s >= LEAST_TICKS_BETWEEN * pair.tick_s]
    if not compared:
        if pairs and not unpaired:
            return _AGREE.nothing(
                f"every window is shorter than {LEAST_TICKS_BETWEEN} ticks: two meters say nothing of each other there"
            )
        return _AGREE.unknown(
            f"only one meter ({own}) read the GPU", "measure with two, e.g. scenario.meters=[nvml,codecarbon]"
        )
    findings = [found for pair in compared for found in _disagreement(evidence, pair)]
    if unpaired:
        findings.append(untold(f"only one meter read the GPU in {names(unpaired)}", "measure again"))
    worst = max(_difference(pair) for pair in compared)
    return _AGREE.judged(
        findings,
        passing=f"{names([own, *others])} agree, {worst:.1%} apart at most",
        mend="one of the meters is wrong; check 6 shows which agrees with the sampled power. Measure again, or leave "
        "the wrong one out of scenario.meters",
        details={"worst_relative": worst, "allowed": BETWEEN_METERS},
    )


def _pairs(evidence: Evidence, window: Window, name: str) -> Iterator[_Pair]:
    others = [found for found in window.readings if found.component == "gpu" and found.meter == name]
    for mine in evidence.readings(window):
        facts = evidence.facts(mine.device)
        spellings = {mine.device, *((facts.uuid, str(facts.index)) if facts is not None else ())}
        for other in others:
            if other.device in spellings and mine.energy_wh is not None and math.isfinite(mine.energy_wh):
                yield _Pair(window, mine, other, evidence.tick_s(window, mine.device) or TICK_S)


def _difference(pair: _Pair) -> float:
    """How far another meter's energy is from ours, relative to ours."""
    mine_wh, other_wh = pair.mine.energy_wh, pair.other.energy_wh
    if other_wh is None or not mine_wh or not math.isfinite(other_wh):
        return math.inf
    return abs(other_wh / mine_wh - 1)


def _disagreement(evidence: Evidence, pair: _Pair) -> Iterator[Finding]:
    window, mine, other, tick_s = pair
    # The other meter reads its counter at arbitrary times: a tick may be lost or won at either edge.
    allowed = BETWEEN_METERS + 2 * tick_s / window.duration_s
    if _difference(pair) <= allowed:
        return
    against = against_power(evidence, window, mine)
    # A third witness may settle it: sampled power, where it sides with our meter and not with the other one.
    theirs = wh_to_joules(other.energy_wh) if other.energy_wh is not None else math.nan
    settled = (
        against is not None
        and against.agrees
        # Nearer, wherever the energy lies that the samples leave open.
        and not abs(theirs - against.integral) <= abs(against.energy - against.integral) + 2 * against.unseen
    )
    energy = "no energy" if other.energy_wh is None else f"{other.energy_wh:.4g} Wh"
    yield fail_if(
        not settled,
        f"{other.meter} gives {energy} for {gpu(mine.device)}, {mine.meter} {mine.energy_wh:.4g} Wh, "
        f"expected them within {allowed:.1%}" + (f" (the sampled power sides with {mine.meter})" if settled else ""),
        at=window,
        meter=other.meter,
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
        passing=f"{max(missed.values()):.1%} of the samples were missed; sampling took {overhead or 0:.2%} of a core",
        mend="measure on a machine that has a core to spare",
        details={"missed": max(missed.values()), "overhead": overhead},
    )


def _missed(evidence: Evidence, samples: DeviceTrace, told_s: float) -> float:
    """Share of the samples due within windows that were not taken, or not answered.

    A sample tells of one second: with a longer period, those in between are missed, too.
    """
    period_s = min(told_s, AVERAGED_S)
    due = lost = 0.0
    for window in evidence.windows:
        start_s, end_s = window.start_monotonic_s, window.end_monotonic_s
        if window.duration_s < LEAST_SAMPLES * period_s:
            continue
        due += window.duration_s / period_s
        lost += sum(wait_s / period_s - 1 for wait_s in samples.waits_s(start_s, end_s, 1.5 * period_s))
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
