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
