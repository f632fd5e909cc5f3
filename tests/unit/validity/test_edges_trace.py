"""A trace of samples at its edges: which sample still counts, where a gap begins, what an integral is by hand."""

from __future__ import annotations

import math

import pytest

from scorekit.validity import DeviceTrace, PowerTrace

NAN = math.nan

GIVEN = DeviceTrace(
    t_s=[0.0, 1.0, 2.0, 3.0],
    power_w=[10.0, NAN, 30.0, 40.0],
    counter_mj=[1.0, 2.0, 3.0, 4.0],
)


@pytest.mark.parametrize(
    ("start_s", "end_s", "counters", "powers"),
    [
        (0.0, 3.0, [(0.0, 1.0), (1.0, 2.0), (2.0, 3.0), (3.0, 4.0)], [(0.0, 10.0), (2.0, 30.0), (3.0, 40.0)]),
        # A sample at an edge is inside; one past it is not.
        (1.0, 2.0, [(1.0, 2.0), (2.0, 3.0)], [(2.0, 30.0)]),
        (1.01, 1.99, [], []),
        (2.0, 2.0, [(2.0, 3.0)], [(2.0, 30.0)]),
        (1.0, 1.0, [(1.0, 2.0)], []),
        (-9.0, 0.0, [(0.0, 1.0)], [(0.0, 10.0)]),
        (3.0, 9.0, [(3.0, 4.0)], [(3.0, 40.0)]),
        (4.0, 9.0, [], []),
    ],
)
def test_samples_of_a_stretch_are_those_from_edge_to_edge_that_have_the_quantity(
    start_s: float, end_s: float, counters: list[tuple[float, float]], powers: list[tuple[float, float]]
) -> None:
    for quantity, expected in (("counter_mj", counters), ("power_w", powers)):
        found = GIVEN.between(quantity, start_s, end_s)  # type: ignore[arg-type]
        assert found == expected
        assert list(GIVEN.values(quantity, start_s, end_s)) == [value for _, value in expected]  # type: ignore[arg-type]
        assert list(GIVEN.times(quantity, start_s, end_s)) == [t_s for t_s, _ in expected]  # type: ignore[arg-type]


def test_a_trace_without_a_column_has_nothing_of_it() -> None:
    assert GIVEN.between("temperature_c", 0.0, 3.0) == []
    assert GIVEN.values("temperature_c", 0.0, 3.0) == []
    assert GIVEN.times("temperature_c", 0.0, 3.0) == []
    assert DeviceTrace([0.0, 1.0]).energy_ws(0.0, 1.0) is None
    assert DeviceTrace([0.0, 1.0]).power_at(1.0) is None


def test_a_column_that_is_shorter_than_its_times_is_no_trace() -> None:
    with pytest.raises(ValueError, match="shorter"):
        DeviceTrace([0.0, 1.0, 2.0], power_w=[10.0, 20.0]).between("power_w", 0.0, 2.0)


def test_what_a_reader_knows_of_every_sample_is_not_found_out_again() -> None:
    told = DeviceTrace([0.0, 1.0], power_w=[10.0, NAN], temperature_c=[40.0, NAN])
    told.has_all_of(["power_w"])
    # It is taken at its word.
    assert [str(value) for value in told.values("power_w", 0.0, 1.0)] == ["10.0", "nan"]
    assert told.times("power_w", 0.0, 1.0) == [0.0, 1.0]
    assert len(told.between("power_w", 0.0, 1.0)) == 2
    assert told.values("temperature_c", 0.0, 1.0) == [40.0]


@pytest.mark.parametrize(
    ("t_s", "expected"),
    [
        (5.0, 50.0),
        # Not what comes later, and nothing older than the second that a sample is the mean of.
        (5.99, 50.0),
        (6.0, 50.0),
        (6.01, None),
        (4.99, None),
        (7.9, 70.0),
        (8.0, 80.0),
        (8.5, 80.0),
    ],
)
def test_the_power_at_a_moment_is_that_of_the_last_sample_of_its_second(t_s: float, expected: float | None) -> None:
    trace = DeviceTrace([5.0, 7.5, 8.0], power_w=[50.0, 70.0, 80.0])
    assert trace.power_at(t_s) == expected


@pytest.mark.parametrize(
    ("start_s", "end_s", "longer_than_s", "expected"),
    [
        # Samples at 10, 11, 13 and 13.5: their steps are 1, 2 and 0.5 s.
        (10.0, 13.5, 0.0, [1.0, 2.0, 0.5]),
        (10.0, 13.5, 0.5, [1.0, 2.0]),
        (10.0, 13.5, 1.0, [2.0]),
        (10.0, 13.5, 1.99, [2.0]),
        (10.0, 13.5, 2.0, []),
        # Start and end count as samples.
        (9.0, 14.5, 0.9, [1.0, 1.0, 2.0, 1.0]),
        (9.0, 14.5, 1.0, [2.0]),
        (11.5, 13.25, 0.2, [1.5, 0.25]),
        (11.0, 11.0, 0.0, []),
        # None in between.
        (11.5, 12.5, 0.9, [1.0]),
        (11.5, 12.5, 1.0, []),
        (0.0, 3.0, 2.5, [3.0]),
        (20.0, 23.0, 3.0, []),
    ],
)
def test_waits_are_told_where_they_are_longer(
    start_s: float, end_s: float, longer_than_s: float, expected: list[float]
) -> None:
    trace = DeviceTrace([10.0, 11.0, 12.0, 13.0, 13.5], power_w=[5.0, 5.0, NAN, 5.0, 5.0])
    assert trace.waits_s(start_s, end_s, longer_than_s) == expected


def test_of_a_trace_without_gaps_only_its_edges_can_be_waits() -> None:
    trace = DeviceTrace([10.0, 10.5, 11.0], power_w=[5.0, 5.0, 5.0])
    assert trace.waits_s(9.0, 13.0, 0.5) == [1.0, 2.0]
    assert trace.waits_s(9.0, 13.0, 0.4) == [1.0, 0.5, 0.5, 2.0]


@pytest.mark.parametrize(
    ("start_s", "end_s", "expected"),
    [
        # Power by time: 10 W at 0 s, 30 W at 1 s, 30 W at 2 s, 70 W at 3 s, straight in between.
        (0.0, 3.0, 20.0 + 30.0 + 50.0),
        (0.0, 1.0, 20.0),
        (1.0, 3.0, 80.0),
        # From 20 W at 0.5 s to 30 W: 12.5 Ws; up to 50 W at 2.5 s: 20 Ws.
        (0.5, 2.5, 12.5 + 30.0 + 20.0),
        (0.25, 0.75, 10.0),
        (2.25, 2.5, 11.25),
        (1.25, 1.75, 15.0),
        (0.5, 1.0, 12.5),
        (2.0, 2.5, 20.0),
        # A moment has no energy, be it at a sample or between two.
        (0.0, 0.0, 0.0),
        (3.0, 3.0, 0.0),
        (1.5, 1.5, 0.0),
        # The samples do not reach so far.
        (-0.01, 1.0, None),
        (2.0, 3.01, None),
        (3.5, 4.0, None),
        (-2.0, -1.0, None),
    ],
)
def test_the_energy_of_a_stretch_by_hand(start_s: float, end_s: float, expected: float | None) -> None:
    trace = DeviceTrace([0.0, 1.0, 2.0, 3.0], power_w=[10.0, 30.0, 30.0, 70.0])
    found = trace.energy_ws(start_s, end_s)
    assert found == (None if expected is None else pytest.approx(expected, abs=1e-12))
    # The same four times as fast.
    fast = DeviceTrace([0.0, 0.25, 0.5, 0.75], power_w=[10.0, 30.0, 30.0, 70.0])
    found = fast.energy_ws(start_s / 4, end_s / 4)
    assert found == (None if expected is None else pytest.approx(expected / 4, abs=1e-12))


@pytest.mark.parametrize(
    ("start_s", "end_s", "unseen"),
    [
        # Samples every half a second from 0 to 9, but none from 3 to 4.5 and none from 6 to 7.25.
        (0.0, 3.0, []),
        (0.0, 3.01, [(3.0, 3.01)]),
        (2.5, 4.5, [(3.0, 4.5)]),
        (3.0, 4.5, [(3.0, 4.5)]),
        (3.5, 4.0, [(3.5, 4.0)]),
        (4.49, 5.0, [(4.49, 4.5)]),
        (4.5, 6.0, []),
        (4.5, 6.5, [(6.0, 6.5)]),
        (5.0, 8.0, [(6.0, 7.25)]),
        (7.25, 9.0, []),
        (0.0, 9.0, [(3.0, 4.5), (6.0, 7.25)]),
        (4.0, 7.0, [(4.0, 4.5), (6.0, 7.0)]),
    ],
)
def test_a_gap_longer_than_a_second_is_bridged_only_as_far_as_it_may_be(
    start_s: float, end_s: float, unseen: list[tuple[float, float]]
) -> None:
    times = [0.5 * number for number in range(19) if not 3 < 0.5 * number < 4.5 and not 6 < 0.5 * number < 7.5]
    trace = DeviceTrace(sorted([*times, 7.25]), power_w=[100.0] * (len(times) + 1))
    assert trace.unseen(start_s, end_s) == unseen
    unseen_s = sum(until_s - from_s for from_s, until_s in unseen)
    assert trace.unseen_s(start_s, end_s) == pytest.approx(unseen_s)
    whole = pytest.approx(100.0 * (end_s - start_s))
    assert trace.energy_ws(start_s, end_s) == (None if unseen else whole)
    assert trace.energy_ws(start_s, end_s, unseen_s + 2**-30) == whole
    if unseen:
        assert trace.energy_ws(start_s, end_s, unseen_s - 2**-30) is None


@pytest.mark.parametrize(
    ("late_s", "unseen"),
    [
        # Of steps of a second, one that is longer: a sample tells of a second, and nothing of what came before that.
        (0.0, []),
        (0.25, [(5.0, 5.25)]),
        (0.5, [(5.0, 5.5)]),
        # Beyond one and a half of the usual steps it is a gap, of which nothing is seen.
        (0.5625, [(5.0, 6.5625)]),
        (1.0, [(5.0, 7.0)]),
    ],
)
def test_of_a_late_sample_of_a_thinned_trace_its_own_second_is_seen(
    late_s: float, unseen: list[tuple[float, float]]
) -> None:
    times = [float(number) + (late_s if number > 5 else 0.0) for number in range(12)]
    trace = DeviceTrace(times, power_w=[100.0] * 12)
    assert trace.unseen(0.0, 11.0) == unseen
    assert trace.energy_ws(0.0, 5.0) == pytest.approx(500.0)
    assert (trace.energy_ws(4.0, 8.0) is None) is bool(unseen)


@pytest.mark.parametrize(("usual_s", "gap"), [(0.5, True), (0.75, True), (0.8125, False), (1.0, False)])
def test_what_a_gap_is_hangs_on_the_usual_step(usual_s: float, gap: bool) -> None:
    # One step of 1.1875 s among others.
    times = [usual_s * number + (1.1875 - usual_s if number > 5 else 0.0) for number in range(12)]
    ((from_s, until_s),) = DeviceTrace(times, power_w=[100.0] * 12).unseen(0.0, 100.0)
    assert (from_s, until_s) == (5 * usual_s, 5 * usual_s + (1.1875 if gap else 0.1875))


def test_the_usual_step_of_a_long_trace_is_that_of_some_of_its_steps() -> None:
    times = [1.0 * number for number in range(25_000)]
    times += [times[-1] + 1.25, times[-1] + 2.25]
    trace = DeviceTrace(times, power_w=[100.0] * len(times))
    assert trace.unseen(0.0, 1e6) == [(24_999.0, 24_999.25)]


def test_a_step_of_a_second_is_seen_whole() -> None:
    assert DeviceTrace([0.0, 1.0, 2.0], power_w=[5.0] * 3).unseen(-9.0, 9.0) == []
    assert DeviceTrace([0.0], power_w=[5.0]).unseen(-9.0, 9.0) == []
    assert DeviceTrace([]).unseen_s(-9.0, 9.0) == 0.0


def test_samples_that_lack_the_power_make_a_gap_of_their_neighbours() -> None:
    times = [0.0, 0.5, 1.0, 1.5, 2.0]
    one = DeviceTrace(times, power_w=[100.0, NAN, 200.0, 200.0, 200.0])
    assert one.energy_ws(0.0, 2.0) == pytest.approx(150.0 + 200.0)
    two = DeviceTrace(times, power_w=[100.0, NAN, NAN, 200.0, 200.0])
    assert two.energy_ws(0.0, 2.0) is None
    assert two.energy_ws(1.5, 2.0) == pytest.approx(100.0)


def test_samples_of_one_moment_do_not_break_an_integral() -> None:
    trace = DeviceTrace([0.0, 1.0, 1.0, 2.0], power_w=[10.0, 10.0, 30.0, 30.0])
    assert trace.energy_ws(0.0, 2.0) == pytest.approx(40.0)
    assert trace.energy_ws(1.0, 1.0) == pytest.approx(0.0)
    assert trace.energy_ws(0.5, 1.5) == pytest.approx(20.0)


def test_a_trace_of_several_gpus_gives_each_its_own() -> None:
    one, two = DeviceTrace([0.0]), DeviceTrace([1.0])
    trace = PowerTrace({"GPU-b": two, "GPU-a": one})
    assert (trace.of("GPU-a"), trace.of("GPU-b"), trace.of("GPU-c")) == (one, two, None)
    assert list(trace) == [("GPU-a", one), ("GPU-b", two)]
    assert list(PowerTrace()) == []
