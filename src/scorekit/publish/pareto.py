"""The Pareto front of energy and quality: what nothing else beats in one without losing in the other; pure.

The front is by point values. Whether a place on it, or beside it, hangs on the uncertainty of the values is told apart.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

Interval = tuple[float, float]
_NONE: Final = (float("-inf"), -1)


@dataclass(frozen=True, slots=True)
class Point:
    """What one model takes and how well it answers.

    Attributes:
        cost: less is better.
        worth: more is better; the negative of what is better when it is less.
        cost_interval, worth_interval: lower and upper end of their intervals, which hold them; None where not known.
    """

    cost: float
    worth: float
    cost_interval: Interval | None = None
    worth_interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a point stands.

    Attributes:
        on_front: whether no other point has as little cost and as much worth, and is better in one of them.
        certain: whether that is so for all values within the intervals of this point and the others; None where it
            would be by the intervals that are known, but one is not.
    """

    on_front: bool
    certain: bool | None


def places(points: Sequence[Point]) -> list[Place]:
    """Where each point stands, in the order given. Equal points are on the front together, or beside it together.

    Its work is n log n in the points.
    """
    by_value = _Others([(point.cost, point.worth) for point in points])
    at_best = _Others([_best(point) for point in points])
    at_worst = _Others([_worst(point) for point in points])
    all_known = all(None not in (point.cost_interval, point.worth_interval) for point in points)
    found = []
    for number, point in enumerate(points):
        on_front = not by_value.beat(point.cost, point.worth, but=number)
        # It stays, though it be at its worst and all others at their best; or does not come, though it be the reverse.
        holds = not at_best.beat(*_worst(point), but=number) if on_front else at_worst.beat(*_best(point), but=number)
        found.append(Place(on_front, None if holds and not all_known else holds))
    return found


def front(points: Sequence[Point]) -> list[int]:
    """Numbers of the points on the front, by rising cost and then as given."""
    on = [number for number, place in enumerate(places(points)) if place.on_front]
    return sorted(on, key=lambda number: points[number].cost)


class _Others:
    """Asked whether any of some points but one beats a point: no more cost, no less worth, one of them better."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        order = sorted(range(len(points)), key=lambda number: points[number][0])
        self._costs = [points[number][0] for number in order]
        # The two greatest worths of the first points of the order, for one of them may be the point that asks.
        worths = ((points[number][1], number) for number in order)
        self._greatest = list(accumulate(worths, _two_greatest, initial=(_NONE, _NONE)))

    def beat(self, cost: float, worth: float, *, but: int) -> bool:
        """Whether one other than number `but` beats it."""
        cheaper = self._greatest_of(bisect.bisect_left(self._costs, cost), but)
        as_cheap = self._greatest_of(bisect.bisect_right(self._costs, cost), but)
        return cheaper >= worth or as_cheap > worth

    def _greatest_of(self, count: int, but: int) -> float:
        first, second = self._greatest[count]
        return second[0] if first[1] == but else first[0]


def _two_greatest(
    held: tuple[tuple[float, int], tuple[float, int]], new: tuple[float, int]
) -> tuple[tuple[float, int], tuple[float, int]]:
    first, second, _ = sorted((*held, new), key=lambda one: one[0], reverse=True)
    return first, second


def _best(point: Point) -> tuple[float, float]:
    return (point.cost_interval or (point.cost,))[0], (point.worth_interval or (point.worth,))[-1]


def _worst(point: Point) -> tuple[float, float]:
    return (point.cost_interval or (point.cost,))[-1], (point.worth_interval or (point.worth,))[0]
