"""Decisions of operators and what follows of them: publications, editions, and the site."""

from __future__ import annotations

import pytest

from scorekit.portal.ledger import checks, decisions, publications, sites, submissions
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.refusals import NotAllowedError, NotThereError, TooLateError, WrongContentError
from scorekit.portal.opened import Portal
from tests.portal.conftest import Clock, actor_of
from tests.portal.made import accepted, actions, checked, digest, hand_in, verdict


def test_what_is_accepted_is_on_its_way_to_be_published(portal: Portal, submitter: Actor, operator: Actor) -> None:
    found = checked(portal, submitter, runs=2)
    made = decisions.decide_submission(portal.storage, operator, found.id, "accept", "  good\0 ")
    assert made == decisions.find(portal.storage, "submission", found.id)
    assert (made.decision, made.reason, made.account_id) == ("accept", "good", operator.account_id)
    assert submissions.find(portal.storage, submitter, found.id).state == "accepted"
    assert publications.pending_count(portal.storage) == 2
    waiting = [publication for publication, _ in publications.pending(portal.storage)]
    assert [(one.submission_id, one.folder, one.published_at) for one in waiting] == [
        (found.id, "runs/1", None),
        (found.id, "runs/2", None),
    ]
    assert sites.wanted(portal.storage) == [1]
    assert actions(portal.storage, found.id)[-1] == "submission.accept"


def test_what_is_declined_is_not_published(portal: Portal, submitter: Actor, operator: Actor) -> None:
    found = checked(portal, submitter)
    decisions.decide_submission(portal.storage, operator, found.id, "refuse", "no")
    assert submissions.find(portal.storage, submitter, found.id).state == "declined"
    assert publications.pending(portal.storage) == []
    assert not sites.wanted(portal.storage)


def test_a_decision_is_made_once(portal: Portal, submitter: Actor, operator: Actor) -> None:
    found = accepted(portal, submitter, operator)
    for choice in ("accept", "refuse"):
        with pytest.raises(TooLateError, match="it is accepted"):
            decisions.decide_submission(portal.storage, actor_of(portal, "operator"), found.id, choice, "no")
    made = decisions.find(portal.storage, "submission", found.id)
    assert made is not None
    assert made.account_id == operator.account_id


def test_a_verdict_that_nobody_saw_is_not_decided(
    portal: Portal, submitter: Actor, operator: Actor, clock: Clock
) -> None:
    seen = checked(portal, submitter)
    clock.advance(seconds=1)
    checks.check_again(portal.storage, operator, seen.id)
    lease = checks.take_to_check(portal.storage)
    assert lease is not None
    checks.finish_check(portal.storage, lease, verdict(word="needs review"))
    with pytest.raises(TooLateError, match="checked again since you looked"):
        decisions.decide_submission(portal.storage, operator, seen.id, "accept", "sound", seen=seen.state_at)
    assert decisions.find(portal.storage, "submission", seen.id) is None
    now = submissions.find(portal.storage, operator, seen.id)
    decisions.decide_submission(portal.storage, operator, seen.id, "refuse", "no", seen=now.state_at)


def test_only_an_operator_decides_with_a_reason_and_on_what_waits(
    portal: Portal, submitter: Actor, worker: Actor, operator: Actor
) -> None:
    storage = portal.storage
    found = checked(portal, submitter)
    for actor in (submitter, worker):
        with pytest.raises(NotAllowedError):
            decisions.decide_submission(storage, actor, found.id, "accept", "mine")
    for reason in ("", " \n\0", "x" * 2001):
        with pytest.raises(WrongContentError, match="reason"):
            decisions.decide_submission(storage, operator, found.id, "accept", reason)
    with pytest.raises(NotThereError):
        decisions.decide_submission(storage, operator, "0" * 32, "accept", "good")
    fresh = hand_in(portal, submitter)
    with pytest.raises(TooLateError, match="it is received"):
        decisions.decide_submission(storage, operator, fresh.id, "accept", "good")
    refused = checked_after(portal, submitter, fresh.id)
    with pytest.raises(TooLateError, match="it is refused"):
        decisions.decide_submission(storage, operator, refused, "accept", "good")
    assert decisions.find(storage, "submission", fresh.id) is None


def checked_after(portal: Portal, actor: Actor, submission_id: str) -> str:
    from scorekit.portal.ledger import checks
    from tests.portal.made import verdict

    lease = checks.take_to_check(portal.storage)
    assert lease is not None
    assert lease.submission.id == submission_id
    checks.finish_check(portal.storage, lease, verdict(word="refused"))
    return submission_id


def test_a_measurement_is_published_once(portal: Portal, submitter: Actor, operator: Actor) -> None:
    first = accepted(portal, submitter, operator, 7)
    again = checked(portal, actor_of(portal, "submitter"), 7)
    with pytest.raises(TooLateError, match=first.id):
        decisions.decide_submission(portal.storage, operator, again.id, "accept", "good")
    assert submissions.find(portal.storage, operator, again.id).state == "waiting"
    assert decisions.find(portal.storage, "submission", again.id) is None
    decisions.decide_submission(portal.storage, operator, again.id, "refuse", "it is published")


def test_what_has_no_score_cannot_be_accepted(portal: Portal, submitter: Actor, operator: Actor) -> None:
    found = checked(portal, submitter, runs=0)
    with pytest.raises(WrongContentError, match="no run"):
        decisions.decide_submission(portal.storage, operator, found.id, "accept", "good")
    assert submissions.find(portal.storage, operator, found.id).state == "waiting"


def test_published_twice_is_kept_once(portal: Portal, submitter: Actor, operator: Actor, clock: Clock) -> None:
    found = accepted(portal, submitter, operator)
    ((publication, verdict_json),) = publications.pending(portal.storage)
    assert "org/model-0-1" in verdict_json
    publications.published(portal.storage, publication, "a/b.json")
    at = clock.at
    clock.advance(days=1)
    publications.published(portal.storage, publication, "c/d.json")
    assert publications.pending(portal.storage) == []
    (kept,) = publications.of_submission(portal.storage, found.id)
    assert (kept.result_path, kept.published_at) == ("a/b.json", at)
    assert actions(portal.storage, found.id).count("result.publish") == 1


def test_wishes_for_the_site_become_one_build(portal: Portal, submitter: Actor, operator: Actor) -> None:
    assert sites.latest(portal.storage) is None
    for number in range(3):
        accepted(portal, submitter, operator, number)
    assert sites.wanted(portal.storage) == [1, 2, 3]
    sites.built(portal.storage, [1, 3])
    assert sites.wanted(portal.storage) == [2], "one that was kept while the site was built is not done"
    accepted(portal, submitter, operator, 3)
    sites.built(portal.storage, [2, 4], "the disk is full")
    assert not sites.wanted(portal.storage)
    last = sites.latest(portal.storage)
    assert last is not None
    assert (last.number, last.state, last.message) == (4, "failed", "the disk is full")


def test_an_edition_is_published_once(portal: Portal, submitter: Actor, operator: Actor, clock: Clock) -> None:
    storage = portal.storage
    assert publications.current_edition(storage) is None
    with pytest.raises(NotAllowedError):
        publications.publish_edition(storage, submitter, "2026-01", digest(b"1"))
    for _ in range(2):
        publications.publish_edition(storage, operator, "2026-01", digest(b"1"))
    with pytest.raises(TooLateError, match="other content"):
        publications.publish_edition(storage, operator, "2026-01", digest(b"2"))
    clock.advance(days=1)
    publications.publish_edition(storage, operator, "2025-12-late", digest(b"2"))
    assert publications.current_edition(storage) == "2025-12-late"
    assert actions(storage, "2026-01") == ["edition.publish"]
    assert sites.wanted(storage) == [1, 2]
