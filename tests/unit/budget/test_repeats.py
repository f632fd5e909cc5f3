"""What the repeats tell: their interval, trend and outliers."""

from __future__ import annotations

import math

import pytest

from tests.bundles import change_windows, official_windows, reading
from tests.unit.budget.made import counter_score, counter_windows, scored, term_of, uncertainty_of


def test_one_repeat_has_no_interval_and_says_so() -> None:
    score = counter_score(counter_windows(1))
    found = uncertainty_of(score)
    assert (found.interval_95_wh_per_1000, found.half_width_95_percent) == (None, None)
    assert (found.combined_95_percent, found.with_board_gain_95_percent) == (None, None)
    repeats = term_of(score, "repeats")
    assert (repeats.standard_percent, repeats.degrees_of_freedom) == (None, None)
    assert "one repeat" in repeats.source
    assert term_of(score, "tick").standard_percent == pytest.approx(100 * 0.003 * math.sqrt(2) / 10.0)


def test_repeats_that_resemble_the_one_before_widen_the_interval_and_it_is_said() -> None:
    rising = [
        line.model_copy(update={"readings": (reading("gpu", 9.0 + 0.01 * (line.repeat or 0)),)})
        if line.phase == "generate"
        else line
        for line in official_windows(runs=6)
    ]
    score = scored(rising)
    error = 0.01 * math.sqrt(3.5) / math.sqrt(6) * math.sqrt(19)
    assert term_of(score, "repeats").standard_percent == pytest.approx(100 * error / 9.525)
    assert uncertainty_of(score).half_width_95_percent == pytest.approx(100 * 2.5705818 * error / 9.525)
    assert "widened by 4.36 because each repeat resembles the one before" in term_of(score, "repeats").source


def test_trend_and_outliers_are_flagged_and_nothing_is_left_out() -> None:
    rising = [
        line.model_copy(update={"readings": (reading("gpu", 9.0 + 0.1 * (line.repeat or 0)),)})
        if line.phase == "generate"
        else line
        for line in official_windows(runs=5)
    ]
    found = uncertainty_of(scored(rising))
    assert found.trend_significant
    assert found.trend_percent_per_repeat == pytest.approx(100 * 0.1 / 9.7)
    far = change_windows(
        official_windows(runs=6),
        lambda line: line.phase == "generate" and line.repeat == 4,
        readings=(reading("gpu", 15.5),),
    )
    score = scored(far)
    assert uncertainty_of(score).outliers == (4,)
    assert score.wh_per_1000_queries == pytest.approx((5 * 10 + 16) / 6)
