"""What somebody handed in: the list of it, and for each what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Request, Response

from scorekit.portal.ledger import decisions, publications, submissions
from scorekit.portal.ledger.decisions import Decision
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.publications import Publication
from scorekit.portal.ledger.submissions import Submission
from scorekit.portal.opened import Portal
from scorekit.portal.web.access import page_actor, portal_of
from scorekit.portal.web.pages import paging, wording
from scorekit.portal.web.pages.evidence import cohort_of
from scorekit.portal.web.pages.paging import Paging
from scorekit.portal.web.rendering import render
from scorekit.portal.web.site_places import SitePlace, place_of

router: Final = APIRouter()
UNFINISHED: Final = ("received", "checking")
"""States that end by themselves, so that their page may look again."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step on a submission's way.

    Attributes:
        title: what it is.
        state: done, now, later, or an end that is none to be wished for.
        at: when it was done.
        told: more of it.
    """

    title: str
    state: Literal["done", "now", "later", "bad"]
    at: datetime | None = None
    told: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One submission of a list: its state in words, and what it is of, where that is known.

    Attributes:
        submission: as the ledger has it.
        word: its state; published where the site shows every result of it.
        models, tasks: of its runs.
        pages: of the site, on which its results stand; paths from the site's top.
    """

    submission: Submission
    word: wording.Word
    models: tuple[str, ...]
    tasks: tuple[str, ...]
    pages: tuple[str, ...]


@router.get("/submissions")
def mine(request: Request, actor: Annotated[Actor, Depends(page_actor("submit"))], page: str = "1") -> Response:
    """What the account has handed in, the newest first."""
    portal = portal_of(request)
    storage = portal.storage
    at = paging.number(page)
    found, count = submissions.listed(storage, actor, offset=paging.offset(at), limit=paging.LENGTH, with_verdicts=True)
    published = publications.of_submissions(storage, [one.id for one in found if one.state == "accepted"])
    return render(
        request,
        "submissions.html",
        title="My submissions",
        section="submissions",
        rows=[row_of(one, *_places(portal, published.get(one.id, []))) for one in found],
        paging=Paging(at, count, "Pages of my submissions"),
    )


@router.get("/submissions/{submission_id}")
def status(request: Request, submission_id: str, actor: Annotated[Actor, Depends(page_actor("submit"))]) -> Response:
    """What became of a submission, for who handed it in and for operators."""
    portal = portal_of(request)
    found = submissions.find(portal.storage, actor, submission_id)
    decision = decisions.find(portal.storage, "submission", found.id)
    published = publications.of_submission(portal.storage, found.id)
    places, public = _places(portal, published)
    word = wording.of_submission(found.state, public=public)
    return render(
        request,
        "submission.html",
        title=f"Submission {found.id[:8]}: {word.short}",
        section="submissions",
        submission=found,
        word=word,
        mark=f"{found.state} {len(places)} {public}",
        steps=steps_of(found, decision, published, public=public),
        decision=decision,
        verdict_word=None if found.verdict is None else wording.VERDICT[found.verdict.verdict],
        reasons=[] if found.verdict is None else wording.by_weight(found.verdict),
        told_codes=[] if found.verdict is None else [reason.code for reason in found.verdict.reasons],
        runs=[] if found.verdict is None else [(run, cohort_of(run.score)) for run in found.verdict.runs],
        places=places,
        looks_again=found.state in UNFINISHED or (found.state == "accepted" and not public),
    )


def row_of(
    submission: Submission, places: Sequence[tuple[Publication, SitePlace | None]] = (), public: bool = False
) -> Row:
    """A submission for a list."""
    verdict = submission.verdict
    claimed = () if verdict is None or verdict.submission is None else verdict.submission.runs
    return Row(
        submission,
        wording.of_submission(submission.state, public=public),
        tuple(dict.fromkeys(run.model for run in claimed)),
        tuple(dict.fromkeys(wording.task_title(run.task or "unknown") for run in claimed)),
        tuple(dict.fromkeys(place.page for _, place in places if place is not None)),
    )


def steps_of(
    submission: Submission, decision: Decision | None, published: Sequence[Publication], *, public: bool
) -> list[Step]:
    """A submission's way so far, and what is left of it.

    Args:
        submission: whose way it is.
        decision: of an operator; None where there is none.
        published: what was accepted of it.
        public: whether the site shows all of that.
    """
    steps = [Step("Received", "done", submission.received_at, "stored under its sha256")]
    if submission.verdict is None:
        checking = submission.state == "checking"
        return [
            *steps,
            Step("Checked", "now", None, "the checks are running" if checking else "waits for its turn"),
            Step("Decided by an operator", "later"),
            Step("Published", "later"),
        ]
    checked = datetime.fromisoformat(submission.verdict.verified_utc)
    told = wording.VERDICT[submission.verdict.verdict].short
    if submission.state == "refused":
        return [*steps, Step("Checked", "bad", checked, told)]
    steps.append(Step("Checked", "done", checked, told))
    if decision is None:
        return [*steps, Step("Decided by an operator", "now", None, "waits for one"), Step("Published", "later")]
    if decision.decision == "refuse":
        return [*steps, Step("Decided by an operator", "bad", decision.decided_at, "refused")]
    steps.append(Step("Decided by an operator", "done", decision.decided_at, "accepted"))
    if public:
        at = max(one.published_at for one in published if one.published_at is not None)
        return [*steps, Step("Published", "done", at)]
    return [*steps, Step("Published", "now", None, "on its way" if published else "there is nothing to publish")]


def _places(
    portal: Portal, published: Sequence[Publication]
) -> tuple[list[tuple[Publication, SitePlace | None]], bool]:
    """Where results stand that are published, and whether the site shows all that was accepted."""
    places = [(one, place_of(portal.settings, one)) for one in published if one.published_at is not None]
    return places, publications.is_public(published) and all(place is not None for _, place in places)
