"""Checks of the conditions under which a GPU worked: throttling (11), power limit (12), clocks (13), temperature (14)
and the drift of its idle power (17)."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_
from typing import Final

from scorekit.records import Check, Window
from scorekit.validity.evidence import Evidence, mean
from scorekit.validity.verdicts import Finding, Rule, fail, fail_if, gpu, names, untold, warn, where

REASONS: Final[dict[int, str]] = {
    0x1: "idle",
    0x2: "clocks set by an application",
    0x4: "software power cap",
    0x8: "hardware slowdown",
    0x10: "sync boost",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "hardware power brake",
    0x100: "display clocks",
}
"""Bits of NVML's clocks event reasons (nvml.h, nvmlClocksEventReasons)."""
ALLOWED_REASONS: Final = 0x1 | 0x4
"""Idle, and the power cap by which every busy GPU is held at its limit."""
SLOWED_DOWN: Final = 0x8 | 0x20 | 0x40 | 0x80
"""The GPU was too hot or short of power: it did not work as it would. Other bits are settings, and are told."""
LIMIT_W: Final = 1.0
"""Power limits are set in watts, and read back within less."""
CLOCK_DRIFT: Final = 0.03
START_TEMPERATURE_C: Final = 3
HOTTEST_C: Final = 85
"""Some degrees below where data-centre GPUs begin to slow down (`nvidia-smi -q -d TEMPERATURE` shows the limits)."""
IDLE_DRIFT: Final = 0.05

_THROTTLE: Final = Rule(11, "not_throttled")
_LIMIT: Final = Rule(12, "power_limit_default")
_CLOCKS: Final = Rule(13, "clocks_free")
_TEMPERATURE: Final = Rule(14, "temperature_steady")
_IDLE: Final = Rule(17, "idle_steady")
_NO_GPU: Final = "no GPU was measured"
_METERS: Final = "measure with scenario.meters=[nvml,codecarbon]"


def not_throttled(evidence: Evidence) -> Check:
    """While it answered, the GPU was slowed down by nothing but its power limit."""
    if not evidence.on_gpu:
        return _THROTTLE.nothing(_NO_GPU)
    findings: list[Finding] = []
    unknown = []
    for device in evidence.devices:
        seen = [(window, _reasons(evidence, window, device)) for window in evidence.answers]
        dark = [where(window) for window, reasons in seen if reasons is None]
        if dark:
            unknown.append(f"{gpu(device)} in {names(dark)}")
        for window, reasons in seen:
            strange = 0 if reasons is None else reasons & ~ALLOWED_REASONS
            if strange:
                findings.append(
                    fail_if(
                        bool(strange & SLOWED_DOWN),
                        f"{gpu(device)} was held back by {reason_names(strange)}, expected nothing but its power limit",
                        at=window,
                        reasons=strange,
                    )
                )
    if unknown:
        why = f"throttle reasons of {names(unknown)} were not recorded"
        findings.append(untold(why, _METERS, severe=evidence.must_tell))
    return _THROTTLE.judged(
        findings,
        passing="the GPUs were held back by nothing but their power limit",
        mend="cool the GPU or free its clocks (`nvidia-smi -q -d PERFORMANCE` shows why it is slow), and measure again",
    )


def _reasons(evidence: Evidence, window: Window, device: str) -> int | None:
    """All reasons seen while the model answered: in the samples, else in the state before the window."""
    samples = evidence.trace_of(device)
    found = (
        [] if samples is None else samples.values("reasons", window.start_monotonic_s, window.end_monotonic_s)
    ) or [
        state.reasons
        for state in evidence.states_of(device)
        if state.repeat == window.repeat and state.reasons is not None
    ]
    return reduce(or_, map(int, set(found))) if found else None


def reason_names(bits: int) -> str:
    """Names of NVML's reasons."""
    known = [name for bit, name in REASONS.items() if bits & bit]
    rest = bits & ~sum(REASONS)
    return names([*known, f"reason {rest:#x}"] if rest else known)


def power_limit_default(evidence: Evidence) -> Check:
    """The power limit is the GPU's default one, and stayed."""
    if not evidence.on_gpu:
        return _LIMIT.nothing(_NO_GPU)
    findings: list[Finding] = []
    unknown = []
    for device in evidence.devices:
        facts = evidence.facts(device)
        limits = evidence.limits_w(device)
        dark = evidence.moments_without(device, "power_limit_w")
        default = facts.power_limit_default_w if facts is not None else None
        if limits and max(limits) - min(limits) > LIMIT_W:
            findings.append(
                fail(
                    f"the power limit of {gpu(device)} changed in the run, between {min(limits):.0f} W and "
                    f"{max(limits):.0f} W, expected one limit throughout",
                    limits_w=list(limits),
                )
            )
        elif limits and default is not None and abs(limits[0] - default) > LIMIT_W:
            findings.append(
                # The energy is true, but not that of the hardware that the protocol names.
                fail_if(
                    evidence.official,
                    f"the power limit of {gpu(device)} is {limits[0]:.0f} W, expected its default of {default:.0f} W",
                    limit_w=limits[0],
                    default_w=default,
                )
            )
        if default is None:
            unknown.append(f"the default power limit of {gpu(device)}")
        if dark:
            unknown.append(f"the power limit of {gpu(device)} at {names(dark)}")
    if unknown:
        findings.append(untold(f"{names(unknown)} was not recorded", _METERS, severe=evidence.must_tell))
    return _LIMIT.judged(
        findings,
        passing="every GPU had its default power limit throughout",
        mend="`nvidia-smi -q -d POWER` shows the limits; whoever runs the machine sets them, scorekit never does",
    )


def clocks_free(evidence: Evidence) -> Check:
    """Clocks were not locked, and their mean was the same in every repeat."""
    if not evidence.on_gpu:
        return _CLOCKS.nothing(_NO_GPU)
    findings: list[Finding] = []
    unknown = []
    for device in evidence.devices:
        locked = [state.clocks_locked for state in evidence.states_of(device)]
        if any(locked):
            findings.append(fail_if(evidence.official, f"the clocks of {gpu(device)} are locked, expected free ones"))
        means = _mean_clocks(evidence, device)
        dark = evidence.moments_without(device, "clocks_locked")
        dark += [f"phase {w.phase} of repeat {w.repeat}" for w in evidence.answers if w.repeat not in means]
        if dark:
            unknown.append(f"{gpu(device)} at {names(dark)}")
        if means:
            middle = statistics.median(means.values())
            drift = (max(means.values()) - min(means.values())) / middle if middle else 0.0
            if drift > CLOCK_DRIFT:
                low, high = min(means, key=lambda key: means[key]), max(means, key=lambda key: means[key])
                findings.append(
                    warn(
                        f"the SM clock of {gpu(device)} was {means[low]:.0f} MHz in repeat {low} and {means[high]:.0f} "
                        f"MHz in repeat {high}, {drift:.1%} apart, expected at most {CLOCK_DRIFT:.0%}",
                        drift=drift,
                    )
                )
    if unknown:
        findings.append(untold(f"the clocks of {names(unknown)} were not recorded", _METERS))
    return _CLOCKS.judged(
        findings,
        passing="clocks were free and steady over the repeats",
        mend=f"`nvidia-smi -q -d CLOCK` shows whether clocks are locked; let the GPU warm up with {evidence.warm_up}",
    )


def _mean_clocks(evidence: Evidence, device: str) -> dict[int, float]:
    """Mean SM clock [MHz] of each repeat while the model answered."""
    samples = evidence.trace_of(device)
    if samples is None:
        return {}
    found = {
        window.repeat: mean(samples.values("sm_clock_mhz", window.start_monotonic_s, window.end_monotonic_s))
        for window in evidence.answers
    }
    return {repeat: value for repeat, value in found.items() if repeat is not None and value is not None}


def temperature_steady(evidence: Evidence) -> Check:
    """Repeats began at the same temperature, and the GPU never came near its limit."""
    if not evidence.on_gpu:
        return _TEMPERATURE.nothing(_NO_GPU)
    findings: list[Finding] = []
    unknown = []
    for device in evidence.devices:
        starts = {
            state.repeat: state.temperature_c
            for state in evidence.states_of(device)
            if state.repeat is not None and state.temperature_c is not None
        }
        dark = [f"repeat {window.repeat}" for window in evidence.answers if window.repeat not in starts]
        if dark:
            unknown.append(f"{gpu(device)} before {names(dark)}")
        if starts and max(starts.values()) - min(starts.values()) > START_TEMPERATURE_C:
            low, high = min(starts, key=lambda key: starts[key]), max(starts, key=lambda key: starts[key])
            findings.append(
                warn(
                    f"{gpu(device)} began repeat {low} at {starts[low]} C and repeat {high} at {starts[high]} C, "
                    f"expected them within {START_TEMPERATURE_C} C",
                    coolest_c=starts[low],
                    hottest_c=starts[high],
                )
            )
        findings += _too_hot(evidence, device)
    if unknown:
        findings.append(untold(f"the temperature of {names(unknown)} was not recorded", _METERS))
    return _TEMPERATURE.judged(
        findings,
        passing=f"repeats began within {START_TEMPERATURE_C} C of each other, and none came above {HOTTEST_C} C",
        mend="longer pauses between repeats let the GPU cool down; see its fans and the room",
    )


def _too_hot(evidence: Evidence, device: str) -> Iterator[Finding]:
    samples = evidence.trace_of(device)
    for window in evidence.answers:
        seen: Iterable[float] = (
            [] if samples is None else samples.values("temperature_c", window.start_monotonic_s, window.end_monotonic_s)
        )
        states = [s.temperature_c for s in evidence.states_of(device) if s.repeat == window.repeat]
        hottest = max([*seen, *(float(value) for value in states if value is not None)], default=None)
        if hottest is not None and hottest > HOTTEST_C:
            yield fail(
                f"{gpu(device)} was {hottest:.0f} C hot, expected at most {HOTTEST_C} C",
                at=window,
                temperature_c=hottest,
            )


def idle_steady(evidence: Evidence) -> Check:
    """Idle power with the model loaded was the same before and after the repeats.

    Only net energy rests on it; the score is the gross one, so a drift is told and does not fail.
    """
    if not evidence.on_gpu:
        return _IDLE.nothing(_NO_GPU)
    findings: list[Finding] = []
    unknown = []
    for device in evidence.devices:
        before, after = evidence.mean_idle_w("idle_before", device), evidence.mean_idle_w("idle_after", device)
        if before is None or after is None or min(before, after) <= 0:
            unknown.append(gpu(device))
        elif abs(after - before) > IDLE_DRIFT * before:
            findings.append(
                warn(
                    f"{gpu(device)} took {before:.1f} W idle before the repeats and {after:.1f} W after them "
                    f"({after / before - 1:+.1%}), expected at most {IDLE_DRIFT:.0%} apart",
                    before_w=before,
                    after_w=after,
                )
            )
    if unknown:
        findings.append(untold(f"the idle power of {names(unknown)} was not recorded before and after", _METERS))
    return _IDLE.judged(
        findings,
        passing=f"idle power before and after is within {IDLE_DRIFT:.0%}",
        mend=f"let the GPU warm up with {evidence.warm_up}; the energy net of idle is the less sure for it",
    )
