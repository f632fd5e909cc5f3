"""The idle baseline, and the net energy that comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bundles import official_windows, reading
from tests.unit.budget.made import idle, scored, with_passes


def test_idle_windows_give_the_power_and_the_net_energy_and_no_repeat() -> None:
    plain = official_windows(runs=2)
    windows = [idle("idle_before", 70.0), *plain, idle("idle_after", 74.0, seconds=40.0)]
    score, without = scored(windows), scored(plain)
    # The mean of before and after, however long they were.
    assert score.idle_power_w == pytest.approx(72.0)
    # 10 s of answering; the model was not loaded yet while the inputs were prepared.
    assert score.wh_per_1000_queries_net == pytest.approx(10.0 - 72.0 * 10 / 3600)
    assert (without.idle_power_w, without.wh_per_1000_queries_net) == (None, None)
    assert score.wh_per_1000_queries == without.wh_per_1000_queries
    assert score.repeats == without.repeats


def test_net_energy_is_that_of_one_pass() -> None:
    windows = [idle("idle_before", 72.0), *with_passes(official_windows(runs=2), 5)]
    assert scored(windows).wh_per_1000_queries_net == pytest.approx(10.0 - 72.0 * 10 / 3600)


def test_a_net_energy_that_is_not_positive_is_none_and_told() -> None:
    score = scored([idle("idle_before", 3600.0), *official_windows(runs=2)])
    assert (score.idle_power_w, score.wh_per_1000_queries_net) == (pytest.approx(3600.0), None)
    assert [warning.code for warning in score.warnings] == ["net_not_positive"]
    assert score.wh_per_1000_queries == pytest.approx(10.0)
    assert score.comparable == scored(official_windows(runs=2)).comparable


@pytest.mark.parametrize(
    "fault",
    [reading("gpu", 0.0), reading("gpu", float("nan")), reading("gpu", -1.0), reading("gpu", 0.2, device="GPU-2")],
)
def test_an_idle_window_that_cannot_be_true_gives_no_net_energy(fault: Any) -> None:
    broken = idle("idle_after", 70.0).model_copy(update={"readings": (fault,)})
    score = scored([idle("idle_before", 70.0), *official_windows(runs=2), broken])
    assert (score.idle_power_w, score.wh_per_1000_queries_net) == (None, None)
