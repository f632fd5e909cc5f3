"""What the pages know of impacts: the calculator's data, read once, or why it is not there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from scorekit import impacts
from scorekit.errors import InputError, MissingExtraError
from scorekit.publish.site.pages import File, script_data
from scorekit.units import kg_to_g, kg_to_ug

DATA_PATH: Final = "data/impact.js"


@dataclass(frozen=True, slots=True)
class ShownUnit:
    """The unit that a page shows an impact in.

    Attributes:
        unit: as people write it.
        per_unit: what one of the calculator's own units (kg, MJ, L) is in it.
    """

    unit: str
    per_unit: float


SHOWN: Final = {
    "gwp": ShownUnit("g CO₂e", kg_to_g(1)),
    "pe": ShownUnit("MJ", 1.0),
    "adpe": ShownUnit("µg Sb eq", kg_to_ug(1)),
    "water": ShownUnit("L", 1.0),
}
"""The units of `scorekit calculate`."""


@dataclass(frozen=True, slots=True)
class Impacts:
    """The calculator's data, or why there is none.

    Attributes:
        data: as `scorekit.impacts.page_data` gives it; None where the site was built without it.
        why_none: why, in a sentence.
        mend: the command that mends it; None where none does.
    """

    data: dict[str, Any] | None
    why_none: str | None = None
    mend: str | None = None

    @property
    def mix(self) -> dict[str, Any] | None:
        """The installed edition of electricity mixes; None where there is none or it has no zones."""
        mixes = [] if self.data is None else self.data["mixes"]
        return mixes[0] if mixes and mixes[0]["zones"] else None

    def file(self) -> File:
        """The data as a script."""
        shown = {name: {"unit": each.unit, "per_unit": each.per_unit} for name, each in SHOWN.items()}
        return script_data("impact", {**(self.data or {}), "shown": shown}, DATA_PATH)


@lru_cache(maxsize=1)
def read() -> Impacts:
    """The data of this installation."""
    try:
        return Impacts(impacts.page_data())
    except (MissingExtraError, InputError) as error:
        return Impacts(None, error.message, error.mend)
