"""What is wrong with the energies of a log of optimum-benchmark, by phase and repeat, and against what was asked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

from scorekit import tasks
from scorekit.logs.foreign import faults
from scorekit.logs.foreign.optimum_benchmark_config import Setup
from scorekit.logs.foreign.optimum_benchmark_phases import UNITS, Domain, Phase, total_of
from scorekit.records import Fault

_FORWARD_TOO: Final = frozenset({"automatic_speech_recognition"})
"""Tasks that generate, except for models that label every frame (CTC)."""


def energy_faults(
    names: Sequence[str], phases: dict[str, Phase], domain: Domain, pass_kwh: float | None
) -> Iterator[Fault]:
    """Faults of the energies by phase and repeat; those without a unit are told already.

    Args:
        names: phases that count, the one of preparing first.
        phases: of the report, by name.
        domain: what the energy covers.
        pass_kwh: energy of the answering pass in kWh, as CodeCarbon's file tells it; None where none is there.
    """
    part = "gpu" if domain == "gpu" else "(cpu + ram)"
    preprocess, *answers = names
    unusable = {name for name in names if name in phases and _lacks_units(phases[name])}
    for name in names:
        phase = phases.get(name)
        if phase is None or (phase.energy is None and not phase.repeats):
            message = f"{name}.energy is missing: the phase counts, so the log holds no whole energy"
            yield Fault(code="missing_energy", message=message, phase=name, spoils=True)
            unusable.add(name)
    if unusable:
        return
    by_repeat = {name: phases[name].repeats_kwh(domain) for name in names}
    found = [*_of_preprocess(phases[preprocess], domain, part)]
    with_repeats = [name for name in answers if by_repeat[name]]
    if len(with_repeats) == 2:
        found += faults.of_halves(by_repeat["prefill"], by_repeat["decode"], part)
    elif with_repeats:
        found += faults.of_repeats(with_repeats[0], by_repeat[with_repeats[0]], part)
    if len(answers) == 2 and len(with_repeats) < 2:
        found += _without(set(answers) - set(with_repeats)) if with_repeats else []
        found += faults.of_one_pass(phases["prefill"].kwh(domain), phases["decode"].kwh(domain), pass_kwh, part)
    elif not with_repeats:
        fault = faults.impossible(answers[0], phases[answers[0]].kwh(domain), f"{answers[0]}.energy.{part}")
        found += [fault] if fault is not None else []
    yield from (fault for fault in found if not _is_told(fault, phases))
    spoilt = frozenset(fault.repeat for fault in found if fault.spoils and fault.repeat is not None)
    for name in names:
        fault = faults.of_mean(name, phases[name].kwh(domain), by_repeat[name], spoilt, part)
        if fault is not None:
            yield fault
    if not with_repeats:
        yield from _against_pass(answers, [phases[name].kwh(domain) for name in answers], pass_kwh)


def _without(names: set[str]) -> Iterator[Fault]:
    for name in names:
        message = f"{name}.measures is missing beside those of the other half: repeats cannot be told apart"
        yield Fault(code="missing_energy", message=message, phase=name, spoils=False)


def unknown_decode(phases: dict[str, Phase]) -> Iterator[Fault]:
    """Without repeats, and without the file of the pass, decode may be the whole generate pass."""
    if any(phases[name].repeats for name in ("prefill", "decode") if name in phases):
        return
    message = (
        "decode has no measures: the earliest versions of the tool wrote the whole generate pass as decode, and the "
        "log does not tell whether this one did; then prefill + decode counts the prefill twice"
    )
    yield Fault(code="doubled_window", message=message, phase="decode", spoils=False)


def _of_preprocess(phase: Phase, domain: Domain, part: str) -> Iterator[Fault]:
    """Preparing inputs may take a GPU no energy that its counter shows: 0 is told, and spoils nothing."""
    repeats = phase.repeats_kwh(domain)
    published = phase.kwh(domain)
    named = [(None, f"{phase.name}.energy.{part}", published)] if not repeats else []
    named += [(repeat, f"{phase.name}.measures[{repeat}].{part}", kwh) for repeat, kwh in enumerate(repeats)]  # type: ignore[misc]
    for repeat, where, kwh in named:
        fault = faults.impossible(phase.name, kwh, where, repeat)
        if fault is not None and fault.code == "zero_energy":
            message = f"{where} is 0: preparing was shorter than the meter can tell, or was not measured; the total is "
            yield fault.model_copy(update={"spoils": False, "message": message + "too low by what it took"})
        elif fault is not None:
            yield fault


def _against_pass(answers: Sequence[str], kwh: Sequence[float | None], pass_kwh: float | None) -> Iterator[Fault]:
    """The answering phases against CodeCarbon's own file of the pass, where there is one."""
    total = total_of(kwh)
    if pass_kwh is None or total is None or faults.same(total, pass_kwh) or not math.isfinite(total):
        return
    pass_name = "generate" if len(answers) == 2 else answers[0]
    told = f"{' + '.join(answers)} is {total:.6g} kWh, and {pass_name}_codecarbon.json tells {pass_kwh:.6g} kWh"
    if len(answers) == 2 and kwh[1] is not None and faults.same(kwh[1], pass_kwh):
        message = f"{told}, the same as decode alone: that is the whole generate pass, so the prefill counts twice"
        yield Fault(code="doubled_window", message=message, phase="decode", spoils=True)
    else:
        yield Fault(code="contradiction", message=told, phase=answers[-1], spoils=True)


def unlike_task(setup: Setup, kind: tasks.Kind) -> Iterator[Fault]:
    """A task that was run in another way than its own, e.g. a summarization that generated nothing."""
    task = tasks.known(setup.task)
    if task is None or task.kind == kind or (kind == "forward" and task.name in _FORWARD_TOO):
        return
    message = f"the task {task.name} answers by {task.kind}, but the log holds {kind}: the energy is of something else"
    yield Fault(code="contradiction", message=message, phase=kind, spoils=True)


def repeat_count_faults(setup: Setup, counted: Sequence[Phase]) -> Iterator[Fault]:
    """Phases that hold more or fewer repeats than were asked for."""
    if setup.runs is None or setup.ours:
        return
    for phase in counted:
        if phase.repeats and len(phase.repeats) != setup.runs:
            message = f"{phase.name}.measures holds {len(phase.repeats)} repeats, and the config asks for {setup.runs}"
            yield Fault(code="contradiction", message=message, phase=phase.name, spoils=False)


def idle_gpus(setup: Setup, gpu_kwh: float | None) -> Fault | None:
    """Whether the energy holds that of GPUs which the model did not use; None where the log cannot tell.

    CodeCarbon's file beside the report is no witness: its `gpu_count` is every GPU of the machine, read or not.

    Args:
        setup: what the config tells.
        gpu_kwh: energy of the GPUs.
    """
    if not gpu_kwh:
        return None
    if setup.device == "cpu":
        told = "backend.device is cpu, and energy.gpu is not 0: the energy of GPUs that the model did not use was read"
    elif setup.one_gpu and setup.device_ids is not None and len(setup.device_ids) > 1:
        told = (
            f"backend.device_ids names {len(setup.device_ids)} GPUs, whose energies are added, but backend.device_map "
            "is not set: the model was loaded on one, and the others were idle"
        )
    else:
        return None
    return Fault(code="idle_gpus", message=told, spoils=True)


def _lacks_units(phase: Phase) -> bool:
    """Whether the published energy or all repeats have no unit that is known; of single repeats that is told apart."""
    repeats = [energy for energy in phase.repeats if energy is not None]
    return (phase.energy is not None and phase.energy.unit not in UNITS) or (
        bool(repeats) and all(energy.unit not in UNITS for energy in repeats)
    )


def _is_told(fault: Fault, phases: dict[str, Phase]) -> bool:
    """Whether an energy is missing only for its unit, which has a fault of its own."""
    if fault.code != "missing_energy" or fault.repeat is None or fault.phase not in phases:
        return False
    repeats = phases[fault.phase].repeats
    return fault.repeat < len(repeats) and (energy := repeats[fault.repeat]) is not None and energy.unit not in UNITS
