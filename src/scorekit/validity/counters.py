"""Checks of how the energy counter was read: unbroken (2), over enough ticks (3), with a known tick (4)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise
from operator import sub
from typing import Final

from scorekit.records import Check, CounterEvidence, Window
from scorekit.units import wh_to_joules
from scorekit.validity.evidence import TICK_S, Evidence, mean_power_w
from scorekit.validity.verdicts import Finding, Rule, fail, fail_if, gpu, names, untold, warn, where

FROZEN_TICKS: Final = 5
"""A counter that stands still for this many ticks, beyond the time between two looks at it, is frozen: a GPU always
takes some power."""
LOOK_S: Final = 0.1
"""Time between two looks at the counter where the trace does not tell the sampling period."""
LONGEST_LOOK_S: Final = 1.0
"""No more, whatever period the trace tells: it may be one of the samples that packing kept, and the meter looked at the
counter for all of them."""
STEP: Final = 1.5
"""A counter that rises by more than this many times what the power limit allows for has jumped. Power may exceed the
limit for some milliseconds only; the rest is left to samples that come late."""
SLEPT_S: Final = 1.0
"""Boot time that the monotonic clock did not count. A machine sleeps for seconds; two clocks read one after the other
differ by milliseconds, and by tens of them on a busy machine."""
STEPPED_S: Final = 0.5
SLEW: Final = 500e-6
"""The wall clock may leave the monotonic one by half a second and this share of the window. NTP slews both clocks
alike, at most 500 ppm (Linux' adjtimex); only a step (ntpd's from 0.128 s, chrony's makestep from 1 s, a person's)
parts them. Energy is timed by the monotonic clock, so a step harms the record's times and nothing else."""
LEAST_TICKS: Final = 100
"""A window shorter than this many ticks fails: reading at arbitrary times errs by up to a tick in its length."""
TICK_SLACK: Final = 0.05
"""The calibrated tick is no surer than this, so a window drawn out to 100 nominal ticks passes."""
OFFICIAL_WINDOW_S: Final = 60.0
"""Length of an answering window in the official configs."""
TICK_MATTERS: Final = 0.005
TICK_SPOILS: Final = 0.05
"""Share of a repeat's energy that the tick may leave open in a preprocess window. It stands in the score's uncertainty
and is told from the first on; it fails an official run, and from the second on, where repeats may not differ by as much
either (check 23), any run on a GPU."""
SLOWEST_TICK_S: Final = 0.15
"""Slower counters than those of A100 and H100 (about 0.1 s) make the 100 ticks too long to trust."""

_UNBROKEN: Final = Rule(2, "counter_unbroken")
_LENGTH: Final = Rule(3, "window_length")
_TICK: Final = Rule(4, "counter_tick")
_METERS: Final = "measure with scenario.meters=[nvml,codecarbon]"


def counter_unbroken(evidence: Evidence) -> Check:
    """The counter never went backwards or stood still, the driver stayed, the machine did not sleep."""
    findings = [*_clock_findings(evidence), *_counter_findings(evidence), *_driver_findings(evidence)]
    dark = [window for window in evidence.answers if _lacks_counter(evidence, window)]
    if evidence.on_gpu and dark:
        findings.append(
            untold(
                f"how the energy counter was read was not recorded in {_all(dark)}", _METERS, severe=evidence.must_tell
            )
        )
    return _UNBROKEN.judged(
        findings,
        passing=("the counter rose without a break, and the machine stayed awake" if evidence.on_gpu
                 else "the machine stayed awake and its clock was not set"),
        mend="see the kernel's log for a reset or sleep of the machine, keep it awake, and measure again",
    )  # fmt: skip


def _lacks_counter(evidence: Evidence, window: Window) -> bool:
    found = evidence.readings(window)
    return not found or any(reading.counter is None for reading in found)


def _all(windows: Iterable[Window]) -> str:
    return names(list(dict.fromkeys(where(window) for window in windows)))


def _clock_findings(evidence: Evidence) -> Iterator[Finding]:
    for window in evidence.windows:
        if window.repeat is not None and window.duration_s <= 0:
            yield fail(
                "does not end after its start, expected a window with a length",
                at=window,
            )
        slept_s = _slept_s(window)
        if slept_s is not None and slept_s > SLEPT_S:
            yield fail(
                f"the machine slept for {slept_s:.1f} s within the window, expected it to stay awake",
                at=window,
                slept_s=slept_s,
            )
        stepped_s = _stepped_s(window, slept_s or 0.0)
        if stepped_s is not None and abs(stepped_s) > STEPPED_S + SLEW * window.duration_s:
            yield warn(
                f"the wall clock was set by {stepped_s:+.1f} s; the energy is timed by another clock "
                "and stays true, the times of day do not",
                at=window,
                stepped_s=stepped_s,
            )


def _slept_s(window: Window) -> float | None:
    """Time within the window that only the clock which goes on in sleep has counted."""
    if window.start_boottime_s is None or window.end_boottime_s is None:
        return None
    return window.end_boottime_s - window.start_boottime_s - window.duration_s


def _stepped_s(window: Window, slept_s: float) -> float | None:
    """By how much the wall clock was set within the window."""
    try:
        wall = datetime.fromisoformat(window.end_utc) - datetime.fromisoformat(window.start_utc)
    except (TypeError, ValueError):
        return None
    return wall.total_seconds() - window.duration_s - max(slept_s, 0.0)


def _counter_findings(evidence: Evidence) -> Iterator[Finding]:
    for window in evidence.windows:
        for reading in evidence.readings(window):
            if reading.counter is not None:
                yield from _broken(evidence, window, reading.device, reading.counter)
    for device in evidence.devices:
        yield from _jumps(evidence, device)


def _jumps(evidence: Evidence, device: str) -> Iterator[Finding]:
    """Steps of the sampled counter that no GPU can take: back, or up by more than its power limit allows for."""
    trace = evidence.trace_of(device)
    limit_w = max(evidence.limits_w(device), default=None)
    ticks = [tick_s for window in evidence.windows if (tick_s := evidence.tick_s(window, device))]
    tick_s = max(ticks, default=TICK_S)
    if trace is None:
        return
    counter_mj = trace.values("counter_mj", -math.inf, math.inf)
    # Of a counter that did not jump no step has to be looked at with its time.
    most_mj = math.inf if limit_w is None else 1000 * STEP * limit_w * tick_s
    steps_mj = list(map(sub, counter_mj[1:], counter_mj))
    if not steps_mj or (min(steps_mj) >= 0 and max(steps_mj) <= most_mj):
        return
    values = trace.between("counter_mj", -math.inf, math.inf)
    for (t0_s, before_mj), (t_s, after_mj) in pairwise(values):
        step_j = (after_mj - before_mj) / 1000
        most_j = math.inf if limit_w is None else STEP * limit_w * (t_s - t0_s + tick_s)
        if 0 <= step_j <= most_j:
            continue
        window = evidence.window_at(t_s) or evidence.window_at(t0_s)
        place = "" if window is not None else "between windows: "
        if step_j < 0:
            yield fail(f"{place}the counter of {gpu(device)} went backwards, expected it only to rise", at=window)
        else:
            yield fail(
                f"{place}the counter of {gpu(device)} jumped by {step_j:.0f} J within {t_s - t0_s:.2f} s, expected at "
                f"most {most_j:.0f} J at its limit of {limit_w:.0f} W",
                at=window,
                step_j=step_j,
                most_j=most_j,
            )


def _broken(evidence: Evidence, window: Window, device: str, counter: CounterEvidence) -> Iterator[Finding]:
    about = f"the counter of {gpu(device)}"
    if counter.decreased:
        yield fail(f"{about} went backwards (a reset or reload of the driver), expected it only to rise", at=window)
    told_s = LOOK_S if evidence.trace is None else evidence.trace.period_s or LOOK_S
    period_s = min(told_s, LONGEST_LOOK_S)
    # Nobody looked within a gap: whether the counter stood still in it cannot be told.
    tick_s = (counter.tick_s or TICK_S) + (counter.tick_spread_s or 0.0)
    frozen_s = FROZEN_TICKS * tick_s + max(period_s, counter.longest_gap_s)
    if counter.longest_still_s > frozen_s:
        yield fail(
            f"{about} stood still for {counter.longest_still_s:.1f} s, expected a tick every "
            f"{counter.tick_s or TICK_S:.2g} s",
            at=window,
            longest_still_s=counter.longest_still_s,
        )
    if counter.reads and counter.failed_reads == counter.reads:
        yield fail(f"{about} could not be read once in {counter.reads} reads", at=window)
    elif counter.failed_reads:
        # The counter counts on while nobody can read it, so the difference over the gap stays true.
        yield warn(
            f"{about} could not be read {counter.failed_reads} of {counter.reads} times, for up to "
            f"{counter.longest_gap_s:.1f} s",
            at=window,
            failed_reads=counter.failed_reads,
        )


def _driver_findings(evidence: Evidence) -> Iterator[Finding]:
    for device in evidence.devices:
        drivers = list(dict.fromkeys(s.driver for s in evidence.states_of(device) if s.driver is not None))
        if len(drivers) > 1:
            yield fail(f"{gpu(device)}: the driver changed from {drivers[0]} to {drivers[1]} in the run")


def window_length(evidence: Evidence) -> Check:
    """Windows hold enough ticks of the counter for what the ticks leave open to be small."""
    if not evidence.on_gpu:
        return _LENGTH.nothing("no GPU was measured: there is no counter whose ticks a window must hold")
    findings: list[Finding] = []
    unknown = []
    for window in evidence.answers:
        ticks = _ticks(evidence, window)
        if ticks is None:
            unknown.append(window)
        if ticks is not None and ticks < LEAST_TICKS * (1 - TICK_SLACK):
            findings.append(
                fail(
                    f"lasts {window.duration_s:.2f} s, {ticks:.0f} ticks of the counter, expected at "
                    f"least {LEAST_TICKS}",
                    at=window,
                    ticks=ticks,
                )
            )
        elif evidence.official and window.duration_s < OFFICIAL_WINDOW_S:
            findings.append(
                warn(
                    f"lasts {window.duration_s:.1f} s, expected {OFFICIAL_WINDOW_S:.0f} s in an official run",
                    at=window,
                    duration_s=window.duration_s,
                )
            )
    findings += _short_preparations(evidence)
    if unknown:
        why = f"how often the counter ticks was not recorded in {_all(unknown)}"
        findings.append(untold(why, _METERS, severe=evidence.must_tell))
    return _LENGTH.judged(
        findings,
        passing=f"every answering window holds at least {LEAST_TICKS} ticks of the counter",
        mend="scenario.min_window_s=10 draws answering windows out (official configs: 60); with more queries "
        "(scenario.num_samples) preparing takes longer, too",
    )


def _ticks(evidence: Evidence, window: Window) -> float | None:
    """Ticks of the slowest counter in a window."""
    found = [evidence.tick_s(window, reading.device) for reading in evidence.readings(window)]
    known = [tick_s for tick_s in found if tick_s]
    return window.duration_s / max(known) if known and len(known) == len(found) else None


def _short_preparations(evidence: Evidence) -> Iterator[Finding]:
    """Preparing is short by nature, and not drawn out: what the tick leaves open is told only where it matters."""
    whole = evidence.repeats_wh_per_query()
    for window in evidence.preparations:
        ticks = _ticks(evidence, window)
        queries = window.samples or evidence.environment.run.num_samples
        if ticks is None or ticks >= LEAST_TICKS or window.repeat not in whole or not queries:
            continue
        share = _open_j(evidence, window) / wh_to_joules(whole[window.repeat] * queries)
        if share > TICK_MATTERS:
            yield fail_if(
                evidence.official or (evidence.computes_on_gpu and share > TICK_SPOILS),
                f"lasts {window.duration_s:.3f} s ({ticks:.0f} ticks), which leaves {share:.1%} of the "
                f"repeat's energy open, expected at most {TICK_MATTERS:.1%}",
                at=window,
                share=share,
            )


def _open_j(evidence: Evidence, window: Window) -> float:
    """Energy [J] that reading at ticks leaves open (k = 2): as the meter tells, else one tick at the window's power."""
    total = 0.0
    for reading in evidence.readings(window):
        if reading.standard_uncertainty_wh is not None:
            total += 2 * wh_to_joules(reading.standard_uncertainty_wh)
            continue
        tick_s = evidence.tick_s(window, reading.device) or TICK_S
        # Shorter than a tick, the window's own reading says nothing of its power; the GPU is idle in it.
        own_w = mean_power_w(window, reading) if window.duration_s > tick_s else None
        total += tick_s * (own_w if own_w is not None else evidence.idle_power_w(reading.device) or 0.0)
    return total


def counter_tick(evidence: Evidence) -> Check:
    """The counter's tick was found out in the run, and is short enough."""
    if not evidence.on_gpu:
        return _TICK.nothing("no GPU was measured: there is no counter")
    findings: list[Finding] = []
    ticks: list[float] = []
    unknown = [window for window in evidence.answers if _lacks_counter(evidence, window)]
    for window in evidence.answers:
        for reading in evidence.readings(window):
            if reading.counter is None:
                continue
            if reading.counter.tick_s is None:
                findings.append(
                    fail(
                        f"the tick of {gpu(reading.device)}'s counter could not be calibrated",
                        at=window,
                    )
                )
            else:
                ticks.append(reading.counter.tick_s)
                if reading.counter.tick_s > SLOWEST_TICK_S:
                    findings.append(
                        fail(
                            f"the counter of {gpu(reading.device)} ticks every "
                            f"{reading.counter.tick_s:.3f} s, expected at most {SLOWEST_TICK_S} s",
                            at=window,
                            tick_s=reading.counter.tick_s,
                        )
                    )
    if unknown or not (ticks or findings):
        why = f"the counter's tick was not recorded in {_all(unknown) if unknown else 'any window'}"
        findings.append(untold(why, _METERS, severe=evidence.must_tell))
    return _TICK.judged(
        findings,
        passing=f"the counter ticks every {max(ticks, default=math.nan):.3f} s, found out in the run",
        mend="see `scorekit doctor` for what the GPU's counter can do, and measure again",
        details={"slowest_tick_s": max(ticks, default=None)},
    )
