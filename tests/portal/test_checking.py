"""What was handed in is checked: by today's terms, once, and whatever befalls the checker."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from scorekit import store
from scorekit.errors import InputError
from scorekit.portal import checking
from scorekit.portal.checking import check_one
from scorekit.portal.ledger import checks, decisions, jobs, requests, submissions
from scorekit.portal.ledger.people import Actor
from scorekit.portal.opened import Portal
from scorekit.portal.publishing import publish_pending
from scorekit.portal.storage import UnreachableError
from tests.portal.conftest import Clock
from tests.portal.measured import accept, failing, hand_in, packed, read_here


def test_a_submission_is_checked_once_by_the_edition_of_the_portal(portal: Portal, submitter: Actor) -> None:
    taken = hand_in(portal, submitter, packed())
    assert check_one(portal)
    found = submissions.find(portal.storage, submitter, taken.id)
    assert (found.state, found.attempts) == ("waiting", 1)
    assert found.verdict is not None
    assert found.verdict.verdict == "accepted"
    assert found.verdict.confinement, "it was not read in a confined process"
    assert found.verdict.sha256 == taken.sha256
    assert not check_one(portal), "it was checked twice"


def test_what_is_no_submission_is_refused(portal: Portal, submitter: Actor) -> None:
    taken = hand_in(portal, submitter, b"no zip at all")
    assert check_one(portal)
    found = submissions.find(portal.storage, submitter, taken.id)
    assert found.state == "refused"
    assert found.verdict is not None
    assert not found.verdict.readable


def test_a_measurement_is_known_again_among_submissions_and_results(
    portal: Portal, submitter: Actor, operator: Actor, worker: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_here(monkeypatch)
    content = packed()
    first = hand_in(portal, submitter, content)
    assert check_one(portal)
    # The same file, from somebody else.
    again = hand_in(portal, worker, content)
    assert check_one(portal)
    refused = submissions.find(portal.storage, worker, again.id)
    assert refused.state == "refused"
    assert refused.verdict is not None
    assert {reason.code for reason in refused.verdict.reasons if reason.weight == "refuse"} == {"replayed"}
    assert first.id in " ".join(reason.message for reason in refused.verdict.reasons)
    # One that was published is known by its result, too.
    other = accept(portal, operator, submitter, packed("example/other", 1.3))
    assert publish_pending(portal) == 1
    names = {earlier.name for earlier in checking.terms(portal, but=first.id).earlier}
    assert any(other.id in name and "submission" not in name for name in names), names
    assert any(neighbour.model == "example/other" for neighbour in checking.terms(portal, but=first.id).results)
    # Both are the same measurement: who hands it in again is told once.
    third = hand_in(portal, worker, packed("example/other", 1.3))
    assert check_one(portal)
    verdict = submissions.find(portal.storage, worker, third.id).verdict
    assert verdict is not None
    (told,) = [reason.message for reason in verdict.reasons if reason.code == "replayed"]
    assert f"submission {other.id}, runs/1" in told


def test_a_result_is_read_for_one_check_and_not_for_every_one(
    portal: Portal, submitter: Actor, operator: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_here(monkeypatch)
    opened: list[str] = []
    read = store.Store.read
    monkeypatch.setattr(store.Store, "read", lambda folder, path: opened.append(path) or read(folder, path))
    for number in (1, 2):
        accept(portal, operator, submitter, packed(f"example/other-{number}", 1 + number / 10))
        assert publish_pending(portal) == 1
        opened.clear()
        assert [one.model for one in checking.terms(portal, but="").results][-1] is not None
        assert len(opened) <= 1, "all of them were read again"
        assert len(checking.terms(portal, but="").results) == number


def test_faults_of_ours_count_for_nothing_and_are_tried_again(
    portal: Portal, submitter: Actor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_here(monkeypatch)
    taken = hand_in(portal, submitter, packed())
    for error in (InputError("the store of blobs is away"), OperationalError("SELECT 1", {}, Exception("gone"))):
        with monkeypatch.context() as patched:
            patched.setattr(checking, "judge", failing(error))
            with pytest.raises(type(error)):
                check_one(portal)
        found = submissions.find(portal.storage, submitter, taken.id)
        assert (found.state, found.attempts) == ("checking", 0)
        assert not check_one(portal), "others are checked meanwhile"
        clock.advance(minutes=6)
    assert check_one(portal)
    assert submissions.find(portal.storage, submitter, taken.id).state == "waiting"


def test_a_verdict_that_cannot_be_kept_counts_for_nothing_either(
    portal: Portal, submitter: Actor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_here(monkeypatch)
    taken = hand_in(portal, submitter, packed())
    for _ in range(checks.MOST_CHECKS + 1):
        with monkeypatch.context() as patched:
            patched.setattr(checks, "finish_check", failing(UnreachableError("its disk is full")))
            with pytest.raises(UnreachableError):
                check_one(portal)
        found = submissions.find(portal.storage, submitter, taken.id)
        assert (found.state, found.attempts) == ("checking", 0)
        clock.advance(minutes=6)
    assert check_one(portal)
    assert submissions.find(portal.storage, submitter, taken.id).state == "waiting"


def test_what_keeps_ending_the_checker_is_refused_unread(
    portal: Portal, submitter: Actor, operator: Actor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_here(monkeypatch)
    taken = hand_in(portal, submitter, packed())
    for _ in range(checks.MOST_CHECKS):
        # The process was killed: nothing is heard of it any more.
        assert checks.take_to_check(portal.storage) is not None
        assert not check_one(portal), "its lease has not run out"
        clock.advance(minutes=6)
    with monkeypatch.context() as patched:
        patched.setattr(checking, "judge", failing(AssertionError("it was read once more")))
        assert check_one(portal)
    found = submissions.find(portal.storage, submitter, taken.id)
    assert found.state == "refused"
    assert found.verdict is not None
    (reason,) = found.verdict.reasons
    assert reason.code == "crashed"
    assert "3 times" in reason.message
    assert found.verdict.sha256 == taken.sha256
    # The operator, who has found out why, may have it checked again.
    checks.check_again(portal.storage, operator, taken.id)
    assert check_one(portal)
    assert submissions.find(portal.storage, submitter, taken.id).state == "waiting"


def test_a_checker_that_was_too_slow_changes_nothing(
    portal: Portal, submitter: Actor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_here(monkeypatch)
    taken = hand_in(portal, submitter, packed())
    judge = checking.judge

    def slow(opened: Portal, found: submissions.Submission) -> object:
        verdict = judge(opened, found)
        clock.advance(minutes=6)
        monkeypatch.setattr(checking, "judge", judge)
        assert check_one(opened), "another takes it"
        return verdict.model_copy(update={"verdict": "refused"})

    monkeypatch.setattr(checking, "judge", slow)
    assert check_one(portal)
    assert submissions.find(portal.storage, submitter, taken.id).state == "waiting"


@pytest.mark.parametrize(
    ("model", "revision", "model_class", "found"),
    [
        ("example/model-1b", None, "A", set()),
        ("example/model-1b", "main", "A", set()),
        ("example/model-1b", "1" * 40, "A", {"not_as_asked"}),
        ("example/other", None, "A", {"not_as_asked"}),
        ("example/model-1b", None, "B", {"not_as_asked"}),
    ],
)
def test_what_a_worker_measured_is_held_against_what_was_asked_for(
    model: str, revision: str | None, model_class: str, found: set[str],
    portal: Portal, submitter: Actor, operator: Actor, worker: Actor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    read_here(monkeypatch)
    asked = requests.ask(
        portal.storage, submitter, model, "text_generation", revision=revision, model_class=model_class
    )
    decisions.decide_request(portal.storage, operator, asked.id, "accept", "open")
    job = jobs.take(portal.storage, worker, "test")
    assert job is not None
    taken = hand_in(portal, worker, packed(), job=(job.id, job.lease))
    assert check_one(portal)
    verdict = submissions.find(portal.storage, worker, taken.id).verdict
    assert verdict is not None
    assert {reason.code for reason in verdict.reasons if reason.weight == "review"} == found
    assert verdict.verdict == ("needs review" if found else "accepted")


def test_a_blob_that_is_gone_is_no_verdict(portal: Portal, submitter: Actor) -> None:
    taken = hand_in(portal, submitter, packed())
    (blob,) = [path for path in (portal.settings.data / "blobs").rglob(taken.sha256) if path.is_file()]
    blob.unlink()
    with pytest.raises(InputError, match="gone"):
        check_one(portal)
    assert submissions.find(portal.storage, submitter, taken.id).verdict is None
