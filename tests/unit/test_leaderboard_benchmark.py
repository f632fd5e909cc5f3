"""The benchmark of the leaderboard: which of several actions is judged, and on how many runs."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright", reason="not applicable: playwright is not installed here")

from benchmarks import leaderboard_page
from benchmarks.comparison import Goal
from benchmarks.leaderboard_page import Taken


def test_a_slow_action_does_not_hide_among_quick_ones() -> None:
    quick = [Taken(10.0, 20.0, 0.5, 1.0)] * 5
    slow = [Taken(60.0, 20.0, 3.0, 7.0)] * 4 + [Taken(1.0, 20.0, 0.1, 7.0)]
    times = {"by energy": quick, "by stars": slow, "by model": quick}
    action, deferred = leaderboard_page.judged("sort", "sort", times, Goal(50.0, on="ours"))
    assert (action.key, action.verdict, len(action.judged)) == ("sort", "no", 5)
    assert action.what == "sort, the slowest: by stars"
    assert action.cpu_ratios == (3.0, 3.0, 3.0, 3.0, 0.1)
    assert (deferred.key, deferred.verdict) == ("sort_deferred", None)
    assert deferred.ours == (7.0,) * 5
    assert deferred.theirs == action.ours


def test_a_page_s_own_order_is_no_first_sort() -> None:
    assert leaderboard_page._COMES_SORTED in leaderboard_page._SORTING
