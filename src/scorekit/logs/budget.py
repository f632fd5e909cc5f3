"""The uncertainty budget of a score: every source apart, each with where its figure comes from. Pure.

Terms are standard uncertainties of the mean over the repeats, relative to it (GUM, JCGM 100). What cannot be told is
None with the reason, never 0. The derivations stand in docs/uncertainty.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from scorekit import uncertainty
from scorekit.logs import meter_terms
from scorekit.logs.energies import Domain
from scorekit.logs.meter_terms import MeterRun
from scorekit.logs.repeats import Repeat
from scorekit.records import Uncertainty, UncertaintyTerm
from scorekit.units import per_1000


def budget(
    repeats: Sequence[Repeat],
    energies_wh: Sequence[float],
    queries: int,
    domain: Domain,
    *,
    idle_w: float | None,
    adaptive: bool,
) -> Uncertainty:
    """How far the mean over the repeats may be from what was to be measured.

    Args:
        repeats: the run's repeats.
        energies_wh: energy of one pass of each, all positive.
        queries: queries in one pass.
        domain: what they cover.
        idle_w: power of the domain with nothing asked; None where it was not measured.
        adaptive: whether the repeats' own spread ended them.
    """
    mean_wh = uncertainty.mean(energies_wh)
    half_width_wh = uncertainty.half_width_95(energies_wh, sequential=adaptive)
    run = MeterRun(repeats, domain)
    others = (
        meter_terms.tick(run, mean_wh),
        meter_terms.aliasing(run, mean_wh, idle_w),
        meter_terms.sampling(run, mean_wh),
    )
    gain = meter_terms.board_gain(run)
    combined = _combined(half_width_wh, mean_wh, others, measured=run.modelled is None)
    line = uncertainty.trend(energies_wh)
    return Uncertainty(
        terms=(_repeats(energies_wh, half_width_wh, adaptive=adaptive), *others, gain),
        interval_95_wh_per_1000=(
            None
            if half_width_wh is None
            else (per_1000(mean_wh - half_width_wh, queries), per_1000(mean_wh + half_width_wh, queries))
        ),
        half_width_95_percent=_percent(half_width_wh, mean_wh),
        combined_95_percent=combined,
        with_board_gain_95_percent=(
            None
            if combined is None or gain.half_width_95_percent is None
            else math.hypot(combined, gain.half_width_95_percent)
        ),
        cov_percent=_percent(uncertainty.coefficient_of_variation(energies_wh), 1.0),
        trend_percent_per_repeat=None if line is None else 100 * line.slope,
        trend_significant=None if line is None else line.significant,
        outliers=tuple(repeats[position].number for position in uncertainty.outliers(energies_wh)),
    )


def _combined(
    half_width_wh: float | None, mean_wh: float, terms: Sequence[UncertaintyTerm], *, measured: bool
) -> float | None:
    """None too where a term of a sensor is unknown: a sum without it would look surer the less is known."""
    known = [term.half_width_95_percent for term in terms if term.half_width_95_percent is not None]
    if half_width_wh is None or (measured and len(known) != len(terms)):
        return None
    return math.hypot(100 * half_width_wh / mean_wh, *known)


def _repeats(energies_wh: Sequence[float], half_width_wh: float | None, *, adaptive: bool) -> UncertaintyTerm:
    count, mean_wh = len(energies_wh), uncertainty.mean(energies_wh)
    error_wh, dependence = uncertainty.standard_error(energies_wh), uncertainty.dependence_factor(energies_wh)
    if half_width_wh is None:
        source = "one repeat tells nothing of the spread between repeats"
    else:
        source = f"standard deviation of {count} repeats over sqrt({count}); Student t"
        if dependence > 1:
            source += f", widened by {dependence:.2f} because each repeat resembles the one before"
        if adaptive:
            source += f", widened by {uncertainty.sequential_factor(count):g} because the spread ended the repeats"
    return UncertaintyTerm(
        name="repeats",
        kind="A",
        standard_percent=_percent(None if error_wh is None else dependence * error_wh, mean_wh),
        half_width_95_percent=_percent(half_width_wh, mean_wh),
        degrees_of_freedom=count - 1 if count > 1 else None,
        source=source,
    )


def _percent(part: float | None, whole: float) -> float | None:
    return None if part is None else 100 * part / whole
