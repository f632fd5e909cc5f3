"""One model with both of its figures: its results and evaluations as one energy and one quality, with intervals; pure.

Of a part of right answers the interval is Wilson's (Journal of the American Statistical Association 22, 1927, p. 209),
which Brown, Cai and DasGupta recommend (Statistical Science 16, 2001, p. 101): it keeps to 0 to 1, and is no point
where all answers are right, or all wrong.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scorekit.publish.pareto import Interval, Point
from scorekit.publish.site.content import Entry
from scorekit.units import NORMAL_95

if TYPE_CHECKING:
    from scorekit.records import QualityFigure, QualitySource
    from scorekit.store.quality import InForce


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """One model, its energy, and its quality by one measure.

    Several results of a model, measured alike, count as one with the mean of their energies, as in local cohorts, and
    several evaluations of them as one with the mean of their values. The interval of a mean holds those of all of them.

    Attributes:
        entries: of its results, by rising energy.
        evaluations: of it, no two of one file.
    """

    entries: tuple[Entry, ...]
    evaluations: tuple[InForce, ...]

    @property
    def entry(self) -> Entry:
        """The first of its results, for what all of them share."""
        return self.entries[0]

    @property
    def wh_per_1000_queries(self) -> float:
        """Mean of its energies."""
        return statistics.fmean(entry.wh_per_1000_queries for entry in self.entries)

    @property
    def energy_interval(self) -> Interval | None:
        """The energy's 95 % interval beside those of other boards, in Wh; None where it is not known."""
        return _hull(map(_energy_interval, self.entries))

    @property
    def energy_half_width_percent(self) -> float | None:
        """The larger side of that interval, relative to the energy."""
        if self.energy_interval is None:
            return None
        (low, high), middle = self.energy_interval, self.wh_per_1000_queries
        return 100 * max(middle - low, high - middle) / middle

    @property
    def value(self) -> float:
        """Mean of its qualities."""
        return statistics.fmean(one.figure.value for one in self.evaluations)

    @property
    def value_interval(self) -> Interval | None:
        """The quality's 95 % interval; None where it is not known."""
        return _hull(interval_95(one.figure) for one in self.evaluations)

    @property
    def stderr(self) -> float | None:
        """Standard error of the quality, as the harness gives it; None of several evaluations."""
        return self.evaluations[0].figure.stderr if len(self.evaluations) == 1 else None

    @property
    def questions(self) -> int | None:
        """Questions that were asked in each evaluation; None where that is not known, or not one number."""
        asked = {one.figure.samples for one in self.evaluations}
        return asked.pop() if len(asked) == 1 else None

    @property
    def sources(self) -> tuple[QualitySource, ...]:
        """Of its evaluations."""
        return tuple(one.attached.quality.source for one in self.evaluations)

    def point(self, *, higher_is_better: bool) -> Point:
        """As the Pareto front takes it."""
        value, interval = self.value, self.value_interval
        if not higher_is_better:
            value, interval = -value, None if interval is None else (-interval[1], -interval[0])
        return Point(self.wh_per_1000_queries, value, self.energy_interval, interval)


def by_model(held: Iterable[tuple[Entry, InForce]]) -> list[ModelFigures]:
    """Results with their figures of one measure, that were measured alike, as one of each model, by rising energy.

    As in local cohorts one model has one name, revision and size; what was evaluated in other weights is another one.
    """
    found: dict[Hashable, list[tuple[Entry, InForce]]] = {}
    for entry, one in held:
        found.setdefault(_model(entry, one), []).append((entry, one))
    return sorted(map(_figures, found.values()), key=lambda one: (one.wh_per_1000_queries, one.entry.model))


def interval_95(figure: QualityFigure) -> Interval | None:
    """The 95 % interval of a quality; None where it cannot be told.

    What is no part of right answers has 1.96 standard errors to each side. A standard error of 0 only tells that all
    values were alike.
    """
    if figure.is_fraction:
        count = _questions(figure)
        return None if count is None else wilson_95(figure.value, count)
    if not figure.stderr:
        return None
    wide = NORMAL_95 * figure.stderr
    return figure.value - wide, figure.value + wide


def wilson_95(part: float, count: float) -> Interval:
    """Wilson's 95 % interval of a part of right answers.

    Args:
        part: of the answers, 0 to 1.
        count: of the questions, positive.
    """
    squared = NORMAL_95 * NORMAL_95
    middle = (part + squared / (2 * count)) / (1 + squared / count)
    wide = NORMAL_95 * math.sqrt(part * (1 - part) / count + squared / count / count / 4) / (1 + squared / count)
    # Rounding must not put an end on the other side of the part, or outside.
    return max(0.0, min(part, middle - wide)), min(1.0, max(part, middle + wide))


def _questions(figure: QualityFigure) -> float | None:
    """So many questions as would give the harness's standard error, and never more than were asked.

    It is fewer than were asked where answers hang together, or where tasks of a group count alike that are not alike in
    size. None where neither is known.
    """
    asked = figure.samples or None
    spread = figure.value * (1 - figure.value)
    if not figure.stderr or not spread:
        return asked
    worth = 1 + spread / figure.stderr / figure.stderr
    return worth if asked is None else min(asked, worth)


def _model(entry: Entry, one: InForce) -> Hashable:
    known, quality = entry.beside_others, one.attached.quality
    # Where one of both tells its type, figures of other ones have been left out.
    weights = (known.dtype or quality.dtype, quality.quantized)
    return (entry.model, known.revision, known.parameters, weights)


def _figures(held: Sequence[tuple[Entry, InForce]]) -> ModelFigures:
    evaluations = {(one.attached.quality.source.sha256, one.figure.value): one for _, one in held}
    return ModelFigures(tuple(entry for entry, _ in held), tuple(evaluations.values()))


def _energy_interval(entry: Entry) -> Interval | None:
    wh, half = entry.wh_per_1000_queries, entry.beside_others.half_width_percent
    return None if half is None else (wh * (1 - half / 100), wh * (1 + half / 100))


def _hull(intervals: Iterable[Interval | None]) -> Interval | None:
    """The least interval that holds all; None where one of them is not known."""
    known = list(intervals)
    ends = [one for one in known if one is not None]
    return (min(low for low, _ in ends), max(high for _, high in ends)) if len(ends) == len(known) else None
