"""A worker hands in each job once, gives back what it cannot do, and goes on where it was when it is started again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from scorekit import submission
from scorekit.portal.assignments import Assignment, Kept, WorkFolder
from scorekit.portal.calls import AnswerError
from scorekit.portal.checking import check_one
from scorekit.portal.ledger import decisions, jobs, requests, submissions
from scorekit.portal.ledger.people import Actor
from scorekit.portal.measuring import MeasuringFailedError
from scorekit.portal.opened import Portal
from scorekit.portal.patience import BreakError
from scorekit.portal.publishing import publish_pending
from scorekit.portal.settings import Settings
from scorekit.portal.stopping import Stop
from scorekit.portal.worker import Worker
from tests.portal.conftest import Clock, settings_of
from tests.portal.measured import official_run, read_here, results_of
from tests.portal.working import LedgerSource, copying, wanted
from tests.unit.submission.made import request


@pytest.fixture
def portal_settings(sqlite_url: str, tmp_path: Path) -> Settings:
    """What workers ask of the ledger is under test on both databases beside it."""
    return settings_of(tmp_path / "data", sqlite_url)


@pytest.fixture(scope="session")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An official run."""
    return official_run(tmp_path_factory.mktemp("measured") / "run")


@pytest.fixture
def source(portal: Portal, worker: Actor) -> LedgerSource:
    """The portal, as workers see it."""
    return LedgerSource(portal, worker)


@pytest.fixture
def folder(tmp_path: Path) -> WorkFolder:
    """A worker's own."""
    return WorkFolder(tmp_path / "worker")


Measure = Callable[[Assignment, Path, Stop], Path]


def worker_of(
    source: LedgerSource, folder: WorkFolder, measure: Measure, stop: Stop | None = None, **more: object
) -> Worker:
    settings: dict[str, object] = {"beat_s": 30.0, "first_wait_s": 0.001, **more}
    return Worker(source, folder, measure, packing, stop=stop or Stop(), **settings)  # type: ignore[arg-type]


def packing(run: Path) -> bytes:
    return submission.pack([run], request()).content


def state_of(portal: Portal, request_id: str) -> tuple[str, str]:
    job = jobs.of_request(portal.storage, request_id)
    assert job is not None
    return requests.find(portal.storage, request_id).state, job.state


def test_what_is_measured_for_a_request_is_checked_decided_and_published(
    portal: Portal, submitter: Actor, operator: Actor, source: LedgerSource, folder: WorkFolder, official: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    read_here(monkeypatch)
    asked = wanted(portal, submitter, operator)
    assert worker_of(source, folder, copying(official)).run(once=True)
    assert state_of(portal, asked) == ("measured", "done")
    assert check_one(portal)
    ((found,), _) = submissions.listed(portal.storage, operator, everyone=True)
    assert (found.state, found.job_id) == ("waiting", jobs.of_request(portal.storage, asked).id)  # type: ignore[union-attr]
    decisions.decide_submission(portal.storage, operator, found.id, "accept", "measured by us")
    assert publish_pending(portal) == 1
    assert len(results_of(portal)) == 1
    assert folder.kept() == []
    assert worker_of(source, folder, copying(official)).run(once=True), "there is no job, and that is no failure"


@pytest.mark.parametrize(("again", "states"), [(True, ("queued", "queued")), (False, ("failed", "failed"))])
def test_what_cannot_be_measured_is_given_back(
    again: bool, states: tuple[str, str], portal: Portal, submitter: Actor, operator: Actor, source: LedgerSource,
    folder: WorkFolder,
) -> None:  # fmt: skip
    asked = wanted(portal, submitter, operator)

    def fail(*_: object) -> Path:
        raise MeasuringFailedError("no such model", again=again)

    assert not worker_of(source, folder, fail).run(once=True)
    assert state_of(portal, asked) == states
    assert source.told == ["no such model"]
    assert folder.kept() == []


def test_what_cannot_be_packed_or_is_not_taken_is_given_back_for_good(
    portal: Portal, submitter: Actor, operator: Actor, source: LedgerSource, folder: WorkFolder, official: Path
) -> None:
    asked = wanted(portal, submitter, operator)
    source.errors["hand_in"] = [AnswerError(413, "it is too large")]
    assert not worker_of(source, folder, copying(official)).run(once=True)
    assert state_of(portal, asked) == ("failed", "failed")
    assert "too large" in source.told[0]


def test_a_portal_that_is_away_is_waited_for(
    portal: Portal, submitter: Actor, operator: Actor, source: LedgerSource, folder: WorkFolder, official: Path
) -> None:
    asked = wanted(portal, submitter, operator)
    source.errors["hand_in"] = [BreakError("away"), BreakError("away")]
    assert worker_of(source, folder, copying(official)).run(once=True)
    assert state_of(portal, asked) == ("measured", "done")


def test_a_job_that_cannot_be_given_back_at_once_is_tried_again(
    portal: Portal, submitter: Actor, operator: Actor, source: LedgerSource, folder: WorkFolder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    asked = wanted(portal, submitter, operator)
    monkeypatch.setattr("scorekit.portal.worker._GIVING_BACK_WAIT_S", 0.001)
    source.errors["give_back"] = [BreakError("away"), BreakError("away")]

    def fail(*_: object) -> Path:
        raise MeasuringFailedError("the GPU is gone", again=True)

    assert not worker_of(source, folder, fail).run(once=True)
    assert state_of(portal, asked) == ("queued", "queued")


def test_a_token_that_is_not_for_workers_ends_it(source: LedgerSource, folder: WorkFolder, official: Path) -> None:
    source.errors["take"] = [AnswerError(403, "this is for workers")]
    with pytest.raises(AnswerError, match="for workers"):
        worker_of(source, folder, copying(official)).run()


def test_a_lease_that_is_lost_ends_the_measuring_and_nothing_is_handed_in(
    portal: Portal, submitter: Actor, operator: Actor, worker: Actor, source: LedgerSource, folder: WorkFolder,
    clock: Clock, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    asked = wanted(portal, submitter, operator)
    taken = threading.Event()

    def beat(job: Assignment) -> None:
        # One that came before the other worker would keep the job.
        assert taken.wait(60)
        LedgerSource.beat(source, job)

    def slow(_job: Assignment, _folder: Path, stop: Stop) -> Path:
        clock.advance(minutes=2)
        assert jobs.take(portal.storage, worker, "another") is not None
        taken.set()
        assert stop.wait(60), "the heartbeat did not tell that the job is another's"
        raise MeasuringFailedError("stopped", again=True)

    monkeypatch.setattr(source, "beat", beat)
    assert not worker_of(source, folder, slow, beat_s=0.001).run(once=True)
    assert state_of(portal, asked) == ("queued", "leased")
    assert source.told == [], "it gave back what is another's"
    assert folder.kept() == []


def test_what_was_measured_under_a_lost_lease_is_not_taken(
    portal: Portal, submitter: Actor, operator: Actor, worker: Actor, source: LedgerSource, folder: WorkFolder,
    clock: Clock, official: Path,
) -> None:  # fmt: skip
    asked = wanted(portal, submitter, operator)
    copy = copying(official)

    def slow(job: Assignment, place: Path, stop: Stop) -> Path:
        clock.advance(minutes=2)
        assert jobs.take(portal.storage, worker, "another") is not None
        return copy(job, place, stop)

    assert not worker_of(source, folder, slow).run(once=True)
    assert state_of(portal, asked) == ("queued", "leased")
    assert submissions.listed(portal.storage, operator, everyone=True)[1] == 0


def test_a_worker_that_is_stopped_gives_its_job_back(
    portal: Portal, submitter: Actor, operator: Actor, source: LedgerSource, folder: WorkFolder
) -> None:
    asked = wanted(portal, submitter, operator)
    stop = Stop()

    def interrupted(_job: Assignment, _folder: Path, ending: Stop) -> Path:
        stop.ask("SIGTERM")
        assert ending.is_asked
        raise MeasuringFailedError("the measurement was ended by signal 15", again=True)

    assert not worker_of(source, folder, interrupted, stop).run()
    assert state_of(portal, asked) == ("queued", "queued")
    assert source.told == ["the worker was stopped: SIGTERM"]


class Killed(BaseException):
    """The worker dies here; nothing after it is done."""


def test_a_worker_that_died_after_measuring_hands_in_what_it_has(
    portal: Portal, submitter: Actor, operator: Actor, source: LedgerSource, folder: WorkFolder, official: Path
) -> None:
    asked = wanted(portal, submitter, operator)
    measured: list[Path] = []
    dying = Worker(source, folder, copying(official, measured), _dies, stop=Stop())
    with pytest.raises(Killed):
        dying.run()
    assert len(folder.kept()) == 1
    assert worker_of(source, folder, copying(official, measured)).run(once=True)
    assert state_of(portal, asked) == ("measured", "done")
    assert len(measured) == 1, "it was measured twice"


def test_a_worker_that_died_in_mid_measurement_measures_anew_once_and_then_gives_back(
    portal: Portal, submitter: Actor, operator: Actor, source: LedgerSource, folder: WorkFolder, official: Path
) -> None:
    asked = wanted(portal, submitter, operator)
    for _ in range(2):
        with pytest.raises(Killed):
            worker_of(source, folder, _dies).run()  # type: ignore[arg-type]
        assert state_of(portal, asked) == ("queued", "leased")
    worker_of(source, folder, copying(official)).run(once=True)
    assert "twice" in source.told[0]
    assert state_of(portal, asked) == ("queued", "queued")


def test_a_worker_that_slept_through_its_lease_measures_nothing_twice(
    portal: Portal, submitter: Actor, operator: Actor, source: LedgerSource, folder: WorkFolder, official: Path,
    clock: Clock,
) -> None:  # fmt: skip
    asked = wanted(portal, submitter, operator)
    measured: list[Path] = []
    with pytest.raises(Killed):
        Worker(source, folder, copying(official, measured), _dies, stop=Stop()).run()
    (kept,) = folder.kept()
    clock.advance(minutes=2)
    # The lease has run out, and nobody has taken the job: this worker may still keep it.
    assert worker_of(source, folder, copying(official, measured)).run(once=True)
    assert state_of(portal, asked) == ("measured", "done")
    assert len(measured) == 1
    # Of a job that is done or another's by now nothing is handed in.
    folder.keep(kept)
    assert worker_of(source, folder, copying(official, measured)).run(once=True)
    assert folder.kept() == []
    assert submissions.listed(portal.storage, operator, everyone=True)[1] == 1


def test_what_was_measured_with_other_settings_is_not_handed_in(
    portal: Portal, submitter: Actor, operator: Actor, source: LedgerSource, folder: WorkFolder, official: Path
) -> None:
    wanted(portal, submitter, operator)
    measured: list[Path] = []
    with pytest.raises(Killed):
        Worker(
            source, folder, copying(official, measured), _dies, stop=Stop(), how=("scenario.num_samples=1",)
        ).run()  # fmt: skip
    assert worker_of(source, folder, copying(official, measured)).run(once=True)
    assert len(measured) == 2


def test_a_folder_is_one_worker_s(folder: WorkFolder) -> None:
    waited: list[str] = []

    def give_up() -> None:
        waited.append("once")
        raise Killed

    with folder.held(give_up), pytest.raises(Killed), WorkFolder(folder.root).held(give_up):
        raise AssertionError("two hold it")
    assert waited == ["once"]
    with folder.held(give_up):
        pass


def test_what_is_kept_of_a_job_is_whole_or_not_there(folder: WorkFolder) -> None:
    job = Assignment(id="ab", lease="cd", attempt=1, model="m", task="text_generation")
    folder.keep(Kept(assignment=job, begun=1))
    assert folder.kept() == [Kept(assignment=job, begun=1)]
    (folder.root / "ab" / "assignment.json").write_text("{")
    assert folder.kept() == []


def _dies(*_: object) -> bytes:
    raise Killed
