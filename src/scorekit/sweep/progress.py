"""How far a sweep is, for people: a live table in a terminal, a line for each job that begins or ends elsewhere.

It looks at what the jobs leave, whatever engine runs them, and so rarely that it disturbs no reading: every other
second, and less often the longer a look takes.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Final

from scorekit.messages import one_line
from scorekit.records import SweepJob
from scorekit.sweep import plan
from scorekit.sweep.done import JobState, State
from scorekit.sweep.failures import failure
from scorekit.units import kwh_to_wh

if TYPE_CHECKING:
    from rich.table import Table

_LOOK_S: Final = 2.0
_MOST_SHARE: Final = 0.05
"""Of the time no more than this is spent with looking."""
_ENDED: Final = frozenset({"done", "invalid", "failed", "lost"})
STATES: Final[tuple[State, ...]] = ("done", "running", "missing", "invalid", "failed", "lost")


@dataclass(frozen=True, slots=True)
class Summary:
    """A sweep at one moment.

    Attributes:
        jobs: of the plan.
        by_state: how many jobs are in each state.
        energy_wh: of all repeats of the results measured so far; of no others is it known.
        left_s: time that is left; None before the first job has ended.
    """

    jobs: int
    by_state: dict[State, int]
    energy_wh: float
    left_s: float | None


def summary(states: Sequence[JobState], tried: frozenset[str] = frozenset()) -> Summary:
    """What states come to.

    Args:
        states: of all jobs.
        tried: ids of the jobs that were tried in this sweep and ended; they are not tried again.
    """
    counts = Counter(state.state for state in states)
    scores = [state.accepted.score for state in states if state.accepted is not None]
    durations = [
        state.attempt.duration_s
        for state in states
        if state.state == "done" and state.attempt is not None and state.attempt.duration_s is not None
    ]
    left = sum(state.state != "done" and state.job.id not in tried for state in states)
    mean_s = sum(durations) / len(durations) if durations else None
    return Summary(
        jobs=len(states),
        by_state={state: counts[state] for state in STATES},
        energy_wh=sum(kwh_to_wh(score.energy_kwh) * score.runs for score in scores if score is not None),
        left_s=0.0 if not left else None if mean_s is None else mean_s * left / max(1, counts["running"]),
    )


class Board:
    """Shows a sweep while the block lasts.

    Args:
        states: of all jobs, before it begins.
        look: what has become of a job.
        stream: stderr.
    """

    def __init__(self, states: Iterable[JobState], look: Callable[[SweepJob], JobState], stream: IO[str]) -> None:
        self._states = {state.job.id: state for state in states}
        # What failed in an earlier sweep is tried again: only a new attempt is news.
        self._before = {key: _attempt(state) for key, state in self._states.items()}
        self._look, self._stream = look, stream
        self._tried: set[str] = set()
        self._begun: set[str] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="sweep-progress", daemon=True)
        self._live: Any = None

    def __enter__(self) -> Board:
        if self._stream.isatty():
            from rich.console import Console
            from rich.live import Live

            console = Console(file=self._stream)
            self._live = Live(self._table(), console=console, auto_refresh=False, transient=True)
            self._live.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()
        self.refresh()
        if self._live is not None:
            self._live.stop()

    def refresh(self) -> None:
        """Look at every job that has not ended, and show what is new."""
        for key, state in self._states.items():
            if state.state == "done" or key in self._tried:
                continue
            now = self._look(state.job)
            self._states[key] = now
            if now.state in _ENDED and (now.state == "done" or _attempt(now) != self._before[key]):
                self._tried.add(key)
                self._tell(now)
            elif now.state == "running" and key not in self._begun:
                self._begun.add(key)
                if self._live is None:
                    line = f"{now.job.task}: {plan.shown(now.job)}: measuring ..."
                    print(one_line(line), file=self._stream, flush=True)
        if self._live is not None:
            self._live.update(self._table(), refresh=True)

    def _watch(self) -> None:
        pause = _LOOK_S
        while not self._end.wait(pause):
            begun = time.monotonic()
            self.refresh()
            pause = max(_LOOK_S, (time.monotonic() - begun) / _MOST_SHARE)

    def _tell(self, state: JobState) -> None:
        number = sum(each.state == "done" or key in self._tried for key, each in self._states.items())
        line = f"[{number}/{len(self._states)}] {state.job.task}: {plan.shown(state.job)}: {_outcome(state)}"
        if self._live is not None:
            from rich.text import Text

            self._live.console.print(Text(one_line(line)))
        else:
            print(one_line(line), file=self._stream, flush=True)

    def _table(self) -> Table:
        from rich.table import Table

        now = summary(list(self._states.values()), frozenset(self._tried))
        table = Table(box=None, pad_edge=False)
        for state in STATES:
            table.add_column("to do" if state == "missing" else state, justify="right")
        table.add_column("energy", justify="right")
        table.add_column("left", justify="right")
        left = "unknown" if now.left_s is None else length(now.left_s)
        table.add_row(*(str(now.by_state[state]) for state in STATES), f"{now.energy_wh:.4g} Wh", left)
        return table


def length(duration_s: float) -> str:
    """A length of time in the two largest units."""
    seconds = round(duration_s)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def _attempt(state: JobState) -> int | None:
    return None if state.attempt is None else state.attempt.number


def _outcome(state: JobState) -> str:
    took = state.attempt.duration_s if state.attempt is not None else None
    after = "" if took is None else f" in {length(took)}"
    if state.accepted is not None:
        score = state.accepted.score
        return f"done{after}" + (f", {score.wh_per_1000_queries:.4g} Wh per 1,000 queries" if score else "")
    found = failure(state)
    return f"{state.state}{after}" + (f": {found.kind}: {found.message}" if found else "")
