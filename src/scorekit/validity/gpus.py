"""Checks of which GPUs were measured and whose work was on them: 8, 9, 15, 16 and 20."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

from scorekit import tasks
from scorekit.records import Check, GpuState
from scorekit.records.gpus import LONGEST_UNWATCHED_S
from scorekit.validity import serving
from scorekit.validity.evidence import Evidence
from scorekit.validity.trace import AVERAGED_S
from scorekit.validity.verdicts import Finding, Rule, fail, gpu, names, untold, warn, where

_MATCHED: Final = Rule(8, "gpus_matched")
_ALONE: Final = Rule(9, "no_foreign_processes")
_WHOLE: Final = Rule(15, "whole_gpu")
_SETTINGS: Final = Rule(16, "gpu_settings_unchanged")
_COUNT: Final = Rule(20, "gpu_count")
_NO_GPU: Final = "no GPU was measured"
_WATCH: Final = "`scorekit doctor` says what NVML tells here, and the log why the watch ended; then measure again"
_BUSY: Final = "end what else keeps the machine or its driver busy, and measure again"
_AGAIN: Final = "measure again with this version of scorekit and scenario.meters=[nvml,codecarbon]"


def gpus_matched(evidence: Evidence) -> Check:
    """Every GPU that torch computes on is measured, matched by UUID."""
    if not evidence.on_gpu:
        return _MATCHED.nothing(_NO_GPU)
    if evidence.environment.serving is not None:
        return _MATCHED.judged(
            serving.unlike_gpus(evidence),
            passing=f"the server and the meter use the same GPUs ({names(evidence.devices)})",
            mend="leave scenario.gpus=auto, which takes the GPUs of the processes behind backend.url",
        )
    used = evidence.environment.torch_gpus
    if used is None:
        return _MATCHED.unknown("the GPUs that torch computes on were not recorded", _AGAIN)
    measured = set(evidence.devices)
    uuids = {uuid for device in measured if (facts := evidence.facts(device)) is not None and (uuid := facts.uuid)}
    findings: list[Finding] = []
    if not used:
        told = f"torch computes on no GPU, but {names(sorted(measured))} was measured"
        if evidence.environment.run.gpus_by_hand and not evidence.computes_on_gpu:
            findings.append(warn(f"{told}, named by scenario.gpus: the energy is not the model's"))
        else:
            findings.append(fail(told))
    findings += [
        fail(f"torch computes on {gpu(device)}, but {names(sorted(measured))} was measured", device=device)
        for device in used
        if device not in measured and device not in uuids
    ]
    if not findings and any(device.isdigit() for device in measured):
        findings.append(warn(f"{names(sorted(measured))} was matched by index and not by UUID"))
    return _MATCHED.judged(
        findings,
        passing=f"torch and the meter use the same GPUs ({names(sorted(used))})",
        mend="leave scenario.gpus=auto, and check backend.device_ids and CUDA_VISIBLE_DEVICES against `nvidia-smi -L`",
        details={"torch": [*used], "measured": [*sorted(measured)]},
    )


def no_foreign_processes(evidence: Evidence) -> Check:
    """Nobody else's work was on the GPUs, and they were idle while nothing was asked of them."""
    if not evidence.on_gpu:
        return _ALONE.nothing(_NO_GPU)
    findings: list[Finding] = []
    unknown = []
    for device in evidence.devices:
        states = evidence.states_of(device)
        dark = evidence.moments_without(device, "foreign_processes")
        watch = [state for state in states if state.when == "watch"]
        dark += [_moment(evidence, s) for s in watch if s.foreign_processes is None and s.looks is None]
        if dark:
            unknown.append(f"the processes on {gpu(device)} at {names(dark)}")
        findings += [
            fail(
                f"{_moment(evidence, state)}: {state.foreign_processes} foreign process"
                f"{'' if state.foreign_processes == 1 else 'es'} on {gpu(device)}, expected none",
                repeat=state.repeat,
                foreign_processes=state.foreign_processes,
            )
            for state in states
            if state.foreign_processes
        ]
        findings += _busy_while_idle(evidence, device)
        findings += _unwatched(evidence, device)
    if unknown:
        mend = (
            "`scorekit doctor` says what NVML tells here; in a container it tells of processes with "
            "`docker run --pid=host`"
        )
        findings.append(untold(f"{names(unknown)} could not be told", mend, severe=evidence.must_tell))
    if evidence.must_tell and evidence.environment.run.gpus_watched is False:
        findings.append(
            untold(
                "nobody looked for other processes while the model answered, only before and after",
                "measure with launcher.device_isolation=true, as the official configs do",
            )
        )
    return _ALONE.judged(
        findings,
        passing="no foreign process was on the GPUs",
        mend="`nvidia-smi` lists the processes; end them, or choose another GPU with backend.device_ids",
    )


def _unwatched(evidence: Evidence, device: str) -> list[Finding]:
    """What a watch over a GPU did not see of the time in which the model answered, as its last line tells it.

    Runs of before that was recorded have no such line, and those that nobody was to watch either.
    """
    watch = [state for state in evidence.states or () if state.when == "watch" and _may_be(evidence, state, device)]
    last = {state.device: state for state in watch if state.looks is not None}
    if not evidence.answers:
        return []
    told = [text for state in last.values() if (text := _unlasting(evidence, state, device)) is not None]
    start_s, end_s = evidence.answers[0].start_monotonic_s, evidence.answers[-1].end_monotonic_s
    rare = []
    for state in watch:
        waited_s = state.unwatched_s or 0.0
        within_s = min(end_s, state.monotonic_s) - max(start_s, state.monotonic_s - waited_s)
        # The last line tells the longest time of all, and not when it was.
        if state.looks is None and within_s > LONGEST_UNWATCHED_S:
            rare.append(f"the watch over {gpu(device)} did not look for {waited_s:.0f} s ({_moment(evidence, state)})")
    return [untold(text, _WATCH) for text in dict.fromkeys(told)] + [untold(text, _BUSY) for text in rare]


def _unlasting(evidence: Evidence, ended: GpuState, device: str) -> str | None:
    """Why a watch did not last as long as the model answered, by its last line; None where it did."""
    start_s, end_s = evidence.answers[0].start_monotonic_s, evidence.answers[-1].end_monotonic_s
    looks, watch = ended.looks or 0, f"the watch over {gpu(device)}"
    if looks == 0:
        return f"{watch} never saw the processes on it"
    if ended.monotonic_s < end_s:
        return f"{watch} ended before the run did ({_moment(evidence, ended)})"
    if ended.foreign_processes is None:
        return f"{watch} had no answer at its end ({_moment(evidence, ended)})"
    if ended.unwatched_s is None and end_s - start_s > looks * LONGEST_UNWATCHED_S:
        return f"{watch} looked {looks} times in {end_s - start_s:.0f} s, expected once a second"
    return None


def _may_be(evidence: Evidence, state: GpuState, device: str) -> bool:
    """Whether a line of a watch may be about a GPU.

    A watch that could not open NVML knows GPUs only as they were named to it: by an index or the beginning of a UUID,
    or by what fits none, which may then be any.
    """
    environment = evidence.environment
    machine = (*environment.gpus, *environment.other_gpus)
    known = {found.uuid: str(found.index) for found in machine if found.uuid is not None}
    facts = evidence.facts(device)
    called = {device, *(() if facts is None else (facts.uuid, str(facts.index)))}
    if state.device in called:
        return True
    named = state.device.lower()
    if named in {*(uuid.lower() for uuid in known), *known.values(), *map(str.lower, evidence.devices)}:
        return False
    fitting = [uuid for uuid in known if named.startswith("gpu-") and uuid.lower().startswith(named)]
    return not fitting or not called.isdisjoint(fitting)


def _busy_while_idle(evidence: Evidence, device: str) -> list[Finding]:
    """Utilisation in the idle windows. Their first second is left out: NVML tells the share of the time before."""
    samples = evidence.trace_of(device)
    found = []
    for window in evidence.windows:
        if samples is None or window.phase not in ("idle_before", "idle_after"):
            continue
        used = samples.values("utilization_percent", window.start_monotonic_s + AVERAGED_S, window.end_monotonic_s)
        if not used or max(used) <= 0:
            continue
        text = (
            f"phase {window.phase}: {gpu(device)} was in use ({statistics.median(used):.0f} % in the middle, up to "
            f"{max(used):.0f} %), expected 0 while nothing is asked of it"
        )
        # One blip may be a monitor's; use in more than half of the samples is work.
        found.append(fail(text) if statistics.median(used) > 0 else warn(text))
    return found


def whole_gpu(evidence: Evidence) -> Check:
    """The counter is that of one whole GPU: no MIG slice, no virtual GPU, no module of CPU and GPU."""
    if not evidence.on_gpu:
        return _WHOLE.nothing(_NO_GPU)
    findings: list[Finding] = []
    unknown = []
    for device in evidence.devices:
        facts, states = evidence.facts(device), evidence.states_of(device)
        mig = [facts.mig if facts is not None else None, *(state.mig for state in states)]
        dark = [] if facts is not None and facts.mig is not None else evidence.moments_without(device, "mig")
        told = {
            f"MIG mode (at {names(dark)})": None if dark else False,
            "virtualisation": facts.virtualization if facts is not None else None,
            "scope of the counter": facts.counter_scope if facts is not None else None,
        }
        if any(mig) or device.startswith("MIG-"):
            findings.append(
                fail(f"MIG is on on {gpu(device)}: its counter is that of the whole board, all slices together")
            )
        if facts is not None and facts.virtualization not in (None, "none", "passthrough"):
            findings.append(fail(f"{gpu(device)} is virtual ({facts.virtualization}), expected a whole GPU"))
        if facts is not None and facts.counter_scope == "module":
            findings.append(fail(f"the counter of {gpu(device)} is that of a module with its CPU, expected the GPU's"))
        lacking = [name for name, value in told.items() if value is None]
        if lacking:
            unknown.append(f"{names(lacking)} of {gpu(device)}")
    if unknown:
        findings.append(untold(f"{names(unknown)} was not recorded", _AGAIN, severe=evidence.must_tell))
    return _WHOLE.judged(
        findings,
        passing="the counters are those of whole GPUs",
        mend="measure on a whole GPU: `scorekit doctor` lists them",
    )


def gpu_settings_unchanged(evidence: Evidence) -> Check:
    """ECC and persistence mode stayed as they were."""
    if not evidence.on_gpu:
        return _SETTINGS.nothing(_NO_GPU)
    findings: list[Finding] = []
    unknown = []
    for device in evidence.devices:
        states = evidence.states_of(device)
        ecc = _changes([state.ecc for state in states])
        persistence = _changes([state.persistence for state in states])
        # A GPU without the setting tells nothing of it at any time.
        held = [fact for fact in ("ecc", "persistence") if any(getattr(state, fact) is not None for state in states)]
        dark = evidence.moments_without(device, *held)
        if dark or not held:
            unknown.append(f"{gpu(device)} at {names(dark)}" if dark else gpu(device))
        if ecc:
            findings.append(fail(f"ECC of {gpu(device)} changed in the run ({ecc}): the GPU was reset"))
        if persistence:
            findings.append(warn(f"persistence mode of {gpu(device)} changed in the run ({persistence})"))
    if unknown:
        findings.append(untold(f"ECC and persistence of {names(unknown)} were not recorded", _AGAIN))
    return _SETTINGS.judged(
        findings,
        passing="ECC and persistence mode stayed as they were",
        mend="nobody may change the GPUs while they are measured; measure again",
    )


def _changes(values: Sequence[bool | None]) -> str:
    """The values one after the other where there is more than one; empty otherwise."""
    known = ["on" if value else "off" for value in values if value is not None]
    return " to ".join(dict.fromkeys(known)) if len(set(known)) > 1 else ""


def gpu_count(evidence: Evidence) -> Check:
    """Models of class A and B run on one GPU."""
    if not evidence.on_gpu:
        return _COUNT.nothing(_NO_GPU)
    if evidence.environment.serving is not None:
        return _COUNT.nothing("a server may use as many GPUs as it likes: no official score is one of a server")
    holding = evidence.environment.model_gpus
    count, size = (
        len(evidence.devices if holding is None else holding),
        tasks.class_of(evidence.environment.model),
    )
    findings = []
    if count > 1 and size != "C":
        kind = "of unknown size" if size is None else f"of class {size}"
        findings.append(warn(f"{count} GPUs were used for a model {kind}, expected 1 (class C may use more)"))
    return _COUNT.judged(
        findings,
        passing=f"{count} GPU{'' if count == 1 else 's'} for a model of class {size or 'unknown'}",
        mend="backend.device_ids=0 runs it on one",
        details={"gpus": count, "model_class": size},
    )


def _moment(evidence: Evidence, state: GpuState) -> str:
    if state.when == "watch":
        window = evidence.window_at(state.monotonic_s)
        return "between windows" if window is None else where(window)
    return f"at the {state.when}" if state.repeat is None else f"repeat {state.repeat}"
