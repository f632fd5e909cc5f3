"""Why a model has its star, and what energy would give it another: two sentences, pure."""

from __future__ import annotations

import math

from scorekit.layout import significant
from scorekit.rating import LOCAL, ROUNDING, Rating


def explained(rating: Rating) -> Rating:
    """The rating with its explanation."""
    return rating.model_copy(update={"explanation": explain(rating)})


def explain(rating: Rating) -> str:
    """Why a rating is what it is, in two sentences; of one without a star why, and what would mend it."""
    name = rating.model or "The model"
    energy_wh = rating.wh_per_1000_queries
    if rating.stars is None or energy_wh is None:
        why, _, mend = (rating.refused or "not told").partition("; ")
        return f"{name} has no star: {why}." + (f" To mend it: {mend}." if mend else "")
    return f"{name} {_why(rating, energy_wh)}. {_otherwise(rating, energy_wh)}."


def _why(rating: Rating, energy_wh: float) -> str:
    below, above = rating.fewer_stars_from_wh_per_1000, rating.more_stars_below_wh_per_1000
    # Bounds of ranks stand at members, or just above the last: that is no distance to tell.
    last = below is not None and _same(below, energy_wh)
    if above is None:
        part = f"is not above {significant(energy_wh)} Wh" if last else f"is below {significant(below or 0)} Wh"
    elif last:
        part = f"lies from {significant(above)} Wh to no more than {significant(energy_wh)} Wh"
        if significant(above) == significant(energy_wh):
            part = f"is at the bound of {significant(above)} Wh"
    elif below is None:
        part = f"is at or above {significant(above)} Wh"
    else:
        part = f"lies between {significant(above)} and {significant(below)} Wh"
    cohort = rating.cohort or "its cohort"
    size = "" if rating.model_class is None or rating.edition == LOCAL else f", class {rating.model_class}"
    where = "among the scores given" if rating.edition == LOCAL else f"in edition {rating.edition}"
    outside = "" if rating.out_of_range is None else f", {rating.out_of_range} the range"
    ends = f"{significant(rating.min_wh_per_1000 or 0)} to {significant(rating.max_wh_per_1000 or 0)} Wh"
    return (
        f"has {_stars(rating.stars or 0)} because its {significant(energy_wh)} Wh per 1,000 queries {part}, by the "
        f"rule {rating.rule} {where} ({cohort}{size}: {rating.cohort_size} models from {ends}{outside})"
    )


def _otherwise(rating: Rating, energy_wh: float) -> str:
    better, worse = rating.more_stars_below_wh_per_1000, rating.fewer_stars_from_wh_per_1000
    parts = []
    if better is not None:
        change = "" if _same(better, energy_wh) else f" ({_change(better, energy_wh)})"
        parts.append(f"below {significant(better)} Wh{change} it would have {_at(rating, better, -1)}")
    if worse is not None:
        way = (
            f"above {significant(energy_wh)} Wh"
            if _same(worse, energy_wh)
            else f"from {significant(worse)} Wh on ({_change(worse, energy_wh)})"
        )
        parts.append(f"{way} it would have {_at(rating, worse, 0)}")
    text = ", and ".join(parts)
    return text[:1].upper() + text[1:]


def _at(rating: Rating, bound: float, side: int) -> str:
    """The stars just below a bound, or from it on."""
    passed = sum(one < bound if side < 0 else one <= bound for one in rating.thresholds_wh_per_1000)
    return _stars(len(rating.thresholds_wh_per_1000) + 1 - passed)


def _change(bound: float, energy_wh: float) -> str:
    difference = bound - energy_wh
    percent = 100 * abs(difference) / energy_wh
    told = "less than 0.1" if percent < 0.1 else f"{percent:,.2g}" if percent < 99.5 else f"{percent:,.0f}"
    way = "less" if difference <= 0 else "more"
    return f"{significant(abs(difference))} Wh or {told} % {way}"


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=ROUNDING)


def _stars(number: int) -> str:
    return "1 star" if number == 1 else f"{number} stars"
