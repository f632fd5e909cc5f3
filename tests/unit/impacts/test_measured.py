"""The method `measured`: a result's own energy, by output tokens or by queries, with what it is and is not of."""

from __future__ import annotations

from pathlib import Path

import pytest

from scorekit import impacts, logs
from scorekit.errors import InvalidRunError, UsageError
from scorekit.impacts.mix_tables import STUDY_MIX
from scorekit.records import Reason
from tests.bundles import local_score, official_score
from tests.golden import make

GOLDEN = Path(make.__file__).parent
FRANCE = impacts.find_zone(STUDY_MIX, "FRA")


def test_queries_take_what_was_measured() -> None:
    score = logs.read_score(GOLDEN / "generate_h100_counter")
    found = impacts.of_queries(score, 1000, FRANCE, STUDY_MIX, pue=1.2)
    energy = found.footprint.energy_wh
    # 7.6 Wh per 1,000 queries, +- 0.994 %.
    assert (energy.low + energy.high) / 2 == pytest.approx(7.6 * 1.2)
    assert energy.high / energy.low == pytest.approx(1.00994 / 0.99006, rel=1e-4)
    assert (found.basis, found.amount, found.origin) == ("queries", 1000, "measured")
    assert found.footprint.not_counted == ("cpu", "ram", "network", "storage")
    assert impacts.of_queries(score, 1, FRANCE, STUDY_MIX).footprint.energy_wh.low == pytest.approx(energy.low / 1200)


def test_an_answer_takes_its_share_of_the_tokens() -> None:
    score = logs.read_score(GOLDEN / "generate_h100_counter")
    found = impacts.of_tokens(score, 500, FRANCE, STUDY_MIX, text="x")
    energy = found.footprint.energy_wh
    # 0.76 Wh per 1,000 tokens.
    assert (energy.low + energy.high) / 2 == pytest.approx(0.38)
    assert (found.basis, found.amount, found.text) == ("output tokens", 500, "x")
    assert any("reading the prompts" in note for note in found.notes)


def test_modelled_terms_are_called_so() -> None:
    score = logs.read_score(GOLDEN / "forward_cpu")
    found = impacts.of_queries(score, 1000, FRANCE, STUDY_MIX)
    assert {each.name: each.origin for each in found.footprint.terms} == {"cpu": "modelled", "ram": "modelled"}
    assert found.origin == "modelled"
    assert found.footprint.not_counted == ("gpu", "network", "storage")
    with pytest.raises(UsageError, match="how many tokens"):
        impacts.of_tokens(score, 50, FRANCE, STUDY_MIX)


def test_a_measured_gpu_with_modelled_parts_is_mixed() -> None:
    score = official_score(gpu_kwh=0.01, cpu_kwh=0.002, ram_kwh=0.0, cpu_origin="modelled", queries=1000)
    found = impacts.of_queries(score, 1000, FRANCE, STUDY_MIX)
    assert {each.name: each.origin for each in found.footprint.terms} == {"gpu": "measured", "cpu": "modelled"}
    assert found.origin == "mixed"
    # RAM of 0 is too little to tell: not counted, and told so.
    assert "ram" in found.footprint.not_counted


def test_results_of_other_logs_are_taken_as_they_are() -> None:
    own = logs.read_score(GOLDEN / "generate_h100_counter")
    result = logs.result_of(own, "run").model_copy(update={"score": None})
    found = impacts.of_queries(result, 1000, FRANCE, STUDY_MIX)
    assert found.footprint.energy_wh == impacts.of_queries(own, 1000, FRANCE, STUDY_MIX).footprint.energy_wh
    assert [each.name for each in found.footprint.terms] == ["gpu"]
    unknown = result.model_copy(update={"domain": None, "origin": "unknown"})
    assert [each.name for each in impacts.of_queries(unknown, 1, FRANCE, STUDY_MIX).footprint.terms] == ["given"]
    refused = result.model_copy(update={"energy_kwh": None, "refused": "a decode is negative"})
    with pytest.raises(InvalidRunError, match="a decode is negative"):
        impacts.of_queries(refused, 1000, FRANCE, STUDY_MIX)
    with pytest.raises(UsageError, match="how many queries"):
        impacts.of_queries(result.model_copy(update={"queries": None}), 1000, FRANCE, STUDY_MIX)


def test_invalid_runs_have_no_footprint() -> None:
    score = local_score().model_copy(
        update={"valid": False, "invalid_because": (Reason(code="energy_positive", message="zero"),)}
    )
    with pytest.raises(InvalidRunError, match="energy_positive"):
        impacts.of_queries(score, 1000, FRANCE, STUDY_MIX)


@pytest.mark.parametrize("amount", [0, -1, float("nan"), float("inf")])
def test_amounts_that_cannot_be_are_refused(amount: float) -> None:
    score = logs.read_score(GOLDEN / "generate_h100_counter")
    with pytest.raises(UsageError, match="positive"):
        impacts.of_queries(score, amount, FRANCE, STUDY_MIX)
    with pytest.raises(UsageError, match="positive"):
        impacts.of_tokens(score, amount, FRANCE, STUDY_MIX)
    with pytest.raises(UsageError, match="the PUE"):
        impacts.of_queries(score, 1, FRANCE, STUDY_MIX, pue=0.5)


@pytest.mark.parametrize(
    ("percent", "low", "high"), [(0.0, 1.0, 1.0), (99.0, 0.01, 1.99), (100.0, 0.0, 2.0), (250.0, 0.0, 3.5)]
)
def test_the_less_an_energy_is_known_the_wider_its_range(percent: float, low: float, high: float) -> None:
    score = official_score(gpu_kwh=0.01, cpu_kwh=0.002, ram_kwh=None, cpu_origin="modelled", queries=1000)
    assert score.uncertainty is not None
    unsure = score.model_copy(
        update={"uncertainty": score.uncertainty.model_copy(update={"combined_95_percent": percent})}
    )
    terms = {each.name: each.energy_wh for each in impacts.terms_of(unsure, 1000)}
    assert (terms["gpu"].low, terms["gpu"].high) == pytest.approx((10 * low, 10 * high))
    # What is no term of the score has no interval that is known.
    assert terms["cpu"].is_exact
    found = impacts.of_queries(unsure, 1000, FRANCE, STUDY_MIX)
    gwp = found.footprint.figure("gwp").value
    assert gwp is not None
    assert FRANCE.gwp is not None
    assert (gwp.low, gwp.high) == pytest.approx(
        ((10 * low + 2) / 1000 * FRANCE.gwp, (10 * high + 2) / 1000 * FRANCE.gwp)
    )
    assert any("95 % interval" in note for note in found.notes)


def test_an_energy_whose_interval_is_not_known_is_told_as_it_is() -> None:
    score = official_score(gpu_kwh=0.01, queries=1000).model_copy(update={"uncertainty": None})
    (gpu, *_) = impacts.terms_of(score, 1000)
    assert gpu.energy_wh.is_exact
    assert gpu.energy_wh.low == pytest.approx(10)
