"""Repeats that end when they suffice: how many there may be, and what their interval is."""

from __future__ import annotations

import pytest

from scorekit.errors import InvalidRunError
from tests.bundles import environment, official_windows
from tests.unit.budget.made import counter_score, counter_windows, scored, term_of, uncertainty_of


@pytest.mark.parametrize("runs", [3, 5, 10])
def test_an_adaptive_run_holds_three_repeats_to_those_asked(runs: int) -> None:
    score = scored(official_windows(runs=runs), environment(run={"runs": 10, "target_ci": 0.01}))
    assert (score.runs, len(score.repeats)) == (runs, runs)


@pytest.mark.parametrize("runs", [1, 2, 11])
def test_an_adaptive_run_of_fewer_or_more_is_refused(runs: int) -> None:
    with pytest.raises(InvalidRunError, match=f"3 to 10 repeats were asked for, but the windows hold {runs}"):
        scored(official_windows(runs=runs), environment(run={"runs": 10, "target_ci": 0.01}))


def test_an_adaptive_run_with_a_hole_is_refused() -> None:
    windows = [line for line in official_windows(runs=5) if line.repeat != 2]
    with pytest.raises(InvalidRunError, match=r"4 \(numbers 0, 1, 3, 4\)"):
        scored(windows, environment(run={"runs": 10, "target_ci": 0.01}))


def test_the_interval_of_an_adaptive_run_is_wider() -> None:
    windows = counter_windows(4, spread_wh=0.2)
    fixed, adaptive = counter_score(windows), counter_score(windows, runs=10, target_ci=0.01)
    plain, wide = uncertainty_of(fixed).half_width_95_percent, uncertainty_of(adaptive).half_width_95_percent
    assert plain is not None
    assert wide == pytest.approx(1.3 * plain)
    assert "widened by 1.3" in term_of(adaptive, "repeats").source
