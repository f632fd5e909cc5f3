"""What the portal's command line leaves and tells: the manifest of a backup, and what a check of everything found."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from scorekit.records.base import Count, Record
from scorekit.records.manifest import ManifestEntry

PORTAL_BACKUP_SCHEMA: Final = "scorekit.portal_backup/1"
PORTAL_CHECK_SCHEMA: Final = "scorekit.portal_check/1"


class PortalBackup(Record):
    """manifest.json of a backup of the portal: every file in it."""

    schema_version: Literal["scorekit.portal_backup/1"] = PORTAL_BACKUP_SCHEMA
    created_utc: str
    scorekit_version: str
    database_version: str = Field(description="Of the portal's tables, as Alembic has it.")
    audit_entries: Count = Field(description="Lines of the audit log.")
    audit_sha256: str = Field(description="Of its last line.")
    files: dict[str, ManifestEntry] = Field(description="By their path in the backup; all but this one.")


class PortalFinding(Record):
    """One thing that a check of the portal found."""

    weight: Literal["fault", "note"] = Field(description="A note is told and is no fault, e.g. what waits to be done.")
    code: str = Field(description="Short name, fixed for ever.")
    subject: str = Field(description="Id, sha256 or path of what it is about.")
    message: str


class PortalCheck(Record):
    """What a check of everything that a portal keeps found."""

    schema_version: Literal["scorekit.portal_check/1"] = PORTAL_CHECK_SCHEMA
    whole: bool = Field(description="Whether there is no fault.")
    looked_at: dict[str, Count] = Field(description="How many of each kind were looked at.")
    audit_sha256: str | None = Field(description="Of the last line of the audit log; keep it elsewhere.")
    findings: tuple[PortalFinding, ...]
