"""What the package ecologits itself makes of an answer, and whether our formula comes to the same."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

from scorekit.errors import InputError, install_line
from scorekit.impacts.ecologits_package import range_of, version
from scorekit.impacts.formula import Work
from scorekit.impacts.models import SizedModel
from scorekit.impacts.ranges import Range
from scorekit.units import kwh_to_wh, wh_to_kwh

SAME: Final = 1e-9
"""Relative difference up to which two results of one method are the same: far above rounding, far below any change."""


class OwnResult(NamedTuple):
    """The package's own result for an answer; energies in Wh, water per unit of a mix of 1 L/kWh, the rest as `Making`.

    Attributes:
        energy_wh: with the data centre's overhead.
        water_l: with a mix of 1 L per kWh.
        gwp_kgco2eq: share in the making of the hardware.
        pe_mj: likewise.
        adpe_kgsbeq: likewise.
    """

    energy_wh: Range
    water_l: Range
    gwp_kgco2eq: Range
    pe_mj: Range
    adpe_kgsbeq: Range


def own_result(model: SizedModel, tokens: float, pue: Range, site_water_l_per_kwh: Range) -> OwnResult:
    """What the package itself makes of an answer."""
    from ecologits.impacts.llm import compute_llm_impacts

    found = compute_llm_impacts(
        model_active_parameter_count=_theirs(model.active_billion),
        model_total_parameter_count=_theirs(model.total_billion),
        output_token_count=tokens,
        # A mix of ones: the impacts of use are then the energy, and the making stands apart.
        if_electricity_mix_adpe=1,
        if_electricity_mix_pe=1,
        if_electricity_mix_gwp=1,
        if_electricity_mix_wue=1,
        datacenter_pue=_theirs(pue),
        datacenter_wue=_theirs(site_water_l_per_kwh),
        tps=model.speed.tokens_per_s,
        ttft=model.speed.first_token_s,
    )
    return OwnResult(
        energy_wh=range_of(found.energy.value).times(kwh_to_wh(1)),
        water_l=range_of(found.usage.wcf.value),
        gwp_kgco2eq=range_of(found.embodied.gwp.value),
        pe_mj=range_of(found.embodied.pe.value),
        adpe_kgsbeq=range_of(found.embodied.adpe.value),
    )


def require_same(model: SizedModel, tokens: float, low: Work, high: Work, pue: Range, site_water: Range | None) -> None:
    """Whether the package itself comes to the same result.

    Raises:
        InputError: it does not: the installed release reckons in another way than scorekit knows.
    """
    site_water = site_water or Range.exactly(0)
    own = own_result(model, tokens, pue, site_water)
    it_wh = Range(low=low.gpu_wh + low.server_wh, high=high.gpu_wh + high.server_wh)
    ours = OwnResult(
        energy_wh=it_wh.times(pue),
        water_l=it_wh.times(pue.plus(site_water)).times(wh_to_kwh(1)),
        gwp_kgco2eq=Range(low=low.making.gwp, high=high.making.gwp),
        pe_mj=Range(low=low.making.pe, high=high.making.pe),
        adpe_kgsbeq=Range(low=low.making.adpe, high=high.making.adpe),
    )
    for name, mine, theirs in zip(OwnResult._fields, ours, own, strict=True):
        if not (_same(mine.low, theirs.low) and _same(mine.high, theirs.high)):
            raise InputError(
                f"ecologits {version()} reckons {model.name} in another way than scorekit knows ({name} of {tokens:g} "
                f"tokens: {theirs.low:g} to {theirs.high:g}, expected {mine.low:g} to {mine.high:g})",
                mend=f"install the release that scorekit was made for; {install_line('impact')}",
            )


def _theirs(value: Range) -> Any:
    from ecologits.utils.range_value import RangeValue

    return value.low if value.is_exact else RangeValue(min=value.low, max=value.high)


def _same(mine: float, theirs: float) -> bool:
    return math.isclose(mine, theirs, rel_tol=SAME)
