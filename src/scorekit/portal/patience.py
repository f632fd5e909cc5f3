"""How long something that broke is tried again: how often, how far apart, and what is told of it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from scorekit.errors import ScorekitError


class BreakError(ScorekitError):
    """The connection broke, or the portal cannot answer just now; the same call may succeed later.

    Attributes:
        retry_after_s: what the portal said; None where it said nothing.
    """

    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on where nothing goes forward.

    Attributes:
        tries: without any progress; the last one's error is the end.
        first_wait_s: before the second try; each wait is twice the one before.
        longest_wait_s: between two tries.
        longest_told_s: that the portal may ask for by Retry-After.
        tries_to_reach: tries of one who has had no answer at all yet; None for as many as later.
        advice: told with the first wait of one who has had no answer yet.
        sleep: waits.
    """

    tries: int = 10
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0
    longest_told_s: float = 300.0
    tries_to_reach: int | None = None
    advice: str = ""
    sleep: Callable[[float], None] = time.sleep

    def wait_s(self, failed: int) -> float:
        """How long to wait at most after so many failed tries, where the portal asks for no longer wait."""
        return min(self.longest_wait_s, self.first_wait_s * 2.0 ** (failed - 1))

    def after_contact(self) -> Patience:
        """The patience with one that has answered: its address is right, and it will be back."""
        return replace(self, tries_to_reach=None, advice="")

    def before_contact(self) -> Patience:
        """The patience with one that has never answered: it may be starting, or the address may be wrong."""
        return self if self.tries_to_reach is None else replace(self, tries=min(self.tries, self.tries_to_reach))

    def waits_s(self) -> float:
        """All waits together, at most, until the last try."""
        return sum(self.wait_s(failed) for failed in range(1, self.tries))


class Tries:
    """Tries of one thing, counted since it last went forward.

    Args:
        patience: how many, how far apart.
        tell: told what broke, and when the next try comes.
    """

    def __init__(self, patience: Patience, tell: Callable[[str], None]) -> None:
        self._patience = patience
        self._tell = tell
        self._failed = 0

    def went_forward(self) -> None:
        """Begin to count anew."""
        self._failed = 0

    def wait(self, error: BreakError) -> None:
        """Wait before the next try.

        Raises:
            BreakError: there is none.
        """
        self._failed += 1
        patience = self._patience
        if self._failed >= patience.tries:
            raise error
        # Many that were cut off at once do not come back at once.
        wait_s = patience.wait_s(self._failed) * random.uniform(0.7, 1.0)
        if error.retry_after_s is not None:
            if error.retry_after_s > patience.longest_told_s:
                raise error
            wait_s = max(wait_s, error.retry_after_s)
        shown = f"{wait_s:.0f}" if wait_s >= 10 else f"{wait_s:.1f}"
        end = f", for about {patience.waits_s():.0f} s in all" if self._failed == 1 else ""
        advice = f"; {patience.advice}" if self._failed == 1 and patience.advice else ""
        told = f"{error.message}; trying again in {shown} s (try {self._failed + 1} of {patience.tries}{end}){advice}"
        self._tell(told)
        patience.sleep(wait_s)
