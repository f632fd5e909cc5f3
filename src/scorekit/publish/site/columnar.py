"""The rows of the leaderboard as columns that a script reads: small, with every text once. Pure.

What is told of many rows alike (edition, hardware, origin, notes) stands once, as a kind of row; a row names its kind.
Where figures come from may be another text for each row, so it is a file of its own that is read when it is asked for.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Final, Generic, TypeVar

from scorekit.publish.site.content import Entry, Site, is_official, model_slug
from scorekit.publish.site.figures import number, told_of
from scorekit.publish.site.names import shown

VERSION: Final = 2
_KIND: Final = ("edition", "hardware", "origin", "official", "comparable", "borderline", "told", "notes")
"""What is alike for many rows."""
_FEWEST_DIGITS: Final = 6
_MOST_DIGITS: Final = 17
_Key = TypeVar("_Key", bound=Hashable)


class Interned(Generic[_Key]):
    """Values that each stand once, with the place of each."""

    def __init__(self, values: Iterable[_Key] = ()) -> None:
        self._places: dict[_Key, int] = {}
        for value in values:
            self.place(value)

    def place(self, value: _Key) -> int:
        """Where a value stands; a new one stands at the end."""
        return self._places.setdefault(value, len(self._places))

    @property
    def values(self) -> list[_Key]:
        """All values, in the order of their places."""
        return list(self._places)


def in_order(site: Site) -> list[Entry]:
    """Every entry in the order of the table: by task and class, then by rising energy."""
    return [entry for cohort in site.cohorts for entry in site.of_cohort(cohort)]


def table_data(site: Site, rows: Sequence[Entry]) -> dict[str, Any]:
    """The rows as columns.

    Args:
        site: that they are of.
        rows: all of them, by `in_order`.

    Returns:
        `cohorts`, each with how many rows it has and whether it may hold models of any class; `models`, the names of
        each provider, None for names without one; `slugs`, of the models whose page a script cannot tell from the
        name; `kinds`. And of each row the place of its model and kind, its energy in Wh of 1,000 queries (with as many
        digits as tell the same on the page, at least six), its half-width at 95 % in percent or None, and its stars as
        one sign, 0 for none.
    """
    models = sorted({entry.model for entry in rows}, key=_by_name)
    model_places = Interned(models)
    kinds: Interned[tuple[Any, ...]] = Interned()
    columns = {
        "model": [model_places.place(entry.model) for entry in rows],
        "kind": [kinds.place(_kind(entry)) for entry in rows],
        "wh": [short(entry.wh_per_1000_queries) for entry in rows],
        "half": [_percent(entry.half_width_95_percent) for entry in rows],
        "stars": "".join(str(entry.stars or 0) for entry in rows),
    }
    return {
        "version": VERSION,
        "cohorts": [
            [
                cohort.key,
                cohort.name,
                cohort.task_title,
                cohort.model_class,
                len(site.of_cohort(cohort)),
                cohort.may_mix_classes,
            ]
            for cohort in site.cohorts
        ],
        "models": [
            [provider, [_halves(model)[1] for model in group]]
            for provider, group in itertools.groupby(models, key=lambda model: _halves(model)[0])
        ],
        "slugs": {str(place): model_slug(model) for place, model in enumerate(models) if not _is_plain(model)},
        "kinds": [dict(zip(_KIND, kind, strict=True)) for kind in kinds.values],
        **columns,
    }


def source_data(rows: Sequence[Entry]) -> dict[str, Any]:
    """Of each row where its figure comes from, and the hash of its result, empty where there is none."""
    texts: Interned[str] = Interned()
    return {
        "source": [texts.place(shown(told_of(entry).source)) for entry in rows],
        "sources": texts.values,
        "result": [entry.result_id or "" for entry in rows],
    }


def is_borderline(entry: Entry) -> bool:
    """Whether an entry's star may well be another one, by its uncertainty."""
    return entry.rating is not None and entry.rating.borderline is True


def short(energy_wh: float) -> float:
    """An energy with the fewest digits, at least six, by which a page tells the same number."""
    told = number(energy_wh)
    for digits in range(_FEWEST_DIGITS, _MOST_DIGITS):
        rounded = float(f"{energy_wh:.{digits}g}")
        if number(rounded) == told:
            return rounded
    return energy_wh


def _percent(half_width: float | None) -> float | None:
    return None if half_width is None else float(f"{half_width:.3g}")


def _kind(entry: Entry) -> tuple[Any, ...]:
    """What is alike for many rows."""
    told = told_of(entry)
    return (
        shown(entry.edition),
        None if entry.hardware is None else shown(entry.hardware),
        entry.origin,
        entry.official,
        is_official(entry),
        is_borderline(entry),
        None if told.edition is None else shown(told.edition),
        tuple(shown(note) for note in told.notes),
    )


def _halves(model: str) -> tuple[str | None, str]:
    """Provider and name, as they are shown."""
    provider, slash, name = model.partition("/")
    return (shown(provider), shown(name)) if slash else (None, shown(model))


def _by_name(model: str) -> tuple[str, str, str, str]:
    """Names in the order of the alphabet, those of one provider together."""
    provider, name = _halves(model)
    return (provider or "").casefold(), provider or "", name.casefold(), model


def _is_plain(model: str) -> bool:
    """Whether slug.js makes the same of it."""
    return model.isascii() and model.isprintable()
