"""A portal as its workers see it: jobs to take and keep, and measurements to hand in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from pydantic import ValidationError

from scorekit.errors import UsageError
from scorekit.messages import say
from scorekit.portal.assignments import Assignment
from scorekit.portal.calls import WORKER, AnswerError, Calls
from scorekit.portal.client import submit
from scorekit.portal.patience import Patience
from scorekit.portal.stopping import Stop
from scorekit.portal.worker import LeaseLostError
from scorekit.submission import CLAUSES

_TRIES: Final = 3
_GONE: Final = frozenset({404, 409})


class PortalSource:
    """The jobs of a portal.

    Args:
        portal: its address.
        token: of a worker.
        name: of the worker, for people.
        stop: ends waiting.
        insecure: whether the token may travel in the clear to another machine.

    Raises:
        As `Calls`.
    """

    def __init__(self, portal: str, token: str, name: str, stop: Stop, *, insecure: bool = False) -> None:
        self._portal = portal
        self._token = token
        self._name = name
        self._insecure = insecure
        self._calls = Calls(portal, token, insecure=insecure, role=WORKER, patience=_patience(stop))
        # A heartbeat does not wait behind another call.
        self._beats = Calls(portal, token, insecure=insecure, role=WORKER, patience=Patience(tries=1))

    def __enter__(self) -> PortalSource:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for calls in (self._calls, self._beats):
            calls.__exit__(kind, error, at)

    def take(self) -> Assignment | None:
        """A job; None where there is none.

        Raises:
            AnswerError: the token is not for this.
            BreakError: the portal does not answer.
        """
        answer = self._calls.call("POST", "/jobs/take", json={"worker": self._name})
        if answer.status_code == 204:
            return None
        try:
            told = answer.json()
            return Assignment.model_validate({name: told.get(name) for name in _FIELDS})
        except (ValueError, AttributeError, ValidationError) as error:
            raise UsageError(
                "the portal gives a job in a form that is not known here", mend="update scorekit, here or there"
            ) from error

    def beat(self, job: Assignment) -> None:
        """Keep a job.

        Raises:
            LeaseLostError: it is another worker's, or done.
            BreakError: the portal does not answer.
        """
        _held(lambda: self._beats.call("POST", f"/jobs/{job.id}/beat", json={"lease": job.lease}))

    def give_back(self, job: Assignment, error: str, *, again: bool) -> None:
        """End an attempt without a result; raises as `beat`."""
        told = {"lease": job.lease, "error": error, "again": again}
        _held(lambda: self._calls.call("POST", f"/jobs/{job.id}/give-back", json=told))

    def hand_in(self, job: Assignment, submission: Path, stop: Stop) -> str:
        """Hand in what was measured for a job.

        Returns:
            Id of the submission.

        Raises:
            LeaseLostError: the job is another worker's, or done.
            AnswerError: the portal does not take it.
            BreakError: the portal does not answer.
        """
        accepted = {clause.name for clause in CLAUSES}
        handed = _held(
            lambda: submit(
                submission, self._portal, self._token, accepted, job=(job.id, job.lease), insecure=self._insecure,
                tell=say, patience=_patience(stop),
            )
        )  # fmt: skip
        return str(handed.id)


_FIELDS: Final = tuple(name for name in Assignment.model_fields if name != "schema_version")


def _held(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except AnswerError as error:
        if error.status in _GONE:
            raise LeaseLostError(error.message, mend=error.mend) from error
        raise


def _patience(stop: Stop) -> Patience:
    def sleep(seconds: float) -> None:
        stop.wait(seconds)

    return Patience(tries=_TRIES, sleep=sleep)
