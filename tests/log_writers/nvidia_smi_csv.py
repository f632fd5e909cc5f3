"""Writes power logs of nvidia-smi --query-gpu, in all spellings of its --format."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

START = datetime.datetime(2025, 1, 31, 23, 59, 30)
UUID = "GPU-00000000-0000-0000-0000-00000000000{}"
_CELLS: dict[str, Callable[[int], str]] = {
    "index": str,
    "uuid": UUID.format,
    "name": lambda gpu: "NVIDIA H100 80GB HBM3",
    "pstate": lambda gpu: "P0",
    "temperature.gpu": lambda gpu: "31",
    "utilization.gpu [%]": lambda gpu: "99",
}
"""What stands in columns other than time and power."""


@dataclass(frozen=True)
class Trace:
    """What one log says.

    Attributes:
        times_ms: moments of the readings from START, in milliseconds.
        powers_w: powers of each GPU at each moment, in hundredths; None for [N/A].
        columns: fields in the order in which they were queried.
        header: whether there is a header line.
        units: whether the cells have units.
    """

    times_ms: tuple[int, ...]
    powers_w: tuple[tuple[float | None, ...], ...]
    columns: tuple[str, ...] = ("timestamp", "index", "power.draw [W]")
    header: bool = True
    units: bool = True


def line(trace: Trace, gpu: int, at_ms: int, power_w: float | None) -> str:
    """One reading."""
    stamp = (START + datetime.timedelta(milliseconds=at_ms)).strftime("%Y/%m/%d %H:%M:%S.%f")[:-3]
    power = "[N/A]" if power_w is None else f"{power_w:.2f}" + (" W" if trace.units else "")
    special = {"timestamp": stamp, "power.draw [W]": power}
    cells = []
    for column in trace.columns:
        cell = special.get(column) or _CELLS[column](gpu)
        cells.append(f"{cell} %" if column.endswith("[%]") and trace.units else cell)
    return ", ".join(cells)


def lines(trace: Trace) -> list[str]:
    """All lines, to change single ones of."""
    found = [", ".join(trace.columns)] if trace.header else []
    for moment, at_ms in enumerate(trace.times_ms):
        found += [line(trace, gpu, at_ms, powers[moment]) for gpu, powers in enumerate(trace.powers_w)]
    return found


def write(trace: Trace) -> bytes:
    """The log as a file."""
    return text(lines(trace))


def text(found: Sequence[str]) -> bytes:
    """Lines as a file."""
    return "".join(f"{one}\n" for one in found).encode()


def energy_kwh(trace: Trace, gpu: int = 0) -> float:
    """What a GPU took: trapezoids between its readings."""
    known = [(t, p) for t, p in zip(trace.times_ms, trace.powers_w[gpu], strict=True) if p is not None]
    pairs = itertools.pairwise(known)
    return sum((b[0] - a[0]) / 1000 * (a[1] + b[1]) / 2 for a, b in pairs) / 3.6e6


def steady(moments: int = 20, gpus: int = 1, period_ms: int = 1000, **changes: object) -> Trace:
    """A log without anything strange, of powers that differ from GPU to GPU."""
    powers = tuple(tuple(100.0 * (gpu + 1) + moment for moment in range(moments)) for gpu in range(gpus))
    return Trace(tuple(period_ms * moment for moment in range(moments)), powers, **changes)  # type: ignore[arg-type]


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    """Logs of up to three GPUs without gaps, in any spelling that tells its columns."""
    moments = draw(st.integers(2, 30))
    period_ms = draw(st.integers(20, 5000))
    lateness = draw(st.lists(st.integers(0, period_ms), min_size=moments, max_size=moments))
    times_ms = tuple(moment * period_ms + late // 2 for moment, late in enumerate(lateness))
    powers = st.integers(1, 100_000).map(lambda hundredths: hundredths / 100)
    gpus = draw(st.integers(1, 3))
    columns = ["timestamp", draw(st.sampled_from(["index", "uuid"])), "power.draw [W]"]
    columns += draw(st.lists(st.sampled_from(["name", "pstate", "utilization.gpu [%]"]), unique=True))
    header = draw(st.booleans())
    return Trace(
        times_ms,
        tuple(tuple(draw(st.lists(powers, min_size=moments, max_size=moments))) for _ in range(gpus)),
        tuple(draw(st.permutations(columns))),
        header,
        not header or draw(st.booleans()),
    )


def example() -> dict[str, bytes]:
    """One valid log: file name -> content."""
    return {"power.csv": write(steady(gpus=2, columns=("timestamp", "index", "name", "power.draw [W]")))}
