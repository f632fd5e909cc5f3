"""A label's facts in words and figures: what stands on it, and its alternative text, pure."""

from __future__ import annotations

import math
from typing import Final

from scorekit.layout import percent
from scorekit.publish.label.characters import clean
from scorekit.publish.label.facts import LabelFacts, task_title

UNKNOWN: Final = "unknown"
LOCAL_WORDS: Final = "local result, not comparable"
UNIT: Final = "Wh per 1,000 queries"
_SUPERSCRIPT: Final = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_DOMAINS: Final = {"gpu": "the GPU", "cpu+ram": "CPU + RAM"}


def energy(facts: LabelFacts) -> str:
    """The energy in Wh, to three digits or to whole Wh; the metadata has it in full."""
    return UNKNOWN if facts.energy_wh is None else figure(facts.energy_wh)


def figure(value: float) -> str:
    """A positive figure to three digits, or to whole numbers from 1,000 on."""
    # Rounded first, so that 999.7 has as many digits as 1,000.
    value = float(f"{value:.3g}") if value < 1000 else value
    if 1000 <= value < 1e9:
        return f"{value:,.0f}"
    if 0.001 <= value < 1000:
        return f"{value:.{2 - math.floor(math.log10(value))}f}"
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa} \u00d7 10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def uncertainty(facts: LabelFacts) -> str:
    """The half-width of the 95 % interval."""
    half_width = facts.uncertainty_percent
    if half_width is None:
        return "uncertainty unknown"
    return f"\u00b1 {percent(half_width)} % (95 %)"


def month(facts: LabelFacts) -> str:
    """Month and year of the measurement."""
    return UNKNOWN if facts.scored is None else f"{_MONTHS[facts.scored.month - 1]} {facts.scored.year}"


def task(facts: LabelFacts) -> str:
    """The task with its class."""
    return clean(task_title(facts) or UNKNOWN)


def hardware(facts: LabelFacts) -> str:
    """The GPU or CPU, with the number of GPUs where it is known and not one."""
    name = clean(facts.hardware or "") or UNKNOWN
    return f"{facts.gpu_count} \u00d7 {name}" if facts.gpu_count is not None and facts.gpu_count > 1 else name


def covers(facts: LabelFacts) -> str:
    """What the energy is that of, and whether it was measured."""
    domain = _DOMAINS.get(facts.domain or "", facts.domain)
    return f"Energy of {domain or 'unknown parts'}, {facts.origin if facts.origin != UNKNOWN else 'origin unknown'}"


def stars(facts: LabelFacts) -> str:
    """The star of whichever kind, or that and why there is none."""
    if facts.kind == "official":
        return f"{facts.stars} of 5 stars"
    if facts.stars is not None:
        models = "models" if facts.cohort_size is None else f"{facts.cohort_size} models"
        return f"Local rating: {facts.stars} of 5 among {models}"
    return f"No star: {no_star(facts)}"


def no_star(facts: LabelFacts) -> str:
    """Why there is no star."""
    return clean(facts.no_star_because or "") or reasons(facts) or "the rating does not tell why"


def reasons(facts: LabelFacts, most: int | None = None) -> str:
    """Why there is no official star: every reason, or the first ones and how many more there are."""
    told = [clean(reason.message) for reason in facts.reasons[:most]]
    more = len(facts.reasons) - len(told)
    return "; ".join([*told, f"and {more} more"] if more else told)


def title(facts: LabelFacts) -> str:
    """One line that names the label."""
    model = clean(facts.model or "") or "unknown model"
    if facts.kind == "official":
        return f"AI energy label of {model}: {facts.stars} of 5 stars"
    if facts.kind == "unrated":
        return f"AI energy label of {model}: no star"
    return f"Energy of {model}: {LOCAL_WORDS}"


def description(facts: LabelFacts) -> str:
    """All that the label shows, for those who cannot see it, and what there was no room for."""
    energy_words = energy(facts)
    with_unit = f"{energy_words} {UNIT}, {uncertainty(facts)}" if energy_words != UNKNOWN else "unknown"
    sentences = [
        f"Model: {clean(facts.model or '') or UNKNOWN}",
        f"Task: {task(facts)}",
        f"Hardware: {hardware(facts)}",
        f"Scored: {month(facts)}",
        f"Inference energy: {with_unit}",
        covers(facts),
        stars(facts),
    ]
    if facts.kind == "official":
        sentences.append(f"Edition {clean(facts.edition or UNKNOWN)}, rule {clean(facts.rule)}")
    elif facts.kind == "unrated":
        sentences.append(f"Comparable with official results. {reasons(facts)}")
    else:
        sentences.append(f"{LOCAL_WORDS.capitalize()} with official ones: {reasons(facts)}")
    if facts.borderline:
        chance = (
            ""
            if facts.star_probability is None
            else f" (probability {math.floor(facts.star_probability * 1000) / 10} %)"
        )
        sentences.append(f"The star is borderline: by the uncertainty it may be another one{chance}")
    if facts.out_of_range is not None and facts.stars is not None:
        sentences.append(f"The energy lies {facts.out_of_range} the range that the stars were taken from")
    if facts.kind != "local":
        sentences.append(f"Verification link: {facts.link or 'none given'}")
    return ". ".join(sentence.rstrip(".") for sentence in sentences) + "."


def _chance(facts: LabelFacts) -> str:
    # Rounded down: a borderline star must not be given the probability that a sure one has.
    probability = facts.star_probability
    return "" if probability is None else f" (probability {math.floor(probability * 1000) / 10} %)"
