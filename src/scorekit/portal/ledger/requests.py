"""Requests of open models: asked for by anybody who may hand in, decided by an operator, measured by a worker."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select
from sqlalchemy.exc import IntegrityError

from scorekit import tasks
from scorekit.errors import UsageError
from scorekit.portal.ledger.people import Actor, new_id
from scorekit.portal.ledger.refusals import NotThereError, TooLateError, TooMuchError, WrongContentError
from scorekit.portal.ledger.texts import plain
from scorekit.portal.storage import Storage, audit
from scorekit.portal.storage.tables import requests

_HUB_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?")
_REVISION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}")
MOST_NOTE: Final = 2000
MOST_WAITING: Final = 100
"""Requests of one account that no operator has decided."""


@dataclass(frozen=True, slots=True)
class MeasurementRequest:
    """A request to measure an open model.

    Attributes:
        id: of it.
        account_id: who asks.
        model: its name on the Hub.
        revision: of its repository; None for the newest.
        task: config name.
        model_class: of a task with classes, as the one who asks says.
        note: in their words.
        state: waiting, declined, queued, measured or failed.
        created_at: when it was asked for.
        state_at: since when it is in its state.
    """

    id: str
    account_id: str
    model: str
    revision: str | None
    task: str
    model_class: str | None
    note: str
    state: str
    created_at: datetime
    state_at: datetime


def ask(
    storage: Storage,
    actor: Actor,
    model: str,
    task: str,
    *,
    revision: str | None = None,
    model_class: str | None = None,
    note: str = "",
) -> MeasurementRequest:
    """Ask for a measurement; of what is asked for already, that request is the answer.

    Raises:
        WrongContentError: no name of the Hub, no task of the protocol, or a class where there is none.
        TooMuchError: too many of this account's requests wait.
    """
    name = _checked(model, task, revision, model_class, note)
    note = plain(note).strip()
    key = hashlib.sha256(json.dumps([model, revision, name, model_class]).encode()).hexdigest()
    now = storage.now()
    request_id = new_id()
    try:
        with storage.database.begin() as connection:
            row = connection.execute(select(requests).where(requests.c.open_key == key)).one_or_none()
            if row is None:
                _require_few(connection, actor)
                connection.execute(
                    insert(requests).values(
                        id=request_id, account_id=actor.account_id, model=model, revision=revision, task=name,
                        model_class=model_class, note=note, open_key=key, state="waiting", created_at=now, state_at=now,
                    )
                )  # fmt: skip
                audit.append(connection, now, actor.account_id, "request.ask", request_id, {"task": name})
                row = connection.execute(select(requests).where(requests.c.id == request_id)).one()
    except IntegrityError:
        # Two of the same at once, in PostgreSQL: the other one was first.
        with storage.database.read() as connection:
            row = connection.execute(select(requests).where(requests.c.open_key == key)).one_or_none()
        if row is None:
            raise TooLateError(
                "the same was asked for and decided at this moment", mend="look at the requests"
            ) from None
    return _request(row)


def find(storage: Storage, request_id: str) -> MeasurementRequest:
    """A request; requests are open to everybody who may log in.

    Raises:
        NotThereError: there is none.
    """
    with storage.database.read() as connection:
        row = connection.execute(select(requests).where(requests.c.id == request_id)).one_or_none()
    if row is None:
        raise NotThereError("there is no such request", mend="look at its address")
    return _request(row)


def listed(
    storage: Storage, *, state: str | None = None, account_id: str | None = None, offset: int = 0, limit: int = 50
) -> tuple[list[MeasurementRequest], int]:
    """Requests, the newest first; those that wait, the oldest first. Returns them and how many there are."""
    wanted = select(requests)
    if state is not None:
        wanted = wanted.where(requests.c.state == state)
    if account_id is not None:
        wanted = wanted.where(requests.c.account_id == account_id)
    order = requests.c.created_at if state == "waiting" else requests.c.created_at.desc()
    with storage.database.read() as connection:
        count = connection.execute(select(func.count()).select_from(wanted.subquery())).scalar_one()
        rows = connection.execute(wanted.order_by(order, requests.c.id).offset(offset).limit(limit)).all()
    return [_request(row) for row in rows], count


def _checked(model: str, task: str, revision: str | None, model_class: str | None, note: str) -> str:
    """The config name of the task."""
    if not _HUB_ID.fullmatch(model) or ".." in model or "--" in model:
        raise WrongContentError(f"{model[:80]!r} is no name of a model on the Hub", mend="e.g. openai-community/gpt2")
    if revision is not None and (not _REVISION.fullmatch(revision) or ".." in revision):
        raise WrongContentError(
            f"{revision[:80]!r} is no revision", mend="give a commit, branch or tag, or leave it out"
        )
    if len(note) > MOST_NOTE:
        raise WrongContentError(f"the note has {len(note):,} signs", mend=f"write at most {MOST_NOTE:,}")
    try:
        found = tasks.find(task)
    except UsageError as error:
        raise WrongContentError(error.message, mend=error.mend) from error
    if model_class is not None and model_class not in ("A", "B", "C"):
        raise WrongContentError(f"{model_class[:20]!r} is no class", mend="A, B or C")
    classed = found.cohort in tasks.CLASSED_COHORTS
    if classed != (model_class is not None):
        raise WrongContentError(
            f"{found.name} has {'classes' if classed else 'no classes'}",
            mend="choose A, B or C" if classed else "leave the class out",
        )
    return found.name


def _require_few(connection: Connection, actor: Actor) -> None:
    waiting = connection.execute(
        select(func.count())
        .select_from(requests)
        .where(requests.c.account_id == actor.account_id, requests.c.state == "waiting")
    ).scalar_one()
    if waiting >= MOST_WAITING:
        raise TooMuchError(f"{waiting} of your requests wait for an operator", mend="wait until some are decided")


def _request(row: Row[Any]) -> MeasurementRequest:
    return MeasurementRequest(
        row.id, row.account_id, row.model, row.revision, row.task, row.model_class, row.note, row.state,
        row.created_at, row.state_at,
    )  # fmt: skip
