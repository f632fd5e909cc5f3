"""Whether the times of a run can be true: none in the future, and both clocks of the machine agree."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import Final

from scorekit.records import Submission, VerdictReason, Window
from scorekit.submission.evidence_files import ENVIRONMENT, WINDOWS, PackedRun
from scorekit.submission.findings import AGAIN, refuse, review

AHEAD: Final = datetime.timedelta(minutes=5)
"""Clocks of two machines that are set by the network differ by less."""
BESIDE: Final = datetime.timedelta(minutes=10)
"""The environment is written between the first window and the last, or shortly before or after."""
_JUMP_S: Final = 2.0
_JUMP: Final = 0.01
"""How far the wall clock may go beside the monotonic one within a window: what setting it by the network does."""
_MEND: Final = "set the clock of the machine by the network, and measure again"


def judge(run: PackedRun, folder: str, submission: Submission, now: datetime.datetime) -> Iterator[VerdictReason]:
    """What is wrong with the times of a run.

    Args:
        run: as its files tell it.
        folder: of the run in the archive.
        submission: what it belongs to.
        now: the time at which it is verified.
    """
    file = f"{folder}/{WINDOWS}"
    try:
        spans = [(_time(window.start_utc), _time(window.end_utc)) for window in run.windows]
        written, packed = _time(run.environment.created_utc), _time(submission.created_utc)
    except ValueError as error:
        yield refuse("clock", f"a time cannot be read: {str(error)[:120]}", folder)
        return
    if not spans:
        return
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    for what, time, place in (
        ("the last window ends", last, file),
        ("the environment was written", written, f"{folder}/{ENVIRONMENT}"),
        ("it was packed", packed, "submission.json"),
    ):
        if time > now + AHEAD:
            yield refuse("future", f"{what} at {time.isoformat()}, which is still to come", place, _MEND)
    if packed < last:
        yield refuse("clock", "it was packed before its last window ended", "submission.json")
    if not first - BESIDE <= written <= last + BESIDE:
        yield refuse(
            "other_run",
            f"the environment was written at {written.isoformat()}, the windows are of {first.isoformat()} to "
            f"{last.isoformat()}",
            f"{folder}/{ENVIRONMENT}",
        )
    yield from _jumps(run.windows, spans, file)


def _jumps(
    windows: Sequence[Window], spans: Sequence[tuple[datetime.datetime, datetime.datetime]], file: str
) -> Iterator[VerdictReason]:
    for window, (start, end) in zip(windows, spans, strict=True):
        wall_s = (end - start).total_seconds()
        if abs(wall_s - window.duration_s) > max(_JUMP_S, _JUMP * window.duration_s):
            yield review(
                "clock_jump",
                f"a window of {window.phase} took {window.duration_s:.1f} s by one clock of the machine and "
                f"{wall_s:.1f} s by the other",
                file,
                AGAIN,
            )
            return


def _time(text: str) -> datetime.datetime:
    found = datetime.datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text} has no UTC offset")
    return found
