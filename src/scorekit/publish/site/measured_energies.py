"""The calculator's method `measured` for an entry of the site: our result, or a figure that an edition published."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from scorekit.errors import ScorekitError
from scorekit.impacts import (
    MEASURED,
    Calculation,
    Mix,
    Range,
    Zone,
    exact_pue,
    find_mix,
    find_zone,
    footprint,
    of_queries,
    of_tokens,
    term,
)
from scorekit.publish.charts.wrapping import shortened
from scorekit.publish.site.content import Entry
from scorekit.publish.site.names import shown
from scorekit.units import QUERIES_PER_SCORE

_BECAUSE_PUBLISHED: Final = "a figure that an edition published, measured in its runs"
_ANY_MIX: Final = "ecologits-0.8"


def calculation(
    entry: Entry, zone: Zone, mix: Mix, *, tokens: float | None = None, pue: float | None = None
) -> Calculation:
    """What one query like those measured takes, or one answer of so many tokens.

    Args:
        entry: of the site.
        zone: where the electricity comes from.
        mix: the edition that the zone is of.
        tokens: output tokens of the answer; None for a query.
        pue: of the data centre; None does not count its overhead.

    Raises:
        UsageError: tokens are asked for, and the entry's are not known.
        InvalidRunError: the entry has no energy that can be used.
    """
    if entry.result is not None:
        if tokens is None:
            return of_queries(entry.result, 1, zone, mix, pue=pue)
        return of_tokens(entry.result, tokens, zone, mix, pue=pue)
    energy = Range.exactly(entry.wh_per_1000_queries / QUERIES_PER_SCORE)
    return Calculation(
        model=entry.model,
        method=MEASURED,
        method_source=f"edition {entry.edition}, a published figure",
        origin=entry.origin,
        origin_because=_BECAUSE_PUBLISHED,
        basis="queries",
        amount=1,
        footprint=footprint(
            (term("gpu", energy, entry.origin),), zone, mix, pue=None if pue is None else exact_pue(pue)
        ),
        notes=(f"on {entry.hardware or 'unknown hardware'}, task {entry.cohort.name}",),
    )


def queries_of(model: str) -> str:
    """What a chart of a model's queries is of."""
    return f"{QUERIES_PER_SCORE:,} queries of {model}"


def edition_of(entry: Entry) -> str:
    """What is told of an entry's edition."""
    return "none: a local star" if entry.edition == "local" else shown(entry.edition)


def row(entry: Entry) -> dict[str, Any] | None:
    """All that a page needs to do the same; None for an entry that nothing can be worked out from."""
    mix = find_mix(_ANY_MIX)
    zone = find_zone(mix, "WOR")
    try:
        one = calculation(entry, zone, mix)
        tokens = None if entry.result is None else entry.result.output_tokens
        queries = None if entry.result is None else entry.result.queries
        by_tokens = calculation(entry, zone, mix, tokens=1) if tokens and queries else None
    except ScorekitError:
        return None
    drawn = shortened(queries_of(entry.model), 90)
    return {
        "id": entry.id,
        "model": shown(entry.model),
        # Where a chart cannot show the name as it is.
        "drawn": None if drawn == queries_of(shown(entry.model)) else drawn,
        "task": entry.cohort.title,
        "wh": entry.wh_per_1000_queries,
        "half": entry.half_width_95_percent,
        "edition": edition_of(entry),
        "hardware": None if entry.hardware is None else shown(entry.hardware),
        "source": shown(one.method_source),
        "origin": one.origin,
        "because": one.origin_because,
        "tokens": tokens / queries if by_tokens and tokens and queries else None,
        "terms": [[each.name, each.energy_wh.low, each.energy_wh.high, each.origin] for each in one.footprint.terms],
        "not_counted": list(one.footprint.not_counted),
        "notes": [shown(note) for note in one.notes],
        "by_tokens_notes": [shown(note) for note in by_tokens.notes] if by_tokens else [],
    }


_SHARED: Final = ("task", "hardware", "edition", "origin", "because", "not_counted", "notes", "by_tokens_notes")
"""What many entries have in common."""


def rows(entries: Iterable[Entry]) -> dict[str, Any]:
    """The rows of all entries. What many have in common is told once: `shared` is the number of a row's part in it."""
    parts: dict[str, int] = {}
    shared: list[dict[str, Any]] = []
    found = []
    for one in map(row, entries):
        if one is None:
            continue
        part = {key: one.pop(key) for key in _SHARED}
        number = parts.setdefault(repr(part), len(shared))
        if number == len(shared):
            shared.append(part)
        found.append({**one, "shared": number})
    return {"shared": shared, "rows": found}
