"""All checks, in the order of their numbers, and the judgement that they make together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from scorekit.records import Check, Validity
from scorekit.validity import against_power, code, conditions, counters, energy, gpus, meters, protocol, repeatability
from scorekit.validity.evidence import Evidence

CHECKS: Final[tuple[Callable[[Evidence], Check], ...]] = (
    energy.energy_positive,
    counters.counter_unbroken,
    counters.window_length,
    counters.counter_tick,
    energy.power_plausible,
    against_power.counter_agrees_with_power,
    meters.meters_agree,
    gpus.gpus_matched,
    gpus.no_foreign_processes,
    energy.only_used_gpus,
    conditions.not_throttled,
    conditions.power_limit_default,
    conditions.clocks_free,
    conditions.temperature_steady,
    gpus.whole_gpu,
    gpus.gpu_settings_unchanged,
    conditions.idle_steady,
    protocol.samples_complete,
    protocol.model_as_declared,
    gpus.gpu_count,
    protocol.dataset_identified,
    protocol.outputs_counted,
    repeatability.repeats_agree,
    meters.sampler_kept_up,
    meters.origin_tagged,
    repeatability.star_certain,
)
"""Each is pure and gives the check of its place: the first is number 1. Each function is named as its check."""

OF_CODE: Final[tuple[Callable[[Evidence], Check], ...]] = (
    energy.energy_positive,
    counters.counter_unbroken,
    code.window_length,
    counters.counter_tick,
    energy.power_plausible,
    against_power.counter_agrees_with_power,
    meters.meters_agree,
    gpus.no_foreign_processes,
    code.only_used_gpus,
    conditions.not_throttled,
    conditions.power_limit_default,
    conditions.clocks_free,
    conditions.temperature_steady,
    gpus.whole_gpu,
    gpus.gpu_settings_unchanged,
    code.idle_steady,
    repeatability.repeats_agree,
    meters.sampler_kept_up,
    meters.origin_tagged,
)
"""Those that hold for any code that is measured, of which no model, data and protocol is known."""


def judge(evidence: Evidence, checks: Sequence[Callable[[Evidence], Check]] = CHECKS) -> Validity:
    """Run every check.

    Args:
        evidence: of the run.
        checks: which, in the order of their numbers.

    Returns:
        The checks by number; valid when none failed with severity fail.
    """
    from scorekit import __version__

    found = tuple(check(evidence) for check in checks)
    invalid = any(check.passed is False and check.severity == "fail" for check in found)
    return Validity(run=evidence.run, scorekit_version=__version__, checks=found, valid=not invalid)
