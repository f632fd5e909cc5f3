"""Terms of an energy: total = (GPU + CPU + RAM + network + storage) x PUE, each term explicit and optional.

The formula is AI Energy Score's for the whole energy of inference. A term that is None was not counted, and is said to
be so; it is never taken for 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from pydantic import Field

from scorekit.errors import UsageError
from scorekit.impacts.ranges import Range, positive
from scorekit.records import Record

TermName = Literal["gpu", "cpu", "ram", "network", "storage", "cpu+ram", "server", "given"]
Origin = Literal["measured", "modelled", "estimated", "mixed", "given", "unknown"]

PARTS: Final[tuple[TermName, ...]] = ("gpu", "cpu", "ram", "network", "storage")
"""The terms of the formula."""
_HOLDS: Final[dict[TermName, tuple[TermName, ...]]] = {
    "cpu+ram": ("cpu", "ram"),
    "server": ("cpu", "ram", "network", "storage"),
}
"""Terms that hold several of them in one figure."""
_MOST_PUE: Final = 100.0
"""Beyond all data centres."""
_MOST_WATER: Final = 1000.0
"""L per kWh, beyond all data centres: evaporating one litre takes 0.68 kWh away, so that 1.5 L cool a kWh."""


class Term(Record):
    """One term of an energy."""

    name: TermName = Field(
        description="server: CPU, RAM, network cards and disks as one figure; given: what a user gave, of whatever "
        "it is."
    )
    energy_wh: Range
    origin: Origin = Field(
        description="measured by a sensor; modelled by a formula from known inputs; estimated, where the inputs are "
        "guesses; mixed, where some of it is measured; given by the user, who knows."
    )


def term(name: TermName, energy_wh: float | Range, origin: Origin) -> Term:
    """A term with a positive energy; a range may begin at 0, where that much is not known.

    Raises:
        UsageError: the energy is zero, negative or no number.
    """
    energy = energy_wh if isinstance(energy_wh, Range) else Range.exactly(_energy(name, energy_wh))
    _energy(name, energy.high)
    if energy.low != 0:
        _energy(name, energy.low)
    return Term(name=name, energy_wh=energy, origin=origin)


def sum_of(terms: Sequence[Term]) -> Range:
    """The energy of all terms in Wh.

    Raises:
        UsageError: there is no term, or one is counted twice.
    """
    if not terms:
        raise UsageError("there is no energy to work with", mend="give one, e.g. --energy-wh 35")
    seen: set[str] = set()
    total = Range.exactly(0)
    for each in terms:
        parts = {*_HOLDS.get(each.name, (each.name,))}
        if seen & parts:
            raise UsageError(
                f"the energy of {', '.join(sorted(seen & parts))} is counted twice", mend="leave one of them out"
            )
        seen |= parts
        total = total.plus(each.energy_wh)
    return total


def not_counted(terms: Sequence[Term]) -> tuple[TermName, ...]:
    """Terms of the formula that are not among these. What a user gave as one figure may hold any of them."""
    held = {part for each in terms for part in _HOLDS.get(each.name, (each.name,))}
    return tuple(part for part in PARTS if part not in held and not (part == "gpu" and "given" in held))


def exact_pue(pue: float) -> Range:
    """A power usage effectiveness: the energy of a data centre over that of its computers.

    Raises:
        UsageError: it is below 1 or no number that could be.
    """
    if not 1 <= pue <= _MOST_PUE:
        raise UsageError(
            f"the PUE is {pue:g}, expected 1 to {_MOST_PUE:g}: a data centre takes at least what its computers take",
            mend="give it as a ratio, e.g. --pue 1.2",
        )
    return Range.exactly(pue)


def exact_site_water(water_l_per_kwh: float) -> Range:
    """Water that cools a data centre, in L per kWh of its computers.

    Raises:
        UsageError: it is negative or no number that could be.
    """
    if not 0 <= water_l_per_kwh <= _MOST_WATER:
        raise UsageError(
            f"the site's water is {water_l_per_kwh:g} L per kWh, expected 0 to {_MOST_WATER:g}",
            mend="give what the data centre publishes as its WUE",
        )
    return Range.exactly(water_l_per_kwh)


def _energy(name: str, energy_wh: float) -> float:
    return positive("the given energy" if name == "given" else f"the energy of {name}", energy_wh, "Wh")
