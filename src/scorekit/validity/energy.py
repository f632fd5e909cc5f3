"""Checks of the energies themselves: positive and alike (1), of a power that can be (5), of used GPUs only (10)."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from typing import Final

from scorekit.records import Check, MeterReading, Window
from scorekit.validity.evidence import TICK_S, Evidence, mean_power_w
from scorekit.validity.verdicts import Finding, Rule, fail, fail_if, gpu, names, repeats, untold, warn

FAR_RATIO: Final = 1.5
"""A window is not of its phase when its energy or power is this far from the median. Repeats of one job differ by some
percent; a window counted twice, or with one of two passes lost, by a factor of two. 1.5 lies between."""
MATTERS: Final = 0.05
"""Share of a repeat's energy by which a strange preprocess window must move it to fail the run: as the coefficient of
variation that fails (check 23). Below it the window is told."""
RESOLVED_TICKS: Final = 10
"""Fewer ticks than this and a counter may not have moved at all (arXiv 2312.02741): 0 is then what it honestly read."""
POWER_OVER_LIMIT: Final = 1.02
"""The driver holds the mean power at the enforced limit; 2 % is left to its control loop."""
BELOW_IDLE: Final = 0.95
"""Mean power of a working GPU against the lower of its idle powers; 5 % is the drift that check 17 allows."""

_AGAIN: Final = "measure again with this version of scorekit"

_LEAST_WH: Final = 1e-15
"""No meter tells less from nothing, and ratios of such energies mean none."""
_POSITIVE: Final = Rule(1, "energy_positive")
_PLAUSIBLE: Final = Rule(5, "power_plausible")
_UNUSED: Final = Rule(10, "only_used_gpus")


def energy_positive(evidence: Evidence) -> Check:
    """Every phase of every repeat has an energy that is positive, a number, and like the other repeats'."""
    findings = [*_impossible(evidence), *_lost_devices(evidence), *_strange(evidence)]
    count = len(evidence.repeated)
    if not count:
        findings.append(fail("no repeat was measured, expected at least one"))
    return _POSITIVE.judged(
        findings,
        passing=f"all energies of {count} windows are positive and like those of the other repeats",
        mend="the meter failed, the machine was busy, or a window is not what it says; measure again on a machine with "
        "nothing else to do, and never average such a repeat in",
    )


def _impossible(evidence: Evidence) -> Iterator[Finding]:
    for window in evidence.repeated:
        for reading in evidence.scored(window):
            fault = _fault(reading, window, evidence)
            if fault is not None:
                yield fail(
                    f"the energy of {_name(reading)} is {fault}, expected a positive one",
                    at=window,
                    device=reading.device,
                    energy_wh=reading.energy_wh,
                )


def _fault(reading: MeterReading, window: Window, evidence: Evidence) -> str | None:
    energy_wh, told = reading.energy_wh, f" ({reading.problem})" if reading.problem else ""
    if energy_wh is None:
        return f"missing{told}"
    if math.isnan(energy_wh):
        return f"not a number{told}"
    if math.isinf(energy_wh):
        return f"infinite{told}"
    if energy_wh < 0:
        return f"negative ({energy_wh:g} Wh){told}"
    if reading.problem:
        return f"not to be trusted{told}"
    return "zero" if energy_wh <= _LEAST_WH and not _unresolved(reading, window, evidence) else None


def _unresolved(reading: MeterReading, window: Window, evidence: Evidence) -> bool:
    """Whether 0 is what a counter honestly reads: of preparing a few inputs, before it ticks."""
    tick_s = evidence.tick_s(window, reading.device) or TICK_S
    return (
        window.phase == "preprocess"
        and reading.component == "gpu"
        and reading.origin == "measured"
        and window.duration_s < RESOLVED_TICKS * tick_s
    )


def _name(reading: MeterReading) -> str:
    if reading.component == "gpu":
        return gpu(reading.device)
    part = reading.component.upper()
    return part if reading.device in ("", reading.component) else f"{part} {reading.device}"


def _lost_devices(evidence: Evidence) -> Iterator[Finding]:
    expected = sorted({_name(reading) for window in evidence.repeated for reading in evidence.scored(window)})
    if evidence.repeated and not expected:
        meters = names(evidence.environment.run.meters)
        yield fail(f"no meter of the run ({meters}) read a GPU, or a CPU and RAM, expected one that did")
        return
    for window in evidence.repeated:
        found = sorted(_name(reading) for reading in evidence.scored(window))
        lost = [name for name in expected if name not in found]
        if lost:
            yield fail(
                f"the energy of {names(lost)} is missing, expected that of {names(expected)}",
                at=window,
            )
        twice = sorted({name for name in found if found.count(name) > 1})
        if twice:
            yield fail(
                f"{names(twice)} was read twice by one meter, expected once",
                at=window,
            )


def _strange(evidence: Evidence) -> Iterator[Finding]:
    for phase in dict.fromkeys(window.phase for window in evidence.repeated):
        windows = [window for window in evidence.repeated if window.phase == phase and window.duration_s > 0]
        found = [(window, evidence.energy_wh(window)) for window in windows]
        known = [(window, energy_wh) for window, energy_wh in found if energy_wh and energy_wh > _LEAST_WH]
        if known:
            yield from _strange_in_phase(evidence, known)


def _strange_in_phase(evidence: Evidence, known: Sequence[tuple[Window, float]]) -> Iterator[Finding]:
    answering = known[0][0].phase == evidence.environment.run.kind
    energies = {index: energy / (window.samples or 1) for index, (window, energy) in enumerate(known)}
    durations = {index: window.duration_s / (window.samples or 1) for index, (window, _) in enumerate(known)}
    energy, duration = statistics.median(energies.values()), statistics.median(durations.values())
    for index, (window, energy_wh) in enumerate(known):
        energy_ratio, duration_ratio = energies[index] / energy, durations[index] / duration
        if len(known) == 2:
            # Of two, nobody can tell which is the strange one: both are named.
            other = 1 - index
            energy_ratio, duration_ratio = energies[index] / energies[other], durations[index] / durations[other]
        power_ratio = energy_ratio / duration_ratio
        # Preparing inputs may well take longer in one repeat than in another; a power of its own is what is strange.
        if not (_is_far(power_ratio) or (answering and _is_far(energy_ratio))):
            continue
        if window.phase == "preprocess" and (
            window.duration_s < RESOLVED_TICKS * TICK_S
            or not _moves_the_repeat(evidence, window, energy_wh, energy_ratio)
        ):
            continue
        yield fail_if(
            # Modelled energy, and that of a processor shared with others, may well be as noisy as this.
            evidence.computes_on_gpu,
            f"{energy_ratio:.2f} x the energy of the other repeats in {duration_ratio:.2f} x their "
            f"time for the same samples ({energy_wh:.4g} Wh), "
            + _broken(energy_ratio, power_ratio, answering=answering),
            at=window,
            energy_wh=energy_wh,
            energy_ratio=energy_ratio,
            duration_ratio=duration_ratio,
        )


def _is_far(ratio: float) -> bool:
    return ratio >= FAR_RATIO or ratio <= 1 / FAR_RATIO


def _broken(energy_ratio: float, power_ratio: float, *, answering: bool) -> str:
    """The bound that a strange window broke, and what may be the cause of it."""
    of_energy = answering and _is_far(energy_ratio)
    ratio = energy_ratio if of_energy else power_ratio
    more = ratio >= FAR_RATIO
    bound = f"less than {FAR_RATIO:g} x" if more else f"more than {1 / FAR_RATIO:.2f} x"
    expected = f"expected {bound}" if of_energy else f"{power_ratio:.2f} x their mean power, expected {bound}"
    if not _is_far(power_ratio):
        # The power is that of the others, so the meter worked: the pass itself was a longer or a shorter one.
        if more:
            return f"{expected}: the machine was busy and the pass ran longer, or it is two passes in one"
        return f"{expected}: the machine was busy during the others and this pass ran shorter, or a part of it was lost"
    return f"{expected}: " + ("a window counted twice, or two passes in one" if more else "a part of it was lost")


def _moves_the_repeat(evidence: Evidence, window: Window, energy_wh: float, ratio: float) -> bool:
    whole = evidence.repeats_wh_per_query()
    if not whole or not window.samples:
        return False
    moved = abs(energy_wh - energy_wh / ratio) / window.samples
    return moved > MATTERS * statistics.median(whole.values())


def power_plausible(evidence: Evidence) -> Check:
    """Mean power lies between the GPU's idle power and its enforced limit."""
    if not evidence.on_gpu:
        return _PLAUSIBLE.nothing("no GPU was measured: there is no power limit to compare with")
    findings: list[Finding] = []
    unknown = []
    for device in evidence.devices:
        limits = evidence.limits_w(device)
        idle_w = evidence.idle_power_w(device)
        dark = evidence.moments_without(device, "power_limit_w")
        if dark:
            unknown.append(f"the power limit of {gpu(device)} at {names(dark)}")
        if idle_w is None and evidence.idle_asked:
            unknown.append(f"the idle power of {gpu(device)}")
        for window in evidence.repeated:
            if window.duration_s >= RESOLVED_TICKS * TICK_S:
                findings += _implausible(evidence, window, device, max(limits, default=None), idle_w)
    if unknown:
        mend = "measure with scenario.meters=[nvml,codecarbon]"
        findings.append(untold(f"{names(unknown)} was not recorded", mend, severe=evidence.must_tell))
    return _PLAUSIBLE.judged(
        findings,
        passing="mean power lies between the idle power and the enforced limit in every window",
        mend="such an energy cannot be that of this GPU; see `scorekit doctor`, and measure again",
    )


def _implausible(
    evidence: Evidence, window: Window, device: str, limit_w: float | None, idle_w: float | None
) -> Iterator[Finding]:
    for reading in evidence.readings(window):
        power_w = mean_power_w(window, reading)
        if reading.device != device or power_w is None:
            continue
        if limit_w is not None and power_w > POWER_OVER_LIMIT * limit_w:
            yield fail(
                f"{gpu(device)} took {power_w:.0f} W on average, expected at most its enforced limit "
                f"of {limit_w:.0f} W",
                at=window,
                power_w=power_w,
                limit_w=limit_w,
            )
        # Preparing comes before the model is loaded, and an empty GPU takes less than one that holds a model.
        if window.phase != "preprocess" and idle_w is not None and power_w < BELOW_IDLE * idle_w:
            yield fail(
                f"{gpu(device)} took {power_w:.1f} W on average, expected at least its idle power of {idle_w:.1f} W",
                at=window,
                power_w=power_w,
                idle_w=idle_w,
            )


def only_used_gpus(evidence: Evidence) -> Check:
    """No energy of a GPU that the model does not use is in the score."""
    if not evidence.on_gpu:
        return _UNUSED.nothing("no GPU was measured")
    if evidence.environment.serving is not None:
        return _UNUSED.nothing("check 8 compares the GPUs of a server with those that were measured")
    used, holding = evidence.environment.torch_gpus, evidence.environment.model_gpus
    if used is None:
        return _UNUSED.unknown("the GPUs that torch computes on were not recorded", _AGAIN)
    by_hand = bool(evidence.environment.run.gpus_by_hand)
    findings: list[Finding] = []
    if holding is None and evidence.computes_on_gpu:
        findings.append(untold("the GPUs that hold parts of the model were not recorded", _AGAIN))
    for device in evidence.devices:
        facts = evidence.facts(device)
        spellings = {device, facts.uuid if facts is not None else device}
        numbers = [window.repeat for window in evidence.answers if window.repeat is not None]
        counted = f"the energy of {gpu(device)} is counted in {repeats(numbers)}, but"
        if spellings.isdisjoint(used):
            text = f"{counted} the model does not use it"
            mild = by_hand and not evidence.computes_on_gpu
            findings.append(warn(text, device=device) if mild else fail(text, device=device))
        elif holding is not None and spellings.isdisjoint(holding):
            # Whoever names GPUs by hand may count one that does work for the model without holding any of it.
            findings.append(fail_if(not by_hand, f"{counted} it holds no part of the model", device=device))
    return _UNUSED.judged(
        findings,
        passing=f"only GPUs that the model uses are counted ({len(evidence.devices)})",
        mend="leave scenario.gpus=auto, and choose the GPUs with backend.device_ids",
    )
