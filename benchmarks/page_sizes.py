"""How many bytes a visit of the leaderboard brings, beside its rows as JSON lines; all gzipped."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scorekit.publish.site.columnar import in_order
from scorekit.publish.site.content import Entry, Site

COLUMNS: Final = ("model", "task", "model_class", "wh", "half_width", "stars", "hardware", "edition")


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of a leaderboard, in kB.

    Attributes:
        page: its HTML and its data.
        whole: with scripts and styles, but those of charts.
        sources: what is read when a figure's source is asked for.
    """

    page: float
    whole: float
    sources: float


def of_leaderboard(built: Path) -> Sizes:
    """The sizes of a site that was built."""
    text = (built / "leaderboard.html").read_text(encoding="utf-8")
    assets = [path for path in sorted((built / "assets").glob("*.*s")) if f"assets/{path.name}" in text]
    code = [path for path in assets if not path.name.startswith("chart")]
    page = kb(text.encode()) + kb((built / "data" / "leaderboard.js").read_bytes())
    whole = page + sum(kb(path.read_bytes()) for path in code)
    return Sizes(page, whole, kb((built / "data" / "leaderboard-sources.js").read_bytes()))


def kb(content: bytes) -> float:
    """Gzipped, in kB."""
    return len(gzip.compress(content, 9, mtime=0)) / 1000


def rows_as_json_lines(site: Site) -> bytes:
    """The leaderboard's rows, bare."""
    return "".join(f"{json.dumps(values_of(entry), ensure_ascii=False)}\n" for entry in in_order(site)).encode()


def values_of(entry: Entry) -> dict[str, object]:
    """One row."""
    values = (
        entry.model, entry.cohort.name, entry.cohort.model_class, entry.wh_per_1000_queries,
        entry.half_width_95_percent, entry.stars, entry.hardware, entry.edition,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))
