"""What the portal does by itself, in threads beside the server: check, publish, build the site, sweep.

Each thread sleeps until its bell rings or a second has passed: what this process takes in rings it, what another takes
in is found by looking. After a failure a thread waits, longer each time, and then goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import InterfaceError, OperationalError

from scorekit.errors import ScorekitError
from scorekit.portal import checking, journal, publishing
from scorekit.portal.ledger import sites, uploads
from scorekit.portal.opened import Portal

POLL_S: Final = 1.0
SWEEP_S: Final = 3600.0
STOP_S: Final = 20.0
"""How long a check that has begun is waited for at the end; one that takes longer is done again by the next process."""
_FIRST_WAIT_S: Final = 2.0
_LONGEST_WAIT_S: Final = 60.0
_SITE_AGAIN_S: Final = (60.0, 3600.0)
"""How soon a site that could not be built is tried again: at first, and at last."""

Step = Callable[[], bool]
"""Does what there is to do; True where there may be more of it at once."""


class Background:
    """The threads of one process. Made by `start`."""

    def __init__(self, loops: list[_Loop]) -> None:
        self._loops = loops

    def wake(self) -> None:
        """Something has come in, or was decided: look at once."""
        for loop in self._loops:
            loop.wake()

    def stop(self, timeout_s: float = STOP_S) -> bool:
        """End every thread after what it is at.

        Returns:
            Whether all have ended in time; what is left ends with the process, and its work is done again by the next.
        """
        for loop in self._loops:
            loop.end()
        until = time.monotonic() + timeout_s
        for loop in self._loops:
            loop.join(max(0.0, until - time.monotonic()))
        return not any(loop.is_alive() for loop in self._loops)


def start(portal: Portal, *, checkers: int = 1, poll_s: float = POLL_S) -> Background:
    """Start the threads.

    Args:
        portal: that is set up; it must stay open until they have ended.
        checkers: how many submissions are checked at once.
        poll_s: how often each looks for what other processes took in.
    """
    loops = [
        _Loop(f"checker-{number}", lambda: checking.check_one(portal), poll_s) for number in range(1, checkers + 1)
    ]
    # Apart: what is accepted need not wait for a build to end.
    loops.append(_Loop("publisher", lambda: _publish(portal), poll_s))
    loops.append(_Loop("site-builder", _SiteBuilder(portal), poll_s))
    loops.append(_Loop("sweeper", lambda: _sweep(portal), SWEEP_S))
    for loop in loops:
        loop.start()
    return Background(loops)


class _Loop(threading.Thread):
    """One thread: a step again and again."""

    def __init__(self, name: str, step: Step, poll_s: float) -> None:
        super().__init__(name=name, daemon=True)
        self._step = step
        self._poll_s = poll_s
        self._bell = threading.Event()
        self._ending = threading.Event()

    def wake(self) -> None:
        self._bell.set()

    def end(self) -> None:
        self._ending.set()
        self._bell.set()

    def run(self) -> None:
        wait_s = _FIRST_WAIT_S
        while not self._ending.is_set():
            self._bell.clear()
            try:
                more = self._step()
            except Exception as error:  # noqa: BLE001 - whatever goes wrong, the thread must live on
                known = isinstance(error, (ScorekitError, OSError, OperationalError, InterfaceError))
                journal.failure(self.name, error, tell_message=known)
                self._ending.wait(wait_s)
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
                continue
            wait_s = _FIRST_WAIT_S
            if not more:
                self._bell.wait(self._poll_s)


class _SiteBuilder:
    """Builds the site where that is wanted; one that could not be built is tried again after a while."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._begun = False
        self._again_at: float | None = None
        self._wait_s = _SITE_AGAIN_S[0]

    def __call__(self) -> bool:
        self._want_again()
        if sites.wanted(self._portal.storage) and publishing.build_site(self._portal):
            self._again_at, self._wait_s = None, _SITE_AGAIN_S[0]
        return False

    def _want_again(self) -> None:
        latest = sites.latest(self._portal.storage)
        if not self._begun:
            self._begun = True
            # A portal that was restored has no site, whatever its rows say.
            if latest is None or latest.state == "failed" or not self._portal.settings.site.is_dir():
                publishing.want_site(self._portal, "the portal was started")
            return
        if latest is None or latest.state != "failed":
            return
        if self._again_at is None:
            self._again_at = time.monotonic() + self._wait_s
            self._wait_s = min(2 * self._wait_s, _SITE_AGAIN_S[1])
        elif time.monotonic() >= self._again_at:
            self._again_at = None
            publishing.want_site(self._portal, "the build before failed")


def _publish(portal: Portal) -> bool:
    return publishing.publish_pending(portal) > 0


def _sweep(portal: Portal) -> bool:
    removed = uploads.sweep(portal.storage, portal.settings.parts)
    if removed:
        journal.tell("uploads.sweep", removed=removed)
    return False
