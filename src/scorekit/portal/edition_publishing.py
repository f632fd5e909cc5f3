"""Publishing an edition: gathered of the comparable results, frozen for ever, and then what the portal judges by.

It takes two steps that cannot be one, a file and a row. Whoever breaks off between them does both again: a frozen file
of the same name and rule is the edition that was meant.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from scorekit import editions, store
from scorekit.edition_sources import own_results
from scorekit.edition_sources.gathered import Gathered, draft_of
from scorekit.editions import Edition, make_thresholds
from scorekit.errors import InputError, RatingError, UsageError
from scorekit.portal import journal
from scorekit.portal.ledger import publications
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.refusals import NotAllowedError, TooLateError, WrongContentError
from scorekit.portal.opened import Portal
from scorekit.records import LeftOut, Member
from scorekit.scales import EQUAL_WIDTH, find_rule
from scorekit.tasks import OFFICIAL_GPU

_LOCK: Final = "editions.lock"
_PREVIEW: Final = "preview"
_MORE: Final = "accept more comparable results first: a cohort needs two models at least, of different energies"


@dataclass(frozen=True, slots=True)
class Preview:
    """What an edition would be if it were published now.

    Attributes:
        edition: with members and thresholds; None where there is no comparable result.
        refused: cohorts that cannot be rated, and why.
        passed_over: results that are no members, and why.
    """

    edition: Edition | None
    refused: tuple[str, ...]
    passed_over: tuple[LeftOut, ...]

    @property
    def members(self) -> tuple[Member, ...]:
        """Of it, each with its figures."""
        return () if self.edition is None else self.edition.members

    @property
    def seen(self) -> str:
        """sha256 of the members, for who publishes just these."""
        return _digest(self.members)


class PreviewChangedError(TooLateError):
    """What an edition would be is not what was looked at any more."""


def preview(portal: Portal, rule: str | None = None) -> Preview:
    """What an edition would be if it were published now; nothing is written.

    Args:
        portal: that is set up.
        rule: by which it rates; None for the official one.

    Raises:
        WrongContentError: there is no such rule.
    """
    try:
        chosen = find_rule(rule or EQUAL_WIDTH)
    except UsageError as error:
        raise WrongContentError(error.message, mend=error.mend) from error
    gathered = _gather(portal)
    if not gathered.members:
        return Preview(None, (), gathered.passed_over)
    draft = _draft(gathered, _PREVIEW, None)
    made, refused = make_thresholds(draft.members, chosen)
    shown = draft.model_copy(update={"rule": chosen.name, "thresholds": tuple(made)})
    return Preview(shown, tuple(refused), gathered.passed_over)


def publish_edition(
    portal: Portal, actor: Actor, name: str, rule: str | None = None, date: str | None = None, *,
    seen: str | None = None,
) -> Edition:  # fmt: skip
    """Freeze an edition of all comparable results that are published, and have the site built by it.

    Asked for again with the same name, rule and date, the answer is the same edition. One that lies frozen in the
    portal's folder of editions is published as it is, whatever was seen.

    Args:
        portal: that is set up.
        actor: an operator.
        name: of the edition, e.g. 2026-01.
        rule: that makes the thresholds; None for the official one.
        date: of publication, year and month or the day; today where None.
        seen: of the preview that the operator looked at; None for whatever there is.

    Raises:
        NotAllowedError: the account is no operator's.
        WrongContentError: name, rule or date are none, or no cohort can be rated.
        PreviewChangedError: the members are not those that were seen; nothing is frozen.
        TooLateError: there is an edition of that name with another rule, date or content.
    """
    if not actor.may("operate"):
        raise NotAllowedError("only an operator publishes an edition", mend="log in with an operator's token")
    with _one_by_one(portal):
        try:
            edition = _frozen(portal, name, rule, date, seen)
        except RatingError as error:
            raise WrongContentError(error.message, mend=_MORE) from error
        except (UsageError, InputError) as error:
            raise WrongContentError(error.message, mend=error.mend) from error
        assert edition.content_sha256 is not None
        publications.publish_edition(portal.storage, actor, name, edition.content_sha256)
    return edition


def _frozen(portal: Portal, name: str, rule: str | None, date: str | None, seen: str | None) -> Edition:
    folder = portal.settings.editions
    known = {one.name: one for one in editions.listed(folder) if one.kind == "frozen"}
    if name in known:
        edition = editions.load(folder / f"{name}.json")
        if rule not in (None, edition.rule) or date not in (None, edition.date) or edition.content_sha256 is None:
            raise TooLateError(
                f"there is a frozen edition {name}, of {edition.date} and by the rule {edition.rule}",
                mend="choose another name; a frozen edition is never changed",
            )
        return edition
    chosen = find_rule(rule or EQUAL_WIDTH)
    gathered = _gather(portal)
    if not gathered.members:
        raise RatingError("no comparable result has been published yet")
    draft = _draft(gathered, name, date)
    if seen not in (None, _digest(draft.members)):
        raise PreviewChangedError(
            "results were published since you looked: the edition would have other members or figures",
            mend="look at what it would be now, and publish it then",
        )
    editions.write_draft(draft, folder)
    return editions.freeze(name, folder, chosen.name)[0]


def _digest(members: tuple[Member, ...]) -> str:
    told = [member.model_dump(mode="json") for member in members]
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _draft(gathered: Gathered, name: str, date: str | None) -> Edition:
    day = date or datetime.datetime.now(datetime.UTC).date().isoformat()
    return draft_of([gathered], name=name, date=day, hardware=OFFICIAL_GPU, source="results of the portal")


def _gather(portal: Portal) -> Gathered:
    folder = portal.settings.results
    if not folder.is_dir():
        return own_results.members_of((), folder.name)
    found = store.open(folder, report=journal.left_out)
    rows = found.table().select(["id", "path"]).to_pylist()
    return own_results.members_of(((row["id"], found.read(row["path"])) for row in rows), folder.name)


@contextlib.contextmanager
def _one_by_one(portal: Portal) -> Iterator[None]:
    """Two operators at once do not write into one draft."""
    descriptor = os.open(portal.settings.data / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
