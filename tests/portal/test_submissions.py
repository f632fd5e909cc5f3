"""Submissions: received once, checked by who holds the lease, decided once."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import event, select

from scorekit.portal.ledger import checks, decisions, requests, submissions, uploads
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.refusals import NotAllowedError, NotThereError, TooLateError, WrongContentError
from scorekit.portal.opened import Portal
from scorekit.portal.storage import tables
from tests.portal.conftest import Clock, actor_of
from tests.portal.made import ACCEPTED, accepted, actions, checked, digest, hand_in, verdict


def test_the_same_file_twice_is_one_submission(portal: Portal, submitter: Actor) -> None:
    first, again = hand_in(portal, submitter), hand_in(portal, submitter)
    assert first == again == submissions.find(portal.storage, submitter, first.id)
    assert first == submissions.find_same(portal.storage, submitter, first.sha256)
    assert (first.state, first.attempts, first.verdict) == ("received", 0, None)
    assert actions(portal.storage, first.id) == ["submission.receive"]
    assert not list(portal.settings.parts.iterdir())
    # Of another account it is another submission, and one blob.
    assert hand_in(portal, actor_of(portal, "submitter")).id != first.id
    assert list(portal.storage.blobs.names()) == [first.sha256]


@pytest.mark.parametrize("name", list(ACCEPTED))
def test_every_clause_must_be_accepted_as_it_reads_today(portal: Portal, submitter: Actor, name: str) -> None:
    part = portal.settings.parts / "x.part"
    for clauses in ({**ACCEPTED, name: digest(b"of earlier words")}, {k: v for k, v in ACCEPTED.items() if k != name}):
        part.write_bytes(b"x")
        with pytest.raises(WrongContentError, match=name):
            submissions.receive(portal.storage, part, submitter, digest(b"x"), 1, clauses)
        assert part.exists()
    assert list(portal.storage.blobs.names()) == []


def test_a_submission_is_shown_to_its_sender_and_to_operators(
    portal: Portal, submitter: Actor, operator: Actor
) -> None:
    found = hand_in(portal, submitter)
    assert submissions.find(portal.storage, operator, found.id) == found
    with pytest.raises(NotThereError):
        submissions.find(portal.storage, actor_of(portal, "submitter"), found.id)
    with pytest.raises(NotThereError):
        submissions.find(portal.storage, operator, "0" * 32)
    with pytest.raises(NotThereError):
        submissions.find_same(portal.storage, operator, found.sha256)


def test_lists(portal: Portal, submitter: Actor, operator: Actor, clock: Clock) -> None:
    made = []
    for number in range(3):
        clock.advance(seconds=1)
        made.append(checked(portal, submitter, number).id)
    clock.advance(seconds=1)
    other = hand_in(portal, actor_of(portal, "submitter"), b"other")
    mine, count = submissions.listed(portal.storage, submitter, everyone=True)
    assert ([one.id for one in mine], count) == (made[::-1], 3)
    waiting, count = submissions.listed(portal.storage, operator, everyone=True, state="waiting", offset=1, limit=1)
    assert ([one.id for one in waiting], count) == ([made[1]], 3)
    assert submissions.listed(portal.storage, operator) == ([], 0)
    everything, count = submissions.listed(portal.storage, operator, everyone=True)
    assert (everything[0].id, count) == (other.id, 4)
    assert submissions.counts(portal.storage) == {"received": 1, "waiting": 3}


def test_a_list_reads_no_verdicts_but_those_that_it_shows(portal: Portal, submitter: Actor) -> None:
    for number in range(3):
        checked(portal, submitter, number)
    asked: list[str] = []
    event.listen(portal.storage.database.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    found, count = submissions.listed(portal.storage, submitter, limit=2)
    assert ([one.word for one in found], [one.verdict for one in found], count) == (["accepted"] * 2, [None] * 2, 3)
    assert asked
    assert not any("verdict_json" in statement for statement in asked)
    asked.clear()
    found, _ = submissions.listed(portal.storage, submitter, limit=2, with_verdicts=True)
    assert [one.verdict and one.verdict.verdict for one in found] == ["accepted"] * 2
    assert not any("verdict_json" in statement and "ORDER BY" in statement for statement in asked)


def test_a_check_goes_to_one_and_its_verdict_is_kept_once(portal: Portal, submitter: Actor) -> None:
    received = hand_in(portal, submitter)
    lease = checks.take_to_check(portal.storage)
    assert lease is not None
    assert (lease.submission.id, lease.submission.state, lease.submission.attempts) == (received.id, "checking", 1)
    assert checks.take_to_check(portal.storage) is None
    checks.finish_check(portal.storage, lease, verdict())
    with pytest.raises(TooLateError):
        checks.finish_check(portal.storage, lease, verdict(1, "refused"))
    found = submissions.find(portal.storage, submitter, received.id)
    assert (found.state, found.verdict) == ("waiting", verdict())
    assert actions(portal.storage, received.id) == ["submission.receive", "submission.check"]


def test_the_oldest_is_checked_first(portal: Portal, submitter: Actor, clock: Clock) -> None:
    made = []
    for number in range(3):
        clock.advance(seconds=1)
        made.append(hand_in(portal, submitter, str(number).encode()).id)
    taken = [checks.take_to_check(portal.storage) for _ in range(3)]
    assert [lease.submission.id for lease in taken if lease] == made


def test_accounts_take_turns_in_being_checked(portal: Portal, submitter: Actor, operator: Actor, clock: Clock) -> None:
    mine = []
    for number in range(3):
        mine.append(hand_in(portal, submitter, f"mine {number}".encode()).id)
        clock.advance(seconds=1)
    others = hand_in(portal, operator, b"of somebody else").id
    order = []
    while (lease := checks.take_to_check(portal.storage)) is not None:
        order.append(lease.submission.id)
    assert order == [mine[0], others, *mine[1:]]


def test_a_lease_that_ran_out_goes_to_the_next_and_the_first_is_too_late(
    portal: Portal, submitter: Actor, clock: Clock
) -> None:
    received = hand_in(portal, submitter)
    first = checks.take_to_check(portal.storage)
    clock.advance(seconds=checks.CHECK_LEASE.total_seconds() - 1)
    assert checks.take_to_check(portal.storage) is None
    clock.advance(seconds=1)
    second = checks.take_to_check(portal.storage)
    assert first is not None
    assert second is not None
    assert (second.submission.attempts, first.lease == second.lease) == (2, False)
    with pytest.raises(TooLateError):
        checks.finish_check(portal.storage, first, verdict())
    checks.finish_check(portal.storage, second, verdict(0, "refused"))
    assert submissions.find(portal.storage, submitter, received.id).state == "refused"


def test_earlier_ones_are_those_that_wait_or_were_accepted(portal: Portal, submitter: Actor, operator: Actor) -> None:
    waits = checked(portal, submitter, 1)
    taken = accepted(portal, submitter, operator, 2, runs=2)
    checked(portal, submitter, 3, "refused")
    declined = checked(portal, submitter, 4)
    decisions.decide_submission(portal.storage, operator, declined.id, "refuse", "no")
    known = checks.earlier(portal.storage, but=waits.id)
    assert [one.name for one in known] == [f"submission {taken.id}, runs/1", f"submission {taken.id}, runs/2"]
    assert len(checks.earlier(portal.storage, but="")) == 3


def test_checked_again_only_what_is_not_decided(portal: Portal, submitter: Actor, operator: Actor) -> None:
    found = checked(portal, submitter, 1, "refused")
    with pytest.raises(NotAllowedError):
        checks.check_again(portal.storage, submitter, found.id)
    with pytest.raises(NotThereError):
        checks.check_again(portal.storage, operator, "0" * 32)
    checks.check_again(portal.storage, operator, found.id)
    again = submissions.find(portal.storage, submitter, found.id)
    assert (again.state, again.attempts, again.verdict) == ("received", 0, None)
    with pytest.raises(TooLateError, match="it is received"):
        checks.check_again(portal.storage, operator, found.id)
    lease = checks.take_to_check(portal.storage)
    assert lease is not None
    checks.finish_check(portal.storage, lease, verdict(1))
    decisions.decide_submission(portal.storage, operator, found.id, "accept", "now it is right")
    with pytest.raises(TooLateError, match="it is accepted"):
        checks.check_again(portal.storage, operator, found.id)


@pytest.mark.parametrize("name", ["\0", "x\0y", "\ud800", "' OR 1=1 --", "x" * 9999, "../..", ""])
def test_what_is_no_id_is_the_id_of_nothing(portal: Portal, submitter: Actor, operator: Actor, name: str) -> None:
    hand_in(portal, submitter)
    with pytest.raises(NotThereError):
        submissions.find(portal.storage, operator, name)
    with pytest.raises(NotThereError):
        checks.check_again(portal.storage, operator, name)
    with pytest.raises(NotThereError):
        decisions.decide_submission(portal.storage, operator, name, "accept", "good")
    with pytest.raises(NotThereError):
        requests.find(portal.storage, name)
    with pytest.raises(NotThereError):
        uploads.find(portal.storage, portal.settings.parts, submitter, name)
    assert decisions.find(portal.storage, "submission", name) is None


def test_only_the_clauses_that_there_are_are_kept(portal: Portal, submitter: Actor) -> None:
    part = portal.settings.parts / "x.part"
    part.write_bytes(b"x")
    found = submissions.receive(portal.storage, part, submitter, digest(b"x"), 1, {**ACCEPTED, "more\0": "x" * 9999})
    with portal.storage.database.read() as connection:
        kept = connection.execute(select(tables.submissions.c.clauses).where(tables.submissions.c.id == found.id))
        assert json.loads(kept.scalar_one()) == ACCEPTED
