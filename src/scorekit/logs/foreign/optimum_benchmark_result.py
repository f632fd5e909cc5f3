"""From a log of optimum-benchmark to its result: what both generations of the format share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scorekit import __version__, tasks
from scorekit.logs.fields import Field
from scorekit.logs.foreign.codecarbon_run import overhead_counted
from scorekit.logs.foreign.optimum_benchmark_config import Setup, read_setup
from scorekit.logs.foreign.optimum_benchmark_faults import (
    energy_faults,
    idle_gpus,
    repeat_count_faults,
    unknown_decode,
    unlike_task,
)
from scorekit.logs.foreign.optimum_benchmark_files import Log
from scorekit.logs.foreign.optimum_benchmark_phases import (
    Domain,
    Phase,
    contradictions,
    read_phases,
    total_of,
    unit_faults,
)
from scorekit.logs.foreign.results import Energies, Facts, foreign_result
from scorekit.records import PhaseEnergy, Result, Source

_ANSWERS: Final[dict[tasks.Kind, tuple[tuple[str, ...], ...]]] = {
    "generate": (("prefill", "decode"), ("generate",)),
    "forward": (("forward",),),
    "call": (("call",),),
}
"""Phases in which the model answers, by how it is called."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """How the model was called, and the phases that count."""

    kind: tasks.Kind
    counted: tuple[str, ...]


def result_of(log: Log, *, log_format: str, preprocess: str, decode_is_rest: bool) -> Result:
    """The result of a log.

    Args:
        log: its files.
        log_format: name and version of the format.
        preprocess: the phase in which inputs are prepared, as this generation calls it.
        decode_is_rest: whether this generation makes one pass, of which decode is generate - prefill for certain.

    Raises:
        LogError: a value is of the wrong kind, or it cannot be told in which phases the model answered.
    """
    phases = read_phases(log.report)
    setup = read_setup(log.config)
    answer = _answer(log.report, phases)
    names = (preprocess, *answer.counted)
    counted = [phases[name] for name in names if name in phases]
    domain = _domain(setup, not any(_gpu_read(phase) for phase in counted))
    # Our own files beside a report of ours are of single repeats, and no sum of what the report tells.
    beside = Field(None, "") if setup.ours else log.pass_file(answer.kind)
    pass_kwh = _pass_kwh(beside, domain)
    # The tool multiplies every pass alike; where the file of one is gone, that of the other tells.
    files = () if setup.ours else (beside, log.pass_file(preprocess))
    overheads = [fault for file in files for fault in overhead_counted(file["pue"].number(), f"{file.file}: pue")]
    found = [
        *unit_faults(counted),
        *contradictions(counted, setup.queries, setup.batch_size),
        *energy_faults(names, phases, domain, pass_kwh),
        *unlike_task(setup, answer.kind),
        *repeat_count_faults(setup, counted),
        *overheads[:1],
    ]
    if not decode_is_rest and pass_kwh is None and answer.counted == ("prefill", "decode"):
        found += unknown_decode(phases)
    idle = idle_gpus(setup, total_of([phase.kwh("gpu") for phase in counted]))
    if idle is not None:
        found.append(idle)
    by_repeat = _by_repeat(names, phases, domain)
    measured = setup.ours is False or not beside.missing
    facts = Facts(
        model=setup.model,
        model_revision=setup.model_revision,
        task=setup.task,
        hardware=setup.cpu if domain == "cpu+ram" else " + ".join(setup.gpu_names) or None,
        gpu_count=len(setup.device_ids) if domain == "gpu" and setup.device_ids and setup.device == "cuda" else None,
        domain=domain,
        origin="measured" if measured and domain == "gpu" else "unknown",
        meter="codecarbon" if measured else None,
        queries=setup.queries,
        queries_from=None if setup.queries is None else "config",
        dtype=setup.dtype,
        conditions=setup.conditions,
        duration_s=total_of([phase.duration_s for phase in counted]) if len(counted) == len(names) else None,
    )
    energies = Energies(
        published_kwh=total_of([phases[name].kwh(domain) if name in phases else None for name in names]),
        by_repeat_kwh=by_repeat,
        runs=len(by_repeat) or setup.runs or (1 if decode_is_rest and setup.ours is False else None),
        phases=tuple(
            PhaseEnergy(
                phase=phase.name,
                counted=phase.name in names,
                energy_kwh=phase.kwh(domain),
                energy_kwh_by_repeat=phase.repeats_kwh(domain),
                duration_s=phase.duration_s,
            )
            for phase in phases.values()
        ),
    )
    source = Source(
        name=log.place.label,
        format=log_format,
        files=log.files,
        tool=setup.tool,
        measured_local=beside["timestamp"].text(),
        scorekit_version=__version__,
    )
    return foreign_result(source, facts, energies, found)


def _answer(report: Field, phases: dict[str, Phase]) -> _Answer:
    """The phases in which the model answered: those that hold an energy, else those that are named."""
    for named in (
        {name for name, phase in phases.items() if phase.energy is not None or phase.repeats},
        set(report.mapping()),
    ):
        told = [
            _Answer(kind, names)
            for kind, alternatives in _ANSWERS.items()
            for names in alternatives
            if not named.isdisjoint(names)
        ]
        if len(told) > 1:
            listed = " and ".join("/".join(answer.counted) for answer in told)
            report.refuse(f"one kind of answer, but it has energies of {listed}, in phases")
        if told:
            return told[0]
    return report.refuse("a phase in which the model answers: prefill and decode, generate, forward or call")


def _by_repeat(names: Sequence[str], phases: dict[str, Phase], domain: Domain) -> tuple[float | None, ...]:
    """The total of each repeat; a phase that was measured once for all counts in each of them."""
    found = [phases.get(name) for name in names]
    count = max((len(phase.repeats) for phase in found if phase is not None), default=0)
    if count == 0:
        return ()
    columns = []
    for name, phase in zip(names, found, strict=True):
        if phase is not None and phase.repeats:
            repeats = phase.repeats_kwh(domain)
            columns.append(repeats + (None,) * (count - len(repeats)))
        elif name == names[0]:
            columns.append((None if phase is None else phase.kwh(domain),) * count)
        else:
            # Which repeat of the other half it belongs to is not known.
            return ()
    return tuple([total_of(row) for row in zip(*columns, strict=True)])


def _pass_kwh(beside: Field, domain: Domain) -> float | None:
    if beside.missing:
        return None
    parts = ("gpu_energy",) if domain == "gpu" else ("cpu_energy", "ram_energy")
    return total_of([beside[part].number() for part in parts])


def _gpu_read(phase: Phase) -> bool:
    return any(energy is not None and bool(energy.gpu) for energy in (phase.energy, *phase.repeats))


def _domain(setup: Setup, gpu_is_zero: bool) -> Domain:
    """What the energy covers: CPU and RAM where the model ran on the CPU and no GPU was read, else the GPUs."""
    return "cpu+ram" if setup.device == "cpu" and gpu_is_zero else "gpu"
