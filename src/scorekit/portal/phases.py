"""How far a measurement is, passed on to people while it runs: its phases, and once a minute that it goes on."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

LOOK_S: Final = 1.0
QUIET_S: Final = 60.0
"""After which it is told that the measurement goes on."""
_PHASE: Final = re.compile(
    r"repeat \d+/\d+: |loading the (?:dataset|model) |warming up|waiting for |measuring the GPU "
)
"""How `scorekit bench` begins what it says of its phases; all else in its log is for whoever looks into it."""
_MOST_BYTES: Final = 64 * 1024
_LONGEST: Final = 200


@contextlib.contextmanager
def passed_on(
    log: Path, tell: Callable[[str], None], *, look_s: float = LOOK_S, quiet_s: float = QUIET_S
) -> Iterator[None]:
    """Until the block ends, tell each phase that a measurement's log names, and that it goes on where it names none.

    Args:
        log: what the measurement writes; it need not be there yet.
        tell: told one line each.
        look_s: time between two looks.
        quiet_s: after which it is told that the measurement goes on.
    """
    done = threading.Event()
    thread = threading.Thread(target=_follow, args=(log, tell, done, look_s, quiet_s), name="phases", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _follow(log: Path, tell: Callable[[str], None], done: threading.Event, look_s: float, quiet_s: float) -> None:
    began_s = told_s = time.monotonic()
    at, rest, phase = 0, b"", ""
    last = False
    while not last:
        # What came just before the end is told too.
        last = done.wait(look_s)
        at, more = _after(log, at)
        *lines, rest = (rest + more)[-_MOST_BYTES:].split(b"\n")
        for line in lines:
            text = line.decode("utf-8", "replace").rsplit("\r", 1)[-1].strip()[:_LONGEST]
            if text != phase and _PHASE.match(text):
                phase, told_s = text, time.monotonic()
                tell(text)
        if not last and time.monotonic() - told_s >= quiet_s:
            told_s = time.monotonic()
            tell(f"still measuring after {(told_s - began_s) / 60:.0f} min{'; ' if phase else ''}{phase}")


def _after(log: Path, at: int) -> tuple[int, bytes]:
    """What was written since, and where it ends; of very much only the last."""
    try:
        with log.open("rb") as file:
            file.seek(max(at, log.stat().st_size - _MOST_BYTES))
            more = file.read()
            return file.tell(), more
    except OSError:
        return at, b""
