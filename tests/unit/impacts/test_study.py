"""The French study's figures come out to the digits that it prints."""

from __future__ import annotations

import pytest

from scorekit import impacts
from scorekit.impacts import STUDY_METHOD, TEXTS, Range
from scorekit.impacts.formula import Speed, work
from scorekit.impacts.mix_tables import STUDY_MIX
from scorekit.units import kg_to_g, kg_to_ug


@pytest.mark.parametrize(
    ("model", "shown"),
    [("gpt-4o", "35.0"), ("gpt-3.5", "3.58"), ("gpt-4", "447"), ("gpt-4-turbo", "115"), ("gpt-4o-mini", "2.07")],
)
def test_energy_of_a_small_conversation(model: str, shown: str) -> None:
    found = _calculate(model, "FRA")
    assert f"{found.footprint.energy_wh.low:#.3g}".rstrip(".") == shown
    assert found.footprint.energy_wh.is_exact
    assert found.origin == "estimated"
    # The digits are those of the formula, not of a table: the terms are not rounded.
    terms_wh = sum(each.energy_wh.low for each in found.footprint.terms)
    assert terms_wh * 1.2 == pytest.approx(float(shown), rel=5e-3)
    assert terms_wh * 1.2 != float(shown)


@pytest.mark.parametrize(
    ("zone", "gwp_g", "pe_mj", "adpe_ug"),
    [
        ("FRA", "2.803", "0.3260", "1.700"),
        ("WOR", "20.667", "0.3496", "2.582"),
        ("ZAF", "40.220", "0.3975", "3.019"),
        ("ZMB", "0.491", "0.00315", "5.677"),
    ],
)
def test_impacts_of_a_small_conversation(zone: str, gwp_g: str, pe_mj: str, adpe_ug: str) -> None:
    for found in (_calculate("gpt-4o", zone).footprint, _given(35.0, zone)):
        gwp, pe, adpe = (found.figure(name).value for name in ("gwp", "pe", "adpe"))
        assert gwp is not None
        assert pe is not None
        assert adpe is not None
        assert _as_printed(kg_to_g(gwp.low), gwp_g) == gwp_g
        assert _as_printed(pe.low, pe_mj) == pe_mj
        assert _as_printed(kg_to_ug(adpe.low), adpe_ug) == adpe_ug
        assert found.figure("water").value is None


def test_the_factors_are_the_studys() -> None:
    printed = {
        "WOR": (7.37708e-08, 9.988, 0.590478),
        "EEE": (6.42317e-08, 12.873, 0.509427),
        "ZWE": (1.09502e-07, 7.75488, 0.823938),
        "ZMB": (1.62193e-07, 0.089918, 0.014026),
        "ZAF": (8.62445e-08, 11.357, 1.14915),
    }
    for code, factors in printed.items():
        zone = impacts.find_zone(STUDY_MIX, code)
        assert (zone.adpe, zone.pe, zone.gwp) == pytest.approx(factors, rel=3e-5)
    # France has no row of factors in the study, but its figures for 35.0 Wh imply them.
    france = impacts.find_zone(STUDY_MIX, "FRA")
    assert (france.adpe, france.pe, france.gwp) == pytest.approx(
        (1.700e-9 / 0.035, 0.3260 / 0.035, 2.803e-3 / 0.035), 4e-4
    )


def test_the_number_of_gpus_follows_from_all_parameters() -> None:
    def gpus(total: float) -> int:
        return work(STUDY_METHOD.coefficients, active_billion=1, total_billion=total, tokens=1, speed=Speed()).gpu_count

    # ceil(1.2 T / 2 / 80)
    assert [gpus(total) for total in (1, 133, 134, 440, 880, 1760)] == [1, 1, 2, 4, 7, 14]


def test_texts_have_the_studys_sizes() -> None:
    assert {name: text.tokens for name, text in TEXTS.items()} == {
        "token": 1,
        "tweet": 50,
        "email": 170,
        "summary": 250,
        "small_conversation": 400,
        "five_page_report": 5000,
    }


def test_ai_energy_scores_table_has_no_greenhouse_gases() -> None:
    mix = impacts.find_mix("ai-energy-score")
    found = impacts.footprint([impacts.term("given", 1000, "given")], impacts.find_zone(mix, "China"), mix)
    assert found.figure("adpe").value == Range.exactly(8.515e-8)
    assert found.figure("pe").value == Range.exactly(14.1)
    for name in ("gwp", "water"):
        figure = found.figure(name)
        assert (figure.value, figure.with_world_factor, figure.own_data) == (None, None, False)
        assert figure.why_none == "AI Energy Score's table has no such factor"


def _calculate(model: str, zone: str) -> impacts.Calculation:
    return impacts.calculate(
        impacts.find_model(STUDY_METHOD.models, model, STUDY_METHOD.name),
        STUDY_METHOD,
        TEXTS["small_conversation"].tokens,
        impacts.find_zone(STUDY_MIX, zone),
        STUDY_MIX,
    )


def _given(energy_wh: float, zone: str) -> impacts.Footprint:
    return impacts.footprint([impacts.term("given", energy_wh, "given")], impacts.find_zone(STUDY_MIX, zone), STUDY_MIX)


def _as_printed(value: float, printed: str) -> str:
    return f"{value:.{len(printed.partition('.')[2])}f}"
