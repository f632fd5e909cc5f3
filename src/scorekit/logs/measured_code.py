"""From the windows of somebody's code to its `Measurement`: the arithmetic and the checks of a run, as far as they fit.

One window is one repeat, and all of it counts. Nothing is known of a model, a dataset or a protocol. Pure.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scorekit import bundle
from scorekit.errors import InvalidRunError
from scorekit.logs import energies, idle, one_pass
from scorekit.logs.budget import budget
from scorekit.logs.energies import Domain
from scorekit.logs.power_trace import read_power_trace
from scorekit.logs.repeats import Repeat
from scorekit.logs.run_bundle import read_states
from scorekit.logs.scoring import hardware_of
from scorekit.records import (
    Component,
    DeviceEnergy,
    Environment,
    GpuState,
    Measurement,
    Uncertainty,
    Validity,
    Window,
    WindowEnergy,
)
from scorekit.units import per_1000
from scorekit.validity import OF_CODE, Evidence, judge


@dataclass(frozen=True, slots=True)
class Told:
    """What the user of the code tells.

    Attributes:
        name: what was measured.
        task: what it did, in a word of the user's own.
        samples: of one pass; None where nobody tells.
        notes: what else a reader should know.
    """

    name: str | None
    task: str | None
    samples: int | None
    notes: tuple[str, ...] = ()


def evidence_of(environment: Environment, windows: Sequence[Window], folder: Path, *, idle_asked: bool) -> Evidence:
    """What the checks look at.

    Args:
        environment: the machine.
        windows: in the order of measuring.
        folder: with the states of the GPUs and their sampled power, where there are any.
        idle_asked: whether an idle baseline was to be measured.
    """
    power, states = folder / bundle.POWER, folder / bundle.GPU_STATES
    return Evidence(
        environment=environment,
        windows=tuple(windows),
        states=_last_states(read_states(states)) if states.is_file() else None,
        trace=read_power_trace(power) if power.is_file() else None,
        idle_asked=idle_asked,
    )


def _last_states(states: Sequence[GpuState]) -> tuple[GpuState, ...]:
    """Without those of windows that were discarded, and begun again under the same number."""
    last = {(state.when, state.repeat, state.device): state for state in states if state.when != "watch"}
    return tuple(s for s in states if s.when == "watch" or last[s.when, s.repeat, s.device] is s)


def measurement_of(told: Told, evidence: Evidence, *, adaptive: bool) -> Measurement:
    """The energy of one pass, its uncertainty and checks. What cannot be true leaves no energy, and is told.

    Args:
        told: what the user tells of the code.
        evidence: the machine, the windows, and what was sampled.
        adaptive: whether the repeats' own spread ended them.
    """
    environment, validity = evidence.environment, judge(evidence, OF_CODE)
    repeats = [Repeat(window.repeat or 0, None, window, None) for window in evidence.answers]
    windows = [repeat.answer for repeat in repeats]
    domain, refusal = _domain(windows, environment.run.meters)
    per_pass_wh = [None if domain is None else energies.domain_wh(window, domain) for window in windows]
    energies_wh = [energy_wh for energy_wh in per_pass_wh if energy_wh is not None]
    if refusal is not None or domain is None:
        energies_wh = []
    energy_wh = statistics.fmean(energies_wh) if energies_wh else None
    duration_s = statistics.fmean(map(one_pass.duration_s, windows)) if windows else None
    idle_w = None if domain is None or not windows else idle.idle_power_w(evidence.windows, windows, domain)
    found = None
    if domain is not None and energies_wh:
        found = budget(repeats, energies_wh, told.samples or 1, domain, idle_w=idle_w, adaptive=adaptive)
    net_wh, notes = _net_wh(energy_wh, duration_s, idle_w)
    return Measurement(
        name=told.name,
        task=told.task,
        created_utc=environment.created_utc,
        scorekit_version=environment.scorekit_version,
        hardware=None if domain is None else _known(hardware_of(environment, domain)),
        gpu_count=len(environment.gpus) if domain is not None and domain.name == "gpu" else None,
        samples=told.samples,
        domain=None if domain is None else domain.name,
        origin="unknown" if domain is None else energies.domain_origin(windows, domain),
        meters=environment.run.meters,
        energy_wh=energy_wh,
        wh_per_1000_samples=None if energy_wh is None or told.samples is None else per_1000(energy_wh, told.samples),
        duration_s=duration_s,
        uncertainty=_of_samples(found, told.samples),
        meters_95_percent=_of_meters(found),
        idle_power_w=idle_w,
        energy_net_wh=net_wh,
        devices=_devices(windows, domain),
        windows=tuple(
            WindowEnergy(
                repeat=repeat.number,
                start_utc=repeat.answer.start_utc,
                duration_s=repeat.answer.duration_s,
                passes=repeat.answer.passes or 1,
                energy_wh=wh,
            )
            for repeat, wh in zip(repeats, per_pass_wh, strict=True)
        ),
        checks=validity.checks,
        valid=validity.valid and energy_wh is not None,
        refused=None if energy_wh is not None else refusal or _why(validity),
        notes=(*told.notes, *notes),
    )


def _domain(windows: Sequence[Window], meters: Sequence[str]) -> tuple[Domain | None, str | None]:
    """What the energy covers, and why there is none after all."""
    if not windows:
        return None, "nothing was measured: no window ended"
    try:
        domain = energies.choose_domain(windows, meters)
    except InvalidRunError as error:
        return None, error.message
    try:
        energies.require_energy(windows, domain)
    except InvalidRunError as error:
        return domain, error.message
    return domain, None


def _why(validity: Validity) -> str:
    return "; ".join(check.message for check in validity.failures) or "no energy was measured"


def _known(hardware: str) -> str | None:
    return None if hardware == "unknown" else hardware


def _of_samples(found: Uncertainty | None, samples: int | None) -> Uncertainty | None:
    """Without the interval for 1,000 samples where nobody told how many there were."""
    if found is None or samples is not None:
        return found
    return found.model_copy(update={"interval_95_wh_per_1000": None})


def _of_meters(found: Uncertainty | None) -> float | None:
    """What is uncertain without a word of the repeats; None where a part of it is not known."""
    if found is None:
        return None
    parts = [term.half_width_95_percent for term in found.terms if term.name in ("tick", "aliasing", "sampling")]
    known = [part for part in parts if part is not None]
    return math.hypot(*known) if known and len(known) == len(parts) else None


def _net_wh(
    energy_wh: float | None, duration_s: float | None, idle_w: float | None
) -> tuple[float | None, tuple[str, ...]]:
    if energy_wh is None or duration_s is None or idle_w is None:
        return None, ()
    net_wh = idle.net_energy_wh(energy_wh, duration_s, idle_w)
    if net_wh > 0:
        return net_wh, ()
    return None, (f"the code took no more than the idle power of {idle_w:.3g} W: there is no net energy",)


def _devices(windows: Sequence[Window], domain: Domain | None) -> tuple[DeviceEnergy, ...]:
    """Every device by every meter that read it, in the order of the readings."""
    keys = dict.fromkeys((r.component, r.device, r.meter) for window in windows for r in window.readings)
    return tuple(_device(windows, domain, *key) for key in keys)


def _device(
    windows: Sequence[Window], domain: Domain | None, component: Component, device: str, meter: str
) -> DeviceEnergy:
    found = [
        (reading, one_pass.passes_of(window))
        for window in windows
        for reading in window.readings
        if (reading.component, reading.device, reading.meter) == (component, device, meter)
    ]
    told_wh = [reading.energy_wh for reading, _ in found]
    sound = [
        reading.energy_wh / passes
        for reading, passes in found
        if reading.problem is None
        and reading.energy_wh is not None
        and math.isfinite(reading.energy_wh)
        and reading.energy_wh >= 0
    ]
    whole = len(sound) == len(told_wh) == len(windows)
    origins = {reading.origin for reading, _ in found}
    return DeviceEnergy(
        component=component,
        device=device,
        meter=meter,
        source=found[0][0].source,
        origin=origins.pop() if len(origins) == 1 else "unknown",
        energy_wh=statistics.fmean(sound) if whole else None,
        counted=domain is not None and component in domain.components and domain.meters.get(component) == meter,
        problem=next((reading.problem for reading, _ in found if reading.problem is not None), None),
    )
