"""A job on its way through an engine, and an engine at work."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Timed:
    """One job, in s.

    Attributes:
        wall_s: from its handing over until the engine had it no more.
        start_s: from its handing over until its process began.
        measuring_s: what of it was measuring.
        ready_s: from the beginning of its process until its scenario began; of a bare job, until it had imported.
        kept_s: from the end of its last window until its result was written; None for a bare job, like the next.
        noticed_s: from the end of its work until the sweep's driver knew of it.
    """

    wall_s: float
    start_s: float
    measuring_s: float = 0.0
    ready_s: float = 0.0
    kept_s: float | None = None
    noticed_s: float | None = None

    @property
    def cost_s(self) -> float:
        """What it cost beside its measuring."""
        return self.wall_s - self.measuring_s

    @property
    def before_s(self) -> float:
        """From its handing over until it measured, or a bare job had nothing more to do."""
        return self.start_s + self.ready_s

    @property
    def after_s(self) -> float:
        """From the end of that until the engine had it no more."""
        return self.cost_s - self.before_s


@dataclass(slots=True)
class Marks:
    """Moments of a job on its way, in s since 1970: engines tell theirs so."""

    handed_s: float = 0.0
    gone_s: float = 0.0
    noticed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine at work.

    Attributes:
        name: of its launcher.
        bare: does a bare job.
        marked: notes the moments of the one job that a sweep in this process hands over within the block.
        words: Hydra's settings of its launcher.
    """

    name: str
    bare: Callable[[], Timed]
    marked: Callable[[Marks], contextlib.AbstractContextManager[None]]
    words: Sequence[str] = field(default=())
