"""Copies of one measurement that are checked at the same moment: the second one is told of the first."""

from __future__ import annotations

from collections import Counter

import pytest

from scorekit.portal import checking
from scorekit.portal.checking import check_one
from scorekit.portal.consistency import check
from scorekit.portal.ledger import checks, decisions, submissions
from scorekit.portal.ledger.checks import Lease
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.submissions import Submission
from scorekit.portal.opened import Portal
from scorekit.records import Verdict
from scorekit.submission import prints
from scorekit.submission.verify import against
from tests.portal.conftest import actor_of
from tests.portal.made import checked, hand_in, verdict
from tests.portal.measured import hand_in as hand_in_measured
from tests.portal.measured import packed, read_here
from tests.portal.test_at_once import MANY, at_once


def _leases(portal: Portal, count: int) -> list[Lease]:
    """As many submissions, of as many accounts, all being checked at this moment."""
    for number in range(count):
        hand_in(portal, actor_of(portal, "submitter"), f"copy {number}".encode())
    taken = [checks.take_to_check(portal.storage) for _ in range(count)]
    return [lease for lease in taken if lease is not None]


def _now(portal: Portal, operator: Actor, lease: Lease) -> Submission:
    return submissions.find(portal.storage, operator, lease.submission.id)


def test_the_second_of_two_is_refused_as_a_copy_of_the_first(portal: Portal, operator: Actor) -> None:
    first, second = _leases(portal, 2)
    assert checks.finish_check(portal.storage, first, verdict(7)) == verdict(7)
    kept = checks.finish_check(portal.storage, second, verdict(7))
    assert [(reason.code, reason.file) for reason in kept.reasons if reason.weight == "refuse"] == [
        ("replayed", "runs/1")
    ]
    assert f"submission {first.submission.id}, runs/1" in kept.reasons[0].message
    assert _now(portal, operator, first).state == "waiting"
    found = _now(portal, operator, second)
    assert (found.state, found.word, found.verdict) == ("refused", "refused", kept)
    # What was refused is no measurement of its own that others are copies of.
    assert [one.name for one in checks.earlier(portal.storage, but="")] == [f"submission {first.submission.id}, runs/1"]


def test_of_many_copies_at_once_one_waits(portal: Portal, operator: Actor) -> None:
    leases = _leases(portal, MANY)
    kept = at_once(
        *[lambda lease=lease: checks.finish_check(portal.storage, lease, verdict(7, runs=2)) for lease in leases]
    )
    assert Counter(one.verdict for one in kept) == {"accepted": 1, "refused": MANY - 1}
    (waiting,), count = submissions.listed(portal.storage, operator, everyone=True, state="waiting")
    assert count == 1
    decisions.decide_submission(portal.storage, operator, waiting.id, "accept", "good")
    assert check(portal).whole


def test_other_measurements_and_those_that_were_refused_or_declined_are_no_copies(
    portal: Portal, submitter: Actor, operator: Actor
) -> None:
    first, second, third, fourth = _leases(portal, 4)
    checks.finish_check(portal.storage, first, verdict(1))
    checks.finish_check(portal.storage, second, verdict(7, "refused"))
    checks.finish_check(portal.storage, third, verdict(7))
    decisions.decide_submission(portal.storage, operator, third.submission.id, "refuse", "hand it in anew")
    checks.finish_check(portal.storage, fourth, verdict(7))
    states = [_now(portal, operator, lease).state for lease in (first, second, third, fourth)]
    assert states == ["waiting", "refused", "declined", "waiting"]


def test_what_a_check_knew_already_is_told_once(portal: Portal, operator: Actor) -> None:
    first, second = _leases(portal, 2)
    checks.finish_check(portal.storage, first, verdict(7))
    # It was leased before the first one's check ended, and looked for others after it.
    known = against(verdict(7), checks.earlier(portal.storage, but=second.submission.id))
    assert checks.finish_check(portal.storage, second, known) == known
    assert [reason.code for reason in known.reasons].count("replayed") == 1


def test_keeping_a_verdict_looks_at_what_is_new_alone(
    portal: Portal, operator: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []
    is_same = prints.is_same
    monkeypatch.setattr(prints, "is_same", lambda one, other: compared.append(one.sha256) or is_same(one, other))
    first, second = _leases(portal, 2)
    checks.finish_check(portal.storage, first, verdict(1, runs=4))
    assert compared == [], "others wait until it is kept: its own runs were held against each other before"
    checks.finish_check(portal.storage, second, verdict(2, runs=2))
    assert len(compared) == 2 * 4
    assert _now(portal, operator, second).state == "waiting"


def test_a_verdict_never_becomes_a_milder_one(portal: Portal, submitter: Actor) -> None:
    found = checked(portal, submitter, 1, "needs review")
    assert found.verdict == verdict(1, "needs review")


def test_a_submission_that_is_checked_again_is_no_copy_of_itself(
    portal: Portal, submitter: Actor, operator: Actor
) -> None:
    found = checked(portal, submitter, 7)
    checks.check_again(portal.storage, operator, found.id)
    lease = checks.take_to_check(portal.storage)
    assert lease is not None
    checks.finish_check(portal.storage, lease, verdict(7))
    assert _now(portal, operator, lease).state == "waiting"


def test_two_checkers_at_once_find_a_copy(
    portal: Portal, submitter: Actor, worker: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_here(monkeypatch)
    taken = [hand_in_measured(portal, actor, packed()) for actor in (submitter, worker)]
    judge = checking.judge

    def judge_after_the_other_began(opened: Portal, found: Submission) -> Verdict:
        made = judge(opened, found)
        monkeypatch.setattr(checking, "judge", judge)
        assert check_one(opened), "the other checker checks the other one from its beginning to its end"
        return made

    monkeypatch.setattr(checking, "judge", judge_after_the_other_began)
    assert check_one(portal)
    states = Counter(
        submissions.find(portal.storage, actor, one.id).state
        for actor, one in zip((submitter, worker), taken, strict=True)
    )
    assert states == {"waiting": 1, "refused": 1}
