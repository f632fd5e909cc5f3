"""What `scorekit.measure` may be given. Each function gives the argument back, or raises a UsageError with its mend."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from numbers import Real
from typing import Final

from scorekit import tasks
from scorekit.api.kinds import number_of
from scorekit.errors import UsageError
from scorekit.measuring.code_meters import AUTO
from scorekit.uncertainty import LEAST_REPEATS

MOST_NAME: Final = 200


def name_of(name: str | None) -> str | None:
    """A name for what is measured: printable, and not empty."""
    if name is None or (isinstance(name, str) and name.strip() and len(name) <= MOST_NAME and name.isprintable()):
        return name
    raise UsageError(
        f"name={name!r:.60} names nothing, expected a printable text of {MOST_NAME} characters at most",
        mend='name="my model"',
    )


def task_of(task: str | None) -> str | None:
    """A word for what the code does, which is none of the protocol's."""
    if task is None:
        return None
    if not isinstance(task, str) or tasks.cohort_of(task) != task or task in tasks.TASKS:
        own = isinstance(task, str) and tasks.cohort_of(task) is not None
        raise UsageError(
            f"task={task!r:.60} is " + ("a task of the protocol, by which no code of your own is measured" if own else
            "no word for a task, expected small letters, digits and _, none of the protocol's names"),
            mend='task="my_task"; scorekit bench measures the tasks of the protocol',
        )  # fmt: skip
    return task


def meters_of(meters: Sequence[str] | str) -> tuple[str, ...]:
    """Names of meters; whether they are any is told where they are started."""
    listed = (meters,) if isinstance(meters, str) else meters
    found = tuple(listed) if isinstance(listed, Iterable) else ()
    if not found or not all(isinstance(name, str) for name in found):
        raise UsageError(f"meters={meters!r:.60} names no meters", mend='meters=["auto"]')
    return found


def gpus_of(gpus: str | Sequence[int | str] | None) -> str | tuple[str, ...] | None:
    """GPUs by index or UUID, `auto`, or None for none."""
    if gpus is None or gpus == AUTO:
        return gpus if gpus is None else AUTO
    if isinstance(gpus, str):
        return (gpus,)
    listed = isinstance(gpus, Sequence) and not any(isinstance(gpu, bool) for gpu in gpus)
    if not listed or not all(isinstance(gpu, int | str) for gpu in gpus):
        raise UsageError(f"gpus={gpus!r:.60} names no GPUs", mend='gpus=[0], gpus="auto", or gpus=None for none')
    return tuple(map(str, gpus)) or None


def samples_of(samples: int | None) -> int | None:
    """A number of samples, if it is told."""
    return None if samples is None else count_of("samples", samples, 1)


def count_of(what: str, value: int, least: int) -> int:
    """A whole number, of numpy too."""
    try:
        count = operator.index(value)
    except TypeError:
        count = None
    if count is None or isinstance(value, bool) or count < least:
        raise UsageError(f"{what} is {value!r:.60}, expected a whole number of at least {least}", mend="e.g. 10")
    return count


def seconds_of(what: str, value: float) -> float:
    """A time in seconds, 0 included."""
    mend = f"{what}=10"
    seconds = number_of(what, value, mend=mend)
    if not 0 <= seconds < math.inf:
        raise UsageError(f"{what}={value!r:.60} is no time, expected seconds from 0 on", mend=mend)
    return seconds


def waiting_of(synchronize: Callable[[], None] | None) -> Callable[[], None] | None:
    """What waits for devices, if there is anything."""
    if synchronize is None or callable(synchronize):
        return synchronize
    raise UsageError(
        f"synchronize={synchronize!r:.60} is no function, expected one that waits for the devices",
        mend="synchronize=wait, without brackets; leave it out for torch, which is waited for anyway",
    )


def check_target(target: float | None, repeats: int) -> None:
    """Whether repeats can end at a relative half-width."""
    if target is None:
        return
    if isinstance(target, bool) or not isinstance(target, Real) or not 0 < target < 1:
        raise UsageError(f"target_ci={target!r:.60} is no relative half-width", mend="target_ci=0.01")
    if repeats < LEAST_REPEATS:
        raise UsageError(
            f"target_ci needs {LEAST_REPEATS} repeats, and {repeats} allows fewer",
            mend="30 repeats, say: the most that will be made",
        )
