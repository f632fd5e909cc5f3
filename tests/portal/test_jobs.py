"""Requests and the jobs that come of them: asked for once, leased to one, done once."""

from __future__ import annotations

from typing import Any

import pytest

from scorekit.portal.ledger import decisions, jobs, requests, submissions
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.refusals import NotAllowedError, NotThereError, TooLateError, WrongContentError
from scorekit.portal.opened import Portal
from tests.portal.conftest import Clock, actor_of
from tests.portal.made import actions, hand_in

MODEL = "openai-community/gpt2"


def _queued(portal: Portal, actor: Actor, operator: Actor, model: str = MODEL) -> str:
    asked = requests.ask(portal.storage, actor, model, "text_generation", model_class="A")
    decisions.decide_request(portal.storage, operator, asked.id, "accept", "good")
    return asked.id


def test_what_is_asked_for_already_is_that_request(portal: Portal, submitter: Actor, operator: Actor) -> None:
    storage = portal.storage
    first = requests.ask(storage, submitter, MODEL, "text_generation", model_class="A", note=" please\0\n ")
    assert (first.state, first.note, first.task) == ("waiting", "please", "text_generation")
    other = actor_of(portal, "submitter")
    assert requests.ask(storage, other, MODEL, "text_generation", model_class="A") == first
    assert requests.ask(storage, other, MODEL, "text_generation", model_class="B").id != first.id
    assert requests.ask(storage, other, MODEL, "text_generation", revision="v2", model_class="A").id != first.id
    decisions.decide_request(storage, operator, first.id, "refuse", "too large")
    assert requests.find(storage, first.id).state == "declined"
    anew = requests.ask(storage, other, MODEL, "text_generation", model_class="A")
    assert anew.id != first.id
    assert actions(storage, first.id) == ["request.ask", "request.refuse"]


@pytest.mark.parametrize(
    ("model", "more", "told"),
    [
        ("../etc/passwd", {}, "no name of a model"),
        ("a/b/c", {}, "no name of a model"),
        ("<script>", {}, "no name of a model"),
        (MODEL, {"task": "dancing"}, "dancing"),
        (MODEL, {"model_class": None}, "has classes"),
        (MODEL, {"model_class": "D"}, "no class"),
        (MODEL, {"task": "summarization", "model_class": "A"}, "no classes"),
        (MODEL, {"revision": "../main"}, "no revision"),
        (MODEL, {"note": "x" * 2001}, "2,001 signs"),
    ],
)
def test_what_cannot_be_measured_is_not_asked_for(
    portal: Portal, submitter: Actor, model: str, more: dict[str, Any], told: str
) -> None:
    facts: dict[str, Any] = {"task": "text_generation", "model_class": "A", **more}
    with pytest.raises(WrongContentError, match=told):
        requests.ask(portal.storage, submitter, model, facts.pop("task"), **facts)
    assert requests.listed(portal.storage) == ([], 0)


def test_requests_are_listed(portal: Portal, submitter: Actor, operator: Actor, clock: Clock) -> None:
    made = []
    for number in range(3):
        clock.advance(seconds=1)
        made.append(requests.ask(portal.storage, submitter, f"org/m{number}", "summarization").id)
    found, count = requests.listed(portal.storage, limit=2)
    assert ([one.id for one in found], count) == ([made[2], made[1]], 3)
    found, _ = requests.listed(portal.storage, state="waiting", account_id=submitter.account_id)
    assert [one.id for one in found] == made
    assert requests.listed(portal.storage, account_id=operator.account_id) == ([], 0)
    with pytest.raises(NotThereError):
        requests.find(portal.storage, "0" * 32)


def test_a_request_is_decided_once(portal: Portal, submitter: Actor, operator: Actor) -> None:
    request = _queued(portal, submitter, operator)
    job = jobs.of_request(portal.storage, request)
    assert job is not None
    assert (job.state, job.attempt, job.model) == ("queued", 0, MODEL)
    with pytest.raises(TooLateError, match="it is queued"):
        decisions.decide_request(portal.storage, operator, request, "refuse", "no")
    with pytest.raises(NotThereError):
        decisions.decide_request(portal.storage, operator, "0" * 32, "accept", "yes")
    with pytest.raises(NotAllowedError):
        decisions.decide_request(portal.storage, submitter, request, "accept", "yes")
    assert jobs.counts(portal.storage) == {"queued": 1}


def test_a_job_is_leased_to_one_and_kept_by_its_heartbeat(
    portal: Portal, submitter: Actor, operator: Actor, worker: Actor, clock: Clock
) -> None:
    storage = portal.storage
    request = _queued(portal, submitter, operator)
    job = jobs.take(storage, worker, "bench-1\0")
    assert job is not None
    assert (job.attempt, job.state, job.task, job.model_class) == (1, "leased", "text_generation", "A")
    assert jobs.take(storage, worker, "bench-2") is None
    for _ in range(5):
        clock.advance(seconds=80)
        assert jobs.beat(storage, worker, job.id, job.lease) == clock.at + jobs.LEASE
        assert jobs.take(storage, worker, "bench-2") is None
    received = hand_in(portal, worker, job=(job.id, job.lease))
    assert received.job_id == job.id
    assert requests.find(storage, request).state == "measured"
    # The answer was lost on its way, and the worker asks again.
    assert hand_in(portal, worker, job=(job.id, job.lease)) == received
    with pytest.raises(TooLateError):
        hand_in(portal, worker, b"measured a second time", job=(job.id, job.lease))
    with pytest.raises(TooLateError):
        jobs.beat(storage, worker, job.id, job.lease)
    with pytest.raises(TooLateError):
        jobs.give_back(storage, worker, job.id, job.lease, "", again=True)
    assert actions(storage, job.id) == ["job.take", "job.done"]
    # What was measured is free to be asked for again.
    assert requests.ask(storage, submitter, MODEL, "text_generation", model_class="A").id != request


def test_a_worker_that_falls_silent_loses_its_job(
    portal: Portal, submitter: Actor, operator: Actor, worker: Actor, clock: Clock
) -> None:
    storage = portal.storage
    _queued(portal, submitter, operator)
    first = jobs.take(storage, worker, "1")
    clock.advance(seconds=jobs.LEASE.total_seconds())
    second = jobs.take(storage, worker, "2")
    assert first is not None
    assert second is not None
    assert (first.id, second.attempt) == (second.id, 2)
    with pytest.raises(TooLateError):
        jobs.beat(storage, worker, first.id, first.lease)
    with pytest.raises(TooLateError):
        hand_in(portal, worker, b"of the first", job=(first.id, first.lease))
    received = hand_in(portal, worker, b"of the second", job=(second.id, second.lease))
    found, count = submissions.listed(storage, worker)
    assert ([one.id for one in found], count) == ([received.id], 1)


def test_what_is_not_taken_for_its_job_stays_what_was_uploaded(
    portal: Portal, submitter: Actor, operator: Actor, worker: Actor, clock: Clock
) -> None:
    _queued(portal, submitter, operator)
    first = jobs.take(portal.storage, worker, "1")
    clock.advance(seconds=jobs.LEASE.total_seconds())
    assert first is not None
    assert jobs.take(portal.storage, worker, "2") is not None
    with pytest.raises(TooLateError, match="given to another worker"):
        hand_in(portal, worker, b"of the first", job=(first.id, first.lease))
    assert list(portal.storage.blobs.names()) == [], "a blob that no submission is of would stay for ever"
    (part,) = portal.settings.parts.iterdir()
    assert part.read_bytes() == b"of the first", "its sender would be asked for all of it once more"


def test_who_fell_silent_and_was_not_replaced_may_still_hand_in(
    portal: Portal, submitter: Actor, operator: Actor, worker: Actor, clock: Clock
) -> None:
    _queued(portal, submitter, operator)
    job = jobs.take(portal.storage, worker, "1")
    assert job is not None
    clock.advance(days=1)
    assert hand_in(portal, worker, job=(job.id, job.lease)).job_id == job.id


def test_a_job_that_fails_comes_back_later_each_time_and_ends(
    portal: Portal, submitter: Actor, operator: Actor, worker: Actor, clock: Clock
) -> None:
    storage = portal.storage
    request = _queued(portal, submitter, operator)
    waits = []
    for attempt in range(1, jobs.MOST_ATTEMPTS + 1):
        waited = 0
        while (job := jobs.take(storage, worker, "1")) is None:
            clock.advance(seconds=30)
            waited += 30
        waits.append(waited)
        assert job.attempt == attempt
        state = jobs.give_back(storage, worker, job.id, job.lease, f"out of memory {attempt}\0", again=True)
    assert (waits, state) == ([0, 30, 60, 120, 240], "failed")
    found = jobs.of_request(storage, request)
    assert found is not None
    assert (found.state, found.last_error) == ("failed", "out of memory 5")
    assert requests.find(storage, request).state == "failed"
    clock.advance(days=1)
    assert jobs.take(storage, worker, "1") is None
    assert requests.ask(storage, submitter, MODEL, "text_generation", model_class="A").id != request


def test_what_no_other_attempt_mends_fails_at_once(
    portal: Portal, submitter: Actor, operator: Actor, worker: Actor
) -> None:
    _queued(portal, submitter, operator)
    job = jobs.take(portal.storage, worker, "1")
    assert job is not None
    assert jobs.give_back(portal.storage, worker, job.id, job.lease, "x" * 9999, again=False) == "failed"


def test_a_job_whose_workers_all_fell_silent_fails_and_the_next_is_given(
    portal: Portal, submitter: Actor, operator: Actor, worker: Actor, clock: Clock
) -> None:
    storage = portal.storage
    request = _queued(portal, submitter, operator)
    for _ in range(jobs.MOST_ATTEMPTS):
        assert jobs.take(storage, worker, "1") is not None
        clock.advance(seconds=jobs.LEASE.total_seconds())
    other = _queued(portal, submitter, operator, "org/other")
    job = jobs.take(storage, worker, "1")
    assert job is not None
    assert job.model == "org/other"
    assert requests.find(storage, request).state == "failed"
    assert requests.find(storage, other).state == "queued"
    failed = jobs.of_request(storage, request)
    assert failed is not None
    assert failed.last_error == "its workers fell silent"
    assert actions(storage, failed.id)[-1] == "job.fail"
    assert jobs.counts(storage) == {"failed": 1, "leased": 1}


def test_only_a_worker_works(portal: Portal, submitter: Actor, operator: Actor, worker: Actor) -> None:
    storage = portal.storage
    _queued(portal, submitter, operator)
    for actor in (submitter, operator):
        with pytest.raises(NotAllowedError):
            jobs.take(storage, actor, "1")
    job = jobs.take(storage, worker, "1")
    assert job is not None
    with pytest.raises(NotAllowedError):
        jobs.beat(storage, submitter, job.id, job.lease)
    with pytest.raises(NotAllowedError):
        hand_in(portal, submitter, job=(job.id, job.lease))


def test_a_file_that_was_handed_in_for_nothing_is_not_handed_in_for_a_job(
    portal: Portal, submitter: Actor, operator: Actor, worker: Actor
) -> None:
    _queued(portal, submitter, operator)
    job = jobs.take(portal.storage, worker, "1")
    assert job is not None
    hand_in(portal, worker)
    with pytest.raises(WrongContentError, match="not for this job"):
        hand_in(portal, worker, job=(job.id, job.lease))
    assert jobs.counts(portal.storage) == {"leased": 1}
