"""The whole budget: worked out by hand, and whatever the unit."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit import uncertainty
from scorekit.records import Uncertainty
from tests.bundles import reading, window
from tests.unit.budget.made import (
    NORMAL,
    counter_evidence,
    counter_score,
    counter_windows,
    idle,
    term_of,
    uncertainty_of,
)


def test_the_budget_worked_out_by_hand() -> None:
    windows = [idle("idle_before", 72.0), *counter_windows(4, spread_wh=0.2), idle("idle_after", 72.0)]
    score = counter_score(windows)
    # 10.0 and 10.2 Wh twice: mean 10.1, standard deviation 0.2 / sqrt(3), of the mean 0.1 / sqrt(3).
    found = uncertainty_of(score)
    error = 0.1 / math.sqrt(3)
    half_width = 3.1824463 * error
    assert found.interval_95_wh_per_1000 == pytest.approx((10.1 - half_width, 10.1 + half_width))
    assert found.half_width_95_percent == pytest.approx(100 * half_width / 10.1)
    assert found.cov_percent == pytest.approx(100 * 2 * error / 10.1)
    assert (found.outliers, found.trend_significant) == ((), False)
    assert found.trend_percent_per_repeat == pytest.approx(100 * 0.04 / 10.1)
    repeats = term_of(score, "repeats")
    assert (repeats.kind, repeats.degrees_of_freedom) == ("A", 3)
    assert repeats.standard_percent == pytest.approx(100 * error / 10.1)
    # Two windows a repeat of 0.003 Wh, and alike in all repeats.
    tick = term_of(score, "tick")
    assert tick.standard_percent == pytest.approx(100 * 0.003 * math.sqrt(2) / 10.1)
    assert tick.half_width_95_percent == pytest.approx(NORMAL * (tick.standard_percent or 0))
    # 180, 3420 and 3492 W against 72 W; a tick of 0.1 s; two edges a window.
    parts_wh = [math.hypot(108.0, swing) * 0.05 * math.sqrt(2 / 3) / 3600 for swing in (3348.0, 3420.0)]
    aliasing = term_of(score, "aliasing")
    assert aliasing.standard_percent == pytest.approx(100 * sum(parts_wh) / 2 / 10.1)
    assert "idle and mean power" in aliasing.source
    assert (term_of(score, "sampling").standard_percent, term_of(score, "sampling").half_width_95_percent) == (0, 0)
    gain = term_of(score, "board_gain")
    assert gain.standard_percent == pytest.approx(5 / math.sqrt(3))
    assert gain.half_width_95_percent == pytest.approx(4.75)
    combined = math.hypot(
        100 * half_width / 10.1, NORMAL * (tick.standard_percent or 0), NORMAL * (aliasing.standard_percent or 0)
    )
    assert found.combined_95_percent == pytest.approx(combined)
    assert found.with_board_gain_95_percent == pytest.approx(math.hypot(combined, 4.75))
    assert [term.name for term in found.terms] == ["repeats", "tick", "aliasing", "sampling", "board_gain"]


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
                        counter=counter_evidence(),
                        standard_uncertainty_wh=by * 1e-3,
                    )
                ],
            )
            for repeat, energy_wh in enumerate(energies_wh)
            for phase in ("preprocess", "forward")
        ]
        return uncertainty_of(counter_score(windows))

    one, two = scored(1.0), scored(factor)
    for before, after in zip(one.terms, two.terms, strict=True):
        assert after.standard_percent == pytest.approx(before.standard_percent, abs=1e-9)
    assert two.combined_95_percent == pytest.approx(one.combined_95_percent, abs=1e-9)
    assert one.cov_percent == pytest.approx(100 * (uncertainty.coefficient_of_variation(energies_wh) or 0), abs=1e-9)
