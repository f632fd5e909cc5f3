"""From a run's windows to its `Score`: the arithmetic of the protocol, pure.

The energy of a repeat is that of its `preprocess` window and of the one in which the model answers
(`generate`, `forward` or `call`). Loading is never counted. The `prefill` window is a pass of its own that
only splits `generate` into prefill and decode: it never enters the score.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence

from scorekit import tasks
from scorekit.logs import energies, idle, one_pass
from scorekit.logs.budget import budget
from scorekit.logs.energies import Domain
from scorekit.logs.phases import phase_scores
from scorekit.logs.repeats import Repeat, count_queries, group_repeats
from scorekit.records import (
    SCORE_SCHEMA,
    SERVING_SCORE_SCHEMA,
    Check,
    Component,
    Conditions,
    Environment,
    Provenance,
    Reason,
    RepeatScore,
    Score,
    Validity,
    Window,
)
from scorekit.units import per_1000, wh_to_kwh
from scorekit.validity import Measured, not_comparable, untold
from scorekit.validity.inputs import departures


def score_run(
    environment: Environment, windows: Sequence[Window], provenance: Provenance, *, validity: Validity | None = None
) -> Score:
    """The score of a complete run.

    `wh_per_1000_output_tokens` divides the whole score's energy, preprocessing included, by the tokens
    generated, so that it and `wh_per_1000_queries` are two views of one energy.

    Short tasks repeat their pass over the samples within one window. All figures are of one pass: the energy, duration
    and tokens of a window are divided by its passes.

    Args:
        environment: what was asked, and of what.
        windows: every window of the run.
        provenance: from what it is computed.
        validity: the checks of the run; None where none were made. A score whose checks failed is marked as invalid
            and is not comparable.

    Raises:
        LogError: a window is missing its repeat, or stands twice.
        InvalidRunError: a repeat or phase is missing, queries failed or differ, or an energy cannot be true.
    """
    run, model = environment.run, environment.model
    repeats = group_repeats(windows, run.kind, run.runs, adaptive=run.target_ci is not None)
    counted = [window for repeat in repeats for window in repeat.counted]
    queries = count_queries(repeats, run.num_samples)
    domain = energies.choose_domain(counted, run.meters)
    energies.require_energy(counted, domain)

    energies_wh = _domain_energies_wh(repeats, domain)
    rows = tuple(
        _repeat_score(repeat, energy_wh, queries, domain)
        for repeat, energy_wh in zip(repeats, energies_wh, strict=True)
    )
    energy_wh = statistics.fmean(energies_wh)
    output_tokens = _mean(one_pass.output_tokens(repeat.answer) for repeat in repeats)
    origin = energies.domain_origin(counted, domain)
    images = {one_pass.images(repeat.answer) for repeat in repeats}
    reasons = not_comparable(
        environment,
        Measured(
            domain=domain.name,
            origin=origin,
            queries=queries,
            runs=len(repeats),
            output_tokens=output_tokens,
            images=images.pop() if len(images) == 1 else None,
            sources=frozenset(
                (reading.meter, reading.source)
                for window in counted
                for component in domain.components
                for reading in energies.readings_of(window, component, domain)
            ),
        ),
    )
    idle_w = idle.idle_power_w(windows, counted, domain)
    answering_s = statistics.fmean(one_pass.duration_s(repeat.answer) for repeat in repeats)
    net_wh, warnings = _net_wh(energy_wh, answering_s, idle_w)
    if validity is not None:
        warnings = (*_reasons(validity.warnings), *warnings)
        reasons = (*reasons, *untold(environment, validity))
        if not validity.valid:
            failed = ", ".join(check.name for check in validity.failures)
            reasons = (*reasons, Reason(code="invalid", message=f"the run failed its checks: {failed}"))
    cohort = tasks.cohort_of(run.task)
    serving = environment.serving
    return Score(
        schema_version=SCORE_SCHEMA if serving is None else SERVING_SCORE_SCHEMA,
        model=model.name,
        model_revision=model.revision,
        task=run.task,
        cohort=cohort if serving is None else tasks.SERVING,
        model_class=tasks.class_of(model) if cohort in tasks.CLASSED_COHORTS else None,
        parameters=model.parameters,
        hardware=hardware_of(environment, domain),
        domain=domain.name,
        origin=origin,
        meter=domain.meter,
        wh_per_1000_queries=per_1000(energy_wh, queries),
        wh_per_1000_queries_std=(statistics.stdev(row.wh_per_1000_queries for row in rows) if len(rows) > 1 else None),
        wh_per_1000_output_tokens=per_1000(energy_wh, output_tokens) if output_tokens else None,
        energy_kwh=wh_to_kwh(energy_wh),
        gpu_kwh=_kwh(row.gpu_wh for row in rows),
        cpu_kwh=_kwh(row.cpu_wh for row in rows),
        ram_kwh=_kwh(row.ram_wh for row in rows),
        cpu_origin=energies.component_origin(counted, "cpu", domain),
        ram_origin=energies.component_origin(counted, "ram", domain),
        queries=queries,
        conditions=Conditions(
            dataset=environment.dataset.name,
            dataset_fingerprint=environment.dataset.fingerprint,
            batch_size=run.batch_size,
            new_tokens=run.new_tokens,
            max_new_tokens=run.max_new_tokens,
            image_steps=run.image_steps,
            concurrency=None if serving is None else serving.concurrency,
            inputs=tuple(map(str, departures(run))),
        ),
        output_tokens=output_tokens,
        runs=len(rows),
        phases=phase_scores(run.kind, repeats, domain),
        repeats=rows,
        uncertainty=budget(repeats, energies_wh, queries, domain, idle_w=idle_w, adaptive=run.target_ci is not None),
        idle_power_w=idle_w,
        wh_per_1000_queries_net=None if net_wh is None else per_1000(net_wh, queries),
        valid=None if validity is None else validity.valid,
        invalid_because=() if validity is None else _reasons(validity.failures),
        warnings=warnings,
        comparable=not reasons,
        not_comparable_because=reasons,
        provenance=provenance,
    )


def _repeat_score(repeat: Repeat, energy_wh: float, queries: int, domain: Domain) -> RepeatScore:
    return RepeatScore(
        repeat=repeat.number,
        samples=queries,
        duration_s=math.fsum(one_pass.duration_s(window) for window in repeat.counted),
        gpu_wh=_sum_wh(repeat, "gpu", domain),
        cpu_wh=_sum_wh(repeat, "cpu", domain),
        ram_wh=_sum_wh(repeat, "ram", domain),
        wh_per_1000_queries=per_1000(energy_wh, queries),
        output_tokens=one_pass.whole_output_tokens(repeat.answer),
    )


def _sum_wh(repeat: Repeat, component: Component, domain: Domain) -> float | None:
    parts = [energies.component_wh(window, component, domain) for window in repeat.counted]
    known = [part for part in parts if part is not None]
    return math.fsum(known) if len(known) == len(parts) else None


def _domain_energies_wh(repeats: Sequence[Repeat], domain: Domain) -> list[float]:
    """Energy of each repeat; `require_energy` has made sure that every window has one."""
    sums = []
    for repeat in repeats:
        parts = [energies.domain_wh(window, domain) for window in repeat.counted]
        sums.append(math.fsum(part for part in parts if part is not None))
    return sums


def _net_wh(energy_wh: float, answering_s: float, idle_w: float | None) -> tuple[float | None, tuple[Reason, ...]]:
    """Mean energy of a repeat without that of idling, and a warning where nothing is left of it.

    Idling was measured with the model loaded, and inputs are prepared before it is: only the time of answering counts.
    """
    if idle_w is None:
        return None, ()
    net_wh = idle.net_energy_wh(energy_wh, answering_s, idle_w)
    return (net_wh, ()) if net_wh > 0 else (None, (idle.no_net(idle_w),))


def _reasons(checks: Sequence[Check]) -> tuple[Reason, ...]:
    return tuple(Reason(code=check.name, message=check.message) for check in checks)


def _mean(values: Iterable[float | None]) -> float | None:
    """Mean over the repeats; None as soon as one of them is unknown."""
    known = list(values)
    present = [value for value in known if value is not None]
    return statistics.fmean(present) if present and len(present) == len(known) else None


def _kwh(energies_wh: Iterable[float | None]) -> float | None:
    mean_wh = _mean(energies_wh)
    return None if mean_wh is None else wh_to_kwh(mean_wh)


def hardware_of(environment: Environment, domain: Domain) -> str:
    """Name of the GPUs, or of the CPU where none was measured; `unknown` where it is not told."""
    if domain.name == "cpu+ram" and not environment.gpus:
        return environment.cpu or "unknown"
    names = list(dict.fromkeys(gpu.name for gpu in environment.gpus))
    if not names:
        return "unknown"
    counts = [sum(gpu.name == name for gpu in environment.gpus) for name in names]
    return " + ".join(name if count == 1 else f"{count} x {name}" for name, count in zip(names, counts, strict=True))
