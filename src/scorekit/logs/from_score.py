"""The `Result` of one of our own runs: its score as the record that logs of every format become."""

from __future__ import annotations

import statistics

from scorekit.logs.score_file import UNVERIFIED
from scorekit.records import RESULT_SCHEMA, SERVING_RESULT_SCHEMA, Figure, PhaseEnergy, Result, Score, Source
from scorekit.units import wh_to_kwh


def result_of(score: Score, name: str, dtype: str | None = None) -> Result:
    """The result of a score; the score itself goes with it.

    Args:
        score: of a run or of a score.json.
        name: where it lies, below what was named.
        dtype: of the model as loaded, where the run tells it.
    """
    figure = Figure(
        energy_kwh=score.energy_kwh, wh_per_1000_queries=score.wh_per_1000_queries, runs=score.runs, excluded_repeats=()
    )
    serves = score.conditions is not None and score.conditions.concurrency is not None
    return Result(
        schema_version=SERVING_RESULT_SCHEMA if serves else RESULT_SCHEMA,
        model=score.model,
        model_revision=score.model_revision,
        task=score.task,
        cohort=score.cohort,
        model_class=score.model_class,
        parameters=score.parameters,
        hardware=None if score.hardware == "unknown" else score.hardware,
        domain=score.domain,
        origin=score.origin,
        meter=score.meter,
        queries=score.queries,
        queries_from="counted",
        conditions=score.conditions,
        dtype=dtype,
        published=figure,
        energy_kwh=score.energy_kwh,
        wh_per_1000_queries=score.wh_per_1000_queries,
        wh_per_1000_output_tokens=score.wh_per_1000_output_tokens,
        output_tokens=score.output_tokens,
        duration_s=statistics.fmean(repeat.duration_s for repeat in score.repeats) if score.repeats else None,
        uncertainty=score.uncertainty,
        phases=tuple(
            PhaseEnergy(
                phase=phase.phase,
                counted=phase.counted,
                energy_kwh=_kwh(phase.energy_wh),
                energy_kwh_by_repeat=tuple(_kwh(wh) for wh in phase.energy_wh_by_repeat),
                duration_s=phase.duration_s,
            )
            for phase in score.phases
        ),
        unknown=("hardware",) if score.hardware == "unknown" else (),
        valid=score.valid,
        invalid_because=score.invalid_because,
        comparable=score.comparable,
        not_comparable_because=score.not_comparable_because,
        score=score,
        source=Source(
            name=name,
            format=score.provenance.log_format,
            files=score.provenance.files,
            tool=f"scorekit {score.provenance.scorekit_version}",
            measured_utc=score.provenance.created_utc,
            scorekit_version=score.provenance.scorekit_version,
        ),
    )


def unverified(result: Result) -> Result:
    """A result that was not read from its log: it may not stand beside official scores, and says so."""
    reasons = result.not_comparable_because
    if not result.comparable or UNVERIFIED.code in {reason.code for reason in reasons}:
        return result
    return result.model_copy(update={"comparable": False, "not_comparable_because": (*reasons, UNVERIFIED)})


def _kwh(energy_wh: float | None) -> float | None:
    return None if energy_wh is None else wh_to_kwh(energy_wh)
