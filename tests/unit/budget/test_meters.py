"""What each kind of meter leaves uncertain."""

from __future__ import annotations

import math
from typing import Any

import pytest

from scorekit.records import MeterReading
from tests.bundles import environment, reading, window
from tests.unit.budget.made import (
    NORMAL,
    counter_evidence,
    counter_score,
    counter_windows,
    scored,
    term_of,
    uncertainty_of,
)


def test_modelled_energy_has_no_terms_of_a_meter_and_never_a_zero() -> None:
    windows = [
        window(phase, repeat, [reading("cpu", 1.0, standard_uncertainty_wh=0.1), reading("ram", 0.5)], samples=20)
        for repeat in range(3)
        for phase in ("preprocess", "forward")
    ]
    score = scored(windows, environment("text_classification", gpus=(), run={"runs": 3, "num_samples": 20}))
    for name in ("tick", "aliasing", "sampling", "board_gain"):
        term = term_of(score, name)
        assert (term.standard_percent, term.half_width_95_percent) == (None, None)
        assert term.source.startswith("modelled")
    assert uncertainty_of(score).combined_95_percent == 0
    assert uncertainty_of(score).with_board_gain_95_percent is None


@pytest.mark.parametrize("runs", [2, 8])
def test_more_repeats_lessen_no_error_that_all_of_them_share(runs: int) -> None:
    score = counter_score(counter_windows(runs))
    assert term_of(score, "tick").standard_percent == pytest.approx(100 * 0.003 * math.sqrt(2) / 10.0)
    assert "alike in every repeat" in term_of(score, "tick").source
    assert "alike in every repeat" in term_of(score, "aliasing").source


def _plain(energy_wh: float, meter: str, **changes: Any) -> MeterReading:
    return reading("gpu", energy_wh, **{"meter": meter, "source": "nvml"} | changes)


@pytest.mark.parametrize("meter", ["codecarbon", "zeus"])
def test_a_counter_that_was_read_as_it_stood_is_off_by_a_tick_at_either_edge(meter: str) -> None:
    windows = [
        window(phase, repeat, [_plain(energy_wh, meter)])
        for repeat in range(3)
        for phase, energy_wh in (("preprocess", 1.0), ("forward", 9.0))
    ]
    score = counter_score(windows, meters=(meter,))
    # 360 and 3240 W for 0.1 s at two edges, each rectangular: 1 / sqrt(12).
    one_wh = math.hypot(360.0, 3240.0) * 0.1 * math.sqrt(2 / 12) / 3600
    tick, aliasing = term_of(score, "tick"), term_of(score, "aliasing")
    assert tick.standard_percent == pytest.approx(100 * one_wh / 10.0)
    assert "read as it stood: mean power times a tick of 0.1 s" in tick.source
    assert aliasing.standard_percent == 0
    assert "held by tick" in aliasing.source
    assert uncertainty_of(score).combined_95_percent == pytest.approx(NORMAL * (tick.standard_percent or 0))


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
    assert term_of(counter_score(windows), "tick").standard_percent == expected


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
    assert term_of(counter_score(windows), "tick").standard_percent == pytest.approx(100 * one_wh / 9.01)


def test_an_unknown_term_of_a_sensor_leaves_no_sum() -> None:
    unheard = counter_score(counter_windows(3, source="other", counter=None, standard_uncertainty_wh=None))
    assert (term_of(unheard, "tick").standard_percent, term_of(unheard, "aliasing").standard_percent) == (None, None)
    assert term_of(unheard, "tick").source.startswith("codecarbon does not tell how it read the counter")
    uncalibrated = counter_score(counter_windows(3, counter=counter_evidence(tick_s=None)))
    assert term_of(uncalibrated, "tick").standard_percent is not None
    assert term_of(uncalibrated, "aliasing").standard_percent is None
    assert "tick is not known; without it there is no combined uncertainty" in term_of(uncalibrated, "aliasing").source
    for score in (unheard, uncalibrated):
        found = uncertainty_of(score)
        assert (found.combined_95_percent, found.with_board_gain_95_percent) == (None, None)
        assert found.half_width_95_percent is not None


@pytest.mark.parametrize("source", ["nvml_power", "replay"])
def test_sums_of_powers_have_a_sampling_term_in_place_of_a_tick(source: str) -> None:
    score = counter_score(counter_windows(4, source=source, counter=None))
    assert (term_of(score, "tick").standard_percent, term_of(score, "aliasing").standard_percent) == (0, 0)
    assert term_of(score, "sampling").standard_percent == pytest.approx(100 * 0.003 * math.sqrt(2) / 2 / 10.0)
    silent = counter_score(counter_windows(4, source=source, counter=None, standard_uncertainty_wh=None))
    assert term_of(silent, "sampling").standard_percent is None
    assert uncertainty_of(silent).combined_95_percent is None


def test_rapl_ticks_every_millisecond_and_has_no_gain_on_record() -> None:
    facts = {"source": "rapl", "origin": "measured", "meter": "rapl"}
    windows = [
        window(phase, repeat, [reading("cpu", 1.0, **facts), reading("ram", 1.0, **facts)], samples=20)
        for repeat in range(2)
        for phase in ("preprocess", "forward")
    ]
    run = {"runs": 2, "num_samples": 20, "meters": ("rapl",)}
    score = scored(windows, environment("text_classification", gpus=(), run=run))
    # CPU and RAM in two windows; two edges each.
    one_wh = 360.0 * 0.001 * math.sqrt(2 / 12) / 3600
    assert term_of(score, "tick").standard_percent == pytest.approx(100 * one_wh * math.sqrt(4) / 4.0)
    assert term_of(score, "aliasing").standard_percent == 0
    assert "no gain is specified" in term_of(score, "board_gain").source
