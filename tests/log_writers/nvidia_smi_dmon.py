"""Writes power logs of nvidia-smi dmon."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hypothesis import strategies as st

START = datetime.datetime(2025, 1, 31, 23, 59, 30)
HEADER_EVERY = 10
_OTHERS = ("gtemp", "mtemp", "sm", "mem")


@dataclass(frozen=True)
class Trace:
    """What one log says.

    Attributes:
        times_s: moments of the readings from START, in whole seconds.
        powers_w: powers of each GPU at each moment, in whole watts; None for -.
        stamps: what -o asked for.
        first: whether the power stands before the other columns.
    """

    times_s: tuple[int, ...]
    powers_w: tuple[tuple[int | None, ...], ...]
    stamps: Literal["", "T", "DT"] = "DT"
    first: bool = True


def _ordered(trace: Trace, power: str, others: Sequence[str]) -> list[str]:
    return [power, *others] if trace.first else [*others, power]


def header(trace: Trace) -> list[str]:
    """The two lines above the readings."""
    names, units = "".join(f"{name:>6}" for name in _ordered(trace, "pwr", _OTHERS)), ""
    units = "".join(f"{unit:>6}" for unit in _ordered(trace, "W", ("C", "C", "%", "%")))
    stamps = {"": ("# gpu", "# Idx"), "T": ("#Time        gpu", "#HH:MM:SS    Idx")}
    stamps["DT"] = ("#Date       Time        gpu", "#YYYYMMDD   HH:MM:SS    Idx")
    return [stamps[trace.stamps][0] + names, stamps[trace.stamps][1] + units]


def line(trace: Trace, gpu: int, at_s: int, power_w: int | None) -> str:
    """One reading."""
    when = START + datetime.timedelta(seconds=at_s)
    stamp = {"": "", "T": when.strftime(" %H:%M:%S"), "DT": when.strftime(" %Y%m%d   %H:%M:%S")}[trace.stamps]
    power = "-" if power_w is None else str(power_w)
    return stamp + f"{gpu:>6}" + "".join(f"{cell:>6}" for cell in _ordered(trace, power, ("31", "-", "99", "5")))


def lines(trace: Trace) -> list[str]:
    """All lines, to change single ones of."""
    found = []
    for moment, at_s in enumerate(trace.times_s):
        if moment % HEADER_EVERY == 0:
            found += header(trace)
        found += [line(trace, gpu, at_s, powers[moment]) for gpu, powers in enumerate(trace.powers_w)]
    return found


def text(found: Sequence[str]) -> bytes:
    """Lines as a file."""
    return "".join(f"{one}\n" for one in found).encode()


def write(trace: Trace) -> bytes:
    """The log as a file."""
    return text(lines(trace))


def energy_kwh(trace: Trace, gpu: int = 0) -> float:
    """What a GPU took: trapezoids between its readings."""
    known = [(t, p) for t, p in zip(trace.times_s, trace.powers_w[gpu], strict=True) if p is not None]
    return sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in itertools.pairwise(known)) / 3.6e6


def steady(moments: int = 25, gpus: int = 1, stamps: Literal["", "T", "DT"] = "DT") -> Trace:
    """A log without anything strange, over a midnight."""
    powers = tuple(tuple(100 * (gpu + 1) + moment for moment in range(moments)) for gpu in range(gpus))
    return Trace(tuple(2 * moment for moment in range(moments)), powers, stamps)


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    """Logs of up to three GPUs without gaps, with times."""
    moments = draw(st.integers(2, 30))
    period_s = draw(st.integers(1, 10))
    gpus = draw(st.integers(1, 3))
    powers = st.lists(st.integers(1, 1000), min_size=moments, max_size=moments).map(tuple)
    return Trace(
        tuple(period_s * moment for moment in range(moments)),
        tuple(draw(powers) for _ in range(gpus)),
        draw(st.sampled_from(["T", "DT"])),
        draw(st.booleans()),
    )


def example() -> dict[str, bytes]:
    """One valid log: file name -> content."""
    return {"dmon.log": write(steady(gpus=2))}
