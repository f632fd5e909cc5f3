"""What was accepted, into the results folder and onto the site; and editions, frozen of what is there.

Everything here may be done twice, by two processes, or break off half-way: done again, it comes to the same.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from scorekit import editions, store
from scorekit.editions import Edition
from scorekit.errors import InputError, ScorekitError
from scorekit.portal import journal
from scorekit.portal.edition_publishing import Preview, PreviewChangedError, preview, publish_edition
from scorekit.portal.ledger import publications, sites
from scorekit.portal.ledger.publications import Publication
from scorekit.portal.opened import Portal
from scorekit.records import Verdict
from scorekit.submission import terms
from scorekit.submission.public import public_of
from scorekit.submission.terms import Known

__all__ = [
    "Preview",
    "PreviewChangedError",
    "build_site",
    "current_edition",
    "edition_or_why",
    "known_results",
    "preview",
    "publish_edition",
    "publish_pending",
    "want_site",
]

_LOCK: Final = "site.lock"
_MOST_TOLD: Final = 2000
_MOST_KNOWN: Final = 100_000
"""Results of which what verdicts need is held in memory."""


def current_edition(portal: Portal) -> Edition:
    """The edition that the portal judges by and shows: the one published last, or the one it was set up with.

    Raises:
        UsageError, InputError: its file is gone, or is not what was frozen.
    """
    name = publications.current_edition(portal.storage) or portal.settings.edition
    return editions.find(name, portal.settings.editions)


def edition_or_why(portal: Portal) -> tuple[Edition | None, str]:
    """The edition that is judged by, or why there is none."""
    try:
        return current_edition(portal), ""
    except ScorekitError as error:
        return None, error.message


def known_results(portal: Portal) -> list[Known]:
    """What verdicts need of all that is published. A result is read once: its file is never changed."""
    root = portal.settings.results
    if not root.is_dir():
        return []
    found = []
    for path in store.open(root, report=journal.left_out).table().column("path").to_pylist():
        try:
            found.append(_known(root, path))
        except InputError as error:
            journal.left_out(error.message)
    return found


def publish_pending(portal: Portal) -> int:
    """Put what was accepted into the results folder: each measurement once, however often this is tried.

    Returns:
        How many results this call published: of several at once, one counts each.

    Raises:
        ScorekitError, ValueError: one could not be; the others were.
    """
    done = 0
    failed: ScorekitError | ValueError | None = None
    for publication, verdict in publications.pending(portal.storage):
        try:
            path = _add(portal, publication, verdict)
        except (ScorekitError, ValueError) as error:
            # A record that refuses itself is a ValueError, and a fault of ours.
            journal.failure("result.publish", error, tell_message=isinstance(error, ScorekitError))
            failed = error
            continue
        # Whoever dies before the next line adds the same file again, which changes nothing.
        if publications.published(portal.storage, publication, path):
            # The publisher and the builder of the site are woken by one acceptance, and both come here.
            journal.tell("result.publish", submission=publication.submission_id, path=path)
            done += 1
    if failed is not None:
        raise failed
    return done


def build_site(portal: Portal) -> bool:
    """Build the site where that is wanted; whatever goes wrong, the old one stays.

    All wishes up to now become one build, and only one process builds at a time.

    Returns:
        Whether it was built.
    """
    with _alone(portal) as alone:
        if not alone:
            return False
        with contextlib.suppress(ScorekitError, ValueError):
            # What cannot be published is told by the publisher; it keeps nothing else from the site.
            publish_pending(portal)
        wishes = sites.wanted(portal.storage)
        if not wishes:
            return False
        started = time.monotonic()
        fault = _build(portal)
        sites.built(portal.storage, wishes, fault)
        if fault is None:
            journal.tell("site.build", duration_ms=round((time.monotonic() - started) * 1000, 1))
        return fault is None


def want_site(portal: Portal, reason: str) -> None:
    """Have the site built for a reason that no step of the ledger gives."""
    with portal.storage.database.begin() as connection:
        sites.want(connection, portal.storage.now(), reason)


def _add(portal: Portal, publication: Publication, verdict_json: str) -> str:
    """Where a result lies, below the results folder, after it was added."""
    verdict = Verdict.model_validate_json(verdict_json)
    made = public_of(publication.submission_id, publication.folder, verdict)
    if made is None:
        raise InputError(
            f"the verdict on {publication.submission_id} has no score of {publication.folder}",
            mend="scorekit portal check tells what else is wrong",
        )
    # Of the verdict alone, which is kept: added again by this version it is the same file, and what another one left
    # is found by `withholding`.
    return store.open(portal.settings.results, report=journal.left_out).add(made).path


def _build(portal: Portal) -> str | None:
    """Why the site could not be built; None for one that was."""
    try:
        # Late, for it draws charts: a server that only takes submissions in does not need the packages for that.
        from scorekit.publish.site import build, source

        settings = portal.settings
        for left in settings.data.glob(f".{settings.site.name}.*.part"):
            # Of a process that was killed while it built: nobody else builds now.
            shutil.rmtree(left, ignore_errors=True)
        settings.results.mkdir(parents=True, exist_ok=True)
        shown = source.read(settings.results, current_edition(portal), settings.editions, report=journal.left_out)
        build.build(shown, settings.site, base_url=f"{settings.public_url}site/", portal_url=settings.public_url)
    except ScorekitError as error:
        journal.failure("site.build", error, tell_message=True)
        return str(error)[:_MOST_TOLD]
    except Exception as error:  # noqa: BLE001 - a fault of ours leaves the old site, and is told on the desk
        journal.failure("site.build", error)
        return f"unexpected {type(error).__name__}: {error}"[:_MOST_TOLD]
    return None


@contextlib.contextmanager
def _alone(portal: Portal) -> Iterator[bool]:
    """Whether nobody else builds; until the block ends nobody else does."""
    descriptor = os.open(portal.settings.data / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(descriptor)


@lru_cache(maxsize=_MOST_KNOWN)
def _known(root: Path, path: str) -> Known:
    return terms.known(store.open(root, report=journal.left_out).read(path))
