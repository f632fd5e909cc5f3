"""What the fake GPU does in each row of the table, and what a meter can know of it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Trace = list[tuple[float, float]]
"""Points of (seconds, W), joined by lines; two points of one time are a jump."""

IDLE_W: Final = 100.0
LOAD_W: Final = 600.0
BASE_W: Final = 300.0
TICK_S: Final = 0.1
BEFORE_S: Final = 0.7
"""A pattern goes on for so long before the window."""
AFTER_S: Final = 4.0
"""And for so long after it, in which meters may still look for ticks."""
_IDLE_EDGE_S: Final = 0.2
"""Bursts begin and end so far inside of the window: longer than a meter takes to open, which waits for a tick."""
_OUTAGE_S: Final = 2.0

Expect = Literal["number", "refusal", "either"]
"""What a meter that never gives a wrong number does: tell the energy, tell that it cannot, or one of both."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table.

    Attributes:
        expect: what scorekit must do.
        trace: power of the used GPU from `BEFORE_S` before the window on, from the window's start and end [s].
        faults: settings of the fake in the window, from its start and end [s after t0].
        always: settings of the fake from before the meters are made.
        gpus: how many there are.
        used: number of the one that the model uses.
        hidden: whether CUDA_VISIBLE_DEVICES names the used one by its UUID.
    """

    key: str
    what: str
    expect: Expect
    trace: Callable[[float, float, random.Random], Trace] = field(default=lambda _start, _end, _random: [])
    faults: Callable[[float, float], dict[str, Any]] = field(default=lambda _start, _end: {})
    always: dict[str, Any] = field(default_factory=dict)
    gpus: int = 1
    used: int = 0
    hidden: bool = False


def steady(start_s: float, end_s: float, _: random.Random) -> Trace:
    """300 W."""
    return [(start_s - BEFORE_S, BASE_W), (end_s + AFTER_S, BASE_W)]


def ramp(start_s: float, end_s: float, _: random.Random) -> Trace:
    """From 100 to 600 W over the window and what surrounds it."""
    return [(start_s - BEFORE_S, IDLE_W), (end_s + AFTER_S, LOAD_W)]


def square(period_s: float) -> Callable[[float, float, random.Random], Trace]:
    """Load and idle in halves of a period, at a random phase."""

    def trace(start_s: float, end_s: float, randomness: random.Random) -> Trace:
        begun_s = start_s - BEFORE_S + randomness.random() * period_s
        points: Trace = [(begun_s, IDLE_W)]
        for number in range(math.ceil((end_s + AFTER_S - begun_s) / period_s)):
            low_s = begun_s + number * period_s
            high_s = low_s + period_s / 2
            points += [(low_s, IDLE_W), (low_s, LOAD_W), (high_s, LOAD_W), (high_s, IDLE_W)]
        return points

    return trace


def bursts(start_s: float, end_s: float, randomness: random.Random) -> Trace:
    """Inference with pauses between batches; idle before the first and after the last."""
    points: Trace = [(start_s - BEFORE_S, IDLE_W)]
    at_s, last_s = start_s + _IDLE_EDGE_S, end_s - _IDLE_EDGE_S
    while at_s < last_s:
        stop_s = min(last_s, at_s + randomness.uniform(0.05, 0.9))
        watts = randomness.uniform(0.6, 1.0) * LOAD_W
        points += [(at_s, IDLE_W), (at_s, watts), (stop_s, watts), (stop_s, IDLE_W)]
        at_s = stop_s + randomness.uniform(0.01, 0.15)
    return [*points, (end_s + AFTER_S, IDLE_W)]


def _within(start_s: float, end_s: float, part: float) -> float:
    return start_s + part * (end_s - start_s)


def _reset(start_s: float, end_s: float) -> dict[str, Any]:
    return {"reset_at_s": _within(start_s, end_s, 0.4)}


def _freeze(start_s: float, end_s: float) -> dict[str, Any]:
    return {"freeze_at_s": _within(start_s, end_s, 0.3)}


def _outage(start_s: float, end_s: float) -> dict[str, Any]:
    begun_s = _within(start_s, end_s, 0.3)
    return {"errors": [f"all:999@{begun_s!r}..{begun_s + _OUTAGE_S!r}"]}


ROWS: Final = (
    Row("constant", "constant 300 W", "number", steady),
    Row("ramp", "ramp 100 to 600 W", "number", ramp),
    Row("square_1s", "square wave of 1 s", "number", square(1.0)),
    Row("square_tick", "square wave of the tick's period", "number", square(TICK_S)),
    Row("bursts", "bursts with idle edges", "number", bursts),
    Row("two_gpus", "two GPUs, one used", "number", square(0.7), gpus=2, used=0),
    Row("uuid", "visible by UUID, second of two", "number", square(0.7), gpus=2, used=1, hidden=True),
    Row("reset", "counter reset in the window", "refusal", square(0.7), _reset),
    Row("frozen", "counter frozen in the window", "refusal", square(0.7), _freeze),
    Row("unsupported", "no energy counter", "refusal", square(0.7), always={"errors": ["energy:3"]}),
    # Where the outage ends within the window, the counter has gone on meanwhile and tells the whole energy.
    Row("outage", "2 s of NVML errors", "either", square(0.7), _outage),
)


def row(key: str) -> Row:
    """The row of that key."""
    return next(found for found in ROWS if found.key == key)
