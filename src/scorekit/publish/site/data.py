"""What can be taken from the site as data: figures as CSV and JSON, results and editions whole, and their schemas."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from scorekit import csv_cells
from scorekit.editions import Edition
from scorekit.publish.site.content import Entry, Site, model_slug
from scorekit.publish.site.pages import File
from scorekit.rating import Rating
from scorekit.records import Quality, Record, Result, Score

if TYPE_CHECKING:
    from scorekit.store.quality import InForce

_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ALONE: Final = re.compile(r"(?!.*[0-9a-f]{16}$)[a-z0-9._-]+")
"""Names of files that are like no other: without capitals, for files must not differ by case only, and like no slug."""

COLUMNS: Final[dict[str, tuple[str, Callable[[Entry], Any]]]] = {
    "id": ("of the figure on this site", lambda entry: entry.id),
    "model": ("name of the model", lambda entry: entry.model),
    "task": ("leaderboard name of the task", lambda entry: entry.cohort.name),
    "model_class": ("size class, of tasks with classes", lambda entry: entry.cohort.model_class),
    "wh_per_1000_queries": ("energy of 1,000 queries in Wh", lambda entry: entry.wh_per_1000_queries),
    "half_width_95_percent": (
        "half of its 95 % interval, relative to it; nothing where not known",
        lambda entry: entry.half_width_95_percent,
    ),
    "stars": ("1 to 5; nothing where it cannot be rated", lambda entry: entry.stars),
    "official": ("whether the star is that of a published edition", lambda entry: entry.official),
    "edition": ("of the star, or local", lambda entry: entry.edition),
    "rule": ("of the star", lambda entry: entry.rule),
    "comparable": ("whether it may stand beside official figures", lambda entry: entry.comparable),
    "origin": ("measured, modelled, mixed or unknown", lambda entry: entry.origin),
    "hardware": ("on which it was measured", lambda entry: entry.hardware),
    "parameters": ("of the model", lambda entry: entry.parameters),
    "date": ("of the edition, or when it was measured", lambda entry: entry.date),
    "result_id": (
        "of the result in its store: sha256 of its content, or its first digits",
        lambda entry: entry.result_id,
    ),
    "page": ("of the model, on this site", lambda entry: entry.page),
}
"""Columns of the figures: what each is, and its value."""


@dataclass(frozen=True, slots=True)
class Download:
    """One file of data.

    Attributes:
        path: from the top of the site.
        title: what it is.
        about: what it holds, in a sentence.
        content: of the file.
        rows: how many figures or records; None where that says nothing.
    """

    path: str
    title: str
    about: str
    content: bytes
    rows: int | None = None

    @property
    def sha256(self) -> str:
        """Of the content."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def file(self) -> File:
        """The same, to be written."""
        return File(self.path, self.content)


def edition_path(edition: Edition) -> str:
    """Where an edition's file lies: under its name, by which alone it can be read; where need be in its own folder."""
    name = edition.name
    if not _PLAIN.fullmatch(name):
        return f"data/editions/{model_slug(name)}.json"
    return f"data/editions/{name}.json" if _ALONE.fullmatch(name) else f"data/editions/{model_slug(name)}/{name}.json"


def figures(site: Site) -> Iterator[Download]:
    """Every figure of the site, and the whole records of the results among them."""
    entries = site.entries
    yield Download(
        "data/scores.csv",
        "All figures, CSV",
        "One row a figure. A text that a spreadsheet would take for a formula begins with an apostrophe.",
        _csv(entries),
        len(entries),
    )
    yield Download(
        "data/scores.json",
        "All figures, JSON",
        "The same rows, with every text as it is and null for what is not known.",
        _json([{name: value(entry) for name, (_, value) in COLUMNS.items()} for entry in entries]),
        len(entries),
    )
    yield from _quality(entries)
    results = [entry.result for entry in entries if entry.result is not None] + list(site.refused)
    if results:
        yield Download(
            "data/results.jsonl.gz",
            "Results in full, JSON lines",
            "Every result with its phases, faults, uncertainty and the hashes of its files, refused ones too (gzip).",
            _lines(results),
            len(results),
        )


def _quality(entries: Sequence[Entry]) -> Iterator[Download]:
    rows = [_quality_row(entry, one) for entry in entries for one in entry.quality]
    if rows:
        about = "One row a metric of a result, with its standard error and its source; id is that of the figure."
        lines = [list(rows[0]), *([csv_cells.cell(value) for value in row.values()] for row in rows)]
        yield Download("data/quality.csv", "Quality of the answers, CSV", about, _csv_text(lines), len(rows))
        yield Download("data/quality.json", "Quality of the answers, JSON", about, _json(rows), len(rows))


def _quality_row(entry: Entry, one: InForce) -> dict[str, Any]:
    quality, source = one.attached.quality, one.attached.quality.source
    return {
        "id": entry.id,
        "model": entry.model,
        "wh_per_1000_queries": entry.wh_per_1000_queries,
        **one.figure.model_dump(),
        "limited": one.is_limited,
        **quality.model_dump(include={"matched_by", "same_revision", "dtype", "same_weights", "chat_template"}),
        "quantized": ";".join(quality.quantized),
        **{f"source_{name}": value for name, value in source.model_dump().items()},
    }


def edition_files(site: Site) -> Iterator[Download]:
    """Every edition as its own file, as `scorekit edition` reads it."""
    for edition in site.editions:
        text = json.dumps(edition.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"
        yield Download(
            edition_path(edition),
            f"Edition {edition.name}",
            "Thresholds only." if not edition.members else "Members, thresholds, sources and hash.",
            text.encode("utf-8", "replace"),
            len(edition.members) or None,
        )


@cache
def schemas() -> tuple[Download, ...]:
    """JSON Schema of the records."""
    records: tuple[type[Record], ...] = (Result, Score, Edition, Rating, Quality)
    return tuple(
        Download(
            f"data/schema/{record.__name__.lower()}.schema.json",
            f"Schema of {record.__name__}",
            " ".join((record.__doc__ or "").split("\n\n")[0].split()),
            _json(record.model_json_schema(mode="serialization")),
        )
        for record in records
    )


def _csv(entries: Sequence[Entry]) -> bytes:
    rows = ([csv_cells.cell(value(entry)) for _, value in COLUMNS.values()] for entry in entries)
    return _csv_text([COLUMNS, *rows])


def _csv_text(lines: Iterable[Iterable[Any]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(lines)
    return out.getvalue().encode("utf-8", "replace")


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=True, allow_nan=False) + "\n").encode("ascii")


def _lines(results: Sequence[Result]) -> bytes:
    out = io.BytesIO()
    # Without a time and a name, so that the same results are the same file.
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as packed:
        for result in results:
            packed.write(result.model_dump_json(by_alias=True).encode("utf-8", "replace") + b"\n")
    return out.getvalue()
