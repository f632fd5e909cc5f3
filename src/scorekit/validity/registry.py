"""All checks, in the order of their numbers, and the judgement that they make together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from scorekit.records import Check, Validity
from scorekit.validity import against_power, conditions, counters, energy, gpus, meters, protocol, repeatability
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


def judge(evidence: Evidence) -> Validity:
    """Run every check.

    Returns:
        The checks by number; valid when none failed with severity fail.
    """
    from scorekit import __version__

    checks = tuple(check(evidence) for check in CHECKS)
    invalid = any(check.passed is False and check.severity == "fail" for check in checks)
    return Validity(run=evidence.run, scorekit_version=__version__, checks=checks, valid=not invalid)
