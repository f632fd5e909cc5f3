"""Meters that contradict each other, samplers that fell behind, energies that do not say where they are from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from scorekit.validity import Evidence
from tests.evidence import Change, change_energy, change_facts, change_readings, drop_samples
from tests.unit.validity.spoilt.changes import AFTER, FOURTH, Case, without


def _one_meter(evidence: Evidence) -> Evidence:
    return replace(
        evidence,
        windows=tuple(
            w.model_copy(update={"readings": tuple(r for r in w.readings if r.meter == "nvml")}) if FOURTH(w) else w
            for w in evidence.windows
        ),
    )


def _sampler(**changes: Any) -> Change:
    def change(evidence: Evidence) -> Evidence:
        assert evidence.trace is not None
        return replace(evidence, trace=replace(evidence.trace, **changes))

    return change


CASES: list[Case] = [
    ("meters_agree", change_energy(FOURTH, 1.0), "none", ""),
    (
        "meters_agree",
        change_readings(FOURTH, "codecarbon", energy_wh=0.0),
        "warn",
        "repeat 4, .*codecarbon gives 0 Wh.*the sampled power sides with nvml",
    ),
    ("meters_agree", change_readings(FOURTH, energy_wh=lambda old: old * 0.9), "fail", "repeat 4, .*codecarbon gives"),
    (
        "meters_agree",
        lambda e: replace(change_readings(FOURTH, "codecarbon", energy_wh=0.0)(e), trace=None),
        "fail",
        "repeat 4, phase generate: codecarbon gives 0 Wh",
    ),
    ("meters_agree", change_facts(run={"meters": ("nvml",)}), "warn", "only one meter"),
    ("meters_agree", _one_meter, "warn", "only one meter read the GPU in repeat 4, phase generate .codecarbon."),
    ("sampler_kept_up", drop_samples(AFTER, AFTER + 55), "warn", "of the samples of .* were missed"),
    ("sampler_kept_up", _sampler(sampler_cpu_s=20.0), "warn", "sampling took 2.00% of a core"),
    ("sampler_kept_up", _sampler(sampler_cpu_s=None), "warn", "cannot be judged"),
    ("sampler_kept_up", without(trace=None), "warn", "cannot be judged"),
    (
        "origin_tagged",
        lambda e: replace(
            e,
            windows=tuple(
                w.model_copy(
                    update={
                        "readings": tuple(
                            r.model_copy(update={"origin": "unknown"}) if r.component == "cpu" else r
                            for r in w.readings
                        )
                    }
                )
                for w in e.windows
            ),
        ),
        "warn",
        "energy of CPU .* does not say",
    ),
]
