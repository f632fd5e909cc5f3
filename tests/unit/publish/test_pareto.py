"""The Pareto front agrees with its definition, whatever the order, and tells what hangs on the intervals."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from scorekit.publish.pareto import Place, Point, front, places

# Few values, so that many points are equal in one or in both.
values = st.integers(0, 6).map(float)
widths = st.none() | st.sampled_from([0.0, 0.5, 1.0, 2.0])
points = st.lists(st.builds(Point, values, values, widths, widths), max_size=8)
few = settings(max_examples=50)


def beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Of (cost, worth): by the definition."""
    return one[0] <= other[0] and one[1] >= other[1] and one != other


@few
@given(points)
def test_the_front_is_what_nothing_beats(given_points: list[Point]) -> None:
    plain = [(point.cost, point.worth) for point in given_points]
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
    def ends(point: Point, sign: int) -> tuple[float, float]:
        """The best (1) or worst (-1) of a point."""
        wide, high = point.cost_half_width or 0, point.worth_half_width or 0
        return point.cost - sign * wide, point.worth + sign * high

    known = all(None not in (point.cost_half_width, point.worth_half_width) for point in given_points)
    for number, (point, place) in enumerate(zip(given_points, places(given_points), strict=True)):
        others = [other for place_of, other in enumerate(given_points) if place_of != number]
        if place.on_front:
            holds = not any(beats(ends(other, 1), ends(point, -1)) for other in others)
        else:
            holds = any(beats(ends(other, -1), ends(point, 1)) for other in others)
        assert place.certain == (None if holds and not known else holds)


@few
@given(points)
def test_the_front_rises_and_leaves_no_point_unbeaten_beside_it(given_points: list[Point]) -> None:
    on = [given_points[number] for number in front(given_points)]
    assert (len(on) > 0) == (len(given_points) > 0)
    for earlier, later in itertools.pairwise(on):
        assert earlier.cost <= later.cost
        assert earlier.worth < later.worth or (earlier.cost, earlier.worth) == (later.cost, later.worth)
    for point in given_points:
        values_of = (point.cost, point.worth)
        assert any(beats((one.cost, one.worth), values_of) or (one.cost, one.worth) == values_of for one in on)


def test_none_one_and_equal_points() -> None:
    assert places([]) == []
    assert front([]) == []
    alone = Point(1.0, 0.5, 0.1, 0.1)
    assert places([alone]) == [Place(on_front=True, certain=True)]
    sure = Point(1.0, 0.5, 0.0, 0.0)
    assert places([sure, sure]) == [Place(on_front=True, certain=True)] * 2
    # With intervals either of two equal points may truly be the better one.
    assert places([alone, alone]) == [Place(on_front=True, certain=False)] * 2


def test_an_unknown_interval_is_not_taken_for_none() -> None:
    first, second = Point(1.0, 0.9, 0.1, 0.01), Point(5.0, 0.5, 0.1, None)
    assert [place.certain for place in places([first, second])] == [None, None]
