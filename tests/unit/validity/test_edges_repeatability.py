"""Repeats at the bounds of their check (23), and a star at that of its own (26)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest

from scorekit.records import Check, Window
from scorekit.validity import Evidence, star_probability
from tests.bundles import environment, reading, window
from tests.evidence import check_of

COOL = "Find out what else ran on the machine, let the GPU warm up (scenario.warmup_runs), and measure again"


def _run(energies_wh: Sequence[float], *, device: str = "cuda", samples: int = 1, **reading_facts: Any) -> Evidence:
    """Repeats of known energies, each one window."""
    component = "gpu" if device == "cuda" else "cpu"
    windows: list[Window] = [
        window("generate", repeat, [reading(component, energy_wh, **reading_facts)], samples=samples)
        for repeat, energy_wh in enumerate(energies_wh)
    ]
    return Evidence(environment(run={"device": device}), tuple(windows))


def _said(energies_wh: Sequence[float], **facts: Any) -> Check:
    return check_of(_run(energies_wh, **facts), "repeats_agree")


@pytest.mark.parametrize(
    ("energies_wh", "severity", "told"),
    [
        # Standard deviations of 2 and 5 around 100, to the last digit, in an order that is no trend.
        ([98.0, 102.0, 100.0], "info", "the repeats vary by 2.00%, without a trend"),
        (
            [97.9, 102.1, 100.0],
            "warn",
            "the energies of 3 repeats vary by 2.1% (coefficient of variation), expected at most 2%",
        ),
        ([95.0, 105.0, 100.0], "warn", "vary by 5.0%"),
        ([94.9, 105.1, 100.0], "fail", "vary by 5.1%"),
        ([80.0, 120.0, 100.0], "fail", "vary by 20.0%"),
        # Two have no trend: sqrt(2) x 1 / 100.
        ([99.0, 101.0], "info", "the repeats vary by 1.41%"),
        ([90.0, 110.0], "fail", "the energies of 2 repeats vary by 14.1%"),
    ],
)
def test_repeats_may_vary_by_2_percent_and_fail_beyond_5(energies_wh: list[float], severity: str, told: str) -> None:
    check = _said(energies_wh)
    assert (check.passed, check.severity) == (severity == "info", severity)
    assert told in check.message
    assert check.mends == (() if severity == "info" else (COOL,))


@pytest.mark.parametrize(
    "facts",
    [
        # A processor is shared, be its energy measured (RAPL) or not; and what is modelled is nobody's measurement.
        {"device": "cpu", "origin": "measured", "source": "rapl"},
        {"device": "cpu"},
        {"device": "cuda", "origin": "modelled"},
        {"device": "cuda", "origin": "unknown"},
    ],
)
def test_a_wide_spread_fails_only_measured_energy_of_a_gpu(facts: dict[str, Any]) -> None:
    check = _said([80.0, 120.0, 100.0], **facts)
    assert (check.passed, check.severity) == (False, "warn")
    assert "vary by 20.0%" in check.message


def test_one_reading_that_is_not_measured_makes_the_whole_spread_a_warning() -> None:
    evidence = _run([80.0, 120.0, 100.0])
    mixed = window("generate", 2, [reading("gpu", 100.0, origin="modelled")], samples=1)
    check = check_of(Evidence(evidence.environment, (*evidence.windows[:2], mixed)), "repeats_agree")
    assert check.severity == "warn"


@pytest.mark.parametrize(("count", "told"), [(0, "0 repeats have an energy"), (1, "1 repeat has an energy")])
def test_a_spread_of_fewer_than_two_is_not_known(count: int, told: str) -> None:
    check = _said([100.0] * count)
    assert (check.passed, check.severity) == (False, "warn")
    assert check.message == f"cannot be judged: {told}, and a spread needs two. scenario.runs=10 measures ten repeats"


@pytest.mark.parametrize(
    ("energies_wh", "told"),
    [
        # A straight line is no chance. From first to last it makes 0.5 % of 400 Wh, 0.6 %, 0.45 %.
        ([399.0, 400.0, 401.0], None),
        ([398.8, 400.0, 401.2], "+0.30% from repeat to repeat (p = 0.000)"),
        ([401.2, 400.0, 398.8], "-0.30% from repeat to repeat (p = 0.000)"),
        ([399.1, 400.0, 400.9], None),
        # 0.75 % from first to last, which may well be chance: t = 2 / sqrt(2) with 2 degrees of freedom is p = 0.29.
        ([398.0, 401.0, 399.0, 402.0], None),
        # Two have a slope, and nothing to hold it against.
        ([398.0, 402.0], None),
    ],
)
def test_a_trend_is_told_where_it_is_sure_and_makes_more_than_half_a_percent(
    energies_wh: list[float], told: str | None
) -> None:
    check = _said(energies_wh)
    if told is None:
        assert check.passed is True, check.message
        return
    assert (check.passed, check.severity) == (False, "warn")
    assert f"the energy changes by {told}, expected no trend, or less than 0.5%" in check.message
    assert check.mends == (COOL,)
    (found,) = check.details["findings"]
    assert (found["slope"], found["p_value"]) == (pytest.approx((energies_wh[2] - energies_wh[0]) / 800), 0.0)


def test_a_spread_and_a_trend_are_both_told() -> None:
    check = _said([90.0, 100.0, 110.0])
    assert check.severity == "fail"
    assert check.message.index("vary by 10.0%") < check.message.index("changes by +10.00%")


@pytest.mark.parametrize(
    ("energies_wh", "told"),
    [
        ([100.0, 100.0, 100.0, 100.0, 101.0], "; repeat 4 stands out"),
        ([100.0, 100.1, 99.9, 100.05, 100.0, 100.1, 102.0, 102.1], "; repeats 6, 7 stand out"),
        # Of four nobody can tell which one it is.
        ([100.0, 100.0, 100.0, 101.0], ""),
        ([100.0, 100.1, 99.9, 100.0, 100.05], ""),
    ],
)
def test_repeats_that_stand_out_are_named_where_the_spread_is_small_too(energies_wh: list[float], told: str) -> None:
    check = _said(energies_wh)
    assert check.passed is True
    assert check.message.endswith(f", without a trend{told}")


def test_repeats_are_named_by_their_own_numbers_and_go_in_their_order() -> None:
    # Repeat 1 is missing, and the windows of the others come in any order.
    numbered = {6: 101.0, 0: 100.0, 2: 100.0, 3: 100.0, 5: 130.0, 4: 100.0}
    windows = [window("generate", number, [reading("gpu", wh)], samples=1) for number, wh in numbered.items()]
    check = check_of(Evidence(environment(), tuple(windows)), "repeats_agree")
    assert "repeats 5, 6 stand out" in check.message
    (found,) = check.details["findings"]
    assert found["flagged"] == [5, 6]
    assert check.details["relative_to_median"] == [1.0, 1.0, 1.0, 1.0, 1.3, 1.01]


def test_figures_of_repeats_are_told_in_any_case() -> None:
    check = _said([98.0, 102.0])
    assert check.details["cov"] == pytest.approx(math.sqrt(8) / 100)
    assert check.details["relative_to_median"] == pytest.approx([0.98, 1.02])
    assert check.details["slope"] is None
    rising = _said([99.0, 100.0, 101.0])
    assert rising.details["slope"] == pytest.approx(0.01)
    assert rising.details["cov"] == pytest.approx(0.01)


def test_energies_too_small_for_a_float_have_no_median_and_break_nothing() -> None:
    # The smallest float there is, over 1,000 queries, is 0.
    check = _said([5e-324, 5e-324, 1.0], samples=1000)
    assert (check.severity, check.details["relative_to_median"]) == ("fail", [])


@pytest.mark.parametrize(
    ("probability", "severity", "told"),
    [
        (0.95, "info", "the star is right with a probability of 95%"),
        (math.nextafter(0.95, 0), "warn", "expected 95%: it is borderline"),
        (0.9, "warn", "the star is right with a probability of 90%, expected 95%: it is borderline"),
        (1.0, "info", "the star is right with a probability of 100%"),
        (0.0, "warn", "with a probability of 0%"),
        # What is no number is no certainty.
        (math.nan, "warn", "expected 95%"),
    ],
)
def test_a_star_is_sure_from_95_percent_on(probability: float, severity: str, told: str) -> None:
    evidence = Evidence(environment(), (), star_probability=probability)
    check = check_of(evidence, "star_certain")
    assert (check.passed, check.severity) == (severity == "info", severity)
    assert told in check.message
    if severity == "warn":
        assert check.mends == ("More repeats (scenario.runs) make the score surer",)
        (found,) = check.details["findings"]
        assert found["probability"] == ("nan" if math.isnan(probability) else probability)


def test_a_score_that_was_not_rated_has_no_star_to_judge() -> None:
    check = check_of(Evidence(environment(), ()), "star_certain")
    assert (check.passed, check.severity) == (None, "info")
    assert "scorekit rate" in check.message


@pytest.mark.parametrize(
    ("mean_wh", "half_width_wh", "lower_wh", "upper_wh", "expected"),
    [
        # Certain energies: a bound belongs to the star that begins at it.
        (10.0, 0.0, 5.0, 20.0, 1.0),
        (5.0, 0.0, 5.0, 20.0, 1.0),
        (20.0, 0.0, 5.0, 20.0, 0.0),
        (4.9, 0.0, 5.0, 20.0, 0.0),
        (4.9, 0.0, None, 5.0, 1.0),
        (500.0, 0.0, 20.0, None, 1.0),
        (10.0, 0.0, None, None, 1.0),
        # The normal distribution's table: 0.975 lie below 1.959964 deviations, 0.95 within as many to either side.
        (10.0, 1.0, None, 11.0, 0.975),
        (10.0, 1.0, 9.0, 11.0, 0.95),
        (10.0, 1.0, 9.0, None, 0.975),
        (10.0, 1.0, None, 10.0, 0.5),
        (10.0, 2.0, None, 11.0, 0.8364525),
        (10.0, 1.959964, 9.0, 11.0, 0.6826895),
    ],
)
def test_how_likely_a_star_is_by_the_tables(
    mean_wh: float, half_width_wh: float, lower_wh: float | None, upper_wh: float | None, expected: float
) -> None:
    assert star_probability(mean_wh, half_width_wh, lower_wh, upper_wh) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("half_width_wh", [-0.1, math.nan, -math.inf])
def test_a_half_width_below_nothing_is_refused(half_width_wh: float) -> None:
    with pytest.raises(ValueError, match=f"a half-width of {half_width_wh} is none"):
        star_probability(10.0, half_width_wh, None, None)
