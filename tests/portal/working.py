"""Workers in the same process as the ledger of the portal that they work for."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from scorekit.portal.assignments import Assignment
from scorekit.portal.ledger import decisions, jobs, requests
from scorekit.portal.ledger.people import Actor
from scorekit.portal.ledger.refusals import TooLateError
from scorekit.portal.opened import Portal
from scorekit.portal.stopping import Stop
from scorekit.portal.worker import LeaseLostError
from tests.portal.measured import hand_in


class LedgerSource:
    """A portal's jobs without the network between; what is put into `errors` is raised first, once each."""

    def __init__(self, portal: Portal, actor: Actor) -> None:
        self.portal = portal
        self.actor = actor
        self.errors: dict[str, list[Exception]] = {}
        self.told: list[str] = []

    def take(self) -> Assignment | None:
        self._raise("take")
        found = jobs.take(self.portal.storage, self.actor, "test")
        if found is None:
            return None
        return Assignment(
            id=found.id, lease=found.lease, attempt=found.attempt, model=found.model, revision=found.revision,
            task=found.task, model_class=found.model_class,
        )  # fmt: skip

    def beat(self, job: Assignment) -> None:
        self._raise("beat")
        with _lost():
            jobs.beat(self.portal.storage, self.actor, job.id, job.lease)

    def give_back(self, job: Assignment, error: str, *, again: bool) -> None:
        self._raise("give_back")
        self.told.append(error)
        with _lost():
            jobs.give_back(self.portal.storage, self.actor, job.id, job.lease, error, again=again)

    def hand_in(self, job: Assignment, submission: Path, _stop: Stop) -> str:
        self._raise("hand_in")
        with _lost():
            return hand_in(self.portal, self.actor, submission.read_bytes(), job=(job.id, job.lease)).id

    def _raise(self, name: str) -> None:
        if waiting := self.errors.get(name):
            raise waiting.pop(0)


def wanted(portal: Portal, submitter: Actor, operator: Actor, model: str = "example/model-1b") -> str:
    """Have a measurement asked for and accepted; id of the request."""
    asked = requests.ask(portal.storage, submitter, model, "text_generation", model_class="A")
    decisions.decide_request(portal.storage, operator, asked.id, "accept", "open, and not measured yet")
    return asked.id


def copying(run: Path, measured: list[Path] | None = None) -> Callable[[Assignment, Path, Stop], Path]:
    """A measurement that copies a run."""

    def measure(_job: Assignment, folder: Path, _stop: Stop) -> Path:
        if measured is not None:
            measured.append(folder)
        return Path(shutil.copytree(run, folder / "run"))

    return measure


class _lost:  # noqa: N801 - reads as the block that it is
    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _at: object) -> None:
        if isinstance(error, TooLateError):
            raise LeaseLostError(error.message) from error
