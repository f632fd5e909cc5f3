"""Results of confidential submissions that tell more than may be public, as older versions published them.

What others took is not called back; from the results folder, and so from the site, it can be removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scorekit import store
from scorekit.errors import BundleError, InputError
from scorekit.portal import journal
from scorekit.portal.ledger import publications
from scorekit.portal.opened import Portal
from scorekit.records import Result, Verdict
from scorekit.submission.public import form_of, public_of


@dataclass(frozen=True, slots=True)
class TellsMore:
    """A result that tells more than may be public.

    Attributes:
        path: of its file, below the results folder.
        submission_id: whose it is.
        folder: of the run in the submission.
        public: what may be public of it.
    """

    path: str
    submission_id: str
    folder: str
    public: Result


def telling_more(portal: Portal) -> Iterator[TellsMore]:
    """Every result of a confidential submission that is not what may be public of it.

    By what a result says that it is from, not by where the ledger knows it: whoever died between the two left a file
    that only the folder knows, and the site shows it.
    """
    made = {}
    for published, verdict_json in publications.all_with_verdicts(portal.storage):
        verdict = Verdict.model_validate_json(verdict_json)
        public = public_of(published.submission_id, published.folder, verdict)
        if public is not None and form_of(verdict) == "confidential":
            made[public.source.name] = (published, public)
    if not made or not portal.settings.results.is_dir():
        return
    folder = store.open(portal.settings.results, report=lambda _: None)
    for path in folder.table().column("path").to_pylist():
        try:
            result = folder.read(path)
        except InputError:
            # It is left out of the site too; `check` tells of it.
            continue
        if (found := made.get(result.source.name)) is not None and result != found[1]:
            published, public = found
            yield TellsMore(path, published.submission_id, published.folder, public)


def withhold(portal: Portal) -> int:
    """Replace each of them by what may be public of it, and have the site built again.

    Done again after it broke off, it comes to the same. Figures of quality that were attached to one go with it.

    Returns:
        How many were replaced.

    Raises:
        BundleError: the results folder cannot be written to.
    """
    folder = store.open(portal.settings.results, report=lambda _: None)
    done = 0
    for found in list(telling_more(portal)):
        # The new one first, and the old one last: whatever ends this, one lies where the ledger says, and the old one
        # is found again.
        path = folder.add(found.public).path
        publications.replaced(portal.storage, found.submission_id, found.folder, found.path, path)
        folder.detach(found.path)
        old = portal.settings.results / found.path
        try:
            old.unlink(missing_ok=True)
        except OSError as error:
            raise BundleError(
                f"{old} cannot be removed: {error.strerror or error}", mend="run this as the owner of the folder"
            ) from error
        journal.tell("result.withhold", submission=found.submission_id, path=path)
        done += 1
    return done
