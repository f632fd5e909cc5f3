"""Lists of submissions and quotas go by an index, however many submissions there are; on SQLite and on PostgreSQL."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, event, insert, text

from scorekit.portal.ledger import desk, room, submissions
from scorekit.portal.ledger.people import Actor
from scorekit.portal.opened import Portal
from scorekit.portal.storage import tables
from tests.portal.conftest import START
from tests.portal.made import digest

_OF_ACCOUNT = "ix_submissions_account_id_received_at"
_OF_ALL = "ix_submissions_received_at"
_OF_STATE = "ix_submissions_state_received_at"
_ACCOUNTS, _OF_EACH = 100, 80
_ALL_ELSE_IS_DEAR = ("enable_seqscan", "enable_sort")
_QUESTIONS: dict[str, tuple[str, Callable[[Portal, Actor, Actor], object]]] = {
    "mine": (_OF_ACCOUNT, lambda portal, me, _: submissions.listed(portal.storage, me)),
    "mine with verdicts": (
        _OF_ACCOUNT,
        lambda portal, me, _: submissions.listed(portal.storage, me, with_verdicts=True),
    ),
    "everybody's": (_OF_ALL, lambda portal, _, all_of: submissions.listed(portal.storage, all_of, everyone=True)),
    "what waits": (
        _OF_STATE,
        lambda portal, _, all_of: submissions.listed(portal.storage, all_of, everyone=True, state="waiting"),
    ),
    "quota": (_OF_ACCOUNT, lambda portal, me, _: room.require_account(portal.storage, me.account_id, 1, 10**9)),
    "past": (_OF_ACCOUNT, lambda portal, me, _: desk.past_of(portal.storage, me.account_id, "0" * 32)),
}


def test_each_goes_by_the_index_that_was_made_for_it(portal: Portal, submitter: Actor, operator: Actor) -> None:
    _fill(portal, submitter.account_id)
    asked: list[tuple[str, Any]] = []

    def keep(_connection: Connection, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "received_at" in statement and ("ORDER BY" in statement or "sum(" in statement):
            asked.append((statement, parameters))

    event.listen(portal.storage.database.engine, "before_cursor_execute", keep)
    for question, (index, ask) in _QUESTIONS.items():
        asked.clear()
        ask(portal, submitter, operator)
        assert asked, question
        with portal.storage.database.read() as connection:
            for statement, parameters in list(asked):
                assert index in _plan(connection, statement, parameters), question


def _fill(portal: Portal, mine: str) -> None:
    """Submissions of many accounts, one of them mine."""
    others = [f"{number:032x}" for number in range(1, _ACCOUNTS)]
    whose = [mine, *others]
    rows = [_row(number, whose[number % _ACCOUNTS]) for number in range(_ACCOUNTS * _OF_EACH)]
    with portal.storage.database.begin() as connection:
        connection.execute(
            insert(tables.accounts),
            [{"id": one, "name": one, "role": "submitter", "created_at": START} for one in others],
        )
        connection.execute(insert(tables.submissions), rows)
    with portal.storage.database.begin() as connection:
        connection.execute(text("ANALYZE"))


def _row(number: int, account_id: str) -> dict[str, Any]:
    at = START - datetime.timedelta(minutes=5 * number)
    sha256 = digest(str(number).encode())
    return {
        "id": sha256[:32], "account_id": account_id, "sha256": sha256, "size_bytes": 1, "clauses": "{}",
        "state": "refused" if number % 10 else "waiting", "received_at": at, "state_at": at, "attempts": 1,
    }  # fmt: skip


def _plan(connection: Connection, statement: str, parameters: Any) -> str:
    """How a database answers a question; for PostgreSQL it is made dear to read and sort all, as it is of very many."""
    if connection.dialect.name == "sqlite":
        return "\n".join(str(row) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters))
    for name in _ALL_ELSE_IS_DEAR:
        connection.execute(text(f"SET LOCAL {name} = off"))
    return "\n".join(str(row) for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters))
