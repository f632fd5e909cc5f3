"""What the API takes and gives of uploads, submissions and decisions, as its OpenAPI document tells it.

Times are ISO 8601 in UTC. Requests and jobs are in `models_queue`, editions in `models_editions`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, ConfigDict, Field, JsonValue, field_validator, model_validator

from scorekit.portal.ledger.decisions import MOST_REASON, Choice, Decision
from scorekit.portal.ledger.publications import Publication
from scorekit.portal.ledger.submissions import Submission
from scorekit.portal.ledger.uploads import Upload
from scorekit.portal.storage.audit import Entry
from scorekit.records import Record, Verdict
from scorekit.submission.clauses import CLAUSES, Clause

ID_PATTERN: Final = "^[0-9a-f]{32}$"
SHA256_PATTERN: Final = "^[0-9a-f]{64}$"
_WORDS: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
"""No signs that a database or a terminal stumbles over."""
MOST_BYTES: Final = 2**40

Id = Annotated[str, Field(pattern=ID_PATTERN, examples=["0f1e2d3c4b5a69788796a5b4c3d2e1f0"])]
Sha256 = Annotated[str, Field(pattern=SHA256_PATTERN, examples=["9f86d081884c7d659a2feaa0c55ad015" * 2])]
SizeBytes = Annotated[int, Field(ge=1, le=MOST_BYTES, description="Size of the file, in bytes.", examples=[48213])]
Words = Annotated[str, Field(pattern=_WORDS)]
Name = Annotated[str, Field(pattern=_WORDS, min_length=1, max_length=200)]
State = Literal["received", "checking", "refused", "waiting", "accepted", "declined"]


def example(**values: Any) -> ConfigDict:
    """A model's configuration with an example of its values."""
    return ConfigDict(json_schema_extra={"examples": [values]})


class UploadAnnounced(Record):
    """A file that is to come in pieces."""

    size_bytes: SizeBytes
    sha256: Sha256 = Field(description="Of the whole file, as the sender has it.")


class UploadTold(Record):
    """An upload, and where it goes on."""

    id: Id
    size_bytes: SizeBytes
    sha256: Sha256
    state: Literal["open", "complete", "given up"]
    offset: int = Field(ge=0, description="Bytes that are on the portal's disk; the next piece begins here.")

    @classmethod
    def of(cls, upload: Upload) -> UploadTold:
        """Of the ledger's."""
        return cls(
            id=upload.id, size_bytes=upload.size_bytes, sha256=upload.sha256, state=upload.state, offset=upload.offset
        )  # fmt: skip


class AcceptedClauses(Record):
    """The clauses that the sender accepts, each by the sha256 of its text (`GET /api/v1/clauses`)."""

    model_config = example(**{clause.name: clause.sha256 for clause in CLAUSES})

    public_data: Sha256 = Field(description="Accepts that the energy figures become public.")
    integrity: Sha256 = Field(description="Accepts that the logs are true and unaltered.")
    representation: Sha256 = Field(description="Accepts that the model is the one that users get.")


class SubmissionMade(Record):
    """An upload that has wholly come, handed in."""

    upload: Id = Field(description="Of the upload.")
    clauses: AcceptedClauses
    job: Id | None = Field(default=None, description="Of the job that it was measured for; workers only.")
    lease: Id | None = Field(default=None, description="By which the worker holds the job.")

    @model_validator(mode="after")
    def _both_or_none(self) -> SubmissionMade:
        if (self.job is None) != (self.lease is None):
            raise ValueError("a job is named with its lease, or not at all")
        return self


class ClauseTold(Record):
    """A clause that is accepted on handing in."""

    name: Literal["public_data", "integrity", "representation"]
    title: str
    text: str = Field(description="What is accepted.")
    sha256: Sha256 = Field(description="Of the text in UTF-8, by which it is accepted.")

    @classmethod
    def of(cls, clause: Clause) -> ClauseTold:
        """Of the submission's."""
        return cls(name=clause.name, title=clause.title, text=clause.text, sha256=clause.sha256)


class DecisionTold(Record):
    """What an operator decided."""

    decision: Choice
    reason: str
    decided_at: datetime

    @classmethod
    def of(cls, decision: Decision) -> DecisionTold:
        """Of the ledger's."""
        return cls(decision=decision.decision, reason=decision.reason, decided_at=decision.decided_at)


class PublicationTold(Record):
    """A run of a submission that was accepted."""

    folder: str = Field(description="Of the run in the submission.")
    result_path: str | None = Field(description="Below the results folder; null until it lies there.")
    published_at: datetime | None
    page: str | None = Field(description="Address of the model's page on the site; null until the site shows it.")

    @classmethod
    def of(cls, publication: Publication, page: str | None) -> PublicationTold:
        """Of the ledger's."""
        return cls(
            folder=publication.folder, result_path=publication.result_path, published_at=publication.published_at,
            page=page,
        )  # fmt: skip


class SubmissionSummary(Record):
    """A submission in a list."""

    id: Id
    sha256: Sha256 = Field(description="Of its file.")
    size_bytes: int = Field(ge=0, description="Of its file, in bytes.")
    state: State = Field(
        description="received, checking: the verdict is not there yet. refused: by the checks. waiting: for an "
        "operator, who then accepted or declined it."
    )
    received_at: datetime
    state_at: datetime = Field(description="Since when it is in its state.")
    job: Id | None = Field(description="Of the measurement that it came of.")
    verdict: Literal["accepted", "needs review", "refused"] | None = Field(description="Of the checks.")
    published: bool = Field(
        description="Whether it was accepted and every result of it lies in the results folder; the site shows it "
        "soon after."
    )
    publications: tuple[PublicationTold, ...] = Field(description="What was accepted of it.")

    @classmethod
    def of(cls, found: Submission, publications: tuple[PublicationTold, ...]) -> SubmissionSummary:
        """Of the ledger's."""
        return cls(
            **_facts(found),
            verdict=found.word,
            published=_is_public(publications),
            publications=publications,
        )


class SubmissionTold(Record):
    """A submission with all that is known of it."""

    id: Id
    sha256: Sha256 = Field(description="Of its file.")
    size_bytes: int = Field(ge=0, description="Of its file, in bytes.")
    state: State = Field(description="As in a list.")
    received_at: datetime
    state_at: datetime = Field(description="Since when it is in its state.")
    job: Id | None = Field(description="Of the measurement that it came of.")
    page: str = Field(description="Address of its page.")
    verdict: Verdict | None = Field(description="Of the checks, with every reason; null until they are done.")
    decision: DecisionTold | None = Field(description="Null until an operator decided.")
    published: bool = Field(description="As in a list.")
    publications: tuple[PublicationTold, ...] = Field(description="What was accepted of it.")

    @classmethod
    def of(
        cls,
        found: Submission,
        page: str,
        decision: Decision | None = None,
        publications: tuple[PublicationTold, ...] = (),
    ) -> SubmissionTold:
        """Of the ledger's."""
        return cls(
            **_facts(found),
            page=page,
            verdict=found.verdict,
            decision=None if decision is None else DecisionTold.of(decision),
            published=_is_public(publications),
            publications=publications,
        )


class SubmissionList(Record):
    """Some of the submissions."""

    items: tuple[SubmissionSummary, ...]
    total: int = Field(ge=0, description="How many there are altogether.")


class DecisionMade(Record):
    """What an operator decides."""

    model_config = example(decision="accept", reason="The evidence agrees with that of its neighbours.")

    decision: Choice
    reason: Words = Field(min_length=1, max_length=MOST_REASON, description="For the submitter to read.")


class SubmissionDecided(DecisionMade):
    """What an operator decides about a submission."""

    seen: AwareDatetime | None = Field(
        default=None,
        description="The submission's `state_at` as it was looked at: one that was checked again since then is not "
        "decided (409). Null for whatever its verdict is.",
    )

    @field_validator("seen")
    @classmethod
    def _is_a_time(cls, seen: datetime | None) -> datetime | None:
        try:
            return None if seen is None else seen.astimezone(UTC)
        except OverflowError as error:
            raise ValueError("no time that can be told in UTC") from error


class AuditEntry(Record):
    """One line of the audit log."""

    number: int = Field(ge=1)
    at: datetime
    actor: str = Field(description="Id of an account, or the name of a part of the portal.")
    action: str
    subject: str
    details: dict[str, JsonValue]
    previous_sha256: Sha256 = Field(description="Hash of the line before.")
    sha256: Sha256 = Field(description="Hash of this line.")

    @classmethod
    def of(cls, entry: Entry) -> AuditEntry:
        """Of the storage's."""
        return cls(
            number=entry.number, at=entry.at, actor=entry.actor, action=entry.action, subject=entry.subject,
            details=json.loads(entry.details), previous_sha256=entry.previous_sha256, sha256=entry.sha256,
        )  # fmt: skip


class AuditLog(Record):
    """A part of the audit log."""

    items: tuple[AuditEntry, ...]
    next: int | None = Field(description="What to give as `after` for the lines that follow; null at the end.")


def _is_public(publications: tuple[PublicationTold, ...]) -> bool:
    return bool(publications) and all(one.published_at is not None for one in publications)


def _facts(found: Submission) -> dict[str, Any]:
    return {
        "id": found.id, "sha256": found.sha256, "size_bytes": found.size_bytes, "state": found.state,
        "received_at": found.received_at, "state_at": found.state_at, "job": found.job_id,
    }  # fmt: skip
