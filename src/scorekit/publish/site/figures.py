"""Numbers on a page: each with its unit, and with its source, edition, hardware and uncertainty close at hand.

What is told of a figure shows on hover, on focus and on touch, by style sheet alone; assets/base.css places it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from scorekit.layout import significant
from scorekit.publish.site.content import Entry, Origin
from scorekit.publish.site.names import isolated
from scorekit.rating import LOCAL
from scorekit.scales import STARS

UNKNOWN: Final = "unknown"
_SPACE: Final = "\N{NO-BREAK SPACE}"
ORIGINS: Final[dict[str, tuple[str, str]]] = {
    "measured": ("\N{BLACK CIRCLE}", "told by a sensor"),
    "modelled": ("\N{WHITE DIAMOND}", "worked out by a formula from what is known, not told by a sensor"),
    "mixed": ("\N{CIRCLE WITH LEFT HALF BLACK}", "partly told by a sensor, partly modelled"),
    "estimated": (
        "\N{ALMOST EQUAL TO}",
        "worked out from a guess, such as of the size of the model; not measured",
    ),
    "unknown": ("?", "the log does not tell whether a sensor told it"),
}
"""Sign of each origin, and what it means."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a figure beside the figure. None is unknown, and said so where it matters.

    Attributes:
        source: where it comes from.
        edition: in which it was published or rated; None where that says nothing.
        hardware: on which it was measured.
        uncertainty: how far it may be off, in words.
        origin: measured, modelled, mixed, estimated or unknown; None where that says nothing.
        notes: what else is to be known, each a sentence.
    """

    source: str
    edition: str | None = None
    hardware: str | None = None
    uncertainty: str | None = None
    origin: str | None = None
    notes: tuple[str, ...] = ()


def number(value: float | None) -> str:
    """Four significant digits with thousands separated; `unknown` for None or what is no number.

    `assets/amounts.js` writes it in the same way.
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    return "0" if value == 0 else significant(value)


def count(value: float | None) -> str:
    """A whole number with thousands separated; `unknown` for None."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def wh(value: float | None) -> str:
    """An energy in Wh with its unit."""
    return UNKNOWN if value is None or not math.isfinite(value) else f"{number(value)}{_SPACE}Wh"


def percent(value: float | None) -> str:
    """A percentage with its sign; the value 3.2 is 3.2 %."""
    return UNKNOWN if value is None or not math.isfinite(value) else f"{value:.3g}{_SPACE}%"


def stars_html(stars: int | None, *, official: bool) -> Markup:
    """Stars as signs, with words for those who do not see them; a star that is not official says so in both ways."""
    if stars is None:
        return Markup('<span class="no-stars">no star</span>')
    kind = "" if official else " local"
    signs = "\N{BLACK STAR}" * stars + "\N{WHITE STAR}" * (STARS - stars)
    told = f"{stars} of {STARS} stars" + ("" if official else ", local, not official")
    return Markup(
        '<span class="stars{}"><span class="signs" aria-hidden="true">{}</span>'
        '<span class="for-readers">{}</span>{}</span>'
    ).format(kind, signs, told, Markup("") if official else Markup('<span class="tag" aria-hidden="true">local</span>'))


def stars(entry: Entry) -> Markup:
    """The stars of an entry."""
    return stars_html(entry.stars, official=entry.official)


def origin_html(origin: Origin | str) -> Markup:
    """How an energy came about, by sign and word."""
    sign, meaning = ORIGINS[origin]
    return Markup('<span class="origin origin-{0}" title="{2}"><span aria-hidden="true">{1}</span> {0}</span>').format(
        origin, sign, meaning
    )


def figure_html(text: str | Markup, told: Told, identity: str) -> Markup:
    """A number with what is told of it.

    Args:
        text: the number with its unit.
        told: what is told of it.
        identity: an id that is unique on the page.
    """
    rows = [_row("Source", isolated(told.source))]
    if told.edition is not None:
        rows.append(_row("Edition", isolated(told.edition)))
    rows.append(_row("Hardware", isolated(told.hardware) if told.hardware else UNKNOWN))
    rows.append(_row("Uncertainty", told.uncertainty or UNKNOWN))
    sign = Markup("")
    if told.origin is not None:
        rows.append(_row("Origin", f"{told.origin}: {ORIGINS[told.origin][1]}"))
        sign = Markup('<span class="sign origin-{}" aria-hidden="true">{}</span>').format(
            told.origin, ORIGINS[told.origin][0]
        )
        if told.origin != "measured":
            sign += Markup('<span class="for-readers">{}, </span>').format(told.origin)
    rows += [_row("Note", note) for note in told.notes]
    return Markup(
        '<span class="figure"><button type="button" class="figure-value" aria-describedby="{0}">{1}{2}</button>'
        '<span class="figure-tip" role="tooltip" id="{0}">{3}</span></span>'
    ).format(identity, sign, text, Markup("").join(rows))


def edition_html(name: str, date: str) -> Markup:
    """An edition by its name, with its date where the name does not tell it already."""
    return isolated(name) if date in name else Markup("{} ({})").format(isolated(name), isolated(date))


def published_in(edition: str) -> str:
    """The source of a member's figure."""
    return f"edition {edition}, a published figure"


def told_of(entry: Entry) -> Told:
    """What is told of an entry's energy."""
    notes = [] if entry.comparable else ["not comparable with official figures"]
    if entry.member is not None:
        source = published_in(entry.edition)
    else:
        assert entry.result is not None
        source = f"{entry.result.source.name} ({entry.result.source.format})"
    half = entry.half_width_95_percent
    return Told(
        source=source,
        edition=_edition(entry),
        hardware=entry.hardware,
        uncertainty=None if half is None else f"\N{PLUS-MINUS SIGN}{percent(half)} at 95{_SPACE}% confidence",
        origin=entry.origin,
        notes=tuple(notes),
    )


def _edition(entry: Entry) -> str:
    if entry.edition != LOCAL:
        return entry.edition
    return "none" if entry.stars is None else "none: a local star"


def energy_html(entry: Entry, identity: str) -> Markup:
    """An entry's energy with all that is told of it; of 1,000 queries, which the column or sentence around it says."""
    return figure_html(wh(entry.wh_per_1000_queries), told_of(entry), identity)


def _row(term: str, value: str | Markup) -> Markup:
    return Markup('<span class="tip-row"><span class="tip-term">{}</span> <span>{}</span></span>').format(
        term, escape(value)
    )
