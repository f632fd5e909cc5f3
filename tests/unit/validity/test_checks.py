"""Each of the 26 checks passes on a good run, and finds what it is there for."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scorekit.records import Check, CounterEvidence, GpuState, Validity
from scorekit.validity import CHECKS, Evidence, judge
from tests.bundles import NVML_GPU, reading
from tests.evidence import (
    OTHER_GPU,
    Change,
    at,
    change_counter,
    change_energy,
    change_facts,
    change_gpu,
    change_readings,
    change_states,
    change_trace,
    change_windows,
    cpu_evidence,
    drop_samples,
    gain,
    good_evidence,
    of_phase,
    unofficial,
)

GENERATE = of_phase("generate")
FOURTH = of_phase("generate", 4)
BUT_FIRST = of_phase("generate", *range(1, 10))
AFTER = at("generate", 4).start_monotonic_s
NAMES = [check.__name__ for check in CHECKS]


def _moved(which: Any, seconds: float) -> Change:
    """Windows with another length, their energy as before."""

    def change(evidence: Evidence) -> Evidence:
        return replace(
            evidence,
            windows=tuple(
                w.model_copy(
                    update={
                        "end_monotonic_s": w.start_monotonic_s + seconds,
                        "end_utc": w.start_utc,
                        "end_boottime_s": None,
                    }
                )
                if which(w)
                else w
                for w in evidence.windows
            ),
        )

    return change


def _without(**attributes: None) -> Change:
    return lambda evidence: replace(evidence, **attributes)  # type: ignore[arg-type]


def _second_gpu(evidence: Evidence) -> Evidence:
    extra = reading("gpu", 1.0, meter="nvml", device=OTHER_GPU)
    windows = tuple(w.model_copy(update={"readings": (*w.readings, extra)}) for w in evidence.windows)
    return replace(evidence, windows=windows)


def _trend(evidence: Evidence) -> Evidence:
    for repeat in range(10):
        evidence = change_energy(of_phase("generate", repeat), 1 + 0.001 * repeat)(evidence)
    return evidence


def LATER(state: GpuState) -> bool:  # noqa: N802
    """All states but that before the first repeat."""
    return state.repeat != 0


def _one_meter(evidence: Evidence) -> Evidence:
    return replace(
        evidence,
        windows=tuple(
            w.model_copy(update={"readings": tuple(r for r in w.readings if r.meter == "nvml")}) if FOURTH(w) else w
            for w in evidence.windows
        ),
    )


def _seen_within(evidence: Evidence) -> Evidence:
    """A foreign process that comes and goes within a window, as a look once a second sees it."""
    states = evidence.states or ()
    seen = states[0].model_copy(update={"when": "watch", "monotonic_s": AFTER + 20, "foreign_processes": 1})
    gone = seen.model_copy(update={"monotonic_s": AFTER + 23, "foreign_processes": 0})
    return replace(evidence, states=(*states, seen, gone))


def _sampler(**changes: Any) -> Change:
    def change(evidence: Evidence) -> Evidence:
        assert evidence.trace is not None
        return replace(evidence, trace=replace(evidence.trace, **changes))

    return change


CASES: list[tuple[str, Change, str, str]] = [
    # Check, what is spoilt, severity, what the message must say.
    ("energy_positive", change_readings(FOURTH, energy_wh=0.0), "fail", "repeat 4, phase generate: .* is zero"),
    ("energy_positive", change_readings(FOURTH, energy_wh=-1.5), "fail", r"repeat 4, phase generate: .* negative"),
    ("energy_positive", change_readings(FOURTH, energy_wh=math.nan), "fail", "repeat 4, .* not a number"),
    ("energy_positive", change_readings(FOURTH, energy_wh=math.inf), "fail", "repeat 4, .* infinite"),
    ("energy_positive", change_readings(FOURTH, energy_wh=None, problem="GPU is lost"), "fail", "missing .GPU is lost"),
    ("energy_positive", change_readings(FOURTH, problem="reset"), "fail", "not to be trusted .reset"),
    ("energy_positive", change_windows(FOURTH, readings=()), "fail", "repeat 4, phase generate: .* missing, expected"),
    ("energy_positive", change_energy(FOURTH, 2.0), "fail", "repeat 4, phase generate: 2.* x the energy .* twice"),
    (
        "energy_positive",
        change_energy(FOURTH, 0.5),
        "fail",
        "repeat 4, phase generate: 0.50 x .* expected more than 0.67 x: a part of it was lost",
    ),
    (
        "energy_positive",
        lambda e: _moved(FOURTH, 2 * at("generate", 4).duration_s)(change_energy(FOURTH, 2.0)(e)),
        "fail",
        "2.00 x the energy .* in 2.00 x their time .* expected less than 1.5 x: the machine was busy .* ran longer",
    ),
    (
        "energy_positive",
        lambda e: _moved(FOURTH, at("generate", 4).duration_s / 2)(change_energy(FOURTH, 0.5)(e)),
        "fail",
        "0.50 x the energy .* in 0.50 x their time .* expected more than 0.67 x: the machine was busy .* ran shorter",
    ),
    (
        "energy_positive",
        _moved(FOURTH, 2 * at("generate", 4).duration_s),
        "fail",
        "1.00 x the energy .* in 2.00 x their time .* 0.50 x their mean power, expected more than 0.67 x",
    ),
    ("energy_positive", change_energy(of_phase("preprocess", 2), 6.0), "fail", "repeat 2, phase preprocess: 6.00 x"),
    ("energy_positive", lambda e: replace(e, windows=()), "fail", "no repeat was measured"),
    ("counter_unbroken", change_counter(FOURTH, decreased=True), "fail", "repeat 4, phase generate: .* backwards"),
    ("counter_unbroken", change_counter(FOURTH, longest_still_s=3.0), "fail", "repeat 4, .* stood still for 3.0 s"),
    ("counter_unbroken", change_counter(FOURTH, failed_reads=600), "fail", "could not be read once"),
    (
        "counter_unbroken",
        change_counter(FOURTH, failed_reads=20, longest_gap_s=2.0, longest_still_s=2.1),
        "warn",
        "repeat 4, phase generate: .* could not be read 20 of 600 times, for up to 2.0 s",
    ),
    (
        "counter_unbroken",
        change_trace("counter_mj", lambda t, v: v if t < AFTER else v - 1e6),
        "fail",
        "repeat 4.*back",
    ),
    ("counter_unbroken", change_states(lambda s: s.when == "end", driver="580.1"), "fail", "from 570.0 to 580.1"),
    (
        "counter_unbroken",
        change_windows(FOURTH, end_boottime_s=at("generate", 4).end_monotonic_s + 5030),
        "fail",
        "repeat 4, phase generate: the machine slept for 30.0 s",
    ),
    (
        "counter_unbroken",
        change_windows(FOURTH, end_utc="2025-06-01T11:00:00.000+00:00"),
        "warn",
        "repeat 4, phase generate: the wall clock was set by -",
    ),
    ("counter_unbroken", change_readings(lambda _: True, counter=None), "fail", "was not recorded"),
    ("window_length", _moved(FOURTH, 4.0), "fail", "repeat 4, phase generate: lasts 4.00 s, 40 ticks.* at least 100"),
    ("window_length", _moved(FOURTH, 30.0), "warn", "repeat 4, phase generate: lasts 30.0 s, expected 60 s"),
    (
        "window_length",
        lambda e: _moved(of_phase("preprocess", 3), 1.0)(
            change_readings(of_phase("preprocess", 3), standard_uncertainty_wh=0.03)(e)
        ),
        "fail",
        "repeat 3, phase preprocess: lasts 1.000 s .10 ticks., which leaves 0.8%",
    ),
    (
        "window_length",
        lambda e: change_facts(run={"runs": 9})(
            _moved(of_phase("preprocess", 3), 1.0)(
                change_readings(of_phase("preprocess", 3), standard_uncertainty_wh=0.03)(e)
            )
        ),
        "warn",
        "repeat 3, phase preprocess: lasts 1.000 s .* leaves 0.8%",
    ),
    (
        "window_length",
        lambda e: change_facts(run={"runs": 9})(
            _moved(of_phase("preprocess", 3), 1.0)(
                change_readings(of_phase("preprocess", 3), standard_uncertainty_wh=0.3)(e)
            )
        ),
        "fail",
        "repeat 3, phase preprocess: lasts 1.000 s .* leaves 8.*%",
    ),
    ("window_length", change_readings(lambda _: True, counter=None), "fail", "cannot be judged"),
    ("counter_tick", change_counter(FOURTH, tick_s=None), "fail", "repeat 4, .* could not be calibrated"),
    ("counter_tick", change_counter(FOURTH, tick_s=0.5), "fail", "repeat 4, .* every 0.500 s, expected at most 0.15"),
    ("counter_tick", change_readings(GENERATE, counter=None), "fail", "cannot be judged"),
    ("power_plausible", change_energy(FOURTH, 1.8), "fail", "repeat 4, .* took 719 W .* enforced limit of 700 W"),
    ("power_plausible", change_energy(FOURTH, 0.2), "fail", "repeat 4, .* idle power of 100.0 W"),
    ("power_plausible", _without(states=None), "fail", "power limit of .* was not recorded"),
    (
        "counter_agrees_with_power",
        change_energy(FOURTH, 1.03),
        "fail",
        "repeat 4, phase generate: .*\\+3.*, expected 2%",
    ),
    ("counter_agrees_with_power", change_energy(FOURTH, 0.96), "fail", "repeat 4, phase generate: .*-3.*, expected 2%"),
    ("counter_agrees_with_power", _without(trace=None), "fail", "power was not sampled"),
    ("counter_agrees_with_power", drop_samples(AFTER + 10, AFTER + 12), "fail", "not sampled without a gap.*repeat 4"),
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
    ("only_used_gpus", _second_gpu, "fail", f"energy of {OTHER_GPU} is counted in repeats 0, 1, .* does not use it"),
    ("only_used_gpus", change_facts(torch_gpus=(), run={"gpus_by_hand": True, "device": "cpu"}), "warn", "not use it"),
    ("only_used_gpus", change_facts(torch_gpus=None), "warn", "not recorded"),
    (
        "not_throttled",
        change_trace("reasons", lambda t, v: 0x24 if 0 < t - AFTER < 1 else v),
        "fail",
        "repeat 4, phase generate: .* software thermal slowdown, expected",
    ),
    (
        "not_throttled",
        lambda e: replace(change_states(lambda s: s.repeat == 4, reasons=0x8C)(e), trace=None),
        "fail",
        "hardware slowdown, hardware power brake",
    ),
    ("not_throttled", change_trace("reasons", lambda _t, _v: 0x2), "warn", "clocks set by an application"),
    ("not_throttled", lambda e: replace(e, trace=None, states=None), "fail", "cannot be judged"),
    ("power_limit_default", change_states(lambda s: s.when == "end", power_limit_w=500.0), "fail", "500 W and 700 W"),
    ("power_limit_default", change_states(lambda _: True, power_limit_w=500.0), "fail", "500 W, expected its default"),
    (
        "power_limit_default",
        lambda e: change_facts(run={"runs": 9})(change_states(lambda _: True, power_limit_w=500.0)(e)),
        "warn",
        "500 W, expected its default of 700 W",
    ),
    ("power_limit_default", change_gpu(power_limit_default_w=None), "fail", "cannot be judged"),
    ("clocks_free", change_states(lambda s: s.when == "end", clocks_locked=True), "fail", "clocks .* are locked"),
    (
        "clocks_free",
        change_trace("sm_clock_mhz", lambda t, v: v if t < at("generate", 9).start_monotonic_s else 1600.0),
        "warn",
        "1755 MHz in repeat .*1600|1600 MHz in repeat 9 and 1755",
    ),
    ("clocks_free", lambda e: replace(e, trace=None, states=None), "warn", "cannot be judged"),
    (
        "temperature_steady",
        change_states(lambda s: s.repeat == 9, temperature_c=44),
        "warn",
        "began repeat 0 at 40 C and repeat 9 at 44 C, expected them within 3 C",
    ),
    (
        "temperature_steady",
        change_trace("temperature_c", lambda t, v: 88.0 if 0 < t - AFTER < 5 else v),
        "fail",
        "repeat 4, phase generate: .* 88 C hot, expected at most 85 C",
    ),
    ("temperature_steady", _without(states=None), "warn", "cannot be judged"),
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
    # What is known of one repeat only says nothing of the others.
    ("counter_unbroken", change_readings(BUT_FIRST, counter=None), "fail", "recorded in repeat 1, phase generate, rep"),
    ("window_length", change_readings(BUT_FIRST, counter=None), "fail", "not recorded in repeat 1, phase generate"),
    ("counter_tick", change_readings(BUT_FIRST, counter=None), "fail", "not recorded in repeat 1, phase generate"),
    ("power_plausible", change_states(LATER, power_limit_w=None), "fail", "power limit .* at the start, repeat 1, "),
    ("power_limit_default", change_states(LATER, power_limit_w=None), "fail", "power limit .* at the start, repeat 1"),
    (
        "no_foreign_processes",
        change_states(LATER, foreign_processes=None),
        "fail",
        "processes .* at the start, rep.* 1",
    ),
    (
        "not_throttled",
        lambda e: change_states(LATER, reasons=None)(
            change_trace("reasons", lambda t, v: v if t < at("generate", 1).start_monotonic_s else math.nan)(e)
        ),
        "fail",
        "throttle reasons of .* in repeat 1, phase generate, .* were not recorded",
    ),
    ("clocks_free", change_states(LATER, clocks_locked=None), "warn", "clocks of .* at the start, repeat 1, "),
    (
        "clocks_free",
        change_trace("sm_clock_mhz", lambda t, v: v if t < at("generate", 9).start_monotonic_s else math.nan),
        "warn",
        "clocks of .* at phase generate of repeat 9 were not recorded",
    ),
    ("temperature_steady", change_states(LATER, temperature_c=None), "warn", "temperature of .* before repeat 1, "),
    ("gpu_settings_unchanged", change_states(LATER, ecc=None), "warn", "ECC .* at the start, repeat 1, .*the end"),
    ("meters_agree", _one_meter, "warn", "only one meter read the GPU in repeat 4, phase generate .codecarbon."),
    ("counter_unbroken", change_counter(FOURTH, longest_still_s=0.7), "fail", "repeat 4, .* stood still for 0.7 s"),
    ("counter_unbroken", change_counter(FOURTH, longest_still_s=0.55), "none", ""),
    (
        "counter_unbroken",
        change_trace("counter_mj", lambda t, v: v if t < AFTER + 10 else v + 500e3),
        "fail",
        "repeat 4, phase generate: the counter of .* jumped by 540 J within 0.10 s, expected at most 210 J",
    ),
    ("no_foreign_processes", _seen_within, "fail", "repeat 4, phase generate: 1 foreign process on"),
    ("counter_agrees_with_power", gain(0.97), "fail", "from idle to idle around it the counter .*-3.0%., expected 2%"),
    ("counter_agrees_with_power", gain(0.975), "fail", "from idle to idle around all windows together .*-2.5%"),
    ("counter_agrees_with_power", gain(1.025), "fail", "from idle to idle .*.2.5%., expected 2%"),
    ("counter_agrees_with_power", gain(0.985), "none", ""),
    ("counter_agrees_with_power", change_energy(GENERATE, 0.98), "fail", "in all windows together .* were read of"),
    ("counter_agrees_with_power", change_energy(FOURTH, 0.98), "fail", "repeat 4, .* were read .*-2.0%., expected the"),
    (
        "counter_agrees_with_power",
        change_trace("counter_mj", lambda _t, _v: math.nan),
        "fail",
        "power and counter were not sampled",
    ),
    ("model_as_declared", change_facts(model={"dtype": "float32"}), "fail", "dtype is float32, expected float16 as"),
    ("model_as_declared", change_facts(run={"torch_dtype": None}), "warn", "dtype that was asked for was not rec"),
    ("model_as_declared", change_facts(run={"torch_dtype": "auto"}, model={"dtype": "bfloat16"}), "none", ""),
    ("outputs_counted", change_windows(FOURTH, truncated_inputs=None), "warn", "inputs were cut was not .* repeat 4"),
    (
        "only_used_gpus",
        change_facts(torch_gpus=(NVML_GPU, OTHER_GPU), model_gpus=(OTHER_GPU,)),
        "fail",
        "holds no part",
    ),
    ("only_used_gpus", change_facts(model_gpus=(OTHER_GPU,), run={"gpus_by_hand": True}), "warn", "holds no part"),
    ("only_used_gpus", change_facts(model_gpus=None), "warn", "GPUs that hold parts of the model were not recorded"),
    ("gpu_count", change_facts(model_gpus=(NVML_GPU, OTHER_GPU)), "warn", "2 GPUs were used for a model of class A"),
    ("gpu_settings_unchanged", change_states(lambda s: s.when == "end", ecc=False), "fail", "ECC .*on to off"),
    ("gpu_settings_unchanged", change_states(lambda s: s.when == "end", persistence=False), "warn", "persistence"),
    ("gpu_settings_unchanged", _without(states=None), "warn", "cannot be judged"),
    ("idle_steady", change_energy(of_phase("idle_after"), 1.1), "warn", "100.0 W idle before .* 111.1 W after"),
    ("idle_steady", change_windows(of_phase("idle_after"), readings=()), "warn", "cannot be judged"),
    ("samples_complete", change_windows(FOURTH, samples=999), "fail", "repeat 4, .*999 queries .* expected 1000"),
    ("samples_complete", change_windows(FOURTH, failures=3), "fail", "repeat 4, phase generate: 3 queries failed"),
    ("samples_complete", change_windows(FOURTH, batches=1001), "fail", "1001 calls .* expected 1000 .empty batches"),
    ("samples_complete", change_windows(FOURTH, batches=900), "fail", "900 calls .* left out"),
    ("samples_complete", change_windows(FOURTH, passes=2), "fail", "1000 queries were counted, expected 2000"),
    ("samples_complete", change_windows(FOURTH, phase="load_model"), "fail", "10 repeats were asked for, .* hold 9"),
    (
        "samples_complete",
        change_windows(of_phase("preprocess", 4), phase="load_dataset"),
        "fail",
        "repeat 4: there is no window of phase preprocess",
    ),
    ("model_as_declared", change_facts(model={"quantization": "awq"}), "fail", "quantised with awq, expected not"),
    ("model_as_declared", change_facts(model={"declared_quantization": "mxfp4"}), "fail", "not quantised, expected"),
    ("model_as_declared", change_facts(model={"dtype": None}), "warn", "dtype of the loaded model was not recorded"),
    (
        "model_as_declared",
        change_facts(run={"backend_switches": {"attn_implementation": "sdpa"}}, model={"attention": "eager"}),
        "fail",
        "attention is eager, expected sdpa",
    ),
    (
        "model_as_declared",
        change_facts(run={"backend_switches": {"quantization_scheme": "bnb"}}),
        "fail",
        "expected it to be by bnb",
    ),
    ("gpu_count", lambda e: change_facts(model_gpus=None)(_second_gpu(e)), "warn", "2 GPUs were used for a model"),
    ("dataset_identified", change_facts(dataset={"revision": None}), "warn", "revision of the dataset"),
    ("dataset_identified", change_facts(dataset={"fingerprint": ""}), "fail", "expected a sha256"),
    ("dataset_identified", change_facts(dataset={"rows": 10}), "fail", "from 10 rows"),
    ("outputs_counted", change_windows(FOURTH, output_tokens=None), "warn", "repeat 4, .*were not counted"),
    (
        "outputs_counted",
        change_windows(FOURTH, output_tokens=9_000, early_ends=200),
        "fail",
        "repeat 4, .*9000 tokens were generated .200 answers ended early., expected 10 for each of 1000",
    ),
    ("outputs_counted", change_windows(GENERATE, truncated_inputs=50), "warn", "5.0% of the inputs were cut"),
    ("repeats_agree", change_energy(FOURTH, 1.1), "warn", "vary by 2.9%.*; repeat 4 stands out"),
    ("repeats_agree", change_energy(FOURTH, 1.4), "fail", "vary by 1.*, expected at most 2%; repeat 4 stands out"),
    ("repeats_agree", _trend, "warn", "from repeat to repeat"),
    (
        "repeats_agree",
        change_windows(of_phase("generate", 1, 2, 3, 4, 5, 6, 7, 8, 9), readings=()),
        "warn",
        "needs two",
    ),
    ("sampler_kept_up", drop_samples(AFTER, AFTER + 55), "warn", "of the samples of .* were missed"),
    ("sampler_kept_up", _sampler(sampler_cpu_s=20.0), "warn", "sampling took 2.00% of a core"),
    ("sampler_kept_up", _sampler(sampler_cpu_s=None), "warn", "cannot be judged"),
    ("sampler_kept_up", _without(trace=None), "warn", "cannot be judged"),
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
    ("star_certain", lambda e: replace(e, star_probability=0.6), "warn", "probability of 60%.*borderline"),
]


def _check(evidence: Evidence, name: str) -> Check:
    (found,) = [check for check in judge(evidence).checks if check.name == name]
    return found


def _failed(cases: Sequence[tuple[str, Change, str, str]]) -> set[str]:
    return {name for name, _, severity, _ in cases if severity in ("warn", "fail")}


def test_there_are_26_checks_in_the_order_of_their_numbers() -> None:
    checks = judge(good_evidence()).checks
    assert [check.number for check in checks] == list(range(1, 27))
    assert [check.name for check in checks] == NAMES
    assert len(set(NAMES)) == 26


def test_the_methodology_tells_every_check() -> None:
    page = (Path(__file__).parents[3] / "docs" / "methodology.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", page, flags=re.MULTILINE)
    assert rows == [(str(number), name) for number, name in enumerate(NAMES, start=1)]


def test_every_check_passes_on_a_good_run() -> None:
    assert {check.name: check.message for check in judge(good_evidence()).checks if check.passed is not True} == {}
    assert judge(good_evidence()).valid


def test_every_check_has_a_run_that_does_not_pass_it() -> None:
    assert _failed(CASES) == set(NAMES)


@pytest.mark.parametrize(("name", "change", "severity", "message"), CASES)
def test_a_check_finds_what_it_is_there_for(name: str, change: Change, severity: str, message: str) -> None:
    check = _check(change(good_evidence()), name)
    if severity == "none":
        assert check.passed is True
        return
    assert (check.passed, check.severity) == (False, severity), check.message
    assert re.search(message, check.message), check.message


@pytest.mark.parametrize(("name", "change", "severity", "message"), CASES)
def test_whatever_was_found_can_be_written_and_read_again(
    name: str, change: Change, severity: str, message: str
) -> None:
    validity = judge(change(good_evidence()))
    text = validity.model_dump_json()
    assert "NaN" not in text.replace('"NaN"', "").replace("Nan", "")
    assert Validity.model_validate_json(text) == validity
    json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert validity.valid == (not validity.failures)


def test_a_noisy_run_on_a_cpu_is_valid() -> None:
    validity = judge(cpu_evidence())
    assert validity.failures == ()
    passed = {check.name: check.passed for check in validity.checks}
    for name in ("counter_tick", "power_plausible", "not_throttled", "whole_gpu", "sampler_kept_up", "gpus_matched"):
        assert passed[name] is None


def test_the_energy_of_a_cpu_must_be_positive_too() -> None:
    evidence = cpu_evidence()
    spoilt = tuple(
        w.model_copy(update={"readings": (reading("cpu", 0.0), reading("ram", 1e-5))}) if w.phase == "forward" else w
        for w in evidence.windows
    )
    check = _check(replace(evidence, windows=spoilt), "energy_positive")
    assert check.severity == "fail"
    assert "repeats 0, 1, 2, phase forward: the energy of CPU is zero" in check.message


def test_a_run_of_before_gpus_were_watched_is_valid_but_much_cannot_be_judged() -> None:
    evidence = replace(good_evidence(), states=None, trace=None)
    evidence = change_facts(torch_gpus=None)(change_readings(lambda _: True, counter=None)(evidence))
    official, validity = judge(evidence), judge(unofficial(evidence))
    assert {check.name for check in validity.failures} == {"samples_complete"}
    unknown = {check.name for check in validity.checks if "cannot be judged" in check.message}
    # A run of the protocol must show what it rests on.
    assert {check.number for check in official.failures} == {2, 3, 4, 5, 6, 9, 11, 12}
    assert unknown >= {"counter_tick", "not_throttled", "power_limit_default", "sampler_kept_up", "gpus_matched"}
    assert all(check.passed is False for check in validity.checks if check.name in unknown)


def test_of_two_repeats_nobody_can_tell_which_is_the_doubled_one() -> None:
    two = replace(
        good_evidence(), windows=tuple(w for w in good_evidence().windows if w.repeat is None or w.repeat < 2)
    )
    check = _check(change_energy(of_phase("generate", 1), 2.0)(two), "energy_positive")
    assert check.severity == "fail"
    assert "repeat 0, phase generate: 0.50 x" in check.message
    assert "repeat 1, phase generate: 2.0" in check.message


def test_preparing_may_be_too_short_for_the_counter() -> None:
    short = of_phase("preprocess")
    evidence = _moved(short, 0.01)(change_readings(short, energy_wh=0.0)(good_evidence()))
    assert _check(evidence, "energy_positive").passed is True
    assert _check(evidence, "window_length").passed is True
    assert _check(_moved(short, 0.01)(good_evidence()), "power_plausible").passed is True


def test_a_prefill_that_took_as_much_as_generating_is_told_and_does_not_fail() -> None:
    windows = list(good_evidence().windows)
    for repeat in range(10):
        answer = at("generate", repeat)
        windows.append(answer.model_copy(update={"phase": "prefill", "output_tokens": 1000}))
    evidence = change_energy(of_phase("prefill", 3), 2.0)(replace(good_evidence(), windows=tuple(windows)))
    check = _check(evidence, "energy_positive")
    assert (check.severity, "repeat 3, phase prefill" in check.message) == ("warn", True)


@pytest.mark.parametrize("phase", ["prefill", "load_model"])
@pytest.mark.parametrize(
    "change",
    [
        lambda which: change_counter(which, decreased=True, longest_still_s=5.0),
        lambda which: change_readings(which, energy_wh=lambda old: old * 0.8),
        lambda which: change_readings(which, energy_wh=lambda old: old * 2),
        lambda which: change_windows(which, failures=3, end_boottime_s=1e6),
    ],
)
def test_a_fault_in_a_window_that_is_no_term_of_the_score_is_told_and_does_not_fail(phase: str, change: Any) -> None:
    answer = at("generate", 4)
    repeat = 4 if phase == "prefill" else None
    extra = answer.model_copy(update={"phase": phase, "repeat": repeat})
    evidence = change(of_phase(phase))(replace(good_evidence(), windows=(extra, *good_evidence().windows)))
    validity = judge(evidence)
    assert validity.failures == ()
    told = [check.message for check in validity.warnings if f"phase {phase}" in check.message]
    assert told or phase == "load_model"
    assert all("cannot be trusted; the score can" in text or "no term of the score" in text or "x the" in text
               for text in told)  # fmt: skip
    failing = change(of_phase("generate", 4))(good_evidence())
    assert judge(failing).failures


def test_a_small_or_uncertain_trend_is_no_warning() -> None:
    evidence = good_evidence()
    for repeat in range(10):
        evidence = change_energy(of_phase("generate", repeat), 1 + 0.0004 * repeat)(evidence)
    assert _check(evidence, "repeats_agree").passed is True


def test_of_four_repeats_none_stands_out() -> None:
    few = replace(good_evidence(), windows=tuple(w for w in good_evidence().windows if (w.repeat or 0) < 4))
    assert "stand" not in _check(change_energy(of_phase("generate", 1), 1.1)(few), "repeats_agree").message


def test_adaptive_runs_may_end_early_but_not_before_three_repeats() -> None:
    adaptive = change_facts(run={"target_ci": 0.01, "runs": 20})
    assert _check(adaptive(good_evidence()), "samples_complete").passed is True
    few = replace(good_evidence(), windows=tuple(w for w in good_evidence().windows if (w.repeat or 0) < 2))
    assert "3 to 20 repeats were asked for" in _check(adaptive(few), "samples_complete").message


def test_a_clock_that_is_slewed_is_no_step() -> None:
    window = at("generate", 4)
    slow = change_windows(FOURTH, end_utc=window.end_utc.replace("+00:00", "").rstrip("0") + "+00:00")
    assert _check(slow(good_evidence()), "counter_unbroken").passed is True
    minutes = change_windows(FOURTH, end_monotonic_s=window.end_monotonic_s + 0.4, end_boottime_s=None)
    assert _check(minutes(good_evidence()), "counter_unbroken").passed is True


def test_tokens_of_a_limit_are_the_models_own_choice() -> None:
    free = change_facts(run={"new_tokens": None, "max_new_tokens": 8192})
    assert _check(change_windows(FOURTH, output_tokens=77)(free(good_evidence())), "outputs_counted").passed is True
    none = change_windows(FOURTH, output_tokens=0)(free(good_evidence()))
    assert _check(none, "outputs_counted").severity == "fail"


def test_counter_evidence_of_no_read_at_all_is_judged() -> None:
    empty = CounterEvidence(
        tick_s=None, ticks_seen=0, before_start=(), after_start=(), before_end=(), after_end=(), decreased=False,
        failed_reads=0, reads=0, longest_gap_s=0.0, longest_still_s=0.0,
    )  # fmt: skip
    validity = judge(change_readings(GENERATE, counter=empty)(good_evidence()))
    assert {check.name for check in validity.failures} == {"counter_tick", "window_length"}
