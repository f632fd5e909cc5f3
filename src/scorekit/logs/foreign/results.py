"""From what another tool's log tells to a `Result`: what can be used of it, and why the rest cannot. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from scorekit import tasks
from scorekit.errors import UsageError
from scorekit.records import Conditions, Fault, Figure, PhaseEnergy, Reason, Result, Source
from scorekit.units import kwh_to_wh, per_1000

NOT_OURS: Final = Reason(
    code="foreign_log", message="read from another tool's log, which holds too little to check the measurement by"
)
_FACTS: Final = ("model", "task", "hardware", "queries", "meter", "domain", "measured_utc")
"""Facts that are named in `unknown` where a log does not tell them; of an energy of GPUs, so is their number."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a log tells beside its energies; None for what it does not tell. What is not told here is as in `Result`.

    Attributes:
        task: config name of the registry.
        queries: queries of one repeat; never assumed.
        queries_from: what tells it.
        model_class: as the log gives it, where it does not tell the parameters.
    """

    model: str | None = None
    model_revision: str | None = None
    task: str | None = None
    parameters: int | None = None
    model_class: Literal["A", "B", "C"] | None = None
    hardware: str | None = None
    gpu_count: int | None = None
    domain: Literal["gpu", "cpu+ram"] | None = None
    origin: Literal["measured", "modelled", "mixed", "unknown"] = "unknown"
    meter: str | None = None
    queries: int | None = None
    queries_from: Literal["counted", "config", "summary"] | None = None
    dtype: str | None = None
    conditions: Conditions | None = None
    output_tokens: float | None = None
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Energies:
    """The energies of a log in kWh, as it gives them.

    Attributes:
        published_kwh: the counted phases of one repeat, as the log's own mean; None where it gives none.
        by_repeat_kwh: the same of each repeat; empty where the log keeps no repeats, None for one that is missing.
        runs: repeats that the published figure is the mean of; None where the log does not tell.
        phases: every phase, loading included.
    """

    published_kwh: float | None
    by_repeat_kwh: tuple[float | None, ...] = ()
    runs: int | None = None
    phases: tuple[PhaseEnergy, ...] = ()


def task_named(name: str | None) -> str | None:
    """Config name of a task by any of its names; None where the name is none of a task's."""
    try:
        return None if name is None else tasks.config_name(name)
    except UsageError:
        return None


def foreign_result(source: Source, facts: Facts, energies: Energies, faults: Sequence[Fault] = ()) -> Result:
    """The result of another tool's log.

    Repeats with a fault that spoils are left out of the corrected figure, and no others. A fault that spoils and
    names no repeat leaves nothing that can be used.
    """
    cohort = tasks.cohort_of(facts.task)
    published = _figure(energies.published_kwh, facts.queries, energies.runs)
    corrected = _corrected(energies, facts.queries, faults)
    spoilt = _spoiling(corrected, faults)
    usable = None if spoilt or _true((corrected or published).energy_kwh) is None else corrected or published
    refused = "; ".join(spoilt) or _refusal(facts, corrected or published)
    told = {**{name: getattr(facts, name, None) for name in _FACTS}, "measured_utc": source.measured_utc}
    unknown = [name for name in _FACTS if told[name] is None]
    if facts.domain == "gpu" and facts.gpu_count is None:
        unknown.append("gpu_count")
    return Result(
        model=facts.model,
        model_revision=facts.model_revision,
        task=facts.task,
        cohort=cohort,
        model_class=_model_class(facts) if cohort in tasks.CLASSED_COHORTS else None,
        parameters=facts.parameters,
        hardware=facts.hardware,
        gpu_count=facts.gpu_count,
        domain=facts.domain,
        origin=facts.origin,
        meter=facts.meter,
        queries=facts.queries,
        queries_from=facts.queries_from,
        conditions=facts.conditions,
        dtype=facts.dtype,
        published=published,
        corrected=corrected,
        difference_percent=_difference_percent(published, corrected),
        energy_kwh=None if usable is None else usable.energy_kwh,
        wh_per_1000_queries=None if usable is None else _true(usable.wh_per_1000_queries),
        wh_per_1000_output_tokens=_per_1000_tokens(usable, facts.output_tokens),
        output_tokens=_finite(facts.output_tokens),
        duration_s=_finite(facts.duration_s),
        phases=energies.phases,
        faults=tuple(faults),
        unknown=tuple(unknown),
        refused=refused,
        comparable=False,
        not_comparable_because=(NOT_OURS,),
        source=source,
    )


def _figure(energy_kwh: float | None, queries: int | None, runs: int | None, left_out: Sequence[int] = ()) -> Figure:
    known = energy_kwh is not None and queries is not None
    return Figure(
        energy_kwh=energy_kwh,
        wh_per_1000_queries=per_1000(kwh_to_wh(energy_kwh), queries) if known else None,  # type: ignore[arg-type]
        runs=runs,
        excluded_repeats=tuple(left_out),
    )


def _corrected(energies: Energies, queries: int | None, faults: Sequence[Fault]) -> Figure | None:
    spoilt = {fault.repeat for fault in faults if fault.spoils and fault.repeat is not None}
    left_out = sorted(repeat for repeat in spoilt if repeat < len(energies.by_repeat_kwh))
    kept = [kwh for repeat, kwh in enumerate(energies.by_repeat_kwh) if repeat not in spoilt]
    good = [kwh for kwh in kept if kwh is not None and math.isfinite(kwh) and kwh > 0]
    if not left_out or not good or len(good) != len(kept):
        return None
    return _figure(statistics.fmean(good), queries, len(good), left_out)


def _model_class(facts: Facts) -> Literal["A", "B", "C"] | None:
    return tasks.model_class(facts.parameters) or facts.model_class


def _spoiling(corrected: Figure | None, faults: Sequence[Fault]) -> list[str]:
    """What leaves nothing that can be used."""
    return [fault.message for fault in faults if fault.spoils and (fault.repeat is None or corrected is None)]


def _refusal(facts: Facts, figure: Figure) -> str | None:
    """Why there is no energy of 1,000 queries; None where there is one."""
    if figure.energy_kwh is None:
        return "the log holds no energy of the task"
    if _true(figure.energy_kwh) is None:
        return f"an energy of {figure.energy_kwh} kWh cannot be true"
    if facts.queries is None:
        return (
            "the log does not tell how many queries were made, so the energy of 1,000 is not known; "
            "give the benchmark's own log, which counts them"
        )
    if _true(figure.wh_per_1000_queries) is None:
        return f"an energy of {figure.energy_kwh} kWh for {facts.queries:,} queries cannot be true"
    return None


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _true(energy: float | None) -> float | None:
    """An energy that can have been spent; None for any other."""
    return energy if energy is not None and math.isfinite(energy) and energy > 0 else None


def _difference_percent(published: Figure, corrected: Figure | None) -> float | None:
    before = published.energy_kwh
    if corrected is None or corrected.energy_kwh is None or before is None or not math.isfinite(before) or before <= 0:
        return None
    return _finite(100 * (corrected.energy_kwh / before - 1))


def _per_1000_tokens(usable: Figure | None, tokens: float | None) -> float | None:
    if usable is None or usable.energy_kwh is None or tokens is None or not tokens > 0:
        return None
    return _finite(per_1000(kwh_to_wh(usable.energy_kwh), tokens))
