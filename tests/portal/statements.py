"""A watch over the statements of transactions: none waits for a row once it holds the end of the audit log."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, event

from scorekit.portal.storage import Database

_WRITES: Final = re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)|FOR (NO KEY )?UPDATE(?! SKIP)")
_OF_THE_LOG: Final = re.compile(r"\s*(INSERT INTO audit\b|UPDATE audit_head\b|SELECT .*FROM audit_head\b)", re.DOTALL)


def watch(database: Database) -> Callable[[], list[str]]:
    """Watch a database; the answer tells which statements could make two transactions wait for each other."""
    late: list[str] = []

    def look(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if _OF_THE_LOG.match(statement):
            connection.info["holds"] = connection.get_transaction()
        elif connection.info.get("holds") is connection.get_transaction() and _WRITES.search(statement):
            late.append(" ".join(statement.split()))

    event.listen(database.engine, "before_cursor_execute", look)
    return lambda: late
