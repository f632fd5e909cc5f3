"""What was accepted on its way into the results folder: each measurement exactly once, however often it is tried."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.refusals import NotAllowedError, TooLateError
from scorekit.portal.ledger.sites import want
from scorekit.portal.storage import Storage, audit
from scorekit.portal.storage.tables import editions, publications, submissions


@dataclass(frozen=True, slots=True)
class Publication:
    """A run that was accepted.

    Attributes:
        submission_id: whose it is.
        folder: of the run in the submission.
        result_path: below the results folder; None until it lies there.
        published_at: since when.
    """

    submission_id: str
    folder: str
    result_path: str | None
    published_at: datetime | None


def pending(storage: Storage) -> list[tuple[Publication, str]]:
    """What does not lie in the results folder yet, each with the verdict's JSON that it is made from."""
    return _with_verdicts(storage, publications.c.published_at.is_(None))


def all_with_verdicts(storage: Storage) -> list[tuple[Publication, str]]:
    """All that was accepted, each with the verdict's JSON that its result is made from."""
    return _with_verdicts(storage)


def _with_verdicts(storage: Storage, *conditions: ColumnElement[bool]) -> list[tuple[Publication, str]]:
    """In the order in which they were accepted."""
    asked = (
        select(publications, submissions.c.verdict_json)
        .join(submissions, submissions.c.id == publications.c.submission_id)
        .where(*conditions)
        .order_by(publications.c.decided_at, publications.c.submission_id, publications.c.folder)
    )
    with storage.database.read() as connection:
        rows = connection.execute(asked).all()
    return [
        (Publication(row.submission_id, row.folder, row.result_path, row.published_at), row.verdict_json)
        for row in rows
    ]


def pending_count(storage: Storage) -> int:
    """How many results do not lie in the results folder yet."""
    with storage.database.read() as connection:
        return connection.execute(
            select(func.count()).select_from(publications).where(publications.c.published_at.is_(None))
        ).scalar_one()


def published(storage: Storage, publication: Publication, result_path: str) -> bool:
    """Keep where a result lies; done twice, it is kept once.

    Returns:
        Whether this call kept it: of several at once, one.
    """
    now = storage.now()
    with storage.database.begin() as connection:
        changed = connection.execute(
            update(publications)
            .where(
                publications.c.submission_id == publication.submission_id,
                publications.c.folder == publication.folder,
                publications.c.published_at.is_(None),
            )
            .values(result_path=result_path, published_at=now)
        )
        if changed.rowcount == 1:
            # A build that is under way may have read the folder before.
            want(connection, now, "a result was published")
            audit.append(
                connection, now, "portal", "result.publish", publication.submission_id, {"folder": publication.folder}
            )
    return changed.rowcount == 1


def replaced(storage: Storage, submission_id: str, folder: str, old_path: str, result_path: str) -> None:
    """Keep that another file stands for a result. A row that names a third one stays, and that is told all the same."""
    now = storage.now()
    with storage.database.begin() as connection:
        connection.execute(
            update(publications)
            .where(
                publications.c.submission_id == submission_id,
                publications.c.folder == folder,
                publications.c.result_path == old_path,
            )
            .values(result_path=result_path)
        )
        want(connection, now, "a result was withheld")
        audit.append(connection, now, "portal", "result.withhold", submission_id, {"folder": folder})


def of_submission(storage: Storage, submission_id: str) -> list[Publication]:
    """What was accepted of a submission."""
    return of_submissions(storage, [submission_id]).get(submission_id, [])


def of_submissions(storage: Storage, submission_ids: Collection[str]) -> dict[str, list[Publication]]:
    """What was accepted of some submissions, by their ids; those without are left out."""
    if not submission_ids:
        return {}
    asked = (
        select(publications)
        .where(publications.c.submission_id.in_(submission_ids))
        .order_by(publications.c.submission_id, publications.c.folder)
    )
    found: dict[str, list[Publication]] = {}
    with storage.database.read() as connection:
        for row in connection.execute(asked):
            found.setdefault(row.submission_id, []).append(
                Publication(row.submission_id, row.folder, row.result_path, row.published_at)
            )
    return found


def is_public(published: Collection[Publication]) -> bool:
    """Whether every result of a submission lies in the results folder."""
    return bool(published) and all(one.published_at is not None for one in published)


def publish_edition(storage: Storage, actor: Actor, name: str, content_sha256: str) -> None:
    """Keep that an edition was published; its file has been frozen, and the site is to be built by it.

    Raises:
        NotAllowedError: the account is no operator's.
        TooLateError: an edition of this name was published with other content.
    """
    if not actor.may("operate"):
        raise NotAllowedError("only an operator publishes an edition", mend="log in with an operator's token")
    try:
        _keep_edition(storage, actor, name, content_sha256)
    except IntegrityError:
        # In PostgreSQL: another has published it at this moment, and is found now.
        _keep_edition(storage, actor, name, content_sha256)


def _keep_edition(storage: Storage, actor: Actor, name: str, content_sha256: str) -> None:
    now = storage.now()
    with storage.database.begin() as connection:
        known = connection.execute(select(editions).where(editions.c.name == name)).one_or_none()
        if known is not None:
            if known.content_sha256 != content_sha256:
                raise TooLateError(f"edition {name} was published with other content", mend="choose another name")
            return
        connection.execute(
            insert(editions).values(
                name=name, content_sha256=content_sha256, account_id=actor.account_id, published_at=now
            )
        )
        want(connection, now, f"edition {name} was published")
        audit.append(connection, now, actor.account_id, "edition.publish", name, {"sha256": content_sha256})


def current_edition(storage: Storage) -> str | None:
    """Name of the edition that was published last; None where none was."""
    with storage.database.read() as connection:
        return connection.execute(
            select(editions.c.name).order_by(editions.c.published_at.desc(), editions.c.name).limit(1)
        ).scalar_one_or_none()
