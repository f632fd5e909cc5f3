"""Which energy makes a score, what splits it, and which runs are refused rather than averaged."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from scorekit.errors import InvalidRunError, LogError, ScorekitError
from scorekit.logs.scoring import score_run
from scorekit.records import Component, Environment, GpuFacts, MeterReading, PhaseScore, Score, Window
from tests.bundles import (
    H100,
    change_windows,
    environment,
    official_score,
    official_windows,
    reading,
    window,
)
from tests.strategies import cpu_runs


def _score(windows: list[Window], facts: Environment | None = None) -> Score:
    found = facts or environment(run={"runs": len({w.repeat for w in windows if w.repeat is not None})})
    return score_run(found, windows, official_score().provenance)


def _cpu(runs: int, **run: Any) -> Environment:
    return environment("text_classification", gpus=(), run={"runs": runs, "num_samples": 20} | run)


def _phase(score: Score, name: str) -> PhaseScore:
    (found,) = [phase for phase in score.phases if phase.phase == name]
    return found


# Which energy counts


@given(cpu_runs())
def test_the_score_is_the_mean_of_its_repeats(windows: list[Window]) -> None:
    runs = len(windows) // 2
    score = _score(windows, _cpu(runs))
    total_wh = sum(reading.energy_wh for line in windows for reading in line.readings)
    assert score.wh_per_1000_queries == pytest.approx(total_wh / runs * 1000 / 20)
    assert score.energy_kwh == pytest.approx(total_wh / runs / 1000)
    assert sum(phase.energy_wh or 0 for phase in score.phases) == pytest.approx(total_wh / runs)
    assert (score.wh_per_1000_queries_std is None) == (runs == 1)


@given(cpu_runs())
def test_loading_and_the_order_of_lines_change_nothing(windows: list[Window]) -> None:
    facts = _cpu(len(windows) // 2)
    load = window("load_model", None, [reading("cpu", 1e6), reading("ram", 0.0)])
    assert _score([*reversed(windows), load], facts) == _score(windows, facts)


@pytest.mark.parametrize("fault", [0.0, -1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("component", ["cpu", "ram"])
@pytest.mark.parametrize("phase", ["preprocess", "forward"])
def test_no_impossible_energy_of_a_counted_phase_is_averaged_in(fault: float, component: Component, phase: str) -> None:
    windows = []
    for repeat in range(3):
        for name in ("preprocess", "forward"):
            energies = {"cpu": 1.0, "ram": 0.5}
            if (repeat, name) == (2, phase):
                energies[component] = fault
            windows.append(window(name, repeat, [reading(c, e) for c, e in energies.items()], samples=20))
    with pytest.raises(InvalidRunError, match=f"repeat 2, phase {phase}: the energy of {component.upper()} is"):
        _score(windows, _cpu(3))


def test_a_preprocess_window_too_short_for_the_counter_is_a_term_of_0() -> None:
    windows = change_windows(
        official_windows(runs=2),
        lambda line: line.phase == "preprocess" and line.repeat == 1,
        readings=(reading("gpu", 0.0),),
        end_monotonic_s=100.999,
    )
    score = _score(windows)
    assert [repeat.gpu_wh for repeat in score.repeats] == [10.0, 9.5]
    preprocess = _phase(score, "preprocess")
    assert preprocess.energy_wh_by_repeat == (0.5, 0.0)
    assert preprocess.energy_wh == pytest.approx(0.25)
    assert preprocess.note is not None
    assert preprocess.note.startswith("below what the counter resolves in 1 of 2 repeats: ")
    assert _phase(score, "generate").note is None


@pytest.mark.parametrize(
    ("phase", "found", "end_s"),
    [
        ("preprocess", reading("gpu", 0.0), 101.0),
        ("generate", reading("gpu", 0.0), 100.01),
        ("preprocess", reading("gpu", -1e-9), 100.01),
        ("preprocess", reading("gpu", float("nan")), 100.01),
        ("preprocess", reading("gpu", 0.0, origin="modelled"), 100.01),
        ("preprocess", reading("gpu", 0.0, origin="unknown"), 100.01),
    ],
)
def test_only_a_measured_0_of_a_short_preprocess_window_is_below_resolution(
    phase: str, found: MeterReading, end_s: float
) -> None:
    windows = change_windows(
        official_windows(runs=2),
        lambda line: line.phase == phase and line.repeat == 1,
        readings=(found,),
        end_monotonic_s=end_s,
    )
    with pytest.raises(InvalidRunError, match=f"repeat 1, phase {phase}: the energy of GPU .* is "):
        _score(windows)


def test_a_repeat_is_refused_where_neither_window_has_an_energy() -> None:
    windows = change_windows(
        official_windows(runs=1), lambda _: True, readings=(reading("gpu", 0.0),), end_monotonic_s=100.01
    )
    with pytest.raises(InvalidRunError, match=r"repeat 0, phase generate: .* is zero") as caught:
        _score(windows)
    assert "scenario.num_samples" in str(caught.value)


def test_a_cpu_is_never_below_resolution() -> None:
    readings = [reading("cpu", 0.0, origin="measured"), reading("ram", 1.0)]
    windows = [window(phase, 0, readings, samples=20, end_monotonic_s=100.01) for phase in ("preprocess", "forward")]
    with pytest.raises(InvalidRunError, match="phase preprocess: the energy of CPU is zero"):
        _score(windows, _cpu(1))


def test_a_fault_outside_the_domain_is_missing_and_not_zero() -> None:
    windows = change_windows(
        official_windows(runs=2),
        lambda line: line.phase == "generate" and line.repeat == 1,
        readings=(reading("gpu", 9.5), reading("cpu", 0.0)),
    )
    score = _score(windows)
    assert score.wh_per_1000_queries == pytest.approx(10.0)
    assert (score.repeats[0].cpu_wh, score.repeats[1].cpu_wh, score.repeats[1].ram_wh) == (2.25, None, None)
    assert (score.cpu_kwh, score.ram_kwh) == (None, None)


def test_gpus_are_summed_and_each_must_be_there() -> None:
    second = reading("gpu", 1.0, device="GPU-2")
    windows = [line.model_copy(update={"readings": (*line.readings, second)}) for line in official_windows(runs=2)]
    gpus = (H100, GpuFacts(index=1, name=H100.name))
    facts = environment(gpus=gpus, run={"runs": 2})
    score = _score(windows, facts)
    assert score.wh_per_1000_queries == pytest.approx(12.0)
    assert score.hardware == "2 x NVIDIA H100 80GB HBM3"
    lost = change_windows(
        windows, lambda line: line.phase == "generate" and line.repeat == 1, readings=(reading("gpu", 9.5),)
    )
    with pytest.raises(InvalidRunError, match=r"repeat 1, phase generate: .*expected GPU GPU-0.*, GPU GPU-2"):
        _score(lost, facts)


def test_a_device_that_one_meter_read_twice_is_refused() -> None:
    windows = [line.model_copy(update={"readings": line.readings * 2}) for line in official_windows(runs=1)]
    with pytest.raises(InvalidRunError, match="read twice"):
        _score(windows)


def test_each_component_is_taken_from_the_first_meter_that_read_it() -> None:
    def both(line: Window) -> Window:
        gpu = reading("gpu", 2 * line.readings[0].energy_wh, meter="nvml")
        return line.model_copy(update={"readings": (*line.readings, gpu)})

    windows = [both(line) for line in official_windows(runs=1)]
    first = _score(windows, environment(run={"runs": 1, "meters": ("nvml", "codecarbon")}))
    assert (first.meter, first.wh_per_1000_queries) == ("nvml", 20.0)
    assert first.cpu_kwh == pytest.approx(0.00225)
    second = _score(windows, environment(run={"runs": 1, "meters": ("codecarbon", "nvml")}))
    assert (second.meter, second.wh_per_1000_queries) == ("codecarbon", 10.0)


@pytest.mark.parametrize("meters", [(), ("other",)])
def test_a_run_that_no_meter_read_is_refused(meters: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRunError, match="nothing to score"):
        _score(official_windows(runs=1), environment(run={"runs": 1, "meters": meters}))


@pytest.mark.parametrize(
    ("cpu", "ram", "expected"),
    [
        ("measured", "measured", "measured"),
        ("measured", "modelled", "mixed"),
        ("modelled", "modelled", "modelled"),
        ("measured", "unknown", "unknown"),
    ],
)
def test_the_origin_is_that_of_the_whole_domain(cpu: str, ram: str, expected: str) -> None:
    readings = [reading("cpu", 1.0, origin=cpu), reading("ram", 1.0, origin=ram)]
    windows = [window(phase, 0, readings, samples=20) for phase in ("preprocess", "forward")]
    score = _score(windows, _cpu(1))
    assert (score.origin, score.cpu_origin, score.ram_origin) == (expected, cpu, ram)


# Splitting generate


@pytest.mark.parametrize(
    ("energy_wh", "decode_wh", "told"),
    [
        (0.0, 5.5, "was lost"),
        (-1.0, 5.5, "was lost"),
        (float("nan"), 5.5, "was lost"),
        (9.5, 2.75, "the mean is over all pairs"),
        (14.5, 0.25, "the mean is over all pairs"),
        (15.0, None, "on average"),
        (100.0, None, "on average"),
    ],
)
def test_a_prefill_that_cannot_be_split_off_never_spoils_the_score(
    energy_wh: float, decode_wh: float | None, told: str
) -> None:
    windows = change_windows(
        official_windows(runs=2),
        lambda line: line.phase == "prefill" and line.repeat == 0,
        readings=(reading("gpu", energy_wh),),
    )
    score = _score(windows)
    assert score.wh_per_1000_queries == pytest.approx(10.0)
    decode = _phase(score, "decode")
    assert decode.energy_wh_by_repeat == (None, 5.5)
    assert decode.energy_wh == (None if decode_wh is None else pytest.approx(decode_wh))
    assert decode.note is not None
    assert "1 of 2 repeats" in decode.note
    assert told in decode.note


def test_the_noise_of_prefill_does_not_bias_decode() -> None:
    prefills_wh = (9.0, 10.0, 8.0, 10.6)

    def noisy(line: Window) -> Window:
        if line.phase != "prefill" or line.repeat is None:
            return line
        energy_wh = prefills_wh[line.repeat]
        changes = {"readings": (reading("gpu", energy_wh),), "end_monotonic_s": 100.0 + energy_wh}
        return line.model_copy(update=changes)

    windows = [noisy(line) for line in official_windows(runs=4)]
    score = _score(windows)
    decode, prefill, generate = (_phase(score, name) for name in ("decode", "prefill", "generate"))
    assert decode.energy_wh_by_repeat == (0.5, None, 1.5, None)
    assert decode.energy_wh == pytest.approx(0.1)
    assert (prefill.energy_wh or 0) + (decode.energy_wh or 0) == pytest.approx(generate.energy_wh)
    # Durations likewise: 1, 0, 2 and -0.6 s.
    assert decode.duration_s_by_repeat == pytest.approx((1.0, None, 2.0, None))
    assert decode.duration_s == pytest.approx(0.6)


@pytest.mark.parametrize(
    "changes",
    [{"readings": ()}, {"end_monotonic_s": 100.0}, {"readings": (reading("gpu", 1.0, device="GPU-2"),)}],
)
def test_a_broken_prefill_pass_is_left_out(changes: dict[str, Any]) -> None:
    windows = change_windows(official_windows(runs=1), lambda line: line.phase == "prefill", **changes)
    score = _score(windows)
    assert _phase(score, "prefill").energy_wh is None
    assert _phase(score, "decode").energy_wh is None
    assert score.wh_per_1000_queries == pytest.approx(10.0)


def test_without_a_prefill_pass_there_is_no_split() -> None:
    windows = [line for line in official_windows(runs=2) if line.phase != "prefill"]
    assert [phase.phase for phase in _score(windows).phases] == ["preprocess", "generate"]


# Whole repeats


@pytest.mark.parametrize(
    ("broken", "kind", "message"),
    [
        (
            lambda w: [x for x in w if x.repeat != 1],
            InvalidRunError,
            r"2 repeats were asked .* hold 1 \(number 0\)",
        ),
        (lambda w: [x for x in w if x.repeat is None], InvalidRunError, "hold none"),
        (lambda w: w[:-1], InvalidRunError, "repeat 1: there is no window of phase generate"),
        (
            lambda w: [x for x in w if x.phase != "preprocess"],
            InvalidRunError,
            "repeat 0: there is no window of phase preprocess",
        ),
        (lambda w: [*w, w[-1]], LogError, "repeat 1, phase generate stands twice"),
        (
            lambda w: change_windows(w, lambda x: x.phase == "generate", repeat=None),
            LogError,
            "does not say of which repeat",
        ),
        (
            lambda w: change_windows(w, lambda x: x.phase == "generate", end_monotonic_s=99.0),
            InvalidRunError,
            "ends before it starts",
        ),
        (
            lambda w: change_windows(w, lambda x: x.phase == "generate", failures=3),
            InvalidRunError,
            "3 queries failed",
        ),
        (
            lambda w: change_windows(w, lambda x: x.repeat == 1, samples=900),
            InvalidRunError,
            "repeat 1, phase preprocess: 900 queries were counted, expected 1000",
        ),
        (
            lambda w: change_windows(w, lambda x: x.phase == "generate", samples=None),
            InvalidRunError,
            "no queries were counted",
        ),
        (
            lambda w: change_windows(w, lambda x: x.phase == "generate", samples=0),
            InvalidRunError,
            "no queries were counted",
        ),
    ],
)
def test_a_run_with_a_hole_is_refused(broken: Any, kind: type[ScorekitError], message: str) -> None:
    windows = broken(official_windows(runs=2))
    with pytest.raises(kind, match=message):
        _score(windows, environment(run={"runs": 2}))


def test_a_run_of_no_repeats_is_refused() -> None:
    with pytest.raises(InvalidRunError, match="no repeat"):
        _score([], environment(run={"runs": 0}))


def test_tokens_that_one_repeat_did_not_count_are_unknown() -> None:
    windows = change_windows(
        official_windows(runs=2),
        lambda line: line.phase == "generate" and line.repeat == 1,
        output_tokens=None,
    )
    score = _score(windows)
    assert (score.output_tokens, score.wh_per_1000_output_tokens) == (None, None)


@pytest.mark.parametrize(("task", "expected"), [("t5_text_generation", "A"), ("summarization", None)])
def test_the_class_is_that_of_a_classed_cohort(task: str, expected: str | None) -> None:
    facts = environment(task, run={"runs": 1})
    assert _score(official_windows(runs=1), facts).model_class == expected


def test_a_config_of_ones_own_is_scored_without_a_cohort() -> None:
    facts = environment(run={"runs": 1, "task": None, "config_name": "mine"})
    score = _score(official_windows(runs=1), facts)
    assert (score.task, score.cohort, score.comparable) == (None, None, False)
