"""The phases of a report of optimum-benchmark: their energies in kWh, and what contradicts itself in them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from scorekit.logs.fields import Field
from scorekit.logs.foreign.faults import same
from scorekit.records import Fault
from scorekit.units import joules_to_wh, wh_to_kwh

Domain = Literal["gpu", "cpu+ram"]
_TO_KWH: Final = {
    "kWh": None,
    "Wh": wh_to_kwh,
    "J": lambda energy_j: wh_to_kwh(joules_to_wh(energy_j)),
}
UNITS: Final = tuple(_TO_KWH)
SUM_TOLERANCE: Final = 1e-3
"""The total of a phase is the sum of its parts but for rounding."""
_ROUNDING: Final = 1e-9
VOLUME_TOLERANCE: Final = 1e-2
"""The tool computes efficiency = samples / energy from the same figures; 1 % allows for figures that were rounded."""
_NOTHING: Final[tuple[Any, ...]] = ()


class Energy(NamedTuple):
    """One energy by component in kWh; None for what is missing, or has no unit that is known."""

    cpu: float | None
    ram: float | None
    gpu: float | None
    total: float | None
    unit: str | None

    def of(self, domain: Domain) -> float | None:
        """The energy of a domain in kWh."""
        if domain == "gpu":
            return self.gpu
        return None if self.cpu is None or self.ram is None else self.cpu + self.ram


@dataclass(frozen=True, slots=True)
class Phase:
    """What a report tells of one phase.

    Attributes:
        name: as the report calls it.
        energy: published; None where the report gives none.
        repeats: energies of the repeats; empty where the report keeps none.
        efficiency: queries, tokens or images per kWh.
        efficiency_unit: e.g. samples/kWh.
        throughput: likewise per second.
        duration_s: mean over the repeats.
    """

    name: str
    energy: Energy | None
    repeats: tuple[Energy | None, ...]
    efficiency: float | None
    efficiency_unit: str | None
    throughput: float | None
    duration_s: float | None

    def kwh(self, domain: Domain) -> float | None:
        """The published energy of a domain."""
        return None if self.energy is None else self.energy.of(domain)

    def repeats_kwh(self, domain: Domain) -> tuple[float | None, ...]:
        """The energies of the repeats."""
        if domain == "gpu":
            return tuple([None if energy is None else energy.gpu for energy in self.repeats])
        return tuple([None if energy is None else energy.of(domain) for energy in self.repeats])


def read_phases(report: Field) -> dict[str, Phase]:
    """All phases of a report in its order; those that are null or tell nothing are left out.

    Raises:
        LogError: a value is of the wrong kind; names it.
    """
    file, base = report.file, f"{report.path}." if report.path else ""
    phases = {}
    for name, content in report.mapping().items():
        if content is None:
            continue
        if not isinstance(content, dict):
            Field(content, file, base + name).refuse("a phase: a mapping with energy, latency and throughput")
        energy, measures = content.get("energy"), content.get("measures")
        if energy is None and measures is None and content.get("latency") is None:
            continue
        phases[name] = _phase(name, content, file, base + name)
    return phases


def _phase(name: str, content: dict[str, Any], file: str, path: str) -> Phase:
    measures = content.get("measures")
    if measures is not None and not isinstance(measures, list):
        Field(measures, file, f"{path}.measures").refuse("a list of energies, one a repeat")
    efficiency, efficiency_unit = _rate(content, "efficiency", file, path)
    throughput, _ = _rate(content, "throughput", file, path)
    return Phase(
        name=name,
        energy=_energy(content.get("energy"), file, path, "energy"),
        repeats=tuple(
            [_energy(measure, file, path, f"measures[{repeat}]") for repeat, measure in enumerate(measures)]
            if measures
            else _NOTHING
        ),
        efficiency=efficiency,
        efficiency_unit=efficiency_unit,
        throughput=throughput,
        duration_s=_duration_s(content.get("latency"), file, path),
    )


def _energy(value: Any, file: str, path: str, name: str) -> Energy | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        Field(value, file, f"{path}.{name}").refuse("an energy: a mapping with unit, cpu, ram, gpu and total")
    get = value.get
    cpu, ram, gpu, total, unit = get("cpu"), get("ram"), get("gpu"), get("total"), get("unit")
    if not (type(cpu) is type(ram) is type(gpu) is type(total) is float and type(unit) is str):
        field = Field(value, file, f"{path}.{name}")
        cpu, ram, gpu, total = (field[part].number() for part in ("cpu", "ram", "gpu", "total"))
        unit = field["unit"].text()
    if unit not in _TO_KWH:
        return Energy(None, None, None, None, unit)
    convert = _TO_KWH[unit]
    if convert is not None:
        cpu, ram, gpu, total = (None if part is None else convert(part) for part in (cpu, ram, gpu, total))
    return Energy(cpu, ram, gpu, total, unit)


def _rate(content: dict[str, Any], name: str, file: str, path: str) -> tuple[float | None, str | None]:
    if content.get(name) is None:
        return None, None
    field = Field(content, file, path)[name]
    return field["value"].number(), field["unit"].text()


def _duration_s(latency: Any, file: str, path: str) -> float | None:
    if latency is None:
        return None
    field = Field(latency, file, f"{path}.latency")
    mean = field["mean"].number()
    return mean if mean is not None and math.isfinite(mean) and field["unit"].text() == "s" else None


def unit_faults(phases: Sequence[Phase]) -> Iterator[Fault]:
    """Units that are missing, unknown, or not one and the same."""
    known: dict[str, str] = {}
    for phase in phases:
        if phase.energy is not None:
            yield from _unit_fault(phase, phase.energy, None, "energy")
            known.setdefault(phase.energy.unit or "", phase.name)
        units = {energy.unit for energy in phase.repeats if energy is not None}
        if len(units) == 1 and units.isdisjoint(_TO_KWH):
            first = next(energy for energy in phase.repeats if energy is not None)
            yield from _unit_fault(phase, first, None, "measures[...]")
        elif not units <= _TO_KWH.keys():
            for repeat, energy in enumerate(phase.repeats):
                if energy is not None:
                    yield from _unit_fault(phase, energy, repeat, f"measures[{repeat}]")
        for unit in units:
            known.setdefault(unit or "", f"{phase.name}.measures")
    mixed = {unit: where for unit, where in known.items() if unit in _TO_KWH}
    if len(mixed) > 1:
        told = ", ".join(f"{unit} in {where}" for unit, where in mixed.items())
        unproven = [phase.name for phase in phases if _is_unproven(phase)]
        told += "; each is converted"
        if unproven:
            told += f"; {', '.join(unproven)} lacks a repeat, so its mean does not show whether they are true"
        yield Fault(code="mixed_units", message=f"energies have several units: {told}", spoils=bool(unproven))


def _is_unproven(phase: Phase) -> bool:
    """Whether repeats of one phase have several units and their mean cannot be compared with the published one."""
    energies = [energy for energy in (phase.energy, *phase.repeats) if energy is not None]
    units = {energy.unit for energy in energies if energy.unit in _TO_KWH}
    return len(units) > 1 and (None in phase.repeats or any(energy.unit not in _TO_KWH for energy in energies))


def _unit_fault(phase: Phase, energy: Energy, repeat: int | None, name: str) -> Iterator[Fault]:
    if energy.unit in _TO_KWH:
        return
    where = f"{phase.name}.{name}.unit"
    valid = ", ".join(UNITS)
    if energy.unit is None or not energy.unit.strip():
        message = f"{where} is missing; expected one of {valid}"
        yield Fault(code="unit_missing", message=message, phase=phase.name, repeat=repeat, spoils=True)
    else:
        message = f"{where} is {energy.unit[:40]!r}; expected one of {valid}"
        yield Fault(code="unit_unknown", message=message, phase=phase.name, repeat=repeat, spoils=True)


def contradictions(phases: Sequence[Phase], queries: int | None, batch_size: int | None) -> Iterator[Fault]:
    """Figures within a phase that cannot all be true: parts against their total, energy against efficiency.

    Args:
        phases: those that count.
        queries: samples of one pass; None where the config does not tell.
        batch_size: samples in one call; early versions multiplied by it.
    """
    for phase in phases:
        if phase.energy is not None:
            yield from _shifted(phase, phase.energy)
            if not _is_sum(phase.energy):
                yield _unequal_sum(phase.name, phase.energy, "energy", None)
            yield from _other_volume(phase, phase.energy, queries, batch_size)
        for repeat, energy in enumerate(phase.repeats):
            if energy is not None and not _is_sum(energy):
                yield _unequal_sum(phase.name, energy, f"measures[{repeat}]", repeat)


def _shifted(phase: Phase, energy: Energy) -> Iterator[Fault]:
    for name, rate in (("throughput", phase.throughput), ("efficiency", phase.efficiency)):
        if not rate:
            continue
        for part, value in (("gpu", energy.gpu), ("total", energy.total)):
            if value is not None and same(value, rate, 1e-9):
                yield Fault(
                    code="shifted_columns",
                    message=f"{phase.name}.energy.{part} is {value:.6g}, the same as {phase.name}.{name}.value: that "
                    "figure stands in the place of the energy",
                    phase=phase.name,
                    spoils=True,
                )
                return


def _is_sum(energy: Energy) -> bool:
    """Whether the total is the sum of the parts; true where no total is told, or the total itself is no number."""
    cpu, ram, gpu, total, _ = energy
    if total is None or not math.isfinite(total):
        return True
    if cpu is None or ram is None or gpu is None:
        # The tool always writes all of them: a part was taken out, and which figures are left is not known.
        return False
    off = abs(cpu + ram + gpu - total)
    if off <= _ROUNDING * total:
        return True
    return off < math.inf and off <= SUM_TOLERANCE * max(abs(cpu), abs(ram), abs(gpu), abs(total))


def _unequal_sum(phase: str, energy: Energy, name: str, repeat: int | None) -> Fault:
    cpu, ram, gpu, total, _ = energy
    told = "missing" if cpu is None or ram is None or gpu is None else f"{cpu + ram + gpu:.6g} kWh"
    return Fault(
        code="contradiction",
        message=f"{phase}.{name}: cpu + ram + gpu is {told}, and total is {total:.6g}; one of them is not "
        "what was measured",
        phase=phase,
        repeat=repeat,
        spoils=True,
    )


def _other_volume(phase: Phase, energy: Energy, queries: int | None, batch_size: int | None) -> Iterator[Fault]:
    if phase.efficiency_unit != "samples/kWh" or queries is None or not phase.efficiency or not energy.total:
        return
    volume = phase.efficiency * energy.total
    allowed = (queries, queries * (batch_size or 1))
    if not math.isfinite(volume) or any(abs(volume / count - 1) <= VOLUME_TOLERANCE for count in allowed):
        return
    yield Fault(
        code="contradiction",
        message=f"{phase.name}: efficiency x energy.total is {volume:.6g} samples, and the config asks for "
        f"{queries:,}; the energy, its unit or the number of samples is not that of the run",
        phase=phase.name,
        spoils=True,
    )


def total_of(values: Sequence[float | None]) -> float | None:
    """The sum; None as soon as one is missing."""
    total = 0.0
    for value in values:
        if value is None:
            return None
        total += value
    return total if values else None
