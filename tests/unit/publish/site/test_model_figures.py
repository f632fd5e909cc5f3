"""How sure a quality is: intervals of parts by Wilson, of other metrics by their standard error, and where none is."""

from __future__ import annotations

from typing import Any

import pytest

from scorekit.publish.site.model_figures import interval_95, wilson_95
from scorekit.records import QualityFigure
from scorekit.units import NORMAL_95


def figure(value: float, **told: Any) -> QualityFigure:
    facts = {"task": "arc", "metric": "acc", "filter": "none", "higher_is_better": True, "value": value}
    return QualityFigure(**(facts | told))


def test_an_interval_of_a_part_is_that_of_wilson() -> None:
    squared = NORMAL_95**2
    # None right of ten ends at z^2 / (n + z^2), and all of a hundred begins at n / (n + z^2).
    assert wilson_95(0.0, 10) == (0.0, pytest.approx(squared / (10 + squared)))
    assert wilson_95(1.0, 100) == (pytest.approx(100 / (100 + squared)), 1.0)
    # Brown, Cai and DasGupta's form: the middle is that of n + z^2 answers, z^2 / 2 of them right.
    low, high = wilson_95(0.3, 50)
    assert (low + high) / 2 == pytest.approx((15 + squared / 2) / (50 + squared))
    # Its ends are the parts from which 0.3 lies 1.96 of their own standard deviations away.
    for end in (low, high):
        assert abs(0.3 - end) == pytest.approx(NORMAL_95 * (end * (1 - end) / 50) ** 0.5)


@pytest.mark.parametrize("part", [0.0, 1e-9, 0.1, 0.5, 1 - 1e-9, 1.0])
@pytest.mark.parametrize("count", [1, 3.5, 1000, 1e12])
def test_it_holds_the_part_and_keeps_to_0_to_1(part: float, count: float) -> None:
    low, high = wilson_95(part, count)
    assert 0 <= low <= part <= high <= 1
    assert low < high


def test_all_right_or_all_wrong_is_no_certainty() -> None:
    for value in (0.0, 1.0):
        assert interval_95(figure(value, stderr=0.0, samples=100)) == wilson_95(value, 100)
        assert interval_95(figure(value, stderr=0.0)) is None
        assert interval_95(figure(value, stderr=0.0, samples=0)) is None


def test_a_standard_error_of_fewer_questions_makes_it_wider() -> None:
    asked = figure(0.5, samples=1000)
    assert interval_95(asked) == wilson_95(0.5, 1000)
    # Of 1,000 independent answers, as the harness works it out; of a group, of which few tasks make most.
    assert interval_95(figure(0.5, samples=1000, stderr=(0.25 / 999) ** 0.5)) == pytest.approx(wilson_95(0.5, 1000))
    assert interval_95(figure(0.5, samples=1000, stderr=0.05)) == pytest.approx(wilson_95(0.5, 101))
    assert interval_95(figure(0.5, samples=1000, stderr=1e-9)) == wilson_95(0.5, 1000)
    assert interval_95(figure(0.5, stderr=0.05)) == pytest.approx(wilson_95(0.5, 101))
    assert interval_95(figure(0.5)) is None


def test_of_other_metrics_it_is_that_of_the_standard_error() -> None:
    other = {"metric": "bleu", "samples": 100}
    assert interval_95(figure(57.7, stderr=0.5, **other)) == (
        pytest.approx(57.7 - 0.5 * NORMAL_95),
        pytest.approx(57.7 + 0.5 * NORMAL_95),
    )
    assert interval_95(figure(57.7, stderr=0.0, **other)) is None
    assert interval_95(figure(57.7, **other)) is None
