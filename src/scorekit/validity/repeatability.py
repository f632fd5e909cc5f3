"""Checks of the repeats against one another (23), and of the star against the score's uncertainty (26)."""

from __future__ import annotations

import math
import statistics
from typing import Final

from scorekit.records import Check
from scorekit.uncertainty import TREND_LEAST, coefficient_of_variation, outliers, trend
from scorekit.validity.evidence import Evidence
from scorekit.validity.verdicts import Finding, Rule, fail_if, repeats, warn

COV_WARNS: Final = 0.02
COV_FAILS: Final = 0.05
"""Coefficient of variation of the repeats. At ten repeats half of the 95 % interval is 0.72 of it (Student t)."""
SURE: Final = 0.95

_SPREAD: Final = Rule(23, "repeats_agree")
_STAR: Final = Rule(26, "star_certain")


def repeats_agree(evidence: Evidence) -> Check:
    """Repeats give one energy, with no trend over them."""
    energies = evidence.repeats_wh_per_query()
    numbers, values = sorted(energies), [energies[number] for number in sorted(energies)]
    spread = coefficient_of_variation(values)
    if spread is None:
        return _SPREAD.unknown(
            f"{len(values)} repeat{' has' if len(values) == 1 else 's have'} an energy, and a spread needs two",
            "scenario.runs=10 measures ten repeats",
        )
    measured = all(reading.origin == "measured" for window in evidence.answers for reading in evidence.scored(window))
    # A processor is shared with others, so that such runs are noisy; they are never comparable either.
    strict = measured and evidence.computes_on_gpu
    findings: list[Finding] = []
    middle = statistics.median(values)
    flagged = [numbers[index] for index in outliers(values)]
    told = f"; {repeats(flagged)} stand{'s' if len(flagged) == 1 else ''} out" if flagged else ""
    if spread > COV_WARNS:
        findings.append(
            fail_if(
                strict and spread > COV_FAILS,
                f"the energies of {len(values)} repeats vary by {spread:.1%} (coefficient of variation), expected at "
                f"most {COV_WARNS:.0%}{told}",
                flagged=list(flagged),
            )
        )
    line = trend(values)
    if line is not None and line.significant:
        findings.append(
            warn(
                f"the energy changes by {line.slope:+.2%} from repeat to repeat (p = {line.p_value:.3f}), expected "
                f"no trend, or less than {TREND_LEAST:.1%} from the first to the last",
                slope=line.slope,
                p_value=line.p_value,
            )
        )
    return _SPREAD.judged(
        findings,
        passing=f"the repeats vary by {spread:.2%}, without a trend{told}",
        mend=f"find out what else ran on the machine, let the GPU warm up ({evidence.warm_up}), and measure again",
        details={
            "cov": spread,
            "relative_to_median": [value / middle for value in values] if middle else [],
            "slope": None if line is None else line.slope,
        },
    )


def star_certain(evidence: Evidence) -> Check:
    """The star would be the same at the other end of the score's uncertainty."""
    probability = evidence.star_probability
    if probability is None:
        return _STAR.nothing("the score has not been rated; `scorekit rate` gives it a star")
    findings = []
    if not probability >= SURE:
        findings.append(
            warn(
                f"the star is right with a probability of {probability:.0%}, expected {SURE:.0%}: it is borderline",
                probability=probability,
            )
        )
    return _STAR.judged(
        findings,
        passing=f"the star is right with a probability of {probability:.0%}",
        mend="more repeats (scenario.runs) make the score surer",
    )


def star_probability(mean_wh: float, half_width_95_wh: float, lower_wh: float | None, upper_wh: float | None) -> float:
    """How likely the true energy earns the same star, with a normal distribution around the measured one.

    Args:
        mean_wh: energy of 1,000 queries, as measured.
        half_width_95_wh: half of its 95 % interval, all terms of its uncertainty together.
        lower_wh: the lowest energy of the star; None for five stars, which have none.
        upper_wh: the first energy past it; None for one star.

    Raises:
        ValueError: the half-width is negative or no number.
    """
    if not half_width_95_wh >= 0:
        raise ValueError(f"a half-width of {half_width_95_wh} is none")
    above = 0.0 if lower_wh is None else _below(lower_wh, mean_wh, half_width_95_wh)
    below = 1.0 if upper_wh is None else _below(upper_wh, mean_wh, half_width_95_wh)
    return max(0.0, below - above)


def _below(bound_wh: float, mean_wh: float, half_width_95_wh: float) -> float:
    """Probability of an energy below a bound. An energy at a bound is past it, as in the rating's rule."""
    if half_width_95_wh == 0:
        return 1.0 if mean_wh < bound_wh else 0.0
    sigma = half_width_95_wh / statistics.NormalDist().inv_cdf(0.975)
    return 0.5 * (1 + math.erf((bound_wh - mean_wh) / (sigma * math.sqrt(2))))
