"""manifest.json: every file of a bundle, so that a change is seen."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from scorekit.records.base import Count, Record

MANIFEST_SCHEMA: Final = "scorekit.manifest/1"


class ManifestEntry(Record):
    """One file of a bundle."""

    sha256: str
    size_bytes: Count


class Manifest(Record):
    """manifest.json: every file of a bundle, so that a change is seen."""

    schema_version: Literal["scorekit.manifest/1"] = MANIFEST_SCHEMA
    measured: dict[str, ManifestEntry] = Field(description="Raw files, never edited after the run.")
    derived: dict[str, ManifestEntry] = Field(description="Files computed from them; may be made again.")
