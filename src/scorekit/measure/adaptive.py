"""When the repeats of a run may end: the energies so far, by the meter whose energy will be the score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from scorekit import uncertainty
from scorekit.records import Component, Window
from scorekit.tasks import Kind

LEAST_REPEATS: Final = uncertainty.LEAST_REPEATS


def enough(windows: Sequence[Window], kind: Kind, target: float, *, gpu: bool) -> bool:
    """Whether the 95 % interval of the energy a query is within `target` of its mean.

    Args:
        windows: all windows so far.
        kind: how the model answers.
        target: relative half-width.
        gpu: whether GPUs are measured; else the energy is that of CPU and RAM.
    """
    components: tuple[Component, ...] = ("gpu",) if gpu else ("cpu", "ram")
    values = []
    for answer in (window for window in windows if window.phase == kind):
        parts = [
            window for window in windows if window.repeat == answer.repeat and window.phase in ("preprocess", kind)
        ]
        energies_wh = [_wh_per_query(window, components) for window in parts]
        known = [energy_wh for energy_wh in energies_wh if energy_wh is not None and energy_wh >= 0]
        # Preparing may honestly take less than the meter resolves, answering never.
        whole = len(known) == len(energies_wh) and (_wh_per_query(answer, components) or 0) > 0
        values.append(math.fsum(known) if whole else math.nan)
    return uncertainty.is_tight_enough(values, target)


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
