"""The rating rule root_width: five parts of one width in the square root of the energy.

It lies between equal_width, in which one greedy model gives all others five stars, and log_width.
"""

import math
from collections.abc import Sequence

from scorekit.scales import Bounds, Rule


def bounds(rising: Sequence[float]) -> Bounds:
    """The four bounds between five stars and one, from a cohort's energies in rising order."""
    low, high = math.sqrt(rising[0]), math.sqrt(rising[-1])
    width = (high - low) / 5
    return ((low + width) ** 2, (low + 2 * width) ** 2, (low + 3 * width) ** 2, (low + 4 * width) ** 2)


RULE = Rule(
    name="root_width",
    description="five parts of one width in the square root of the energy",
    needs_members=False,
    bounds=bounds,
)
