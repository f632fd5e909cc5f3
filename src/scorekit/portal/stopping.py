"""The wish that something end: told at once to whoever works on it, from another thread or a signal's handler."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator


class Stop:
    """A wish that something end. It is made once and never taken back."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._told: list[Callable[[], None]] = []
        # A signal's handler may come in while the same thread holds it.
        self._lock = threading.RLock()
        self.why: str | None = None

    def ask(self, why: str) -> None:
        """Wish it."""
        with self._lock:
            if self._event.is_set():
                return
            self.why = why
            self._event.set()
            told = tuple(self._told)
        for tell in told:
            tell()

    @property
    def is_asked(self) -> bool:
        """Whether it has been wished."""
        return self._event.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Sleep, but no longer than until it is wished. Returns whether it is."""
        return self._event.wait(timeout_s)

    @contextlib.contextmanager
    def telling(self, tell: Callable[[], None]) -> Iterator[None]:
        """Until the block ends, have a function called when it is wished; at once where it is wished already."""
        with self._lock:
            self._told.append(tell)
            asked = self._event.is_set()
        if asked:
            tell()
        try:
            yield
        finally:
            with self._lock:
                self._told.remove(tell)
