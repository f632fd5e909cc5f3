"""SIGINT and SIGTERM in the measuring process: raised where they come, and again where a library has swallowed them.

datasets catches every exception, these too, while it works out the fingerprint of a preprocessing, which is a good
part of a short one.
"""

from __future__ import annotations

import signal
from typing import Any

from scorekit.errors import TerminatedError

_told: type[KeyboardInterrupt] | None = None


def heed() -> None:
    """Take SIGINT and SIGTERM from now on; in the main thread only."""
    global _told
    _told = None
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)


def check() -> None:
    """Raise what a signal has raised before, if the work has gone on all the same.

    Raises:
        KeyboardInterrupt: SIGINT came.
        TerminatedError: SIGTERM came.
    """
    if _told is not None:
        raise _told


def _stop(number: int, _frame: Any) -> None:
    global _told
    _told = TerminatedError if number == signal.SIGTERM else KeyboardInterrupt
    raise _told
