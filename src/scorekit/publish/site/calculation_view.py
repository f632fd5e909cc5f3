"""A calculation in words and figures, as the calculator's page shows it; assets/calculation-view.js does the same.

What a browser works out and what is written at build must not differ in a letter: a test compares both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from scorekit.impacts import Calculation, ImpactFigure, Range, Term
from scorekit.publish.site.amounts import DIGITS, TIMES, amount, duration, plain, plain_range, rough
from scorekit.publish.site.impact_data import SHOWN
from scorekit.units import SECONDS_PER_HOUR

LAMP_W: Final = 10.0
YARDSTICKS: Final = (
    {
        "who": "Google tells 0.24 Wh for the median text prompt of Gemini",
        "wh": 0.24,
        "source": "Elsworth and others, Measuring the environmental impact of delivering AI at Google Scale, 2025",
        "link": "https://arxiv.org/abs/2508.15734",
    },
    {
        "who": "OpenAI's head tells 0.34 Wh for an average query of ChatGPT",
        "wh": 0.34,
        "source": "Altman, The Gentle Singularity, June 2025",
        "link": "https://blog.samaltman.com/the-gentle-singularity",
    },
)
"""Energies that others tell, each with its source."""
TERMS: Final = {
    "gpu": "GPUs",
    "cpu": "CPU",
    "ram": "memory",
    "network": "network",
    "storage": "storage",
    "cpu+ram": "CPU and memory",
    "server": "the server without its GPUs",
    "given": "the energy given",
}
BECAUSE_MODELLED: Final = "a range where the model's size or the data centre's overhead is one; else not told"
BECAUSE_MEASURED: Final = "the range is the run's 95 % interval"
NO_UNCERTAINTY: Final = "not told"

View = dict[str, Any]


def view(
    found: Calculation,
    *,
    method_title: str,
    hardware: str | None,
    what: str,
    count: int = 1,
    edition: str | None = None,
) -> View:
    """What the page shows.

    Args:
        found: for one text or query.
        method_title: the method's edition, for people.
        hardware: that the energy is of.
        count: of texts or queries.
        what: what one of them is, e.g. `a tweet (50 output tokens)`.
        edition: of the energy; None for the method's.
    """
    here = found.footprint
    digits = here.energy_digits or DIGITS
    energy = here.energy_wh.times(count)
    told: View = {
        "source": found.method_source,
        "edition": edition or found.method,
        "hardware": hardware,
        "uncertainty": _uncertainty(found),
        "origin": found.origin,
        "notes": [],
    }
    factors = {"source": f"mix {here.mix.name}: {here.mix.source}", "edition": here.mix.name, "origin": "modelled"}
    impact_told = {**told, **factors}
    return {
        "energy": {"text": amount(energy, "Wh", digits), "told": told},
        "model": found.model,
        "of": f"{count:,} {TIMES} {what}" if count != 1 else what,
        "zone": f"{here.zone_name} ({here.zone})",
        "method": method_title,
        "origin": found.origin,
        "because": found.origin_because,
        "terms": [_term(each, count) for each in here.terms],
        "sum": amount(_sum(here.terms).times(count), "Wh"),
        "pue": "not counted" if here.pue is None else f"{TIMES} {plain_range(here.pue)}",
        "impacts": [_impact(each, count, impact_told) for each in here.figures],
        "making": [
            {
                "title": next(kind.title for kind in here.figures if kind.name == each.name),
                "text": _shown(each.name, each.value.times(count)),
            }
            for each in found.making
        ],
        "notes": list(_notes(found)),
        "comparisons": list(_comparisons(energy)),
    }


def _sum(terms: tuple[Term, ...]) -> Range:
    total = Range.exactly(0)
    for each in terms:
        total = total.plus(each.energy_wh)
    return total


def _term(each: Term, count: int) -> View:
    return {"title": TERMS[each.name], "text": amount(each.energy_wh.times(count), "Wh"), "origin": each.origin}


def _uncertainty(found: Calculation) -> str:
    if found.footprint.energy_wh.is_exact:
        return NO_UNCERTAINTY
    return BECAUSE_MEASURED if found.method == "measured" else BECAUSE_MODELLED


def _impact(figure: ImpactFigure, count: int, told: View) -> View:
    shown = SHOWN[figure.name]
    factor = figure.factor_per_kwh
    return {
        "name": figure.name,
        "title": figure.title,
        "text": None if figure.value is None else _shown(figure.name, figure.value.times(count)),
        "factor": None if factor is None else f"{plain(factor * shown.per_unit)} {shown.unit} per kWh",
        "why_none": figure.why_none,
        "with_world": None
        if figure.with_world_factor is None
        else _shown(figure.name, figure.with_world_factor.times(count)),
        "caution": figure.caution,
        "told": {**told, "notes": [] if figure.caution is None else [f"caution: {figure.caution}"]},
    }


def _shown(name: str, value: Range) -> str:
    shown = SHOWN[name]
    return amount(value.times(shown.per_unit), shown.unit)


def _notes(found: Calculation) -> Iterator[str]:
    here = found.footprint
    yield from found.notes
    if here.not_counted:
        yield f"not counted: {', '.join(TERMS[name] for name in here.not_counted)}"
    if here.pue is None:
        yield "the data centre's overhead is not counted, for its PUE is not known"
    if here.figure("water").value is not None:
        site = here.site_water_l_per_kwh
        yield (
            "water that cools the data centre is not counted"
            if site is None
            else f"water that cools the data centre is counted: {plain_range(site)} L per kWh of its computers"
        )
    if found.making:
        yield "making the hardware is told apart and is in none of the impacts of the electricity"


def _comparisons(energy: Range) -> Iterator[View]:
    lamp = Range(low=energy.low / LAMP_W * SECONDS_PER_HOUR, high=energy.high / LAMP_W * SECONDS_PER_HOUR)
    yield {
        "text": f"A lamp of 10 W takes as much in {duration(lamp)}.",
        "source": "worked out: energy over power",
        "link": None,
    }
    for other in YARDSTICKS:
        wh = float(str(other["wh"]))
        times = rough(Range(low=energy.low / wh, high=energy.high / wh), "")
        yield {
            "text": f"{other['who']}; this is {times} times that.",
            "source": other["source"],
            "link": other["link"],
        }
