"""Terms, PUE and impacts: each explicit, none doubled, nothing taken for zero."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scorekit.errors import UsageError
from scorekit.impacts import Range, Term, exact_pue, exact_site_water, find_zone, footprint, term
from scorekit.impacts.mix_tables import STUDY_MIX
from scorekit.impacts.mixes import Mix, Zone
from scorekit.impacts.terms import PARTS, TermName

FRANCE = find_zone(STUDY_MIX, "FRA")
WITH_WATER = Zone(code="AAA", name="A", gwp=0.5, pe=2.0, adpe=1e-8, water=4.0)
MIX = Mix(name="test", title="test", source="made up", version="1", zones=(WITH_WATER,))


def test_the_total_is_the_sum_of_the_terms_times_the_pue() -> None:
    terms = [term(part, 1.0 + number, "measured") for number, part in enumerate(PARTS)]
    found = footprint(terms, WITH_WATER, MIX, pue=exact_pue(1.2), site_water_l_per_kwh=exact_site_water(0.5))
    assert found.energy_wh == Range.exactly(15 * 1.2)
    assert found.not_counted == ()
    assert found.figure("gwp").value == Range.exactly(0.018 * 0.5)
    water = found.figure("water").value
    assert water is not None
    # The mix's water follows the whole energy, the site's that of its computers.
    assert water.low == pytest.approx(0.018 * 4 + 0.015 * 0.5)


def test_what_is_not_given_is_told_and_not_counted() -> None:
    found = footprint([term("gpu", 35, "measured")], FRANCE, STUDY_MIX)
    assert found.energy_wh == Range.exactly(35)
    assert found.pue is None
    assert found.site_water_l_per_kwh is None
    assert found.not_counted == ("cpu", "ram", "network", "storage")
    assert footprint([term("given", 35, "given")], FRANCE, STUDY_MIX).not_counted == PARTS[1:]
    both = [term("gpu", 1, "modelled"), term("server", 1, "modelled")]
    assert footprint(both, FRANCE, STUDY_MIX).not_counted == ()


@pytest.mark.parametrize(
    "names", [("gpu", "gpu"), ("server", "cpu"), ("cpu+ram", "ram"), ("cpu+ram", "server")], ids=str
)
def test_nothing_is_counted_twice(names: tuple[TermName, ...]) -> None:
    with pytest.raises(UsageError, match="counted twice"):
        footprint([term(name, 1, "measured") for name in names], FRANCE, STUDY_MIX)


def test_no_term_is_no_energy() -> None:
    with pytest.raises(UsageError, match="no energy"):
        footprint([], FRANCE, STUDY_MIX)


@pytest.mark.parametrize("energy_wh", [0, -1, float("nan"), float("inf"), 1e300])
def test_energies_that_cannot_be_are_refused(energy_wh: float) -> None:
    with pytest.raises(UsageError, match="expected a positive number"):
        term("gpu", energy_wh, "measured")


@pytest.mark.parametrize("pue", [0.999, 0, -1, float("nan"), float("inf"), 1e6])
def test_a_pue_below_1_is_refused(pue: float) -> None:
    with pytest.raises(UsageError, match=r"the PUE is .*, expected 1 to 100"):
        exact_pue(pue)


@pytest.mark.parametrize("water", [-0.1, float("nan"), float("inf")])
def test_water_that_cannot_be_is_refused(water: float) -> None:
    with pytest.raises(UsageError, match="the site's water"):
        exact_site_water(water)


def test_ranges_that_cannot_be_are_refused_wherever_they_come_from() -> None:
    with pytest.raises(ValidationError, match="runs backwards"):
        Range(low=2, high=1)
    with pytest.raises(UsageError, match="positive"):
        term("gpu", Range(low=-1, high=1), "modelled")
    with pytest.raises(UsageError, match="positive"):
        term("gpu", Range(low=0, high=0), "modelled")
    assert term("gpu", Range(low=0, high=1), "measured").energy_wh == Range(low=0, high=1)
    with pytest.raises(UsageError, match="PUE"):
        footprint([term("gpu", 1, "measured")], FRANCE, STUDY_MIX, pue=Range(low=0.5, high=1.2))
    with pytest.raises(UsageError, match="water"):
        footprint([term("gpu", 1, "measured")], FRANCE, STUDY_MIX, site_water_l_per_kwh=Range(low=-1, high=1))


def test_a_zone_of_an_edition_without_the_world_has_no_worlds_figure() -> None:
    zone = Zone(code="BBB", name="B", gwp=None, pe=1.0, adpe=None, water=None)
    figure = footprint([term("gpu", 1, "measured")], zone, MIX).figure("gwp")
    assert (figure.value, figure.with_world_factor, figure.why_none) == (None, None, "not known")


def test_zero_zones_are_answered() -> None:
    with pytest.raises(UsageError, match="there is no zone 'FRA'"):
        find_zone(MIX.model_copy(update={"zones": ()}), "FRA")


@given(
    energies_wh=st.lists(st.floats(1e-9, 1e9), min_size=1, max_size=5),
    width=st.floats(0, 1),
    pue=st.floats(1, 3),
)
def test_impacts_grow_with_the_energy_and_keep_their_ends(energies_wh: list[float], width: float, pue: float) -> None:
    terms: list[Term] = [
        term(part, Range(low=energy, high=energy * (1 + width)), "modelled")
        for part, energy in zip(PARTS, energies_wh, strict=False)
    ]
    found = footprint(terms, WITH_WATER, MIX, pue=exact_pue(pue))
    total = found.energy_wh
    assert total.low == pytest.approx(sum(energies_wh) * pue)
    assert total.high == pytest.approx(total.low * (1 + width))
    for figure in found.figures:
        assert figure.value is not None
        assert figure.factor_per_kwh is not None
        assert figure.value.low == pytest.approx(total.low / 1000 * figure.factor_per_kwh)
        assert figure.value.low <= figure.value.high
