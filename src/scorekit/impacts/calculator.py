"""The calculator: what one answer of a model takes and what that means in a zone, by a named edition of a method."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from scorekit.impacts.ecologits_check import require_same
from scorekit.impacts.footprint import Footprint, footprint
from scorekit.impacts.formula import work_between
from scorekit.impacts.methods import Method
from scorekit.impacts.mixes import KINDS, ImpactName, Mix, Zone
from scorekit.impacts.models import SizedModel
from scorekit.impacts.ranges import Range, positive
from scorekit.impacts.terms import Origin, term
from scorekit.records import Record
from scorekit.records.base import Finite

CALCULATION_SCHEMA: Final = "scorekit.calculation/1"

_BECAUSE: Final[dict[str, str]] = {
    "modelled": "a formula from the model's published size",
    "estimated": "a formula from a guess of the model's size, which its maker has not published",
}


class MakingFigure(Record):
    """A share in the impacts of making the hardware; not part of the energy's impacts."""

    name: ImpactName
    unit: str
    value: Range


class Calculation(Record):
    """What an answer of a model takes, by one method."""

    schema_version: Literal["scorekit.calculation/1"] = CALCULATION_SCHEMA
    model: str
    provider: str | None = None
    method: str = Field(description="Name of the method's edition.")
    method_source: str
    origin: Origin = Field(description="Of the energy: measured, modelled or estimated.")
    origin_because: str
    basis: Literal["output tokens", "queries"] = Field(description="What the amount is of.")
    amount: Finite = Field(description="Output tokens of the answer, or queries.")
    text: str | None = Field(default=None, description="The kind of text, where one was named.")
    footprint: Footprint
    making: tuple[MakingFigure, ...] = Field(default=(), description="Empty where the method does not tell.")
    notes: tuple[str, ...] = ()


def calculate(
    model: SizedModel, method: Method, tokens: float, zone: Zone, mix: Mix, *, text: str | None = None
) -> Calculation:
    """What an answer of a model takes.

    The energy is a range where the size of the model or the data centre's overhead is one. Of the installed edition
    of EcoLogits the result is compared with the package's own.

    Args:
        model: one of the method's models.
        method: an edition of a method.
        tokens: output tokens of the answer.
        zone: where the electricity comes from.
        mix: the edition of electricity mixes that the zone is of.
        text: name of the kind of text that the tokens are of.

    Raises:
        UsageError: the number of tokens is not positive.
        InputError: the installed package comes to another result.
    """
    positive("the text's length", tokens, "tokens")
    provider = method.provider(model.provider)
    low, high = work_between(
        method.coefficients,
        active_billion=model.active_billion,
        total_billion=model.total_billion,
        tokens=tokens,
        speed=model.speed,
    )
    if method.of_package:
        require_same(model, tokens, low, high, provider.pue, provider.site_water_l_per_kwh)
    origin = model.origin
    gpus = f"{low.gpu_count} to {high.gpu_count}" if low.gpu_count != high.gpu_count else str(low.gpu_count)
    return Calculation(
        model=model.name,
        provider=model.provider,
        method=method.name,
        method_source=method.source,
        origin=origin,
        origin_because=_BECAUSE[origin],
        basis="output tokens",
        amount=tokens,
        text=text,
        footprint=footprint(
            (
                term("gpu", Range(low=low.gpu_wh, high=high.gpu_wh), origin),
                term("server", Range(low=low.server_wh, high=high.server_wh), origin),
            ),
            zone,
            mix,
            pue=provider.pue,
            site_water_l_per_kwh=provider.site_water_l_per_kwh,
            energy_digits=method.energy_digits,
        ),
        making=tuple(
            MakingFigure(
                name=kind.name,
                unit=kind.unit,
                value=Range(low=getattr(low.making, kind.name), high=getattr(high.making, kind.name)),
            )
            for kind in KINDS
            if kind.name != "water"
        ),
        notes=_notes(model, method, gpus),
    )


def _notes(model: SizedModel, method: Method, gpus: str) -> tuple[str, ...]:
    active, total = (_told(size) for size in (model.active_billion, model.total_billion))
    notes = [f"{active} billion active and {total} billion parameters in all, on {gpus} GPU(s)"]
    if "model-arch-multimodal" in model.warnings:
        notes.append("the model also takes other input than text, for which the method was not made")
    if method.energy_digits is not None:
        notes.append(
            f"the energy is rounded to {method.energy_digits} digits, as the study's table shows it, before impacts "
            "are worked out"
        )
    return tuple(notes)


def _told(value: Range) -> str:
    return f"{value.low:g}" if value.is_exact else f"{value.low:g} to {value.high:g}"
