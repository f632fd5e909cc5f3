"""Times are read as they stand; a zone is never made up."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scorekit.logs.foreign.times import LocalClock, utc_and_local

_DAYS = st.datetimes(datetime.datetime(2000, 1, 1), datetime.datetime(2100, 1, 1))


@given(st.lists(_DAYS, min_size=1, max_size=8))
def test_times_are_as_far_apart_as_they_are(times: list[datetime.datetime]) -> None:
    clock = LocalClock()
    found = [clock.read(when.strftime("%Y/%m/%d %H:%M:%S.%f")) for when in times]
    for when, t_s in zip(times, found, strict=True):
        assert t_s is not None
        assert t_s - (found[0] or 0) == pytest.approx((when - times[0]).total_seconds(), abs=1e-5)
    assert clock.first == times[0].strftime("%Y-%m-%dT%H:%M:%S.%f")


def test_a_time_of_day_goes_on_behind_midnight() -> None:
    clock = LocalClock()
    assert [clock.read(text) for text in ("23:59:58", "23:59:59", "00:00:01", "00:00:00")] == [
        86398,
        86399,
        86401,
        86400,
    ]
    assert clock.first == "23:59:58"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "2025/01/31",
        "2025/02/30 00:00:00",
        "2025/01-31 00:00:00",
        "24:00:00",
        "12:60:00",
        "12:00",
        "1 12:00:00",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert LocalClock().read(text) is None


def test_only_a_time_with_a_zone_is_utc() -> None:
    assert utc_and_local("2025-10-09T11:25:18") == (None, "2025-10-09T11:25:18")
    assert utc_and_local("2025-10-09T11:25:18+02:00") == ("2025-10-09T09:25:18+00:00", None)
    assert utc_and_local("2025-10-09T11:25:18Z") == ("2025-10-09T11:25:18+00:00", None)


@pytest.mark.parametrize("text", [None, "", "42.5", "2025-13-09T11:25:18", "0001-01-01T00:00:00+23:59"])
def test_anything_else_is_no_time(text: str | None) -> None:
    assert utc_and_local(text) == (None, None)
