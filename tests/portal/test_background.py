"""The threads beside the server: they do what comes in, live on after failures, and end when they are asked to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from scorekit.portal import background, checking, publishing
from scorekit.portal.background import Background, start
from scorekit.portal.ledger import decisions, publications, sites, submissions
from scorekit.portal.ledger.people import Actor
from scorekit.portal.opened import Portal
from scorekit.portal.settings import Settings
from tests.portal.conftest import settings_of
from tests.portal.measured import failing, hand_in, packed, read_here, results_of

HANGS_S = 60.0
"""After which something that should have come counts as hanging; a limit, not a measure."""


@pytest.fixture
def portal_settings(sqlite_url: str, tmp_path: Path) -> Settings:
    """Threads are under test here, whatever the database."""
    return settings_of(tmp_path / "data", sqlite_url)


@pytest.fixture
def running(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Background]]:
    """Starts the threads; they are stopped in the end. Sites are built in no time."""
    read_here(monkeypatch)
    monkeypatch.setattr(publishing, "_build", lambda _: None)
    monkeypatch.setattr(background, "_FIRST_WAIT_S", 0.01)
    started: list[Background] = []

    def begin(**settings: float) -> Background:
        started.append(start(portal, **settings))  # type: ignore[arg-type]
        return started[-1]

    yield begin
    assert all(one.stop() for one in started), "a thread did not end"


def test_what_comes_in_is_checked_published_and_shown(
    portal: Portal, submitter: Actor, operator: Actor, running: Callable[..., Background]
) -> None:
    # Without a wake-up each would look once an hour.
    threads = running(poll_s=3600.0)
    _until(lambda: _site(portal) == "built", "the first site")
    taken = hand_in(portal, submitter, packed())
    threads.wake()
    _until(lambda: submissions.find(portal.storage, submitter, taken.id).state == "waiting", "the verdict")
    decisions.decide_submission(portal.storage, operator, taken.id, "accept", "good")
    threads.wake()
    _until(lambda: publications.pending(portal.storage) == [], "the result")
    assert len(results_of(portal)) == 1
    threads.wake()
    _until(lambda: not sites.wanted(portal.storage), "the site")


def test_what_another_process_took_in_is_found(
    portal: Portal, submitter: Actor, running: Callable[..., Background]
) -> None:
    running(poll_s=0.01)
    taken = hand_in(portal, submitter, packed())
    _until(lambda: submissions.find(portal.storage, submitter, taken.id).state == "waiting", "the verdict")


@pytest.mark.parametrize("error", [OperationalError("SELECT 1", {}, Exception("gone")), KeyError("a fault of ours")])
def test_a_failure_ends_no_thread(
    error: Exception, portal: Portal, submitter: Actor, running: Callable[..., Background],
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    with monkeypatch.context() as patched:
        patched.setattr(checking, "check_one", failing(error))
        running(poll_s=0.01)
        told = ""

        def is_told() -> bool:
            nonlocal told
            told += capsys.readouterr().err
            return told.count('"checker-1"') >= 3

        _until(is_told, "the failures")
    assert type(error).__name__ in told
    taken = hand_in(portal, submitter, packed())
    _until(lambda: submissions.find(portal.storage, submitter, taken.id).state == "waiting", "the verdict")


def test_a_site_that_could_not_be_built_is_tried_again_after_a_while(
    portal: Portal, running: Callable[..., Background], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "_SITE_AGAIN_S", (0.02, 0.02))
    faults = ["the disk is full", "the disk is full"]
    monkeypatch.setattr(publishing, "_build", lambda _: faults.pop() if faults else None)
    running(poll_s=0.01)
    _until(lambda: _site(portal) == "built", "the site")
    assert faults == []


def test_a_start_after_a_failed_build_builds(portal: Portal, running: Callable[..., Background]) -> None:
    publishing.want_site(portal, "a test")
    sites.built(portal.storage, sites.wanted(portal.storage), "the disk is full")
    running(poll_s=3600.0)
    _until(lambda: _site(portal) == "built", "the site")


def test_a_restored_portal_gets_its_site(portal: Portal, running: Callable[..., Background]) -> None:
    publishing.want_site(portal, "a test")
    (number,) = sites.wanted(portal.storage)
    sites.built(portal.storage, [number])
    running(poll_s=3600.0)
    _until(lambda: (sites.latest(portal.storage) or _none()).number > number, "the wish")


def _none() -> sites.SiteBuild:
    raise AssertionError("there was a wish before")


def _site(portal: Portal) -> str | None:
    latest = sites.latest(portal.storage)
    return None if latest is None else latest.state


def _until(condition: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + HANGS_S
    while not condition():
        assert time.monotonic() < until, f"{what} did not come"
        time.sleep(0.01)
