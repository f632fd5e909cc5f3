"""JSON Schemas of every format, out of the records, as files that can be taken away, and the page that lists them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pymdownx.slugs import slugify
from scripts import formats_page
from scripts.docs_site.markdown import table

from scorekit.records import Record

FOLDER = "reference/schemas"

_INTRODUCTION = """\
# JSON Schemas

One file for each format ([all fields in words](../formats.md)), made from the records that read and write it: JSON
Schema, draft 2020-12, of files as this version of scorekit writes them. Files of older versions may lack fields, and
are read all the same. A line of a `.jsonl` file is one document.
"""


def files() -> Iterator[tuple[str, bytes]]:
    """Name and content of each schema."""
    for _, record in _formats():
        schema = record.model_json_schema(mode="serialization")
        told = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
        yield f"{record.__name__.lower()}.schema.json", (json.dumps(told, indent=1) + "\n").encode()


def page() -> str:
    """The page that lists them."""
    slug = slugify(case="lower")
    rows = [
        (
            f"[{name}](../formats.md#{slug(name, '-')})",
            f"`{record.__name__}`",
            ", ".join(f"`{version}`" for version in _versions(record)) or "none of its own",
            f"[{record.__name__.lower()}.schema.json](schemas/{record.__name__.lower()}.schema.json)",
        )
        for name, record in _formats()
    ]
    return f"{_INTRODUCTION}\n{table(('format', 'record', 'versions', 'schema'), rows)}\n"


def _formats() -> Iterator[tuple[str, type[Record]]]:
    """Each format's name on the page of formats, and the record that is a file of it or a line."""
    yield from ((name, found[0]) for name, _, found in formats_page.FILES)


def _versions(record: type[Record]) -> list[str]:
    field = record.model_fields.get("schema_version")
    return [] if field is None else re.findall(r"scorekit\.[\w./-]+", formats_page.type_text(field.annotation))
