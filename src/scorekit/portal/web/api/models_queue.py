"""What the API takes and gives of requests and of the jobs that come of them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from scorekit.portal.ledger.decisions import Decision
from scorekit.portal.ledger.jobs import Job
from scorekit.portal.ledger.requests import MOST_NOTE, MeasurementRequest
from scorekit.portal.web.api.models import DecisionTold, Id, Name, Words, example
from scorekit.records import Record

RequestState = Literal["waiting", "declined", "queued", "measured", "failed"]
ModelClass = Literal["A", "B", "C"]


class RequestMade(Record):
    """A wish to have an open model measured."""

    model_config = example(model="openai-community/gpt2", task="text_generation", model_class="A")

    model: Name = Field(description="Its name on the Hub.")
    task: Name = Field(description="By its config name or its name on the leaderboard.")
    revision: Name | None = Field(default=None, description="Commit, branch or tag; null for the newest.")
    model_class: ModelClass | None = Field(default=None, description="Size class, of a task that has classes.")
    note: Words = Field(default="", max_length=MOST_NOTE, description="For the operator.")


class RequestJob(Record):
    """How far the measurement of a request is."""

    state: Literal["queued", "leased", "done", "failed"]
    attempts: int = Field(ge=0)


class RequestTold(Record):
    """A request, and how far it is."""

    id: Id
    model: str
    revision: str | None
    task: str = Field(description="Config name.")
    model_class: ModelClass | None
    note: str
    state: RequestState
    created_at: datetime
    state_at: datetime = Field(description="Since when it is in its state.")
    job: RequestJob | None = Field(default=None, description="Null until an operator accepted it, and in lists.")
    decision: DecisionTold | None = Field(default=None, description="Null until an operator decided, and in lists.")

    @classmethod
    def of(cls, found: MeasurementRequest, job: Job | None = None, decision: Decision | None = None) -> RequestTold:
        """Of the ledger's."""
        return cls(
            id=found.id, model=found.model, revision=found.revision, task=found.task,
            model_class=found.model_class,
            note=found.note, state=found.state,
            created_at=found.created_at, state_at=found.state_at,
            job=None if job is None else RequestJob(state=job.state, attempts=job.attempt),
            decision=None if decision is None else DecisionTold.of(decision),
        )  # fmt: skip


class RequestList(Record):
    """Some of the requests."""

    items: tuple[RequestTold, ...]
    total: int = Field(ge=0, description="How many there are altogether.")


class JobWanted(Record):
    """A worker that is free."""

    worker: Name = Field(description="Name of the worker, for people.", examples=["gpu-1"])


class JobTold(Record):
    """A job that a worker holds."""

    id: Id
    lease: Id = Field(description="To be named with everything that is told of the job.")
    lease_until: datetime = Field(description="When it is given to another, unless a heartbeat comes.")
    attempt: int = Field(ge=1, description="Number of this attempt.")
    model: str = Field(description="Name on the Hub.")
    revision: str | None
    task: str = Field(description="Config name.")
    model_class: ModelClass | None
    last_error: str | None = Field(description="Of the attempt before.")

    @classmethod
    def of(cls, job: Job) -> JobTold:
        """Of the ledger's."""
        return cls(
            id=job.id, lease=job.lease, lease_until=job.lease_until,
            attempt=job.attempt, model=job.model, revision=job.revision, task=job.task,
            model_class=job.model_class,
            last_error=job.last_error,
        )  # fmt: skip


class Beat(Record):
    """A worker that still works on its job."""

    lease: Id


class BeatTold(Record):
    """How long the worker holds the job now."""

    lease_until: datetime


class GivenBack(Record):
    """An attempt that ended without a result."""

    lease: Id
    error: Words = Field(max_length=20_000, description="What went wrong, for people.")
    again: bool = Field(description="Whether another attempt may do better.")


class GivenBackTold(Record):
    """What becomes of the job."""

    state: Literal["queued", "failed"]
