"""Logarithmic axes that say what they are: from a 1, 2 or 5 to another, with ticks that can be read; pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

import altair as alt

from scorekit.publish.label.wording import figure

_HARD_TO_READ: Final = "datum.value && (abs(datum.value) < 1e-6 || abs(datum.value) >= 1e9)"
LABEL: Final = f"format(datum.value, {_HARD_TO_READ} ? '.0e' : ',~r')"
"""Vega's expression for a tick: 0.000001 to 100,000,000 in full."""
COLUMNS: Final = alt.ExprRef(expr="max(1, floor(width / 165))")
"""Of a legend, so many as the width holds."""
LABEL_LIMIT: Final = alt.ExprRef(expr="min(260, width - 24)")
"""Of a legend, in px."""
_STEPS: Final = (1, 2, 5)
_TICKS: Final = ((0.75, (1, 1.5, 2, 3, 4, 5, 7)), (1.6, _STEPS), (3.2, (1, 3)))
"""Up to how many decades an axis has ticks at which multiples of a power of ten; beyond, at the powers alone."""
_MOST_DECADES: Final = 7


def log_range(values: Iterable[float], *, room: float = 1.15) -> tuple[float, float]:
    """The range of an axis: from below the least of the values to above the greatest, at a 1, 2 or 5.

    Args:
        values: positive.
        room: factor that is left free on each side.
    """
    held = list(values)
    if not held:
        return 0.1, 10.0
    return _step_below(min(held) / room), _step_above(max(held) * room)


def log_ticks(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic axis, few enough to be read."""
    decades = math.log10(high / low)
    steps = next((steps for most, steps in _TICKS if decades <= most), (1,))
    every = max(1, math.ceil(decades / _MOST_DECADES))
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    found = [step * 10.0**power for power in range(first, last + 1) if power % every == 0 for step in steps]
    return [float(f"{tick:.3g}") for tick in found if low * 0.999 <= tick <= high * 1.001]


def log_params(prefix: str, values: Iterable[float]) -> dict[str, Any]:
    """Parameters of a logarithmic axis, for `log_x` and `log_y` of the same prefix."""
    low, high = log_range(values)
    return {f"{prefix}Low": low, f"{prefix}High": high, f"{prefix}Ticks": log_ticks(low, high)}


def log_x(field: str, title: str, prefix: str = "x") -> alt.X:
    """A logarithmic x axis by the parameters of a prefix."""
    return alt.X(f"{field}:Q", title=title, scale=_scale(prefix), axis=_axis(prefix))


def log_y(field: str, title: str, prefix: str = "y") -> alt.Y:
    """A logarithmic y axis by the parameters of a prefix."""
    return alt.Y(f"{field}:Q", title=title, scale=_scale(prefix), axis=_axis(prefix))


def is_right(value: float, values: Iterable[float]) -> bool:
    """Whether a value stands so far right on the logarithmic axis of some values that its words go to its left."""
    low, high = log_range(values)
    return math.log(value / low) > 0.55 * math.log(high / low)


def told(value: float | None, unit: str | None = None) -> str:
    """A figure of three digits with its unit, in words where there is none."""
    if value is None or not math.isfinite(value):
        return "unknown"
    text = "0" if value == 0 else figure(value) if value > 0 else f"\u2212{figure(-value)}"
    return text if unit is None else f"{text} {unit}"


def _scale(prefix: str) -> alt.Scale:
    return alt.Scale(
        type="log",
        domainMin=alt.ExprRef(expr=f"{prefix}Low"),
        domainMax=alt.ExprRef(expr=f"{prefix}High"),
        nice=False,
    )


def _axis(prefix: str) -> alt.Axis:
    return alt.Axis(values=alt.ExprRef(expr=f"{prefix}Ticks"), labelExpr=LABEL, grid=True)


def _step_below(value: float) -> float:
    power = math.floor(math.log10(value))
    return max(float(f"{step}e{at}") for at in (power - 1, power, power + 1) for step in _STEPS
               if float(f"{step}e{at}") <= value * (1 + 1e-12))  # fmt: skip


def _step_above(value: float) -> float:
    power = math.floor(math.log10(value))
    return min(float(f"{step}e{at}") for at in (power - 1, power, power + 1) for step in _STEPS
               if float(f"{step}e{at}") >= value * (1 - 1e-12))  # fmt: skip
