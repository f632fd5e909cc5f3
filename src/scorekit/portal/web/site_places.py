"""Where on the built site a published result stands: the page of its model, and its label."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from scorekit import store
from scorekit.errors import ScorekitError
from scorekit.portal.ledger.publications import Publication
from scorekit.portal.settings import Settings
from scorekit.publish.site.content import UNNAMED, model_slug
from scorekit.store import names

_FIGURES: Final = "data/scores.json"


@dataclass(frozen=True, slots=True)
class SitePlace:
    """Where a result stands, as paths from the top of the site.

    Attributes:
        page: of its model.
        label: None where it has none, e.g. because the site has too many.
    """

    page: str
    label: str | None


def place_of(settings: Settings, publication: Publication) -> SitePlace | None:
    """Where a publication stands; None while the site that stands does not show it."""
    if publication.result_path is None:
        return None
    digits = names.id_of(publication.result_path)
    try:
        page = f"models/{_slug(settings.results, publication.result_path)}.html"
    except ScorekitError:
        return None
    entry = _entry(settings.site, digits)
    if entry is None or not (settings.site / page).is_file():
        return None
    label = f"labels/{entry}.svg"
    return SitePlace(page, label if (settings.site / label).is_file() else None)


@lru_cache(maxsize=10_000)
def _slug(results: Path, result_path: str) -> str:
    """Of the model of a result, whose file is never changed; lists ask for it again and again."""
    return model_slug(store.open(results, report=_quiet).read(result_path).model or UNNAMED)


def _entry(site: Path, digits: str) -> str | None:
    """Id of the figure that is of a result, by the first digits of its hash."""
    path = site / _FIGURES
    try:
        return _entries(path, path.stat().st_mtime_ns).get(names.short(digits))
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=2)
def _entries(path: Path, _changed_ns: int) -> dict[str, str]:
    """Ids of all figures of a site by the first digits of their results' hashes; read anew when the site is."""
    rows = json.loads(path.read_bytes())
    return {names.short(row["result_id"]): row["id"] for row in rows if row["result_id"]}


def _quiet(_told: str) -> None:
    """What is out of the ordinary in the results folder is told where results are published."""
