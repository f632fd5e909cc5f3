"""Which repeat holds the energy of one beside it that was lost: that one read about 0, and it read two. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

CLOSE: Final = 0.15
"""Energies within 15 % are about the same: repeats of one job differ by some percent, a window that was lost or read
twice by a factor of two."""
LOST: Final = 0.05
"""Of a lost pass nothing is left; 5 % of the prefill is left to rounding."""
LEAST_SPREAD: Final = 0.05
"""By how much the sum of two repeats may differ from twice the usual one, however close the others are: few repeats
do not show all of their spread."""

Energy = float | None
"""In kWh; None for one that is missing, and any float, for a log may hold any."""


def read_with_neighbour(energies: Sequence[Energy], usual: float) -> dict[int, int]:
    """Repeats that hold the energy of a neighbour which read about 0: each such repeat, and that neighbour.

    Only a repeat that stands out of the spread of the others, and is what two of them take, can be one. The energy of
    one lost repeat stands in one neighbour: where both could hold it, neither is known to.

    Args:
        energies: of the repeats in kWh; None for one that is missing.
        usual: what one of them takes in kWh, above 0.
    """
    lost = [at for at, energy in enumerate(energies) if energy is not None and abs(energy) <= LOST * LOST * usual]
    beside = {at for number in lost for at in (number - 1, number + 1)}
    possible = {at for at in beside if 0 <= at < len(energies) and is_close(energies[at] or 0.0, 2 * usual)}
    others = [
        energy
        for at, energy in enumerate(energies)
        if energy is not None
        and math.isfinite(energy)
        and energy > 0
        and at not in possible
        and abs(energy) > LOST * LOST * usual
    ]
    if not possible or not others:
        return {}
    spread = max(max(others) / usual - 1, 1 - min(others) / usual)
    allowed = min(CLOSE, max(LEAST_SPREAD, 2 * spread))
    least = max(2 * usual * (1 - allowed), max(others) * (1 + LEAST_SPREAD))
    free = {at for at in possible if least <= (energies[at] or 0.0) <= 2 * usual * (1 + allowed)}
    found: dict[int, int] = {}
    unheld = set(lost)
    # A neighbour that is taken may leave the next lost repeat one alone: once from either end tells all of a chain.
    for number in (*lost, *reversed(lost)):
        neighbours = [at for at in (number - 1, number + 1) if at in free]
        if number in unheld and len(neighbours) == 1:
            found[neighbours[0]] = number
            free.remove(neighbours[0])
            unheld.remove(number)
    return found


def is_close(one: float, other: float) -> bool:
    """Whether an energy is within CLOSE of another, which is above 0."""
    return other > 0 and abs(one / other - 1) <= CLOSE
