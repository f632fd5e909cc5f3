"""Whether all that a portal keeps fits together: rows, blobs, results, editions, and the chain of the audit log.

It may be asked while the portal runs. What is only on its way (an upload, a result that waits to be written) is a note;
a fault is what no crash and no order of requests may leave behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sqlalchemy import Connection, select, text

from scorekit import editions as edition_files
from scorekit import store
from scorekit.errors import InputError, ScorekitError
from scorekit.portal import withholding
from scorekit.portal.opened import Portal
from scorekit.portal.storage import audit
from scorekit.portal.storage.tables import audit as audit_log
from scorekit.portal.storage.tables import decisions, editions, jobs, publications, requests, submissions, uploads
from scorekit.records import PortalCheck, PortalFinding, Verdict

_CHUNK_BYTES: Final = 1024 * 1024
_RECEIVED: Final = "submission.receive"
_DECIDED: Final = {"accepted": "accept", "declined": "refuse"}
_OF_JOBS: Final = {"queued": "queued", "leased": "queued", "done": "measured", "failed": "failed"}
"""For each state of a job that of its request."""


@dataclass(slots=True)
class _Found:
    """What was found so far."""

    findings: list[PortalFinding] = field(default_factory=list)
    looked_at: dict[str, int] = field(default_factory=dict)

    def fault(self, code: str, subject: str, message: str) -> None:
        self._add("fault", code, subject, message)

    def note(self, code: str, subject: str, message: str) -> None:
        self._add("note", code, subject, message)

    def count(self, kind: str, number: int) -> None:
        self.looked_at[kind] = number

    def _add(self, weight: Literal["fault", "note"], code: str, subject: str, message: str) -> None:
        self.findings.append(PortalFinding(weight=weight, code=code, subject=subject, message=message))


def check(portal: Portal) -> PortalCheck:
    """Look at all that a portal keeps; every blob is read.

    Args:
        portal: that is set up; it may be at work.

    Raises:
        UnreachableError: the database does not answer.
    """
    found = _Found()
    # Blobs first: what is stored while this looks has a row that is seen below, or is not looked at.
    blobs = set(portal.storage.blobs.names())
    with portal.storage.database.read() as connection:
        _database(connection, found)
        broken = audit.first_break(connection)
        if broken is not None:
            found.fault("audit_broken", "audit", f"the audit log does not hold: {broken}")
        end = audit.head_of(connection)
        found.count("audit entries", 0 if end is None else end[0])
        _decisions(connection, found)
        _jobs(connection, found)
        handed_in = connection.execute(select(submissions)).all()
        published = connection.execute(select(publications)).all()
        sending = connection.execute(select(uploads).where(uploads.c.state == "open")).all()
        named = connection.execute(select(editions)).all()
        told = {
            row.subject
            for row in connection.execute(select(audit_log.c.subject).where(audit_log.c.action == _RECEIVED))
        }
    _blobs(portal, handed_in, blobs, found)
    for row in handed_in:
        if row.id not in told:
            found.fault("not_in_audit", row.id, "the audit log does not tell that this submission was received")
    _parts(portal, sending, found)
    _publications(portal, handed_in, published, found)
    _withheld(portal, found)
    _editions(portal, named, found)
    return PortalCheck(
        whole=not any(finding.weight == "fault" for finding in found.findings),
        looked_at=found.looked_at,
        audit_sha256=None if end is None else end[1],
        findings=tuple(found.findings),
    )


def _database(connection: Connection, found: _Found) -> None:
    """What SQLite tells of its file; PostgreSQL looks after its own."""
    if connection.dialect.name != "sqlite":
        return
    for row in connection.execute(text("PRAGMA integrity_check(10)")):
        if row[0] != "ok":
            found.fault("database_damaged", "portal.db", str(row[0]))
    for row in connection.execute(text("PRAGMA foreign_key_check")):
        found.fault("reference_broken", str(row[0]), f"row {row[1]} refers to a row of {row[2]} that is not there")


def _decisions(connection: Connection, found: _Found) -> None:
    made = {(row.kind, row.subject_id): row.decision for row in connection.execute(select(decisions))}
    found.count("decisions", len(made))
    for row in connection.execute(select(submissions.c.id, submissions.c.state)):
        if made.pop(("submission", row.id), None) != _DECIDED.get(row.state):
            found.fault("decision_differs", row.id, f"the submission is {row.state}, and its decision says otherwise")
    for row in connection.execute(select(requests.c.id, requests.c.state)):
        wanted = None if row.state == "waiting" else "refuse" if row.state == "declined" else "accept"
        if made.pop(("request", row.id), None) != wanted:
            found.fault("decision_differs", row.id, f"the request is {row.state}, and its decision says otherwise")
    for kind, subject in made:
        found.fault("decision_on_nothing", subject, f"there is no {kind} that this decision is on")


def _jobs(connection: Connection, found: _Found) -> None:
    asked = select(
        jobs.c.id, jobs.c.state, requests.c.state.label("of_request"), submissions.c.id.label("by")
    ).select_from(
        jobs.join(requests, requests.c.id == jobs.c.request_id).outerjoin(
            submissions, submissions.c.job_id == jobs.c.id
        )
    )
    rows = connection.execute(asked).all()
    found.count("jobs", len(rows))
    for row in rows:
        if _OF_JOBS[row.state] != row.of_request:
            found.fault("job_differs", row.id, f"the job is {row.state}, and its request {row.of_request}")
        if (row.state == "done") != (row.by is not None):
            found.fault(
                "job_differs", row.id, f"the job is {row.state}, and {'a' if row.by else 'no'} submission is of it"
            )


def _blobs(portal: Portal, handed_in: Sequence[Any], blobs: set[str], found: _Found) -> None:
    found.count("submissions", len(handed_in))
    sizes = {row.sha256: row.size_bytes for row in handed_in}
    found.count("blobs", len(sizes.keys() | blobs))
    for sha256, size_bytes in sorted(sizes.items()):
        try:
            read, size = _digest(portal, sha256)
        except (InputError, ValueError):
            found.fault("blob_missing", sha256, "a submission was received, and its file is gone")
            continue
        if (read, size) != (sha256, size_bytes):
            found.fault("blob_changed", sha256, f"the file of a submission has {size:,} bytes of sha256 {read[:12]}...")
    for sha256 in sorted(blobs - sizes.keys()):
        found.note("blob_unacknowledged", sha256, "a file without a submission: its sender was never told that it came")


def _digest(portal: Portal, sha256: str) -> tuple[str, int]:
    read, size = hashlib.sha256(), 0
    with portal.storage.blobs.open(sha256) as file:
        while chunk := file.read(_CHUNK_BYTES):
            read.update(chunk)
            size += len(chunk)
    return read.hexdigest(), size


def _parts(portal: Portal, sending: Sequence[Any], found: _Found) -> None:
    announced = {row.id: row.size_bytes for row in sending}
    found.count("open uploads", len(announced))
    for path in sorted(portal.settings.parts.glob("*.part")):
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            # It has become a blob in this moment.
            continue
        if path.stem not in announced:
            found.note(
                "part_of_nothing", path.name, "of a form, or of an upload that was given up; it is swept away later"
            )
        elif size > announced[path.stem]:
            found.fault("part_too_large", path.stem, f"{size:,} bytes came of {announced[path.stem]:,} announced")


def _publications(portal: Portal, handed_in: Sequence[Any], published: Sequence[Any], found: _Found) -> None:
    found.count("publications", len(published))
    rows = {(row.submission_id, row.folder): row for row in published}
    accepted = [row for row in handed_in if row.state == "accepted"]
    for key in {key for row in accepted for key in _scored(row)} ^ rows.keys():
        told = "is published, and was not accepted" if key in rows else "was accepted, and is not to be published"
        found.fault("publication_differs", key[0], f"{key[1]} {told}")
    folder = store.open(portal.settings.results, report=lambda _: None)
    paths: set[str] = set()
    for row in published:
        if row.published_at is None:
            found.note(
                "publication_waits", row.submission_id, f"{row.folder} waits to be written into the results folder"
            )
            continue
        if row.result_path in paths:
            found.fault("result_twice", row.result_path, "two measurements are published as one result")
        paths.add(row.result_path)
        try:
            folder.read(row.result_path)
        except ScorekitError as error:
            found.fault("result_missing", row.submission_id, error.message)


def _withheld(portal: Portal, found: _Found) -> None:
    for more in withholding.telling_more(portal):
        found.fault(
            "tells_too_much", more.submission_id,
            f"{more.path} tells more than may be public of a confidential submission: an older scorekit published it; "
            "`scorekit portal withhold --data DIR` replaces it",
        )  # fmt: skip


def _scored(row: Any) -> Iterator[tuple[str, str]]:
    for run in Verdict.model_validate_json(row.verdict_json).runs:
        if run.score is not None and run.evidence is not None:
            yield row.id, run.folder


def _editions(portal: Portal, named: Sequence[Any], found: _Found) -> None:
    found.count("editions", len(named))
    for row in named:
        try:
            content = edition_files.load(portal.settings.editions / f"{row.name}.json").content_sha256
        except ScorekitError as error:
            found.fault("edition_missing", row.name, error.message)
            continue
        if content != row.content_sha256:
            found.fault("edition_differs", row.name, "the file of the edition is not the one that was published")
