"""GPUs that are not the run's, not whole, in use by others or set otherwise meanwhile.

With `only_used_gpus`, which is a check of energies: what spoils it is a second GPU, too.
"""

from __future__ import annotations

from dataclasses import replace

from scorekit.validity import Evidence
from tests.bundles import NVML_GPU, reading
from tests.evidence import OTHER_GPU, at, change_facts, change_gpu, change_states, change_trace, unofficial
from tests.unit.validity.spoilt.changes import AFTER, LATER, Case, without


def _second_gpu(evidence: Evidence) -> Evidence:
    extra = reading("gpu", 1.0, meter="nvml", device=OTHER_GPU)
    windows = tuple(w.model_copy(update={"readings": (*w.readings, extra)}) for w in evidence.windows)
    return replace(evidence, windows=windows)


def _seen_within(evidence: Evidence) -> Evidence:
    """A foreign process that comes and goes within a window, as a look once a second sees it."""
    states = evidence.states or ()
    seen = states[0].model_copy(update={"when": "watch", "monotonic_s": AFTER + 20, "foreign_processes": 1})
    gone = seen.model_copy(update={"monotonic_s": AFTER + 23, "foreign_processes": 0})
    return replace(evidence, states=(*states, seen, gone))


CASES: list[Case] = [
    ("only_used_gpus", _second_gpu, "fail", f"energy of {OTHER_GPU} is counted in repeats 0, 1, .* does not use it"),
    ("only_used_gpus", change_facts(torch_gpus=(), run={"gpus_by_hand": True, "device": "cpu"}), "warn", "not use it"),
    ("only_used_gpus", change_facts(torch_gpus=None), "warn", "not recorded"),
    (
        "only_used_gpus",
        change_facts(torch_gpus=(NVML_GPU, OTHER_GPU), model_gpus=(OTHER_GPU,)),
        "fail",
        "holds no part",
    ),
    ("only_used_gpus", change_facts(model_gpus=(OTHER_GPU,), run={"gpus_by_hand": True}), "warn", "holds no part"),
    ("only_used_gpus", change_facts(model_gpus=None), "warn", "GPUs that hold parts of the model were not recorded"),
    ("gpus_matched", change_facts(torch_gpus=(OTHER_GPU,)), "fail", f"torch computes on {OTHER_GPU}"),
    ("gpus_matched", change_facts(torch_gpus=None), "warn", "not recorded"),
    ("gpus_matched", change_facts(torch_gpus=()), "fail", "torch computes on no GPU"),
    (
        "gpus_matched",
        change_facts(torch_gpus=(), run={"gpus_by_hand": True, "device": "cpu"}),
        "warn",
        "named by scenario.gpus",
    ),
    (
        "no_foreign_processes",
        change_states(lambda s: s.repeat == 4, foreign_processes=2),
        "fail",
        "repeat 4: 2 foreign processes",
    ),
    ("no_foreign_processes", change_states(lambda _: True, foreign_processes=None), "fail", "could not be told"),
    (
        "no_foreign_processes",
        change_facts(run={"gpus_watched": False}),
        "warn",
        "nobody looked for other processes while the model answered",
    ),
    (
        "no_foreign_processes",
        change_trace("utilization_percent", lambda _t, _v: 30.0),
        "fail",
        "phase idle_before: .* was in use",
    ),
    (
        "no_foreign_processes",
        change_trace(
            "utilization_percent", lambda t, v: 1.0 if 0 < t - at("idle_after", None).start_monotonic_s - 5 < 1 else v
        ),
        "warn",
        "phase idle_after: .* up to 1 %",
    ),
    (
        "no_foreign_processes",
        change_states(LATER, foreign_processes=None),
        "fail",
        "processes .* at the start, rep.* 1",
    ),
    ("no_foreign_processes", _seen_within, "fail", "repeat 4, phase generate: 1 foreign process on"),
    ("whole_gpu", change_gpu(mig=True), "fail", "MIG is on"),
    ("whole_gpu", change_states(lambda s: s.when == "end", mig=True), "fail", "MIG is on"),
    ("whole_gpu", change_gpu(virtualization="vgpu"), "fail", "virtual"),
    ("whole_gpu", change_gpu(counter_scope="module"), "fail", "module with its CPU"),
    (
        "whole_gpu",
        lambda e: change_gpu(mig=None, virtualization=None)(change_states(lambda _: True, mig=None)(e)),
        "fail",
        "cannot be judged: MIG mode .at the start, .*, virtualisation of GPU-",
    ),
    ("whole_gpu", change_gpu(counter_scope=None), "fail", "cannot be judged: scope of the counter"),
    ("whole_gpu", lambda e: change_gpu(virtualization=None)(unofficial(e)), "warn", "cannot be judged: virtualisation"),
    ("gpu_settings_unchanged", change_states(LATER, ecc=None), "warn", "ECC .* at the start, repeat 1, .*the end"),
    ("gpu_settings_unchanged", change_states(lambda s: s.when == "end", ecc=False), "fail", "ECC .*on to off"),
    ("gpu_settings_unchanged", change_states(lambda s: s.when == "end", persistence=False), "warn", "persistence"),
    ("gpu_settings_unchanged", without(states=None), "warn", "cannot be judged"),
    ("gpu_count", change_facts(model_gpus=(NVML_GPU, OTHER_GPU)), "warn", "2 GPUs were used for a model of class A"),
    ("gpu_count", lambda e: change_facts(model_gpus=None)(_second_gpu(e)), "warn", "2 GPUs were used for a model"),
]
