"""What can be used of another tool's log: the figure as published, the one without spoilt repeats, or none."""

from __future__ import annotations

import math

import pytest

from scorekit.logs.foreign.results import Energies, Facts, foreign_result
from scorekit.records import Fault, Result, Source

SOURCE = Source(name="log", format="test/1", files={}, scorekit_version="0")
FACTS = Facts(model="a/b", task="summarization", queries=100, queries_from="config", domain="gpu")


def _fault(repeat: int | None, *, spoils: bool = True) -> Fault:
    return Fault(code="zero_energy", message=f"fault of {repeat}", repeat=repeat, spoils=spoils)


def _result(*faults: Fault, by_repeat: tuple[float | None, ...] = (0.0, 2.0, 4.0), published: float = 2.0) -> Result:
    return foreign_result(SOURCE, FACTS, Energies(published, by_repeat, len(by_repeat)), faults)


def test_a_log_without_faults_gives_its_published_figure() -> None:
    found = _result(by_repeat=(1.0, 3.0))
    assert (found.energy_kwh, found.corrected, found.refused) == (2.0, None, None)
    # 2 kWh of 100 queries are 20 kWh of 1,000.
    assert found.wh_per_1000_queries == pytest.approx(20_000)


def test_a_spoilt_repeat_is_left_out_and_the_published_figure_stays() -> None:
    found = _result(_fault(0))
    assert found.corrected is not None
    assert (found.corrected.excluded_repeats, found.corrected.runs) == ((0,), 2)
    assert found.energy_kwh == found.corrected.energy_kwh == pytest.approx(3.0)
    assert found.published.energy_kwh == 2.0
    assert found.difference_percent == pytest.approx(50.0)


def test_a_fault_that_does_not_spoil_changes_no_figure() -> None:
    found = _result(_fault(0, spoils=False), by_repeat=(1.0, 3.0))
    assert (found.energy_kwh, found.corrected) == (2.0, None)


@pytest.mark.parametrize(
    ("fault", "by_repeat"),
    [
        # Nothing is known of single repeats, so none can be left out.
        (_fault(0), ()),
        # All of them are spoilt, or what is left cannot be true.
        (_fault(0), (0.0,)),
        (_fault(0), (1.0, -2.0)),
        (_fault(0), (1.0, None)),
        (_fault(0), (1.0, math.nan)),
        # It concerns the log as a whole.
        (_fault(None), (1.0, 3.0)),
    ],
)
def test_a_spoilt_repeat_that_cannot_be_left_out_leaves_no_figure(
    fault: Fault, by_repeat: tuple[float | None, ...]
) -> None:
    found = _result(fault, by_repeat=by_repeat)
    assert (found.energy_kwh, found.wh_per_1000_queries) == (None, None)
    assert found.refused is not None
    assert fault.message in found.refused
    assert found.published.energy_kwh == 2.0


@pytest.mark.parametrize("energy_kwh", [0.0, -1.0, math.nan, math.inf])
def test_an_energy_that_cannot_be_true_is_no_figure(energy_kwh: float) -> None:
    found = foreign_result(SOURCE, FACTS, Energies(energy_kwh))
    assert found.energy_kwh is None
    assert "cannot be true" in (found.refused or "")


def test_without_the_queries_only_the_energy_is_known() -> None:
    found = foreign_result(SOURCE, Facts(domain="gpu"), Energies(2.0))
    assert (found.energy_kwh, found.wh_per_1000_queries) == (2.0, None)
    assert "how many queries" in (found.refused or "")
    assert set(found.unknown) == {"model", "task", "hardware", "queries", "meter", "measured_utc", "gpu_count"}
