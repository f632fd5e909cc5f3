"""The workers of one account hold so many jobs and no more, so that a stolen token does not keep all of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scorekit.portal.ledger import jobs
from scorekit.portal.ledger.jobs import Job
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.refusals import TooLateError, TooManyJobsError
from scorekit.portal.opened import Portal
from scorekit.portal.web.app import create_app
from tests.portal.calling import caller, refused
from tests.portal.conftest import Clock, actor_of
from tests.portal.made import hand_in
from tests.portal.test_at_once import at_once
from tests.portal.working import wanted


@pytest.fixture
def queue(portal: Portal, submitter: Actor, operator: Actor, clock: Clock) -> None:
    """Five jobs that are free, the oldest first."""
    for number in range(5):
        wanted(portal, submitter, operator, f"org/m{number}")
        clock.advance(seconds=1)


def _take(portal: Portal, actor: Actor, most: int = 2) -> Job:
    found = jobs.take(portal.storage, actor, "gpu", most=most)
    assert found is not None
    return found


@pytest.mark.usefixtures("queue")
def test_another_job_is_given_when_one_has_ended(portal: Portal, worker: Actor, clock: Clock) -> None:
    first, second = _take(portal, worker), _take(portal, worker)
    with pytest.raises(TooManyJobsError, match="hold 2 jobs"):
        _take(portal, worker)
    other = _take(portal, actor_of(portal, "worker"))
    assert other.model == "org/m2", "the jobs are there for other accounts"
    assert jobs.beat(portal.storage, worker, first.id, first.lease, most=2) == clock.at + jobs.LEASE
    jobs.give_back(portal.storage, worker, first.id, first.lease, "out of memory", again=False)
    third = _take(portal, worker)
    hand_in(portal, worker, job=(second.id, second.lease))
    assert {third.model, _take(portal, worker).model} == {"org/m3", "org/m4"}
    with pytest.raises(TooManyJobsError):
        _take(portal, worker)


@pytest.mark.usefixtures("queue")
def test_a_lease_that_ran_out_counts_no_more_and_comes_back_only_where_there_is_room(
    portal: Portal, worker: Actor, clock: Clock
) -> None:
    silent = _take(portal, worker, 1)
    clock.advance(seconds=jobs.LEASE.total_seconds())
    # Nobody has taken it, so that it goes on where nothing else is held.
    assert jobs.beat(portal.storage, worker, silent.id, silent.lease, most=1) == clock.at + jobs.LEASE
    clock.advance(seconds=jobs.LEASE.total_seconds())
    again = _take(portal, worker, 1)
    assert again.id == silent.id
    clock.advance(seconds=jobs.LEASE.total_seconds())
    another = jobs.take(portal.storage, actor_of(portal, "worker"), "gpu")
    assert another is not None
    assert another.id == silent.id
    held = _take(portal, worker, 1)
    with pytest.raises(TooLateError):
        jobs.beat(portal.storage, worker, again.id, again.lease, most=1)
    assert jobs.beat(portal.storage, worker, held.id, held.lease, most=1) > clock.at


@pytest.mark.usefixtures("queue")
def test_no_heartbeat_brings_back_what_would_be_too_many(portal: Portal, worker: Actor, clock: Clock) -> None:
    _take(portal, actor_of(portal, "worker"))
    lapsed = _take(portal, worker, 1)
    clock.advance(seconds=jobs.LEASE.total_seconds())
    # The oldest that is free is the other worker's, which has fallen silent too.
    held = _take(portal, worker, 1)
    assert held.id != lapsed.id
    with pytest.raises(TooLateError):
        jobs.beat(portal.storage, worker, lapsed.id, lapsed.lease, most=1)
    jobs.give_back(portal.storage, worker, held.id, held.lease, "no", again=False)
    assert jobs.beat(portal.storage, worker, lapsed.id, lapsed.lease, most=1) > clock.at


@pytest.mark.usefixtures("queue")
def test_of_many_that_ask_at_once_as_many_as_may_get_one(portal: Portal, worker: Actor) -> None:
    def step() -> Job | None:
        try:
            return _take(portal, worker)
        except TooManyJobsError:
            return None

    taken = [job for job in at_once(*[step] * 5) if job is not None]
    assert len({job.id for job in taken}) == len(taken) == 2
    assert jobs.counts(portal.storage) == {"leased": 2, "queued": 3}


@pytest.mark.usefixtures("queue")
def test_the_api_says_when_and_another_account_may(portal: Portal) -> None:
    narrow = replace(portal, settings=replace(portal.settings, jobs_an_account=1))
    app = create_app(narrow)
    first, second = caller(narrow, "worker", app), caller(narrow, "worker", app)
    told = first("POST", "/jobs/take", json={"worker": "gpu-1"})
    assert told.status_code == 200
    refused(first("POST", "/jobs/take", json={"worker": "gpu-2"}), 429, "too_many_jobs", "hold 1 job")
    beat = first("POST", f"/jobs/{told.json()['id']}/beat", json={"lease": told.json()["lease"]})
    assert beat.status_code == 200
    assert second("POST", "/jobs/take", json={"worker": "gpu-1"}).status_code == 200
