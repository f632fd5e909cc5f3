"""Several passes a window, adaptive repeats, the idle baseline, and the uncertainty of what comes out."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit import uncertainty
from scorekit.errors import InvalidRunError
from scorekit.logs.outputs import gpu_summary, gpu_wh_text
from scorekit.logs.scoring import score_run
from scorekit.records import (
    Check,
    CounterEvidence,
    Environment,
    MeterReading,
    Score,
    Uncertainty,
    UncertaintyTerm,
    Validity,
    Window,
)
from tests.bundles import change_windows, environment, official_score, official_windows, reading, window

NORMAL = 1.959964


def _score(windows: list[Window], facts: Environment | None = None, validity: Validity | None = None) -> Score:
    found = facts or environment(run={"runs": len({w.repeat for w in windows if w.repeat is not None})})
    return score_run(found, windows, official_score().provenance, validity=validity)


def _uncertainty(score: Score) -> Uncertainty:
    assert score.uncertainty is not None
    return score.uncertainty


def _term(score: Score, name: str) -> UncertaintyTerm:
    (found,) = [term for term in _uncertainty(score).terms if term.name == name]
    return found


def _evidence(tick_s: float | None = 0.1) -> CounterEvidence:
    return CounterEvidence(
        tick_s=tick_s,
        ticks_seen=20,
        before_start=((99.98, 0),),
        after_start=((100.08, 1), (100.18, 2)),
        before_end=((109.98, 3),),
        after_end=((110.08, 4), (110.18, 5)),
        decreased=False,
        failed_reads=0,
        reads=100,
        longest_gap_s=0.1,
        longest_still_s=0.1,
    )


def _counter_windows(runs: int = 4, *, spread_wh: float = 0.0, **changes: Any) -> list[Window]:
    """0.5 Wh of preprocessing and 9.5 Wh of forward a repeat, every other one with `spread_wh` more, over 10 s each."""
    facts = {"source": "nvml_counter", "standard_uncertainty_wh": 0.003, "counter": _evidence()} | changes
    return [
        window(phase, repeat, [reading("gpu", energy_wh, **facts)])
        for repeat in range(runs)
        for phase, energy_wh in (("preprocess", 0.5), ("forward", 9.5 + spread_wh * (repeat % 2)))
    ]


def _counter_score(windows: list[Window], **run: Any) -> Score:
    runs = len({line.repeat for line in windows if line.repeat is not None})
    return _score(windows, environment("text_classification", run={"runs": runs} | run))


def _idle(phase: str, watts: float, seconds: float = 10.0) -> Window:
    energy_wh = watts * seconds / 3600
    return window(phase, None, [reading("gpu", energy_wh)], samples=None, end_monotonic_s=100.0 + seconds)


def _ranged(windows: list[Window], passes: int) -> list[Window]:
    """The same run with `passes` passes in each answering window."""

    def draw_out(line: Window) -> Window:
        if line.phase not in ("generate", "forward", "call"):
            return line
        readings = tuple(
            found.model_copy(
                update={
                    "energy_wh": found.energy_wh * passes,
                    "standard_uncertainty_wh": (found.standard_uncertainty_wh or 0) * passes or None,
                }
            )
            for found in line.readings
        )
        counts = {
            name: None if (count := getattr(line, name)) is None else count * passes
            for name in ("samples", "batches", "output_tokens", "images")
        }
        end_s = line.start_monotonic_s + passes * line.duration_s
        return line.model_copy(update={"passes": passes, "readings": readings, "end_monotonic_s": end_s} | counts)

    return [draw_out(line) for line in windows]


# Several passes in a window


@pytest.mark.parametrize("kind", ["generate", "forward", "call"])
@pytest.mark.parametrize("passes", [1, 2, 7])
def test_passes_change_no_figure_of_one_pass(kind: str, passes: int) -> None:
    task = {"generate": "text_generation", "forward": "text_classification", "call": "text_to_image"}[kind]
    facts = environment(task, run={"runs": 3})
    once, many = official_windows(kind, 3), _ranged(official_windows(kind, 3), passes)
    expected, found = _score(once, facts), _score(many, facts)
    assert found.model_dump(exclude={"uncertainty"}) == expected.model_dump(exclude={"uncertainty"})
    assert _term(found, "repeats") == _term(expected, "repeats")
    # 0.5 Wh of preprocessing and 9.5 Wh a pass, of 10 s each; only the edges of the whole window are off by a tick.
    one_wh = math.hypot(180.0, 3420.0 / passes) * 0.1 * math.sqrt(2 / 12) / 3600
    assert _term(found, "tick").standard_percent == pytest.approx(100 * one_wh / 10)


def test_every_pass_must_hold_the_queries() -> None:
    windows = _ranged(official_windows(runs=2), 3)
    lost = change_windows(windows, lambda line: line.phase == "generate" and line.repeat == 1, samples=2999)
    with pytest.raises(InvalidRunError, match=r"repeat 1, phase generate: 2999 .* expected 3 passes of 1000"):
        _score(lost)
    unsaid = change_windows(windows, lambda line: line.phase == "generate", passes=None)
    with pytest.raises(InvalidRunError, match="3000 queries were counted, expected 1000 in every repeat"):
        _score(unsaid)


def test_tokens_that_passes_do_not_share_are_a_mean() -> None:
    windows = change_windows(
        _ranged(official_windows(runs=2), 2), lambda line: line.phase == "generate", output_tokens=15_001
    )
    score = _score(windows)
    assert score.output_tokens == pytest.approx(7500.5)
    assert score.wh_per_1000_output_tokens == pytest.approx(10_000 / 7500.5)
    assert [repeat.output_tokens for repeat in score.repeats] == [7500, 7500]


def test_images_that_a_pass_lost_are_seen() -> None:
    facts = environment("text_to_image", run={"runs": 10})
    windows = _ranged(official_windows("call"), 2)
    assert _score(windows, facts).comparable
    short = change_windows(windows, lambda line: line.phase == "call", images=1999)
    assert "images" in " ".join(reason.message for reason in _score(short, facts).not_comparable_because)


# Adaptive repeats


@pytest.mark.parametrize("runs", [3, 5, 10])
def test_an_adaptive_run_holds_three_repeats_to_those_asked(runs: int) -> None:
    score = _score(official_windows(runs=runs), environment(run={"runs": 10, "target_ci": 0.01}))
    assert (score.runs, len(score.repeats)) == (runs, runs)


@pytest.mark.parametrize("runs", [1, 2, 11])
def test_an_adaptive_run_of_fewer_or_more_is_refused(runs: int) -> None:
    with pytest.raises(InvalidRunError, match=f"3 to 10 repeats were asked for, but the windows hold {runs}"):
        _score(official_windows(runs=runs), environment(run={"runs": 10, "target_ci": 0.01}))


def test_an_adaptive_run_with_a_hole_is_refused() -> None:
    windows = [line for line in official_windows(runs=5) if line.repeat != 2]
    with pytest.raises(InvalidRunError, match=r"4 \(numbers 0, 1, 3, 4\)"):
        _score(windows, environment(run={"runs": 10, "target_ci": 0.01}))


def test_the_interval_of_an_adaptive_run_is_wider() -> None:
    windows = _counter_windows(4, spread_wh=0.2)
    fixed, adaptive = _counter_score(windows), _counter_score(windows, runs=10, target_ci=0.01)
    plain, wide = _uncertainty(fixed).half_width_95_percent, _uncertainty(adaptive).half_width_95_percent
    assert plain is not None
    assert wide == pytest.approx(1.3 * plain)
    assert "widened by 1.3" in _term(adaptive, "repeats").source


# Idle baseline


def test_idle_windows_give_the_power_and_the_net_energy_and_no_repeat() -> None:
    plain = official_windows(runs=2)
    windows = [_idle("idle_before", 70.0), *plain, _idle("idle_after", 74.0, seconds=40.0)]
    score, without = _score(windows), _score(plain)
    # The mean of before and after, however long they were.
    assert score.idle_power_w == pytest.approx(72.0)
    # 10 s of answering; the model was not loaded yet while the inputs were prepared.
    assert score.wh_per_1000_queries_net == pytest.approx(10.0 - 72.0 * 10 / 3600)
    assert (without.idle_power_w, without.wh_per_1000_queries_net) == (None, None)
    assert score.wh_per_1000_queries == without.wh_per_1000_queries
    assert score.repeats == without.repeats


def test_net_energy_is_that_of_one_pass() -> None:
    windows = [_idle("idle_before", 72.0), *_ranged(official_windows(runs=2), 5)]
    assert _score(windows).wh_per_1000_queries_net == pytest.approx(10.0 - 72.0 * 10 / 3600)


def test_a_net_energy_that_is_not_positive_is_none_and_told() -> None:
    score = _score([_idle("idle_before", 3600.0), *official_windows(runs=2)])
    assert (score.idle_power_w, score.wh_per_1000_queries_net) == (pytest.approx(3600.0), None)
    assert [warning.code for warning in score.warnings] == ["net_not_positive"]
    assert score.wh_per_1000_queries == pytest.approx(10.0)
    assert score.comparable == _score(official_windows(runs=2)).comparable


@pytest.mark.parametrize(
    "fault",
    [reading("gpu", 0.0), reading("gpu", float("nan")), reading("gpu", -1.0), reading("gpu", 0.2, device="GPU-2")],
)
def test_an_idle_window_that_cannot_be_true_gives_no_net_energy(fault: Any) -> None:
    broken = _idle("idle_after", 70.0).model_copy(update={"readings": (fault,)})
    score = _score([_idle("idle_before", 70.0), *official_windows(runs=2), broken])
    assert (score.idle_power_w, score.wh_per_1000_queries_net) == (None, None)


# Uncertainty


def test_the_budget_worked_out_by_hand() -> None:
    windows = [_idle("idle_before", 72.0), *_counter_windows(4, spread_wh=0.2), _idle("idle_after", 72.0)]
    score = _counter_score(windows)
    # 10.0 and 10.2 Wh twice: mean 10.1, standard deviation 0.2 / sqrt(3), of the mean 0.1 / sqrt(3).
    found = _uncertainty(score)
    error = 0.1 / math.sqrt(3)
    half_width = 3.1824463 * error
    assert found.interval_95_wh_per_1000 == pytest.approx((10.1 - half_width, 10.1 + half_width))
    assert found.half_width_95_percent == pytest.approx(100 * half_width / 10.1)
    assert found.cov_percent == pytest.approx(100 * 2 * error / 10.1)
    assert (found.outliers, found.trend_significant) == ((), False)
    assert found.trend_percent_per_repeat == pytest.approx(100 * 0.04 / 10.1)
    repeats = _term(score, "repeats")
    assert (repeats.kind, repeats.degrees_of_freedom) == ("A", 3)
    assert repeats.standard_percent == pytest.approx(100 * error / 10.1)
    # Two windows a repeat of 0.003 Wh, and alike in all repeats.
    tick = _term(score, "tick")
    assert tick.standard_percent == pytest.approx(100 * 0.003 * math.sqrt(2) / 10.1)
    assert tick.half_width_95_percent == pytest.approx(NORMAL * (tick.standard_percent or 0))
    # 180, 3420 and 3492 W against 72 W; a tick of 0.1 s; two edges a window.
    parts_wh = [math.hypot(108.0, swing) * 0.05 * math.sqrt(2 / 3) / 3600 for swing in (3348.0, 3420.0)]
    aliasing = _term(score, "aliasing")
    assert aliasing.standard_percent == pytest.approx(100 * sum(parts_wh) / 2 / 10.1)
    assert "idle and mean power" in aliasing.source
    assert (_term(score, "sampling").standard_percent, _term(score, "sampling").half_width_95_percent) == (0, 0)
    gain = _term(score, "board_gain")
    assert gain.standard_percent == pytest.approx(5 / math.sqrt(3))
    assert gain.half_width_95_percent == pytest.approx(4.75)
    combined = math.hypot(
        100 * half_width / 10.1, NORMAL * (tick.standard_percent or 0), NORMAL * (aliasing.standard_percent or 0)
    )
    assert found.combined_95_percent == pytest.approx(combined)
    assert found.with_board_gain_95_percent == pytest.approx(math.hypot(combined, 4.75))
    assert [term.name for term in found.terms] == ["repeats", "tick", "aliasing", "sampling", "board_gain"]


def test_one_repeat_has_no_interval_and_says_so() -> None:
    score = _counter_score(_counter_windows(1))
    found = _uncertainty(score)
    assert (found.interval_95_wh_per_1000, found.half_width_95_percent) == (None, None)
    assert (found.combined_95_percent, found.with_board_gain_95_percent) == (None, None)
    repeats = _term(score, "repeats")
    assert (repeats.standard_percent, repeats.degrees_of_freedom) == (None, None)
    assert "one repeat" in repeats.source
    assert _term(score, "tick").standard_percent == pytest.approx(100 * 0.003 * math.sqrt(2) / 10.0)


def test_modelled_energy_has_no_terms_of_a_meter_and_never_a_zero() -> None:
    windows = [
        window(phase, repeat, [reading("cpu", 1.0, standard_uncertainty_wh=0.1), reading("ram", 0.5)], samples=20)
        for repeat in range(3)
        for phase in ("preprocess", "forward")
    ]
    score = _score(windows, environment("text_classification", gpus=(), run={"runs": 3, "num_samples": 20}))
    for name in ("tick", "aliasing", "sampling", "board_gain"):
        term = _term(score, name)
        assert (term.standard_percent, term.half_width_95_percent) == (None, None)
        assert term.source.startswith("modelled")
    assert _uncertainty(score).combined_95_percent == 0
    assert _uncertainty(score).with_board_gain_95_percent is None


@pytest.mark.parametrize("runs", [2, 8])
def test_more_repeats_lessen_no_error_that_all_of_them_share(runs: int) -> None:
    score = _counter_score(_counter_windows(runs))
    assert _term(score, "tick").standard_percent == pytest.approx(100 * 0.003 * math.sqrt(2) / 10.0)
    assert "alike in every repeat" in _term(score, "tick").source
    assert "alike in every repeat" in _term(score, "aliasing").source


def test_repeats_that_resemble_the_one_before_widen_the_interval_and_it_is_said() -> None:
    rising = [
        line.model_copy(update={"readings": (reading("gpu", 9.0 + 0.01 * (line.repeat or 0)),)})
        if line.phase == "generate"
        else line
        for line in official_windows(runs=6)
    ]
    score = _score(rising)
    error = 0.01 * math.sqrt(3.5) / math.sqrt(6) * math.sqrt(19)
    assert _term(score, "repeats").standard_percent == pytest.approx(100 * error / 9.525)
    assert _uncertainty(score).half_width_95_percent == pytest.approx(100 * 2.5705818 * error / 9.525)
    assert "widened by 4.36 because each repeat resembles the one before" in _term(score, "repeats").source


def _plain(energy_wh: float, meter: str, **changes: Any) -> MeterReading:
    return reading("gpu", energy_wh, **{"meter": meter, "source": "nvml"} | changes)


@pytest.mark.parametrize("meter", ["codecarbon", "zeus"])
def test_a_counter_that_was_read_as_it_stood_is_off_by_a_tick_at_either_edge(meter: str) -> None:
    windows = [
        window(phase, repeat, [_plain(energy_wh, meter)])
        for repeat in range(3)
        for phase, energy_wh in (("preprocess", 1.0), ("forward", 9.0))
    ]
    score = _counter_score(windows, meters=(meter,))
    # 360 and 3240 W for 0.1 s at two edges, each rectangular: 1 / sqrt(12).
    one_wh = math.hypot(360.0, 3240.0) * 0.1 * math.sqrt(2 / 12) / 3600
    tick, aliasing = _term(score, "tick"), _term(score, "aliasing")
    assert tick.standard_percent == pytest.approx(100 * one_wh / 10.0)
    assert "read as it stood: mean power times a tick of 0.1 s" in tick.source
    assert aliasing.standard_percent == 0
    assert "held by tick" in aliasing.source
    assert _uncertainty(score).combined_95_percent == pytest.approx(NORMAL * (tick.standard_percent or 0))


def test_a_window_in_which_the_counter_did_not_tick_may_miss_the_power_of_answering() -> None:
    windows = [
        line
        for repeat in range(3)
        for line in (
            window("preprocess", repeat, [_plain(0.0, "codecarbon")], end_monotonic_s=100.04),
            window("forward", repeat, [_plain(9.0, "codecarbon"), _plain(90.0, "second")]),
        )
    ]
    # 3240 W for 0.04 s, once.
    missed_wh, answer_wh = 3240 * 0.04 / math.sqrt(12) / 3600, 3240 * 0.1 * math.sqrt(2 / 12) / 3600
    expected = pytest.approx(100 * math.hypot(missed_wh, answer_wh) / 9.0)
    assert _term(_counter_score(windows), "tick").standard_percent == expected


def test_a_window_shorter_than_a_tick_may_hold_a_whole_one() -> None:
    windows = [
        line
        for repeat in range(3)
        for line in (
            window("preprocess", repeat, [_plain(0.01, "codecarbon")], end_monotonic_s=100.001),
            window("forward", repeat, [_plain(9.0, "codecarbon")]),
        )
    ]
    # 0.01 Wh are 360 W for a tick, not 36 kW for a millisecond.
    one_wh = math.hypot(360.0, 3240.0) * 0.1 * math.sqrt(2 / 12) / 3600
    assert _term(_counter_score(windows), "tick").standard_percent == pytest.approx(100 * one_wh / 9.01)


def test_an_unknown_term_of_a_sensor_leaves_no_sum() -> None:
    unheard = _counter_score(_counter_windows(3, source="other", counter=None, standard_uncertainty_wh=None))
    assert (_term(unheard, "tick").standard_percent, _term(unheard, "aliasing").standard_percent) == (None, None)
    assert _term(unheard, "tick").source.startswith("codecarbon does not tell how it read the counter")
    uncalibrated = _counter_score(_counter_windows(3, counter=_evidence(tick_s=None)))
    assert _term(uncalibrated, "tick").standard_percent is not None
    assert _term(uncalibrated, "aliasing").standard_percent is None
    assert "tick is not known; without it there is no combined uncertainty" in _term(uncalibrated, "aliasing").source
    for score in (unheard, uncalibrated):
        found = _uncertainty(score)
        assert (found.combined_95_percent, found.with_board_gain_95_percent) == (None, None)
        assert found.half_width_95_percent is not None


@pytest.mark.parametrize("source", ["nvml_power", "replay"])
def test_sums_of_powers_have_a_sampling_term_in_place_of_a_tick(source: str) -> None:
    score = _counter_score(_counter_windows(4, source=source, counter=None))
    assert (_term(score, "tick").standard_percent, _term(score, "aliasing").standard_percent) == (0, 0)
    assert _term(score, "sampling").standard_percent == pytest.approx(100 * 0.003 * math.sqrt(2) / 2 / 10.0)
    silent = _counter_score(_counter_windows(4, source=source, counter=None, standard_uncertainty_wh=None))
    assert _term(silent, "sampling").standard_percent is None
    assert _uncertainty(silent).combined_95_percent is None


def test_rapl_ticks_every_millisecond_and_has_no_gain_on_record() -> None:
    facts = {"source": "rapl", "origin": "measured", "meter": "rapl"}
    windows = [
        window(phase, repeat, [reading("cpu", 1.0, **facts), reading("ram", 1.0, **facts)], samples=20)
        for repeat in range(2)
        for phase in ("preprocess", "forward")
    ]
    run = {"runs": 2, "num_samples": 20, "meters": ("rapl",)}
    score = _score(windows, environment("text_classification", gpus=(), run=run))
    # CPU and RAM in two windows; two edges each.
    one_wh = 360.0 * 0.001 * math.sqrt(2 / 12) / 3600
    assert _term(score, "tick").standard_percent == pytest.approx(100 * one_wh * math.sqrt(4) / 4.0)
    assert _term(score, "aliasing").standard_percent == 0
    assert "no gain is specified" in _term(score, "board_gain").source


def test_trend_and_outliers_are_flagged_and_nothing_is_left_out() -> None:
    rising = [
        line.model_copy(update={"readings": (reading("gpu", 9.0 + 0.1 * (line.repeat or 0)),)})
        if line.phase == "generate"
        else line
        for line in official_windows(runs=5)
    ]
    found = _uncertainty(_score(rising))
    assert found.trend_significant
    assert found.trend_percent_per_repeat == pytest.approx(100 * 0.1 / 9.7)
    far = change_windows(
        official_windows(runs=6),
        lambda line: line.phase == "generate" and line.repeat == 4,
        readings=(reading("gpu", 15.5),),
    )
    score = _score(far)
    assert _uncertainty(score).outliers == (4,)
    assert score.wh_per_1000_queries == pytest.approx((5 * 10 + 16) / 6)


@given(st.lists(st.floats(min_value=0.5, max_value=2.0), min_size=2, max_size=6), st.floats(1e-3, 1e3))
def test_relative_uncertainty_does_not_know_the_unit(energies_wh: list[float], factor: float) -> None:
    def scored(by: float) -> Uncertainty:
        windows = [
            window(
                phase,
                repeat,
                [
                    reading(
                        "gpu",
                        by * energy_wh,
                        source="nvml_counter",
                        counter=_evidence(),
                        standard_uncertainty_wh=by * 1e-3,
                    )
                ],
            )
            for repeat, energy_wh in enumerate(energies_wh)
            for phase in ("preprocess", "forward")
        ]
        return _uncertainty(_counter_score(windows))

    one, two = scored(1.0), scored(factor)
    for before, after in zip(one.terms, two.terms, strict=True):
        assert after.standard_percent == pytest.approx(before.standard_percent, abs=1e-9)
    assert two.combined_95_percent == pytest.approx(one.combined_95_percent, abs=1e-9)
    assert one.cov_percent == pytest.approx(100 * (uncertainty.coefficient_of_variation(energies_wh) or 0), abs=1e-9)


# Validity


def _judged(*, valid: bool) -> Validity:
    checks = (
        Check(number=1, name="energy_positive", passed=valid, severity="info" if valid else "fail", message="0 Wh"),
        Check(number=9, name="foreign_processes", passed=False, severity="warn", message="another process"),
        Check(number=2, name="counter_monotonic", passed=True, severity="info", message="fine"),
    )
    return Validity(run="run", scorekit_version="0.1.0", checks=checks, valid=valid)


def test_a_score_carries_what_the_checks_found() -> None:
    score = _score(official_windows(), validity=_judged(valid=True))
    assert (score.valid, score.invalid_because, score.comparable) == (True, (), True)
    assert [(warning.code, warning.message) for warning in score.warnings] == [("foreign_processes", "another process")]
    assert _score(official_windows()).valid is None


def test_an_invalid_run_is_marked_and_never_comparable() -> None:
    score = _score(official_windows(), validity=_judged(valid=False))
    assert (score.valid, score.comparable) == (False, False)
    assert [reason.code for reason in score.invalid_because] == ["energy_positive"]
    assert [reason.code for reason in score.not_comparable_because] == ["invalid"]
    text = gpu_wh_text(score)
    with pytest.raises(ValueError, match="the run is invalid: energy_positive"):
        float(text)
    summary = gpu_summary(score)
    assert (summary["valid"], summary["note"]) == (False, "the run is invalid: energy_positive")
