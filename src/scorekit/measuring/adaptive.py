"""When the repeats of a run may end: the energies so far, by the meter whose energy will be the score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from scorekit import uncertainty
from scorekit.records import Component, Window
from scorekit.tasks import Kind

LEAST_REPEATS: Final = uncertainty.LEAST_REPEATS


def why_end(windows: Sequence[Window], kind: Kind, target: float, *, gpu: bool) -> str | None:
    """Why no more repeats are needed; None where they are.

    Args:
        windows: all windows so far.
        kind: how the model answers.
        target: relative half-width of the 95 % interval at which repeats end.
        gpu: whether GPUs are measured; else the energy is that of CPU and RAM.
    """
    components: tuple[Component, ...] = ("gpu",) if gpu else ("cpu", "ram")
    values = []
    for answer in (window for window in windows if window.phase == kind):
        parts = [
            window for window in windows if window.repeat == answer.repeat and window.phase in ("preprocess", kind)
        ]
        energies_wh = [_wh_per_query(window, components) for window in parts]
        values.append(math.nan if None in energies_wh else math.fsum(e for e in energies_wh if e is not None))
        answer_wh = _wh_per_query(answer, components)
        if answer_wh is not None and answer_wh <= 0:
            values[-1] = math.nan
    if uncertainty.is_hopeless(values):
        return "a repeat holds no energy that can be true, so the run will not be scored, however many follow"
    if uncertainty.is_tight_enough(values, target):
        return f"the 95 % interval is within {100 * target:g} %"
    return None


def _wh_per_query(window: Window, components: Sequence[Component]) -> float | None:
    """Energy a query, by the first meter that reads each component; None where a reading holds none."""
    total_wh = 0.0
    for component in components:
        found = [reading for reading in window.readings if reading.component == component]
        mine = [reading.energy_wh for reading in found if reading.meter == found[0].meter]
        known = [energy_wh for energy_wh in mine if energy_wh is not None]
        if not known or len(known) != len(mine):
            return None
        total_wh += math.fsum(known)
    return total_wh / window.samples if window.samples else None
