"""The repeats of a run: which windows belong together, and whether each repeat is whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scorekit.errors import InvalidRunError, LogError
from scorekit.logs.one_pass import passes_of
from scorekit.records import Window
from scorekit.tasks import Kind
from scorekit.uncertainty import LEAST_REPEATS

_NOT_REPEATED: Final = ("load_dataset", "load_model", "idle_before", "idle_after")


@dataclass(frozen=True, slots=True)
class Repeat:
    """The windows of one repeat: preparing the inputs, answering, and a separate prefill pass if any.

    A server prepares its inputs by itself, within the window in which it answers.
    """

    number: int
    preprocess: Window | None
    answer: Window
    prefill: Window | None

    @property
    def counted(self) -> tuple[Window, ...]:
        """The windows whose energy makes the score."""
        return (self.answer,) if self.preprocess is None else (self.preprocess, self.answer)


def group_repeats(windows: Sequence[Window], kind: Kind, asked: int, *, adaptive: bool = False) -> list[Repeat]:
    """The repeats of a run, in order, each with all the windows that a score needs.

    Args:
        windows: every window of the run; those of loading and idling are left out.
        kind: how the model answers, which names the answering phase.
        asked: repeats that were asked for.
        adaptive: whether repeats ended as soon as their spread allowed: then there are at least three, and `asked` at
            most.

    Raises:
        LogError: a window does not say of which repeat it is, or stands twice.
        InvalidRunError: a repeat or a phase is missing, or a window has no length.
    """
    by_phase: dict[tuple[int, str], Window] = {}
    for window in windows:
        if window.phase in _NOT_REPEATED:
            continue
        if window.repeat is None:
            raise LogError(f"a window of phase {window.phase} does not say of which repeat it is")
        if (window.repeat, window.phase) in by_phase:
            raise LogError(f"repeat {window.repeat}, phase {window.phase} stands twice in the windows")
        by_phase[window.repeat, window.phase] = window
    numbers = sorted({number for number, _ in by_phase})
    enough = min(LEAST_REPEATS, asked) <= len(numbers) <= asked if adaptive else len(numbers) == asked
    if not enough or numbers != list(range(len(numbers))):
        expected = f"{LEAST_REPEATS} to {asked}" if adaptive and asked > LEAST_REPEATS else str(asked)
        raise InvalidRunError(
            f"{expected} repeats were asked for, but the windows hold {_numbers(numbers)}", mend="measure again"
        )
    repeats = []
    for number in numbers:
        for phase in ("serve",) if kind == "serve" else ("preprocess", kind):
            if (number, phase) not in by_phase:
                raise InvalidRunError(f"repeat {number}: there is no window of phase {phase}", mend="measure again")
            if by_phase[number, phase].duration_s <= 0:
                raise InvalidRunError(
                    f"repeat {number}, phase {phase} ends before it starts: the clock was changed",
                    mend="measure again",
                )
        repeats.append(
            Repeat(
                number=number,
                preprocess=by_phase.get((number, "preprocess")),
                answer=by_phase[number, kind],
                prefill=by_phase.get((number, "prefill")),
            )
        )
    if not repeats:
        raise InvalidRunError("the run has no repeat: there is nothing to score", mend="set scenario.runs to 1 or more")
    return repeats


def count_queries(repeats: Sequence[Repeat], asked: int) -> int:
    """Queries in one pass of each repeat, as counted where the model answered.

    Args:
        repeats: the run's repeats.
        asked: queries that each pass was to have.

    Raises:
        InvalidRunError: queries failed, were not counted, or are not as many as asked in every pass.
    """
    for repeat in repeats:
        for window in repeat.counted:
            where = f"repeat {repeat.number}, phase {window.phase}"
            if window.failures:
                raise InvalidRunError(
                    f"{where}: {window.failures} queries failed; their energy cannot be told from the rest",
                    mend="see the run's log for why they failed, and measure again",
                )
            # Only the window in which the model answers must count its queries; preparing them may leave it
            # out.
            if window.samples is None and window is repeat.preprocess:
                continue
            if not window.samples:
                raise InvalidRunError(f"{where}: no queries were counted", mend="measure again")
            if window.served is not None:
                continue  # Queries at the edges count in part; how many passes that makes is told.
            passes = passes_of(window)
            if window.samples != asked * passes:
                expected = f"{asked} in every repeat" if passes == 1 else f"{passes} passes of {asked}"
                raise InvalidRunError(
                    f"{where}: {window.samples} queries were counted, expected {expected}",
                    mend="measure again",
                )
    return asked


def _numbers(numbers: Sequence[int]) -> str:
    if not numbers:
        return "none"
    return f"{len(numbers)} (number{'' if len(numbers) == 1 else 's'} {', '.join(map(str, numbers))})"
