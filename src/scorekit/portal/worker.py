"""A worker: takes a job of a portal, measures it, hands in what came of it, and takes the next.

    take ─▶ keep ─▶ measure ─▶ pack ─▶ hand in ─▶ forget
              │         └─▶ give back (again, or never)
              └── a heartbeat every 20 s; a lease that is lost ends the measuring

A job may be measured more than once, where a worker falls silent. It is handed in once: of several the portal takes the
one whose lease holds. docs/operations.md tells what becomes of a job when a worker or its machine dies.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol, TypeVar

from scorekit import atomic
from scorekit.errors import ScorekitError
from scorekit.messages import say
from scorekit.portal.assignments import Assignment, Kept, WorkFolder
from scorekit.portal.measuring import MeasuringFailedError
from scorekit.portal.patience import BreakError
from scorekit.portal.stopping import Stop

BEAT_S: Final = 20.0
_FIRST_WAIT_S: Final = 5.0
_LONGEST_WAIT_S: Final = 60.0
_MOST_BEGUN: Final = 2
"""A measurement with which the worker has ended so often is given back, and so is counted by the portal."""
_GIVING_BACK_TRIES: Final = 4
_GIVING_BACK_WAIT_S: Final = 1.0
_LOST: Final = "the lease was lost"
T = TypeVar("T")


class LeaseLostError(ScorekitError):
    """The job is another worker's now, or is done."""


class Source(Protocol):
    """Where jobs come from, and measurements go: a portal. What may pass by itself is raised as BreakError."""

    def take(self) -> Assignment | None:
        """A job; None where there is none."""

    def beat(self, job: Assignment) -> None:
        """Keep a job. Raises LeaseLostError where it is another's."""

    def give_back(self, job: Assignment, error: str, *, again: bool) -> None:
        """End an attempt without a result. Raises LeaseLostError where it is another's."""

    def hand_in(self, job: Assignment, submission: Path, stop: Stop) -> str:
        """Hand in what was measured. Returns the submission's id; raises LeaseLostError where it is another's."""


Measure = Callable[[Assignment, Path, Stop], Path]
"""Measures a job in an empty folder; returns the run folder, or raises MeasuringFailedError."""
Pack = Callable[[Path], bytes]
"""A run folder as a submission."""


class Worker:
    """A worker.

    Args:
        source: the portal.
        folder: of its own, held by it.
        measure: how a job is measured.
        pack: how a run is packed.
        stop: ends it.
        how: settings of its own that it measures with.
        beat_s: time between heartbeats.
        first_wait_s: how long it waits at first when there is no job or the portal is away; then longer.
    """

    def __init__(
        self,
        source: Source,
        folder: WorkFolder,
        measure: Measure,
        pack: Pack,
        *,
        stop: Stop,
        how: tuple[str, ...] = (),
        beat_s: float = BEAT_S,
        first_wait_s: float = _FIRST_WAIT_S,
    ) -> None:
        self._source = source
        self._folder = folder
        self._measure = measure
        self._pack = pack
        self._how = how
        self._stop = stop
        self._beat_s = beat_s
        self._first_wait_s = first_wait_s

    def run(self, *, once: bool = False) -> bool:
        """Work until it is stopped.

        Args:
            once: end after the first job, or when there is none.

        Returns:
            Whether every job that it had was handed in.
        """
        well = True
        for kept in self._folder.kept():
            done = None if self._stop.is_asked else self._resume(kept)
            well = well and done is not False
            if once and done is not None:
                return well
        wait_s = self._first_wait_s
        while not self._stop.is_asked:
            try:
                job = self._source.take()
            except BreakError as error:
                # Any other error is raised: a token that is not for this would not be mended by waiting.
                say(f"no job could be asked for: {error.message}")
                job = None
            if job is not None:
                wait_s = self._first_wait_s
                say(f"job {job.id}, attempt {job.attempt}: {job.model}, {job.task}")
                self._folder.keep(Kept(assignment=job))
                well = self._work(Kept(assignment=job)) and well
                if once:
                    break
                continue
            if once:
                say("there is no job")
                break
            # Workers that were started together do not ask together for ever.
            self._stop.wait(wait_s * random.uniform(0.8, 1.2))
            wait_s = min(1.5 * wait_s, _LONGEST_WAIT_S)
        return well

    def _resume(self, kept: Kept) -> bool | None:
        """Go on with a job that was held when the worker ended; one that is another's by now is let go.

        Returns:
            Whether it was handed in; None where it is not this worker's any more, or it is to stop.
        """
        job = kept.assignment
        try:
            self._patiently(lambda: self._source.beat(job), self._stop)
        except LeaseLostError:
            say(f"job {job.id}: {_LOST}; it is another worker's now, or is done")
            self._folder.forget(job)
            return None
        if self._stop.is_asked:
            return None
        if kept.begun >= _MOST_BEGUN and self._folder.finished(job, self._how) is None:
            self._give_back(job, "the worker ended in the middle of it, twice", again=True)
            return False
        say(f"job {job.id}: going on with it")
        return self._work(kept)

    def _work(self, kept: Kept) -> bool:
        """Do a job that is held. Returns whether it was handed in."""
        job = kept.assignment
        with self._heartbeat(job) as ending:
            try:
                run = self._folder.finished(job, self._how) or self._measured(kept, ending)
                submission = self._packed(job, run)
                made = self._patiently(lambda: self._source.hand_in(job, submission, ending), ending)
                if made is not None:
                    say(f"job {job.id}: handed in as submission {made}")
                    self._folder.forget(job)
                    return True
            except LeaseLostError:
                ending.ask(_LOST)
            except MeasuringFailedError as error:
                if not ending.is_asked:
                    self._give_back(job, error.message, again=error.again)
                    return False
            except ScorekitError as error:
                if not ending.is_asked:
                    self._give_up(job, error)
                    return False
        if ending.why == _LOST:
            say(f"job {job.id}: {_LOST}; it is another worker's now, or is done")
            self._folder.forget(job)
        else:
            self._give_back(job, f"the worker was stopped: {ending.why}", again=True)
        return False

    def _measured(self, kept: Kept, ending: Stop) -> Path:
        job = kept.assignment
        self._folder.keep(Kept(assignment=job, begun=kept.begun + 1))
        attempt = self._folder.attempt(job)
        run = self._measure(job, attempt, ending)
        self._folder.measured(attempt, run, self._how)
        return run

    def _packed(self, job: Assignment, run: Path) -> Path:
        path = self._folder.submission(job, run)
        if not path.is_file():
            atomic.write_bytes(path, self._pack(run), elsewhere="--runs DIR")
        return path

    def _give_up(self, job: Assignment, error: ScorekitError) -> None:
        """What was measured cannot be packed or is not taken: it would not be the next time either."""
        run = self._folder.finished(job, self._how)
        if run is not None:
            self._folder.discard(run)
        self._give_back(job, f"what was measured could not be handed in: {error.message}", again=False)

    def _give_back(self, job: Assignment, why: str, *, again: bool) -> None:
        say(f"job {job.id}: {'given back' if again else 'failed'}: {why}")
        for number in range(_GIVING_BACK_TRIES):
            if number:
                # Even when it is to stop: a job that is given back need not wait for its lease to run out.
                time.sleep(_GIVING_BACK_WAIT_S * 2 ** (number - 1))
            try:
                self._source.give_back(job, why, again=again)
                break
            except LeaseLostError:
                break
            except ScorekitError as error:
                say(f"job {job.id}: it could not be given back: {error.message}")
        # The portal takes it back by itself when nothing is heard of it.
        self._folder.forget(job)

    def _patiently(self, ask: Callable[[], T], stop: Stop) -> T | None:
        """Ask until the portal answers. Returns None where it is to stop before."""
        wait_s = self._first_wait_s
        while not stop.is_asked:
            try:
                return ask()
            except BreakError as error:
                say(f"the portal does not answer: {error.message}")
            stop.wait(wait_s)
            wait_s = min(1.5 * wait_s, _LONGEST_WAIT_S)
        return None

    @contextlib.contextmanager
    def _heartbeat(self, job: Assignment) -> Iterator[Stop]:
        """Keep a job until the block ends.

        Yields:
            Asked when the worker is to stop, or the lease is lost.
        """
        ending, done = Stop(), threading.Event()

        def beat() -> None:
            while not done.wait(self._beat_s):
                try:
                    self._source.beat(job)
                except LeaseLostError:
                    ending.ask(_LOST)
                    return
                except ScorekitError as error:
                    # Nobody has taken it yet as far as is known; a portal that comes back may find it still held.
                    say(f"job {job.id}: no heartbeat: {error.message}")

        thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
        thread.start()
        try:
            with self._stop.telling(lambda: ending.ask(self._stop.why or "")):
                yield ending
        finally:
            done.set()
            thread.join()
