"""The idle baseline of a run: power with the model loaded and nothing asked, and the energy without it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Final

from scorekit.logs import energies
from scorekit.logs.energies import Domain
from scorekit.records import Reason, Window
from scorekit.units import joules_to_wh, wh_to_joules

_IDLE: Final = ("idle_before", "idle_after")


def idle_power_w(windows: Sequence[Window], counted: Sequence[Window], domain: Domain) -> float | None:
    """Mean power of the domain while nothing was asked.

    The mean of before and after, however long each was: a baseline that drifts evenly is then that of the middle.

    Args:
        windows: every window of the run.
        counted: the windows that make the score, whose devices the idle ones must have.
        domain: what the energy covers.

    Returns:
        None where there is no idle window, or one has no energy that can be true of the same devices.
    """
    expected = energies.devices_of(counted[0], domain)
    powers_w = []
    for phase in _IDLE:
        idle = [window for window in windows if window.phase == phase]
        if not idle:
            continue
        found = [energies.domain_wh(window, domain) for window in idle]
        known = [energy_wh for energy_wh in found if energy_wh is not None]
        duration_s = math.fsum(window.duration_s for window in idle)
        same = all(energies.devices_of(window, domain) == expected for window in idle)
        if len(known) != len(idle) or not same or duration_s <= 0:
            return None
        powers_w.append(wh_to_joules(math.fsum(known)) / duration_s)
    return statistics.fmean(powers_w) if powers_w else None


def net_energy_wh(energy_wh: float, duration_s: float, power_w: float) -> float:
    """Energy without what the domain would have taken idle in a time, that of answering; of whatever sign."""
    return energy_wh - joules_to_wh(power_w * duration_s)


def no_net(power_w: float) -> Reason:
    """Why there is no net energy although the idle power is known."""
    return Reason(
        code="net_not_positive",
        message=f"the run took no more than its idle power of {power_w:.3g} W: there is no net energy; the model was "
        "not on the devices that were measured, or the baseline was not idle",
    )
