"""Checks of any code that is measured, where a run's own do not fit: length of windows (3), GPUs (10), idling (17)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Final

from scorekit.records import Check, GpuFacts, MeterReading, Window
from scorekit.validity import conditions, counters
from scorekit.validity.evidence import Evidence
from scorekit.validity.verdicts import Finding, Rule, fail, fail_if, gpu, warn

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
    used = {device: found for device in evidence.devices if (found := _utilization(evidence, device))}
    if not used:
        return _UNUSED.nothing("how much the GPUs had to do was not recorded")
    idle = [device for device, found in used.items() if max(found) <= 0]
    is_seen = any(window.duration_s >= _UTILIZATION_S for window in evidence.answers)
    # Whoever names GPUs by hand may count one that serves the code without working itself; nobody chose the others.
    severe = is_seen and not evidence.environment.run.gpus_by_hand
    findings = [
        fail_if(severe, f"{gpu(device)} did nothing in all windows, and its energy is counted", device=device)
        for device in idle
    ]
    if is_seen and set(idle) == set(evidence.devices):
        findings = [fail("no GPU that is counted had anything to do, so that its energy is not the code's")]
    return _UNUSED.judged(
        findings,
        passing=f"every GPU that is counted was in use ({len(evidence.devices)})",
        mend="name the GPUs that the code uses, e.g. scenario.gpus=[0]; none where it runs on the CPU",
    )


def _utilization(evidence: Evidence, device: str) -> list[float]:
    """What the samples of a GPU say of its use in the windows, in percent; empty where they do not tell."""
    samples = evidence.trace_of(device)
    if samples is None:
        return []
    return [
        percent
        for window in evidence.answers
        for percent in samples.values("utilization_percent", window.start_monotonic_s, window.end_monotonic_s)
    ]


def of_used_gpus(evidence: Evidence, without_context: Collection[str]) -> tuple[Evidence, tuple[GpuFacts, ...]]:
    """The evidence without GPUs that the code did not use, and what these are.

    A GPU is left out where no process had a context on it between the windows and its samples saw no work in them:
    either alone can miss a process that came and went.

    Args:
        evidence: of all GPUs that were measured.
        without_context: UUIDs of those on which no process had a context.
    """
    out = tuple(
        found
        for found in evidence.environment.gpus
        if found.uuid in without_context and max(_utilization(evidence, str(found.uuid)), default=1) <= 0
    )
    if not out:
        return evidence, ()
    names = {name for found in out for name in (found.uuid, str(found.index)) if name is not None}
    gpus = tuple(found for found in evidence.environment.gpus if found not in out)
    return replace(
        evidence,
        environment=evidence.environment.model_copy(update={"gpus": gpus}),
        windows=tuple(without_gpus(evidence.windows, names)),
    ), out


def without_gpus(windows: Iterable[Window], names: Collection[str]) -> Iterator[Window]:
    """Windows without the readings of some GPUs.

    Args:
        windows: of a measurement.
        names: of the GPUs, as meters call them: UUIDs and indices.
    """
    for window in windows:
        kept = tuple(r for r in window.readings if not (r.component == "gpu" and r.device in names))
        yield window if len(kept) == len(window.readings) else window.model_copy(update={"readings": kept})


def idle_steady(evidence: Evidence) -> Check:
    """Idle power was the same before and after, where it was to be measured."""
    if not evidence.idle_asked:
        return _IDLE.nothing("no idle baseline was asked for")
    return conditions.idle_steady(evidence)
