"""What the portal tells its operator: one JSON object a line on stderr, without names, addresses, tokens or content.

    {"time": ..., "level": "info", "event": "request", "request": ..., "method": "GET",
     "route": "/submissions/{submission_id}", "status": 200, "duration_ms": 3.1}

An error is told by its kind and the places it came through: its message may hold what a stranger wrote, or a row.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

Level = Literal["info", "warning", "error"]
_LOCK: Final = threading.Lock()
_MOST_PLACES: Final = 12
_LEVELS: Final[dict[int, Level]] = {logging.WARNING: "warning", logging.ERROR: "error", logging.CRITICAL: "error"}


def tell(event: str, *, level: Level = "info", **facts: str | float | list[str] | None) -> None:
    """Write a line.

    Args:
        event: short name of what happened.
        level: how much it matters.
        facts: what else is to be known: ids, numbers and words of ours.
    """
    line = json.dumps(
        {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": level, "event": event, **facts},
        ensure_ascii=True,
    )
    with _LOCK:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def left_out(message: str) -> None:
    """What a results folder leaves out."""
    tell("results.left_out", level="warning", message=message[:300])


def failure(event: str, error: BaseException, *, request_id: str = "", tell_message: bool = False) -> None:
    """Write of an error: its kind and places.

    Args:
        event: short name of what failed.
        error: why.
        request_id: of the request that met it.
        tell_message: also what it says, of errors that speak of disks and databases alone.
    """
    facts: dict[str, str | float | list[str] | None] = {"error": type(error).__name__, "places": _places(error)}
    if request_id:
        facts["request"] = request_id
    if tell_message:
        cause = getattr(error, "orig", None) or error
        facts["message"] = " ".join(str(getattr(cause, "message", cause)).split())[:300]
    tell(event, level="error", **facts)


class Handler(logging.Handler):
    """Writes what libraries log: the form of their message without what they put into it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line of a record."""
        level = _LEVELS.get(record.levelno, "info")
        error = record.exc_info[1] if record.exc_info else None
        facts: dict[str, str | float | list[str] | None] = {"logger": record.name, "message": str(record.msg)[:200]}
        if not record.args and not record.name.startswith("uvicorn."):
            # Text that was put together before it came here may hold anything; the server's own is constant.
            facts["message"] = "(put together before it came here)"
        if error is not None:
            facts |= {"error": type(error).__name__, "places": _places(error)}
        tell("log", level=level, **facts)


def _places(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_PLACES:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
