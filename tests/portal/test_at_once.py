"""Several at once, in threads and in processes: of what can happen once, it happens once, and the others are told."""

from __future__ import annotations

import multiprocessing
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from scorekit.portal.consistency import check
from scorekit.portal.ledger import checks, decisions, jobs, people, publications, requests, submissions, uploads
from scorekit.portal.ledger.appending import appending
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.refusals import TooLateError
from scorekit.portal.opened import Portal
from scorekit.portal.storage import audit
from tests.portal.conftest import actor_of
from tests.portal.deciding import decide
from tests.portal.made import ACCEPTED, actions, checked, digest, hand_in, verdict

MANY = 8
ROUNDS = 6


def at_once(*steps: Callable[[], Any]) -> list[Any]:
    """What came of steps that all begin at one moment; of one that was refused, its refusal."""
    barrier = threading.Barrier(len(steps))
    found: list[Any] = [None] * len(steps)

    def run(number: int) -> None:
        barrier.wait()
        try:
            found[number] = steps[number]()
        except BaseException as error:  # noqa: BLE001 - told by the test
            found[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(steps))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    unexpected = [one for one in found if isinstance(one, BaseException) and not isinstance(one, TooLateError)]
    assert unexpected == []
    return found


def _is_whole(portal: Portal) -> None:
    with portal.storage.database.read() as connection:
        assert audit.first_break(connection) is None


def test_two_operators_at_once_make_one_decision(portal: Portal, submitter: Actor) -> None:
    operators = [actor_of(portal, "operator") for _ in range(2)]
    for number in range(ROUNDS):
        found = checked(portal, submitter, number)
        said = at_once(
            lambda found=found: decisions.decide_submission(portal.storage, operators[0], found.id, "accept", "good"),
            lambda found=found: decisions.decide_submission(portal.storage, operators[1], found.id, "refuse", "no"),
        )
        (made,) = [one for one in said if isinstance(one, decisions.Decision)]
        assert decisions.find(portal.storage, "submission", found.id) == made
        state = submissions.find(portal.storage, submitter, found.id).state
        assert state == ("accepted" if made.decision == "accept" else "declined")
        assert actions(portal.storage, found.id)[-1] == f"submission.{made.decision}"
        assert len(actions(portal.storage, found.id)) == 3
    _is_whole(portal)


def test_two_processes_at_once_make_one_decision(portal: Portal, submitter: Actor) -> None:
    operators = [actor_of(portal, "operator") for _ in range(2)]
    subjects = [checked(portal, submitter, number).id for number in range(ROUNDS)]
    context = multiprocessing.get_context("spawn")
    barrier, told = context.Barrier(2), context.Queue()
    processes = [
        context.Process(target=decide, args=(portal.settings, operator, subjects, barrier, told))
        for operator in operators
    ]
    for process in processes:
        process.start()
    answers = [told.get(timeout=300) for _ in range(2 * ROUNDS)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    for subject in subjects:
        about = [answer for answer in answers if answer[0] == subject]
        (decided,) = [account for _, account, refused in about if refused is None]
        (refused,) = [refused for *_, refused in about if refused is not None]
        assert "it is accepted" in refused
        made = decisions.find(portal.storage, "submission", subject)
        assert made is not None
        assert made.account_id == decided
    assert len(publications.pending(portal.storage)) == ROUNDS
    _is_whole(portal)


def test_a_request_is_decided_once(portal: Portal, submitter: Actor, operator: Actor) -> None:
    asked = requests.ask(portal.storage, submitter, "org/m", "summarization").id
    said = at_once(
        *[lambda: decisions.decide_request(portal.storage, operator, asked, "accept", "good") for _ in range(MANY)]
    )
    assert Counter(type(one) for one in said) == {decisions.Decision: 1, TooLateError: MANY - 1}
    assert jobs.counts(portal.storage) == {"queued": 1}


def test_of_one_measurement_in_two_submissions_one_is_accepted(
    portal: Portal, submitter: Actor, operator: Actor
) -> None:
    others = [actor_of(portal, "submitter") for _ in range(2)]
    for number in range(ROUNDS):
        made = verdict(number, runs=3)
        ids = []
        for actor, runs in zip(others, (made.runs, made.runs[::-1]), strict=True):
            received = hand_in(portal, actor, str(number).encode())
            lease = checks.take_to_check(portal.storage)
            assert lease is not None
            # The same measurements in the other order: two who lock them in their own order would wait for ever.
            renamed = tuple(
                run.model_copy(update={"folder": f"runs/{place}"}) for place, run in enumerate(runs, start=1)
            )
            checks.finish_check(portal.storage, lease, made.model_copy(update={"runs": renamed}))
            ids.append(received.id)
        said = at_once(
            *[
                lambda one=one: decisions.decide_submission(portal.storage, operator, one, "accept", "good")
                for one in ids
            ]
        )
        assert Counter(type(one) for one in said) == {decisions.Decision: 1, TooLateError: 1}
    states = [one.state for one in submissions.listed(portal.storage, operator, everyone=True)[0]]
    assert Counter(states) == {"accepted": ROUNDS, "waiting": ROUNDS}
    assert len(publications.pending(portal.storage)) == 3 * ROUNDS


def test_the_same_file_handed_in_at_once_is_one_submission(portal: Portal, submitter: Actor) -> None:
    def step(number: int) -> Any:
        part = portal.settings.parts / f"form{number}.part"
        part.write_bytes(b"x")
        return submissions.receive(portal.storage, part, submitter, digest(b"x"), 1, ACCEPTED)

    found = at_once(*[lambda number=number: step(number) for number in range(MANY)])
    assert len({one.id for one in found}) == 1
    assert actions(portal.storage, found[0].id) == ["submission.receive"]


def test_the_same_upload_handed_in_at_once_is_one_submission(portal: Portal, submitter: Actor) -> None:
    parts = portal.settings.parts
    opened = at_once(
        *[lambda: uploads.announce(portal.storage, parts, submitter, 1, digest(b"x"), 9) for _ in range(MANY)]
    )
    assert len({one.id for one in opened}) == 1
    with appending(parts, opened[0], 0) as piece:
        piece.write(b"x")

    def step() -> Any:
        upload = uploads.find(portal.storage, parts, submitter, opened[0].id)
        uploads.check(portal.storage, parts, upload)
        part = uploads.part_of(parts, upload.id)
        return submissions.receive(portal.storage, part, submitter, upload.sha256, 1, ACCEPTED, upload_id=upload.id)

    found = at_once(*[step] * MANY)
    assert len({one.id for one in found if not isinstance(one, TooLateError)}) == 1
    assert list(parts.iterdir()) == []
    assert check(portal).whole


def test_each_job_and_each_check_goes_to_one(portal: Portal, submitter: Actor, operator: Actor, worker: Actor) -> None:
    for number in range(3):
        asked = requests.ask(portal.storage, submitter, f"org/m{number}", "summarization").id
        decisions.decide_request(portal.storage, operator, asked, "accept", "good")
        hand_in(portal, submitter, str(number).encode())
    taken = at_once(*[lambda: jobs.take(portal.storage, worker, "1") for _ in range(MANY)])
    assert len({job.id for job in taken if job is not None}) == sum(job is not None for job in taken) == 3
    leases = at_once(*[lambda: checks.take_to_check(portal.storage) for _ in range(MANY)])
    assert len({one.submission.id for one in leases if one is not None}) == sum(bool(one) for one in leases) == 3
    # What was measured for a job by two who both think that it is theirs: one of them is right.
    job = next(job for job in taken if job is not None)
    said = at_once(
        *[
            lambda number=number: hand_in(portal, worker, f"measured {number}".encode(), job=(job.id, job.lease))
            for number in range(MANY)
        ]
    )
    assert sum(isinstance(one, submissions.Submission) for one in said) == 1
    _is_whole(portal)


def test_what_is_asked_for_made_or_published_at_once_is_one(portal: Portal, submitter: Actor, operator: Actor) -> None:
    storage = portal.storage
    asked = at_once(*[lambda: requests.ask(storage, submitter, "org/m", "summarization") for _ in range(MANY)])
    assert len({one.id for one in asked}) == 1
    known = at_once(*[lambda: people.actor_of_external(storage, "hf-1", "Ada") for _ in range(MANY)])
    assert len({one.account_id for one in known}) == 1
    at_once(*[lambda: publications.publish_edition(storage, operator, "2026-01", digest(b"1")) for _ in range(MANY)])
    assert actions(storage, "2026-01") == ["edition.publish"]


def test_all_kinds_of_steps_at_once_leave_a_whole_log(
    portal: Portal, submitter: Actor, operator: Actor, worker: Actor
) -> None:
    storage, parts = portal.storage, portal.settings.parts
    waiting = [checked(portal, submitter, number).id for number in range(2)]
    asked = [requests.ask(storage, submitter, f"org/m{number}", "summarization").id for number in range(2)]
    decisions.decide_request(storage, operator, asked[0], "accept", "good")
    said = at_once(
        lambda: decisions.decide_submission(storage, operator, waiting[0], "accept", "good"),
        lambda: decisions.decide_submission(storage, operator, waiting[1], "refuse", "no"),
        lambda: decisions.decide_request(storage, operator, asked[1], "accept", "good"),
        lambda: jobs.take(storage, worker, "1"),
        lambda: hand_in(portal, submitter, b"new"),
        lambda: uploads.announce(storage, parts, submitter, 1, digest(b"x"), 9),
        lambda: uploads.sweep(storage, parts),
        lambda: people.open_session(storage, submitter),
        lambda: requests.ask(storage, submitter, "org/new", "summarization"),
        lambda: checks.take_to_check(storage),
    )
    assert not any(isinstance(one, BaseException) for one in said)
    _is_whole(portal)


@pytest.mark.parametrize("kind", ["decide", "receive"])
def test_a_database_that_ends_in_mid_step_leaves_nothing_of_it(
    portal: Portal, submitter: Actor, operator: Actor, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = checked(portal, submitter)

    def fail(*_: object, **__: object) -> None:
        raise ConnectionError("the power is gone")

    before = actions(portal.storage)
    monkeypatch.setattr(audit, "append", fail)
    steps = {
        "decide": lambda: decisions.decide_submission(portal.storage, operator, found.id, "accept", "good"),
        "receive": lambda: hand_in(portal, submitter, b"another"),
    }
    with pytest.raises(ConnectionError):
        steps[kind]()
    monkeypatch.undo()
    assert submissions.find(portal.storage, submitter, found.id).state == "waiting"
    assert publications.pending(portal.storage) == []
    assert actions(portal.storage) == before
    told = check(portal)
    assert told.whole
    # The file of what was never acknowledged may lie there, and is told.
    assert [finding.code for finding in told.findings] == (["blob_unacknowledged"] if kind == "receive" else [])
