"""Checks of any code that is measured, where a run's own do not fit: length of windows (3), GPUs (10), idling (17)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from scorekit.records import Check, MeterReading, Window
from scorekit.validity import conditions, counters
from scorekit.validity.evidence import Evidence
from scorekit.validity.verdicts import Finding, Rule, fail, gpu, warn

_LENGTH: Final = Rule(3, "window_length")
_UNUSED: Final = Rule(10, "only_used_gpus")
_IDLE: Final = Rule(17, "idle_steady")
_UPDATES_S: Final = {"rapl": 0.001}
"""How often a meter of the CPU is refreshed, by its source. RAPL: about once a millisecond (Intel SDM, volume 3B)."""
_MODEL_S: Final = 1.0
"""CodeCarbon's models look at the machine about once a second."""
_UTILIZATION_S: Final = 1.0
"""The longest time of which a driver tells the utilization at once (NVML's documentation of nvmlUtilization_t)."""
_IN_ENERGY: Final = 100
"""So many refreshes a window must hold, as of a GPU's counter."""


def window_length(evidence: Evidence) -> Check:
    """Windows are long enough for the meters that measured them."""
    if evidence.on_gpu:
        return counters.window_length(evidence)
    findings = [found for window in evidence.answers for found in _short(evidence, window)]
    return _LENGTH.judged(
        findings,
        passing="every window is long enough for its meters",
        mend="more samples make a window longer; for a function scenario.min_window_s draws it out by more passes",
    )


def _short(evidence: Evidence, window: Window) -> Iterator[Finding]:
    for meter, least_s in dict.fromkeys((reading.meter, _least_s(reading)) for reading in evidence.scored(window)):
        if window.duration_s < least_s:
            yield warn(
                f"the window is shorter than {least_s:g} s, which {meter} needs to tell its energy",
                at=window,
                duration_s=window.duration_s,
                least_s=least_s,
            )


def _least_s(reading: MeterReading) -> float:
    update_s = _UPDATES_S.get(reading.source or "")
    if update_s is not None:
        return _IN_ENERGY * update_s
    # What a plugin's meter or a replayed trace needs is not known here.
    return _MODEL_S if reading.meter == "codecarbon" else 0.0


def only_used_gpus(evidence: Evidence) -> Check:
    """Every GPU that is counted did some work while the code ran."""
    if not evidence.on_gpu:
        return _UNUSED.nothing("no GPU was measured")
    findings = []
    known = []
    idle = set()
    for device in evidence.devices:
        samples = evidence.trace_of(device)
        used = [
            percent
            for window in evidence.answers
            if samples is not None
            for percent in samples.values("utilization_percent", window.start_monotonic_s, window.end_monotonic_s)
        ]
        known += used
        if used and max(used) <= 0:
            idle.add(device)
            findings.append(warn(f"{gpu(device)} did nothing in all windows, and its energy is counted", device=device))
    if not known:
        return _UNUSED.nothing("how much the GPUs had to do was not recorded")
    if idle == set(evidence.devices) and any(window.duration_s >= _UTILIZATION_S for window in evidence.answers):
        findings = [fail("no GPU that is counted had anything to do, so that its energy is not the code's")]
    return _UNUSED.judged(
        findings,
        passing=f"every GPU that is counted was in use ({len(evidence.devices)})",
        mend="name the GPUs that the code uses, e.g. scenario.gpus=[0]; none where it runs on the CPU",
    )


def idle_steady(evidence: Evidence) -> Check:
    """Idle power was the same before and after, where it was to be measured."""
    if not evidence.idle_asked:
        return _IDLE.nothing("no idle baseline was asked for")
    return conditions.idle_steady(evidence)
