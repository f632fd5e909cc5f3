"""The Pareto front agrees with its definition, whatever the order, and tells what hangs on the intervals."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from scorekit.publish.pareto import Place, Point, front, places

# Few values, so that many points are equal in one or in both.
values = st.integers(0, 6).map(float)
widths = st.none() | st.sampled_from([0.0, 0.5, 1.0, 2.0])
few = settings(max_examples=50)


def point(cost: float, worth: float, cost_wide: float | None = None, worth_wide: float | None = None) -> Point:
    """With intervals that reach twice as far up as down, as those of parts near 0 do."""

    def around(value: float, wide: float | None) -> tuple[float, float] | None:
        return None if wide is None else (value - wide, value + 2 * wide)

    return Point(cost, worth, around(cost, cost_wide), around(worth, worth_wide))


points = st.lists(st.builds(point, values, values, widths, widths), max_size=8)


def beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Of (cost, worth): by the definition."""
    return one[0] <= other[0] and one[1] >= other[1] and one != other


@few
@given(points)
def test_the_front_is_what_nothing_beats(given_points: list[Point]) -> None:
    plain = [(one.cost, one.worth) for one in given_points]
    expected = [not any(beats(other, own) for other in plain) for own in plain]
    assert [place.on_front for place in places(given_points)] == expected


@few
@given(st.data(), points)
def test_the_order_of_the_points_changes_nothing(data: st.DataObject, given_points: list[Point]) -> None:
    order = data.draw(st.permutations(range(len(given_points))))
    found = places(given_points)
    assert places([given_points[number] for number in order]) == [found[number] for number in order]


@few
@given(points)
def test_a_place_is_certain_where_no_values_within_the_intervals_change_it(given_points: list[Point]) -> None:
    def ends(of: Point, sign: int) -> tuple[float, float]:
        """The best (1) or worst (-1) of a point."""
        costs, worths = of.cost_interval or (of.cost, of.cost), of.worth_interval or (of.worth, of.worth)
        return (costs[0], worths[1]) if sign > 0 else (costs[1], worths[0])

    known = all(None not in (one.cost_interval, one.worth_interval) for one in given_points)
    for number, (own, place) in enumerate(zip(given_points, places(given_points), strict=True)):
        others = [other for place_of, other in enumerate(given_points) if place_of != number]
        if place.on_front:
            holds = not any(beats(ends(other, 1), ends(own, -1)) for other in others)
        else:
            holds = any(beats(ends(other, -1), ends(own, 1)) for other in others)
        assert place.certain == (None if holds and not known else holds)


@few
@given(points)
def test_the_front_rises_and_leaves_no_point_unbeaten_beside_it(given_points: list[Point]) -> None:
    on = [given_points[number] for number in front(given_points)]
    assert (len(on) > 0) == (len(given_points) > 0)
    for earlier, later in itertools.pairwise(on):
        assert earlier.cost <= later.cost
        assert earlier.worth < later.worth or (earlier.cost, earlier.worth) == (later.cost, later.worth)
    for each in given_points:
        values_of = (each.cost, each.worth)
        assert any(beats((one.cost, one.worth), values_of) or (one.cost, one.worth) == values_of for one in on)


def test_none_one_and_equal_points() -> None:
    assert places([]) == []
    assert front([]) == []
    alone = point(1.0, 0.5, 0.1, 0.1)
    assert places([alone]) == [Place(on_front=True, certain=True)]
    sure = point(1.0, 0.5, 0.0, 0.0)
    assert places([sure, sure]) == [Place(on_front=True, certain=True)] * 2
    # With intervals either of two equal points may truly be the better one.
    assert places([alone, alone]) == [Place(on_front=True, certain=False)] * 2


def test_an_unknown_interval_is_not_taken_for_none() -> None:
    first, second = point(1.0, 0.9, 0.1, 0.01), point(5.0, 0.5, 0.1, None)
    assert [place.certain for place in places([first, second])] == [None, None]
